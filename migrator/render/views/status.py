"""`migrate status`: where every service stands, from the journal and the plan files alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migrator.model.ids import ServiceId
from migrator.model.journal import Holder, ServiceState, Standing
from migrator.model.plan import Plan
from migrator.render.blocks import STANDING_TONES, VERDICT_TONES, Block, Column, Line, Table, Tone
from migrator.render.json_out import result
from migrator.render.views.plan import role_of

_SHARE = "slot:"  # a batch's share of a limit: of no interest beside the service that it is for


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One service: its plan, its state in the journal; either may be missing, not both.

    `unproven`: migrated while it had no pod, and none that came since was looked at.
    `left_to`: whose annotation its run left in place.
    """

    service: ServiceId
    plan: Plan | None
    state: ServiceState | None
    unproven: bool = False
    left_to: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A plan file that cannot be used, and why."""

    file: str
    problem: str


def document(
    placed: Sequence[Placed],
    holders: Sequence[Holder],
    unreadable: Iterable[Unreadable],
    breakers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The result document, `schemas/status.json`; `breakers` are open ones, by cluster, with the reason."""
    held = {holder.key for holder in holders}
    services = [_service(one, running=f"service:{one.service}" in held) for one in placed]
    counts = {str(standing): sum(one["standing"] == standing for one in services) for standing in Standing}
    return result(
        "status",
        summary={"services": len(services), **counts},
        services=services,
        locks=[_lock(holder) for holder in holders],
        breakers=[{"cluster": cluster, "why": why} for cluster, why in sorted((breakers or {}).items())],
        unreadable=[{"file": one.file, "problem": one.problem} for one in unreadable],
    )


def _service(one: Placed, *, running: bool) -> dict[str, Any]:
    """`running`: somebody holds its lock, so what the journal calls interrupted is under way."""
    state = one.state or ServiceState(standing=Standing.PLANNED)
    standing = Standing.RUNNING if running else state.standing
    run, last = state.run, state.steps[-1] if state.steps else None
    return {
        "service": str(one.service),
        "standing": str(standing),
        "verdict": str(one.plan.verdict) if one.plan else None,
        "hold": one.plan.edit.hold if one.plan else False,
        "role": role_of(one.plan) if one.plan else None,
        "step": {"id": last.step, "status": str(last.status)} if last else None,
        "since": (last.at if last and not run.ended else run.ended or run.started) if run else None,
        "by": f"{run.actor} on {run.host}" if run else None,
        "run": run.id if run else None,
        "note": (run.note or (last.note if last else "")) if run else "",
        "unproven": one.unproven,
        "left_to": one.left_to or None,
    }


def _lock(holder: Holder) -> dict[str, Any]:
    return {
        "key": holder.key,
        "owner": holder.owner,
        "host": holder.host,
        "pid": holder.pid,
        "since": holder.since,
        "doing": holder.doing,
        "expires": holder.expires,
    }


def blocks(data: Mapping[str, Any]) -> list[Block]:
    """The document for people."""
    columns = (
        Column("service"),
        Column("standing", STANDING_TONES),
        Column("verdict", VERDICT_TONES),
        Column("step"),
        Column("since"),
        Column("by"),
        Column("note"),
    )
    rows = tuple(_row(service) for service in data["services"])
    table: list[Block] = [Table(columns, rows), Line()] if rows else []
    return [
        *table,
        Line(closing(data["summary"]), Tone.HEAD),
        *_locks(data["locks"]),
        *[Line(f"breaker open: {one['cluster']}: {one['why']}", Tone.BAD) for one in data["breakers"]],
        *_unreadable(data["unreadable"]),
    ]


def _row(service: Mapping[str, Any]) -> tuple[str, ...]:
    step = service["step"]
    return (
        service["service"],
        service["standing"],
        "hold" if service["hold"] else service["verdict"] or "no plan",
        f"{step['id']} {step['status']}" if step else "-",
        (service["since"] or "-")[:19].replace("T", " "),
        _user(service["by"]),
        " ".join(_note(service).split()),
    )


def _note(service: Mapping[str, Any]) -> str:
    left = f"annotation left to {service['left_to']}" if service["left_to"] else ""
    note = "no pod has proven it yet" if service["unproven"] else service["note"]
    return "; ".join(part for part in (note, left) if part)


def _user(by: str | None) -> str:
    """The local user alone: "ann" of "ann as arn:aws:iam::111122223333:user/ann on desk"; the rest is in history."""
    return by.partition(" on ")[0].partition(" as ")[0] if by else "-"


def closing(summary: Mapping[str, int]) -> str:
    """The counts on one line."""
    told = [f"{count} {name}" for name, count in summary.items() if name != "services" and count]
    services = f"{summary['services']} service{'' if summary['services'] == 1 else 's'}"
    return f"{services}: {', '.join(told)}" if told else services


def _locks(locks: Sequence[Mapping[str, Any]]) -> list[Block]:
    return [
        Line(
            f"locked: {lock['key']}: {lock['doing']} on {lock['host']}, pid {lock['pid']}, since {lock['since']}",
            Tone.WARN,
        )
        for lock in locks
        if not lock["key"].startswith(_SHARE)
    ]


def _unreadable(files: Sequence[Mapping[str, str]]) -> list[Block]:
    return [Line(f"unreadable: {one['problem']}", Tone.BAD) for one in files]
