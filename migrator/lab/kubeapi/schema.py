"""Reads an object as the server's own types would: unknown fields, wrong types, times, and what nobody has set.

As on a real server, unknown fields are dropped, with a warning or, if the caller asks for strictness, an error; so are
empty values of fields that are only there when they are set, while others are always there, as null or zero if need be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors, shapes
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.shapes import Shape

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_GO_TYPES = {"s": "string", "y": "[]uint8", "i": "int32", "l": "int64", "b": "bool", "f": "float64"}
_MICRO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})(Z|[+-]\d\d:\d\d)$")
_SECONDS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


@dataclass
class _Reading:
    kind: Kind
    fills: bool
    unknown: list[str] = field(default_factory=list)

    def fail(self, text: str) -> errors.ApiError:
        """400, as the decoder words it."""
        kind = self.kind
        return errors.bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {text}')


def root(kind: Kind) -> Shape:
    """The shape of a kind's objects."""
    return shapes.CUSTOM if kind.custom else shapes.root(kind.api_version, kind.kind)


def unset(kind: Kind) -> Json:
    """An object of a kind of which nothing is set; a copy."""
    return copy(root(kind).zero)


def checked(kind: Kind, obj: Json, validation: str, warnings: list[str], *, fills: bool = True) -> Json:
    """The object as it is read; `fills` also gives it what is always there.

    Raises:
        ApiError: 400 for a value of the wrong type, or for unknown fields if validation is ``Strict``.
    """
    reading = _Reading(kind, fills)
    if kind.custom:
        metadata = _read(obj.get("metadata") or {}, root(kind).child("metadata"), "metadata", reading)
        cleaned = {**obj, "metadata": metadata}
    else:
        cleaned = _read_struct(obj, root(kind), "", reading)
    if reading.unknown and validation == "Strict":
        raise reading.fail("strict decoding error: " + ", ".join(f'unknown field "{p}"' for p in reading.unknown))
    if reading.unknown and validation == "Warn":
        warnings.extend(f'unknown field "{path}"' for path in reading.unknown)
    return cleaned


def _read(value: Any, shape: Shape, path: str, reading: _Reading) -> Any:
    if shape.is_struct:
        if not isinstance(value, dict):
            raise reading.fail(_mismatch(value, shape, path, shape.code))
        return _read_struct(value, shape, path, reading)
    if shape.is_list:
        if not isinstance(value, list):
            raise reading.fail(_mismatch(value, shape, path, "[]" + shape.code[1:]))
        element = shape.element
        return [_read(item, element, f"{path}[{n}]", reading) for n, item in enumerate(value)]
    if shape.is_map:
        if not isinstance(value, dict):
            raise reading.fail(_mismatch(value, shape, path, "map[string]" + _GO_TYPES.get(shape.code[1:], "")))
        element = shape.element
        return {key: _read(item, element, f"{path}.{key}", reading) for key, item in value.items() if item is not None}
    _check_scalar(value, shape, path, reading)
    return value


def _read_struct(value: Json, shape: Shape, path: str, reading: _Reading) -> Json:
    fields = shape.fields
    cleaned: Json = {}
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        known = fields.get(name)
        if known is None:
            reading.unknown.append(where)
        elif item is not None:
            found = _read(item, known, where, reading)
            if found or known.keeps_zero:
                # an empty list is null once it has been stored
                cleaned[name] = None if known.is_list and not found else found
    if reading.fills:
        for name, known in fields.items():
            if known.always and name not in cleaned:
                cleaned[name] = copy(zero) if isinstance(zero := known.zero, dict) else zero
    return cleaned


def _check_scalar(value: Any, shape: Shape, path: str, reading: _Reading) -> None:
    code = shape.code
    if code in ("s", "y"):
        fits = isinstance(value, str)
    elif code in ("q", "p", "f"):
        fits = isinstance(value, str | int | float) and not isinstance(value, bool)
    elif code in ("i", "l"):
        fits = isinstance(value, int) and not isinstance(value, bool)
    elif code == "b":
        fits = isinstance(value, bool)
    elif code in ("t", "m"):
        _check_time(value, code, reading)
        return
    else:
        return
    if not fits:
        raise reading.fail(_mismatch(value, shape, path, _GO_TYPES.get(code, "string")))


def _check_time(value: Any, code: str, reading: _Reading) -> None:
    if not isinstance(value, str):
        raise reading.fail("json: cannot unmarshal time from a value that is not a string")
    if code == "m" and not _MICRO.match(value):
        rest = re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "", value)
        raise reading.fail(
            f'parsing time "{value}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "{rest}" as ".000000"'
        )
    if code == "t" and not _SECONDS.match(value):
        raise reading.fail(f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"')


def _mismatch(value: Any, shape: Shape, path: str, wanted: str) -> str:
    if isinstance(value, bool):
        given = "bool"
    elif isinstance(value, int | float):
        given = "number"
    else:
        given = {"str": "string", "list": "array", "dict": "object"}.get(type(value).__name__, "null")
    struct = shape.parent.rpartition(".")[2]
    plain = re.sub(r"\[\d+\]", "", path)
    return f"json: cannot unmarshal {given} into Go struct field {struct}.{plain} of type {wanted}"
