"""One run, record or mark as one line of JSON, and back."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from migrator.documents.errors import DocumentError
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Mark, Outcome, Run, Status, StepRecord

FORMAT = "irsa-migrator state"
VERSION = 1
Entry = Run | StepRecord | Mark

_CLASSES: dict[str, type[Run] | type[StepRecord] | type[Mark]] = {"run": Run, "record": StepRecord, "mark": Mark}
_KINDS: dict[type, str] = {cls: kind for kind, cls in _CLASSES.items()}
_ANY: dict[str, frozenset[str]] = {
    "run": frozenset({"plan"}),
    "record": frozenset({"image", "result"}),
    "mark": frozenset({"data"}),
}  # fields that hold any JSON; all the others are text
_TYPED: dict[str, tuple[Callable[[str], Any], str]] = {
    "service": (ServiceId.parse, "a CLUSTER/NAMESPACE/SERVICEACCOUNT"),
    "direction": (Direction, f"one of {', '.join(Direction)}"),
    "outcome": (Outcome, f"one of {', '.join(Outcome)}"),
    "status": (Status, f"one of {', '.join(Status)}"),
}  # texts that are more than that, and what they must be
_COUNTS = ("runs", "records", "marks")
_REMEDY = 'take the file as "migrate store export" has written it, or export again'


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
            raise DocumentError(path, f"{value!r} is not a whole number; {_REMEDY}", line=1, field=name)
    return counts  # type: ignore[return-value] # checked right above


def entry_of(path: Path, number: int, line: bytes) -> Entry:
    """What that line holds.

    Raises:
        DocumentError: it cannot be read, or something is missing, unknown or of another type.
    """
    values = _object(path, number, line)
    kind = values.pop("kind", None)
    wanted = _CLASSES.get(kind) if isinstance(kind, str) else None
    if wanted is None:
        problem = f"{kind!r} is not one of {', '.join(_CLASSES)}; {_REMEDY}"
        raise DocumentError(path, problem, line=number, field="kind")
    fields: tuple[str, ...] = wanted.__slots__
    typed: dict[str, Any] = {}
    for name in (*fields, *values):
        try:
            typed[name] = _field(name, fields, values, _ANY[kind])
        except ValueError as error:
            raise DocumentError(path, f"{error}; {_REMEDY}", line=number, field=name) from error
    return wanted(**typed)


def _field(name: str, fields: Sequence[str], values: Mapping[str, Json], free: frozenset[str]) -> Any:
    """The field's value, of its type.

    Raises:
        ValueError: what is wrong with it.
    """
    if name not in values:
        raise ValueError("missing")
    if name not in fields:
        raise ValueError("unknown field")
    value = values[name]
    if name in free:
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a string")  # noqa: TRY004 - a value in a file, no argument of the wrong type
    read, what = _TYPED.get(name, (str, ""))
    try:
        return read(value)
    except ValueError as error:  # Python's own words name no field
        raise ValueError(f"{value!r} is not {what}") from error


def _object(path: Path, number: int, line: bytes) -> dict[str, Json]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DocumentError(path, "it is no line of JSON; was it cut off?", line=number) from error
    if not isinstance(found, dict):
        raise DocumentError(path, f"it is no object; {_REMEDY}", line=number)
    return found
