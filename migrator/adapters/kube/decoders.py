"""Decoders of what API servers say, into structs.

They are built one at a time, in the whole process. To build one, msgspec looks through its type and those within,
and notes on each of them what it found; a second thread would take over what the first has not finished, and crash the
process at the next answer (msgspec 0.22; clusters are read side by side). Using them side by side is safe.
"""

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_building = threading.Lock()
_built: dict[object, "msgspec.json.Decoder[Any]"] = {}


def decoder(of: type[T]) -> "msgspec.json.Decoder[T]":
    """The decoder of that type."""
    with _building:
        if of not in _built:
            _built[of] = msgspec.json.Decoder(of)
        return _built[of]
