"""Refuses what YAML can say and a world cannot hold: dates, binary, infinities; and more values than it needs."""

import math
from collections.abc import Iterator
from typing import Any

from migrator.documents.yaml_file import Document, FieldPath

_MOST_VALUES = 300_000
_DEEPEST = 60


def require_plain(document: Document) -> None:
    """Checks every value of the document.

    Raises:
        DocumentError: a value that is not a plain map, list, string, number, boolean or null, or too many of them.
    """
    stack: list[tuple[FieldPath, Any]] = [((), document.data)]
    met = 0
    while stack:
        path, value = stack.pop()
        met += 1
        if met > _MOST_VALUES:
            raise document.error(path, f"the world holds more than {_MOST_VALUES} values")
        if len(path) > _DEEPEST:
            raise document.error(path[:3], f"nested more than {_DEEPEST} levels deep")
        problem = _problem(value)
        if problem is not None:
            raise document.error(path, problem)
        stack.extend(_children(path, value))


def _children(path: FieldPath, value: Any) -> Iterator[tuple[FieldPath, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key), item
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield (*path, position), item


def _problem(value: Any) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is not a number that JSON knows"
    if value is None or isinstance(value, str | int | float | dict | list):
        return None
    return f"{value!s:.60} is a {type(value).__name__}; put it in quotes"
