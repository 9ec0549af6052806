"""What differs between two plans of a service, field by field: to be looked at before the newer is carried out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from migrator.documents.yaml_file import dotted
from migrator.model.facts import Json
from migrator.model.plan import Plan
from migrator.store.plan_document import document_of
from migrator.store.seal import leaves

_DERIVED = ("statement", "subject")  # of the trust step; they follow from the rest


@dataclass(frozen=True, slots=True)
class Change:
    """One field; None where a plan has no such field, or has null there."""

    field: str
    before: Json
    after: Json


def changes(old: Plan, new: Plan) -> tuple[Change, ...]:
    """Findings by their code and object, facts without the trust policy's text, and what the steps found."""
    before, after = _fields(old), _fields(new)
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def _fields(plan: Plan) -> Mapping[str, Json]:
    document = document_of(plan)
    facts = {name: value for name, value in document["facts"].items() if name != "role"}
    role = {name: value for name, value in (document["facts"]["role"] or {}).items() if name != "trust"}
    found = {f"findings.{one['code']} of {one['object']}": one["severity"] for one in document["findings"]}
    parts = {"verdict": document["verdict"], "facts": {**facts, "role": role}}
    return {**dict(_leaves(parts)), **found, **dict(_steps(document["forward"]))}


def _leaves(data: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    for path, value in leaves(dict(data)):
        yield dotted(path), None if value in ([], {}) else value


def _steps(steps: list[dict[str, Any]]) -> Iterator[tuple[str, Json]]:
    for step in steps:
        after = {name: value for name, value in step["after"].items() if name not in _DERIVED}
        parts = {"on": step["on"], "before": step["before"], "after": after}
        for name, value in _leaves(parts):
            yield f"{step['id']}.{name}", value
