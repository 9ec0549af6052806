"""Plain values as DynamoDB keeps them, and back. JSON is text, compressed where it is long."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from migrator.model.errors import RecordFault
from migrator.model.facts import Json

Attributes = dict[str, Any]  # an item as the API has it: name to {"S": ...}, {"N": ...} or {"B": ...}
_LONG = 1024
_MOST = 400 * 1024  # bytes of an item, names included


def text(value: str) -> Attributes:
    """A string."""
    return {"S": value}


def number(value: float) -> Attributes:
    """A number; times are kept to the millisecond."""
    return {"N": str(value) if isinstance(value, int) else f"{value:.3f}"}


def document(value: Json) -> Attributes:
    """Any JSON."""
    written = json.dumps(value)
    return {"S": written} if len(written) < _LONG else {"B": zlib.compress(written.encode("ascii"), 9)}


def read_text(item: Mapping[str, Any], name: str) -> str:
    """The string of that name.

    Raises:
        ValueError: there is none.
    """
    value = item.get(name, {}).get("S")
    if not isinstance(value, str):
        raise ValueError(f'"{name}" is missing')  # noqa: TRY004 - a damaged item, not our mistake
    return value


def read_number(item: Mapping[str, Any], name: str) -> float:
    """The number of that name; 0 if there is none."""
    return float(item.get(name, {}).get("N", "0"))


def read_document(item: Mapping[str, Any], name: str) -> Json:
    """The JSON of that name.

    Raises:
        ValueError: it cannot be read.
    """
    value = item.get(name, {})
    if "S" in value:
        return json.loads(value["S"])
    try:
        return json.loads(zlib.decompress(value["B"]))
    except (KeyError, zlib.error) as error:
        raise ValueError(f'"{name}" cannot be unpacked ({error!r})') from error


def fitting(item: Attributes, what: str) -> Attributes:
    """The item itself, if DynamoDB takes one so large.

    Raises:
        RecordFault: it does not.
    """
    size = sum(len(name.encode()) + _size(value) for name, value in item.items())
    if size > _MOST:
        raise RecordFault(
            f"{what} needs {size} bytes, compressed, and an item of DynamoDB holds {_MOST}",
            remedy='nothing was written; such a service wants a fleet file of its own, with "state.sqlite"',
        )
    return item


def _size(value: Mapping[str, Any]) -> int:
    (kept,) = value.values()
    return len(kept) if isinstance(kept, bytes) else len(str(kept).encode("utf-8", "surrogatepass"))
