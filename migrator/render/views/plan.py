"""`migrate plan`: the table of services, what stands in their way, and what changed in the folder of plans."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migrator.model.fleet import Policy
from migrator.model.ids import ServiceId
from migrator.model.plan import Finding, Plan, Severity, Verdict
from migrator.planning.users import Users
from migrator.render.blocks import VERDICT_TONES, Block, Column, Line, Table, Tone
from migrator.render.json_out import result
from migrator.render.steps import changes, role_name
from migrator.render.views.owners import owners_of
from migrator.steps.crowds.judged import count

CHANGES = ("new", "changed", "unchanged", "in-hand")
_ORDER = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Planned:
    """One plan and what became of its file: one of `CHANGES`. a run holds the "in-hand" ones, whose files are left."""

    plan: Plan
    change: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A cluster that could not be planned, and why."""

    cluster: str
    why: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A service whose plan file cannot be read, and why: it was not planned, its file is left as it is."""

    service: ServiceId
    problem: str


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the journal says that a service stands, and the role of its newest run."""

    standing: str
    role: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the look over the whole fleet came to; `closed` are clusters that could not be read."""

    users: Users
    issuers: Mapping[str, str]  # issuer of a cluster, without its scheme, to its alias
    closed: Sequence[LeftOut]
    standings: Mapping[ServiceId, Stand]
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """All that a planning run came to."""

    folder: str
    dry_run: bool
    clusters: int  # looked at, the left out included
    planned: Sequence[Planned]
    gone: Sequence[ServiceId]  # have a plan file, and no annotated ServiceAccount any more
    moved: Sequence[ServiceId]  # the same, because the journal says that they were migrated
    left_out: Sequence[LeftOut]
    unread: Sequence[Unread] = ()
    seen: Seen | None = None  # only for the view by role


def document(planning: Planning) -> dict[str, Any]:
    """The result document, `schemas/plan.json`."""
    return result(
        "plan",
        dry_run=planning.dry_run,
        folder=planning.folder,
        summary=_summary(planning),
        services=[_service(planned) for planned in planning.planned],
        gone=[str(service) for service in planning.gone],
        moved=[str(service) for service in planning.moved],
        left_out=[{"cluster": one.cluster, "why": one.why} for one in planning.left_out],
        unreadable=[{"service": str(one.service), "problem": one.problem} for one in planning.unread],
    )


def finding(found: Finding) -> dict[str, str]:
    """A finding as the documents show it."""
    return {
        "code": found.code,
        "severity": str(found.severity),
        "object": found.object,
        "field": found.field,
        "value": found.value,
        "says": found.says,
    }


def by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, the gravest first."""
    return sorted(findings, key=lambda found: (_ORDER[found.severity], found.code, found.object, found.field))


def role_of(plan: Plan) -> str | None:
    """The role's ARN as the planner found it, else as the ServiceAccount's annotation has it, else None."""
    role = plan.facts.get("role") or {}
    annotations = (plan.facts.get("service_account") or {}).get("annotations") or {}
    arn = role.get("arn") or annotations.get("eks.amazonaws.com/role-arn")
    return str(arn) if arn else None


def _summary(planning: Planning) -> dict[str, int]:
    verdicts = [str(one.plan.verdict) for one in planning.planned]
    counted = {change.replace("-", "_"): sum(one.change == change for one in planning.planned) for change in CHANGES}
    return {
        "clusters": planning.clusters,
        "left_out": len(planning.left_out),
        "services": len(planning.planned),
        **{str(word): verdicts.count(str(word)) for word in Verdict},
        "hold": sum(one.plan.edit.hold for one in planning.planned),
        **counted,
        "gone": len(planning.gone),
        "moved": len(planning.moved),
    }


def _service(planned: Planned) -> dict[str, Any]:
    plan = planned.plan
    return {
        "service": str(plan.service),
        "role": role_of(plan),
        "verdict": str(plan.verdict),
        "hold": plan.edit.hold,
        "findings": [finding(found) for found in by_weight(plan.findings)],
        "steps": [{"id": step.id, "changes": changes(step)} for step in plan.way_there],
        "plan": planned.change,
        "owners": owners_of(plan),
    }


def blocks(data: Mapping[str, Any]) -> list[Block]:
    """The document for people."""
    columns = (
        Column("service"),
        Column("role"),
        Column("verdict", VERDICT_TONES),
        Column("findings"),
        Column("steps"),
        Column("plan", {"unchanged": Tone.FAINT}),
    )
    rows = tuple(_row(service) for service in data["services"])
    table: list[Block] = [Table(columns, rows), Line()] if rows else []
    return [*table, *_closing(data)]


def _row(service: Mapping[str, Any]) -> tuple[str, ...]:
    steps = [step["id"] for step in service["steps"] if step["changes"]]
    return (
        service["service"],
        role_name(service["role"]) if service["role"] else "-",
        "hold" if service["hold"] else service["verdict"],
        _codes(service["findings"]) or "-",
        " ".join(steps) or "-",
        service["plan"],
    )


def _codes(findings: Sequence[Mapping[str, str]]) -> str:
    heavy = dict.fromkeys(found["code"] for found in findings if found["severity"] != Severity.INFO)
    infos = len({found["code"] for found in findings if found["severity"] == Severity.INFO})
    return ", ".join([*heavy, *([f"{infos} info"] if infos else [])])


def _closing(data: Mapping[str, Any]) -> list[Block]:
    counts = data["summary"]
    told = [f"{counts[str(word)]} {word}" for word in Verdict]
    held = f" ({counts['hold']} on hold)" if counts["hold"] else ""
    looked = counts["clusters"] - counts["left_out"]
    summed = f"{count(counts['services'], 'service')} in {count(looked, 'cluster')}: {', '.join(told)}{held}"
    lines: list[Block] = [Line(summed, Tone.HEAD), Line(_folder(data)), *_owned(data["services"])]
    lines += [Line(f"gone: {service} (its plan file was kept)", Tone.WARN) for service in data["gone"]]
    lines += [Line(f"left out: cluster {one['cluster']}: {one['why']}", Tone.BAD) for one in data["left_out"]]
    lines += [Line(f"not planned: {one['service']}: {one['problem']}", Tone.BAD) for one in data["unreadable"]]
    return lines


def _owned(services: Sequence[Mapping[str, Any]]) -> list[Block]:
    """That there are changes to make at sources; the changes themselves would drown the table."""
    owned = sum(bool(service["owners"]) for service in services)
    said = "with owners who have a change to make at the source: migrate show SERVICE prints it"
    return [Line(f"{count(owned, 'service')} {said}")] if owned else []


def _folder(data: Mapping[str, Any]) -> str:
    names = ("new", "changed", "unchanged", "in_hand", "gone", "moved")
    told = ", ".join(f"{data['summary'][name]} {name.replace('_', ' ')}" for name in names)
    return f"{data['folder']}: {told}{'; nothing was written (--dry-run)' if data['dry_run'] else ''}"
