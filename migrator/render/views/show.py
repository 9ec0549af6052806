"""`migrate show`: one plan in full."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import ServiceState
from migrator.model.plan import Edit, Plan, PlannedStep
from migrator.model.trust import merge, subject_from
from migrator.planning.findings.catalogue import CATALOGUE
from migrator.render.blocks import SEVERITY_TONES, VERDICT_TONES, Block, Diff, Line, Tone, head
from migrator.render.diff import trust_diff
from migrator.render.json_out import result
from migrator.render.steps import role_name, words
from migrator.render.views.owners import owner_blocks, owners_of
from migrator.render.views.plan import by_weight, finding, role_of

_FACTS_SHOWN_ELSEWHERE = {"role", "service_account", "owners"}


def document(plan: Plan, *, file: str, state: ServiceState | None) -> dict[str, Any]:
    """The result document, `schemas/show.json`.

    Args:
        plan: as read from its file.
        file: that file's path.
        state: where the journal says the service stands; None when there is no journal yet.
    """
    return result(
        "show",
        service=str(plan.service),
        file=file,
        verdict=str(plan.verdict),
        standing=str(state.standing) if state else "planned",
        role=role_of(plan),
        findings=[_finding(found, plan.edit) for found in map(finding, by_weight(plan.findings))],
        edit=edit(plan.edit),
        facts=dict(plan.facts),
        forward=[step(one) for one in plan.way_there],
        back=[step(one) for one in plan.back],
        trust=trust_change(plan),
        owners=owners_of(plan),
    )


def step(planned: PlannedStep) -> dict[str, Any]:
    """A step as the documents show it: its data and its words."""
    said = words(planned)
    return {
        "id": planned.id,
        "kind": str(planned.kind),
        "on": dict(planned.on),
        "before": dict(planned.before),
        "after": dict(planned.after),
        "words": {"about": said.about, "before": said.before, "after": said.after},
    }


def edit(fields: Edit) -> dict[str, Any]:
    """The fields of the plan that a person may edit."""
    check = fields.verify
    return {
        "hold": fields.hold,
        "wave": fields.wave,
        "order": str(fields.order),
        "restart": fields.restart,
        "verify": {"command": list(check.command), "container": check.container} if check else None,
        "accept": [{"code": one.code, "reason": one.reason} for one in fields.accept],
    }


def trust_change(plan: Plan) -> dict[str, Any] | None:
    """What the trust step does to the role's trust policy as it was planned; None when it does nothing."""
    trust = (plan.facts.get("role") or {}).get("trust")
    planned = plan.trust_step
    if trust is None or planned is None:
        return None
    merged = merge(_text(trust), subject_from(planned.after["subject"]))
    if not merged.changed:
        return None
    before, after = json.loads(_text(trust)), json.loads(merged.document)
    name = role_name(role_of(plan) or "")
    diff = trust_diff(before, after, name=name)
    return {"before": before, "after": after, "size": merged.size, "diff": list(diff)}


def blocks(data: Mapping[str, Any]) -> list[Block]:
    """The document for people."""
    service = ServiceId.parse(data["service"])
    verdict = "hold" if data["edit"]["hold"] else data["verdict"]
    lines: list[Block] = [
        Line(str(service), Tone.HEAD),
        Line(f"  plan      {data['file']}"),
        Line(f"  verdict   {verdict}", VERDICT_TONES.get(verdict, Tone.PLAIN)),
        Line(f"  standing  {data['standing']}"),
        Line(f"  role      {data['role'] or '-'}"),
    ]
    return [
        *lines,
        *_findings(data["findings"]),
        *steps("the way there", data["forward"]),
        *trust_blocks(data["trust"]),
        *owner_blocks(data["owners"]),
        *steps("the way back", data["back"]),
        *_edit(data["edit"]),
        *_facts(data["facts"]),
    ]


def steps(title: str, planned: Sequence[Mapping[str, Any]]) -> list[Block]:
    """A numbered list of steps under a heading."""
    if not planned:
        return [*head(title), Line("  no steps: the findings stand in the way", Tone.FAINT)]
    width = max(len(one["id"]) for one in planned)
    return [*head(title), *(_step(number, one, width) for number, one in enumerate(planned, 1))]


def trust_blocks(trust: Mapping[str, Any] | None) -> list[Block]:
    """The diff of the trust policy under a heading; nothing when it does not change."""
    if trust is None:
        return []
    return [*head(f"trust policy ({trust['size']} characters after)"), Diff(tuple(trust["diff"]))]


def _step(number: int, one: Mapping[str, Any], width: int) -> Line:
    said = one["words"]
    name = f"  {number}. {one['id'].ljust(width)}  "
    if said["before"] == said["after"]:
        return Line(f"{name}{said['about']}: {said['after']} already", Tone.FAINT)
    return Line(f"{name}{said['about']}: {said['before']} → {said['after']}")


def _finding(found: dict[str, str], fields: Edit) -> dict[str, Any]:
    entry = CATALOGUE.get(found["code"])
    reason = next((one.reason for one in fields.accept if one.code == found["code"]), None)
    return {
        **found,
        "title": entry.title if entry else "",
        "remedy": entry.remedy if entry else "",
        "accepted": reason,
    }


def _findings(findings: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not findings:
        return []
    lines: list[Block] = [*head("findings")]
    for found in findings:
        taken_on = f"  (accepted: {found['accepted']})" if found["accepted"] is not None else ""
        tone = SEVERITY_TONES.get(found["severity"], Tone.PLAIN)
        lines.append(
            Line(f"  {found['severity'].ljust(5)}  {found['code']}: {found['says'] or found['title']}{taken_on}", tone)
        )
        where = " ".join(part for part in (found["object"], found["field"]) if part)
        value = f" = {found['value']}" if found["value"] else ""
        lines.append(Line(f"         seen: {where}{value}"))
        if found["remedy"] and found["severity"] != "info":
            lines.append(Line(f"         remedy: {found['remedy']}"))
    return lines


def _edit(fields: Mapping[str, Any]) -> list[Block]:
    usual = edit(Edit())
    said = [f"{name} {_short(value)}" for name, value in fields.items() if value != usual[name]]
    return [*head("edited by hand"), Line(f"  {', '.join(said)}")] if said else []


def _facts(facts: Mapping[str, Json]) -> list[Block]:
    shown = {name: value for name, value in facts.items() if name not in _FACTS_SHOWN_ELSEWHERE and value}
    account = facts.get("service_account") or {}
    annotations = account.get("annotations") or {}
    lines: list[Block] = [Line(f"  {key}: {value}") for key, value in annotations.items()]
    lines += [Line(f"  {name}: {_short(value)}") for name, value in shown.items()]
    return [*head("facts"), *lines] if lines else []


def _short(value: Json) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items() if item not in (None, "", [], {}))
    if isinstance(value, list | tuple):
        return "; ".join(_short(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(trust: Json) -> str:
    return trust if isinstance(trust, str) else json.dumps(trust)
