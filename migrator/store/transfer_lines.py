"""One run, record or mark as one line of JSON, and back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from migrator.documents.errors import DocumentError
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Mark, Outcome, Run, Status, StepRecord

FORMAT = "irsa-migrator state"
VERSION = 1
Entry = Run | StepRecord | Mark

_KINDS: dict[type, str] = {Run: "run", StepRecord: "record", Mark: "mark"}
_ANY: dict[str, frozenset[str]] = {
    "run": frozenset({"plan"}),
    "record": frozenset({"image", "result"}),
    "mark": frozenset({"data"}),
}  # fields that hold any JSON; all the others are text
_COUNTS = ("runs", "records", "marks")


def kind_of(entry: Entry) -> str:
    """`run`, `record` or `mark`."""
    return _KINDS[type(entry)]


def line_of(entry: Entry) -> bytes:
    """The line, newline included."""
    free = _ANY[kind_of(entry)]
    values = {name: getattr(entry, name) for name in entry.__slots__}
    told = {name: value if name in free else str(value) for name, value in values.items()}
    return json.dumps({"kind": kind_of(entry), **told}).encode("ascii") + b"\n"


def header_of(path: Path, line: bytes) -> dict[str, int]:
    """The counts that the first line promises.

    Raises:
        DocumentError: it is none of ours.
    """
    found = _object(path, 1, line)
    if found.get("format") != FORMAT:
        raise DocumentError(path, 'it is no export of "migrate store export"', line=1)
    if found.get("version") != VERSION:
        problem = f"it has version {found.get('version')!r}, this program reads version {VERSION}"
        raise DocumentError(path, problem, line=1, field="version")
    counts = {name: found.get(name) for name in _COUNTS}
    for name, value in counts.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise DocumentError(path, f"{value!r} is not a whole number", line=1, field=name)
    return counts  # type: ignore[return-value] # checked right above


def entry_of(path: Path, number: int, line: bytes) -> Entry:
    """What that line holds.

    Raises:
        DocumentError: it cannot be read, or something is missing, unknown or of another type.
    """
    values = _object(path, number, line)
    kind = values.pop("kind", None)
    read = _READ.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise DocumentError(path, f"{kind!r} is not one of {', '.join(_READ)}", line=number, field="kind")
    wanted = next(cls for cls, name in _KINDS.items() if name == kind)
    fields: tuple[str, ...] = wanted.__slots__  # type: ignore[attr-defined] # our dataclasses have them
    for name in (*fields, *values):
        if name not in values:
            raise DocumentError(path, "missing", line=number, field=name)
        if name not in fields:
            raise DocumentError(path, "unknown field", line=number, field=name)
        if name not in _ANY[kind] and not isinstance(values[name], str):
            raise DocumentError(path, f"{values[name]!r} is not a string", line=number, field=name)
    try:
        return read(values)
    except ValueError as error:
        raise DocumentError(path, str(error), line=number) from error


def _object(path: Path, number: int, line: bytes) -> dict[str, Json]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DocumentError(path, "it is no line of JSON; was it cut off?", line=number) from error
    if not isinstance(found, dict):
        raise DocumentError(path, "it is no object", line=number)
    return found


def _run(values: dict[str, Any]) -> Run:
    typed = {
        "service": ServiceId.parse(values["service"]),
        "direction": Direction(values["direction"]),
        "outcome": Outcome(values["outcome"]),
    }
    return Run(**{**values, **typed})


def _record(values: dict[str, Any]) -> StepRecord:
    return StepRecord(**{**values, "status": Status(values["status"])})


_READ: dict[str, Callable[[dict[str, Any]], Entry]] = {
    "run": _run,
    "record": _record,
    "mark": lambda values: Mark(**values),
}
