"""How `aws` prints an answer: JSON or text."""

from __future__ import annotations

import base64
import json
from datetime import date, datetime
from typing import Any


def rendered(answer: Any, form: str) -> str:
    """The answer in an output format; empty when there is nothing to print.

    Raises:
        ValueError: the format is neither `json` nor `text`.
    """
    if form not in ("json", "text"):
        raise ValueError(f"Unknown output type: {form}")
    if answer in ({}, None) and form == "json":
        return "" if answer == {} else "null"
    if form == "json":
        return json.dumps(answer, indent=4, ensure_ascii=False, default=_plain)
    return "\n".join(_lines(answer, None))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    return str(value)


def _lines(value: Any, label: str | None) -> list[str]:
    """Text output: scalars of one level on a line, in order of their names; deeper levels below it."""
    if isinstance(value, list):
        return _list_lines(value, label)
    if not isinstance(value, dict):
        return ["\t".join([label, _scalar(value)] if label else [_scalar(value)])]
    flat = [_scalar(value[key]) for key in sorted(value) if not isinstance(value[key], dict | list)]
    head = [label] if label else []
    result = ["\t".join([*head, *flat])] if flat or head else []
    for key in sorted(value):
        if isinstance(value[key], dict | list):
            result += _lines(value[key], key.upper())
    return result


def _list_lines(values: list[Any], label: str | None) -> list[str]:
    flat = [_scalar(one) for one in values if not isinstance(one, dict | list)]
    result = []
    if flat and label:
        result += [f"{label}\t{one}" for one in flat]
    elif flat:
        result.append("\t".join(flat))
    for one in values:
        if isinstance(one, dict | list):
            result += _lines(one, label)
    return result


def _scalar(value: Any) -> str:
    if value is None:
        return "None"
    return str(_plain(value)) if isinstance(value, datetime | bytes) else str(value)
