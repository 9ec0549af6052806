"""The part of a plan file that a person may edit: read by itself, so that planning again can keep it."""

import difflib
import json
import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from migrator.documents.yaml_file import Document, checked, parse, read
from migrator.model.plan import Acceptance, Check, Edit, Order
from migrator.planning.findings.catalogue import CATALOGUE

_PART = re.compile(r"^edit:.*\n?(?:(?:[ \t#].*)?\n)*(?:[ \t#].*)?", re.MULTILINE)


@cache
def schema() -> dict[str, Any]:
    """The plan file's JSON Schema."""
    text = resources.files("migrator.store").joinpath("plan.schema.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def edit_as_data(edit: Edit) -> dict[str, Any]:
    """The part as it is written, every field in its fixed place."""
    check = edit.verify
    return {
        "hold": edit.hold,
        "wave": edit.wave,
        "order": str(edit.order),
        "restart": edit.restart,
        "verify": {"command": list(check.command), "container": check.container} if check is not None else None,
        "accept": [{"code": one.code, "reason": one.reason} for one in edit.accept],
    }


def edit_of_data(data: dict[str, Any]) -> Edit:
    """The part as it was read; a field that is left out has its default."""
    check = data.get("verify")
    return Edit(
        hold=data.get("hold", False),
        wave=data.get("wave"),
        order=Order(data.get("order", Order.ANNOTATION_FIRST)),
        restart=data.get("restart", "rollout"),
        verify=Check(command=tuple(check["command"]), container=check.get("container", "")) if check else None,
        accept=tuple(Acceptance(**one) for one in data.get("accept", ())),
    )


def load_edit(path: Path) -> Edit:
    """The editable part of an existing plan file; the rest of the file may be anything.

    Raises:
        DocumentError: the part is missing, unreadable, or says what may not be said.
    """
    document = checked(_part(path), _edit_schema())
    check_acceptances(document)
    return edit_of_data(document.data["edit"])


def check_acceptances(document: Document) -> None:
    """Nothing, if every accepted code exists and may be accepted.

    Raises:
        DocumentError: naming the entry.
    """
    for position, entry in enumerate(document.data["edit"].get("accept", ())):
        problem = _problem_of(entry["code"])
        if problem:
            raise document.error(("edit", "accept", position, "code"), problem)


def check_container(document: Document) -> None:
    """Nothing, if the own check's container is one of the workloads', or nobody can tell: a pod without workload.

    Args:
        document: a whole plan, which fits the schema.

    Raises:
        DocumentError: naming the containers there are.
    """
    facts, check = document.data["facts"], document.data["edit"].get("verify") or {}
    wanted = check.get("container")
    known = sorted({name for workload in facts["workloads"] for name in workload["containers"]})
    if wanted and known and wanted not in known and not facts["pods_without_workload"]:
        there = ", ".join(f'"{name}"' for name in known)
        problem = f'no workload of the service has a container "{wanted}"; there are {there}'
        raise document.error(("edit", "verify", "container"), problem)


def _problem_of(code: str) -> str:
    entry = CATALOGUE.get(code)
    if entry is None:
        near = difflib.get_close_matches(code, CATALOGUE, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        return f'"{code}" is no finding\'s code{hint}'
    if not entry.acceptable:
        why = "it needs no acceptance" if entry.severity == "info" else entry.remedy
        return f'"{code}" cannot be accepted: {why}'
    return ""


def _edit_schema() -> dict[str, Any]:
    whole = schema()
    part = {"edit": whole["properties"]["edit"]}
    return {"type": "object", "required": ["edit"], "properties": part, "$defs": whole.get("$defs", {})}


def _part(path: Path) -> Document:
    """Only the lines of the part, on the line numbers they have in the file; the whole file where it is not found."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return read(path)  # which says what is wrong in words
    match = _PART.search(text)
    if match is None:
        return read(path)
    return parse(path, "\n" * text.count("\n", 0, match.start()) + match[0])
