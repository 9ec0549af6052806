"""A plan as plain data and back: one order of keys, the same for the file, for the journal and for JSON output."""

from collections.abc import Mapping
from typing import Any

from migrator.model.ids import ServiceId
from migrator.model.plan import FORMAT, Finding, Plan, PlannedStep, Severity, StepKind
from migrator.planning.verdict import verdict
from migrator.store.plan_edit import edit_as_data, edit_of_data
from migrator.store.seal import seal_of


def document_of(plan: Plan) -> dict[str, Any]:
    """The plan as data, sealed; its steps stand in the order in which they are carried out."""
    data: dict[str, Any] = {
        "format": FORMAT,
        "service": str(plan.service),
        "verdict": str(plan.verdict),
        "findings": [_finding(finding) for finding in plan.findings],
        "edit": edit_as_data(plan.edit),
        "facts": _plain(plan.facts),
        "forward": [_step(step) for step in plan.way_there],
        "back": [_step(step) for step in plan.back],
    }
    return {**data, "seal": seal_of(data)}


def plan_of(document: Mapping[str, Any]) -> Plan:
    """The plan in `document`, which has been checked before.

    Its verdict is judged anew, since what a person accepts in `edit` may have changed after planning.
    """
    edit = edit_of_data(document["edit"])
    findings = tuple(Finding(**{**one, "severity": Severity(one["severity"])}) for one in document["findings"])
    return Plan(
        service=ServiceId.parse(document["service"]),
        edit=edit,
        verdict=verdict(findings, edit.accept),
        findings=findings,
        facts=document["facts"],
        forward=tuple(map(_planned, document["forward"])),
        back=tuple(map(_planned, document["back"])),
    )


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "object": finding.object,
        "field": finding.field,
        "value": finding.value,
        "says": finding.says,
    }


def _step(step: PlannedStep) -> dict[str, Any]:
    return {
        "id": step.id,
        "kind": str(step.kind),
        "on": _plain(step.on),
        "before": _plain(step.before),
        "after": _plain(step.after),
    }


def _planned(data: Mapping[str, Any]) -> PlannedStep:
    return PlannedStep(**{**data, "kind": StepKind(data["kind"])})


def _plain(value: Any) -> Any:
    """Maps as dicts and sequences as lists, as JSON and YAML give them back."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
