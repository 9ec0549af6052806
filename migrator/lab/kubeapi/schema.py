"""Reads an object as the server's own types would: unknown fields, wrong types, times, and what nobody has set.

As on a real server, unknown fields are dropped, with a warning or, if the caller asks for strictness, an error; so are
empty values of fields that are only there when they are set, while others are always there, as null or zero if need be.
"""

from __future__ import annotations

import base64
import binascii
import re
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import shapes
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.quantities import canonical
from migrator.lab.kubeapi.shapes import Shape

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_GO_TYPES = {"s": "string", "y": "[]uint8", "i": "int32", "l": "int64", "b": "bool", "f": "float64"}
_CONVERTED = {str: "string", bool: "bool", float: "float64", dict: "map", list: "slice"}
_BASE64 = string.ascii_letters + string.digits + "+/="
_MICRO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})(Z|[+-]\d\d:\d\d)$")
_SECONDS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


class MismatchError(Exception):
    """A value of a wrong type; its text is the decoder's.

    Attributes:
        unconverted: what is said of it where an object is converted instead of decoded.
        path: where it stands.
        value: what it is.
        wanted: the code of the type that it should be of.
    """

    def __init__(self, text: str, path: str = "", value: Any = None, wanted: str = "") -> None:
        super().__init__(text)
        self.path, self.value, self.wanted = path, value, wanted

    @property
    def unconverted(self) -> str:
        """What is said of it where an object is converted instead of decoded."""
        given = _CONVERTED.get(type(self.value), "int64")
        if self.wanted.startswith("["):
            return f"cannot restore slice from {given}"
        if self.wanted.startswith("{"):
            return f"cannot restore map from {given}"
        if len(self.wanted) > 1:
            return f"cannot restore struct from: {given}"
        goal = _GO_TYPES.get(self.wanted, "string")
        return f"unrecognized type: {goal}" if given == "string" else f"cannot convert {given} to {goal}"


@dataclass
class _Reading:
    fills: bool
    unknown: list[str] = field(default_factory=list)


def root(kind: Kind) -> Shape:
    """The shape of a kind's objects."""
    return shapes.CUSTOM if kind.custom else shapes.root(kind.api_version, kind.kind)


def unset(kind: Kind) -> Json:
    """An object of a kind of which nothing is set; a copy."""
    return copy(root(kind).zero)


def read(kind: Kind, obj: Json, *, fills: bool = True) -> tuple[Json, list[str]]:
    """The object as it is read, and the fields that its kind does not have; `fills` gives it what is always there.

    Raises:
        MismatchError: a value is of the wrong type.
    """
    reading = _Reading(fills)
    if kind.custom:
        metadata = _read(obj.get("metadata") or {}, root(kind).child("metadata"), "metadata", reading)
        return {**obj, "metadata": metadata}, reading.unknown
    return _read_struct(obj, root(kind), "", reading), reading.unknown


def read_part(shape: Shape, obj: Json) -> Json:
    """What is no object of its own, such as options.

    Raises:
        MismatchError: a value is of the wrong type.
    """
    return _read_struct(obj, shape, "", _Reading(fills=False))


def _read(value: Any, shape: Shape, path: str, reading: _Reading) -> Any:
    if shape.is_struct:
        if not isinstance(value, dict):
            raise MismatchError(_mismatch(value, shape, path), path, value, shape.code)
        return _read_struct(value, shape, path, reading)
    if shape.is_list:
        if not isinstance(value, list):
            raise MismatchError(_mismatch(value, shape, path), path, value, shape.code)
        return [_read(item, shape.held, f"{path}[{n}]", reading) for n, item in enumerate(value)]
    if shape.is_map:
        if not isinstance(value, dict):
            raise MismatchError(_mismatch(value, shape, path), path, value, shape.code)
        return {key: _read_member(key, item, shape.held, path, reading) for key, item in value.items()}
    _check_scalar(value, shape, path)
    return canonical(str(value)) if shape.code == "q" else value


def _read_member(key: str, item: Any, shape: Shape, path: str, reading: _Reading) -> Any:
    if item is None:
        return shape.zero
    try:
        return _read(item, shape, path, reading)
    except MismatchError as error:
        if error.path == path:  # a decoder does not say at which key
            error.path = f"{path}.{key}"
        raise


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


def _check_scalar(value: Any, shape: Shape, path: str) -> None:
    code = shape.code
    if code == "s":
        fits = isinstance(value, str)
    elif code in ("q", "p", "f"):
        fits = isinstance(value, str | int | float) and not isinstance(value, bool)
    elif code in ("i", "l"):
        fits = isinstance(value, int) and not isinstance(value, bool)
    elif code == "b":
        fits = isinstance(value, bool)
    elif code == "y":
        fits = isinstance(value, str)
        _check_bytes(value)
    elif code in ("t", "m"):
        _check_time(value, code)
        return
    else:
        return
    if not fits:
        raise MismatchError(_mismatch(value, shape, path), path, value, shape.code)


def _check_bytes(value: Any) -> None:
    if isinstance(value, str):
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error as error:
            place = next((n for n, letter in enumerate(value) if letter not in _BASE64), len(value))
            raise MismatchError(f"illegal base64 data at input byte {place}") from error


def _check_time(value: Any, code: str) -> None:
    if not isinstance(value, str):
        raise MismatchError("json: cannot unmarshal time from a value that is not a string")
    if code == "m" and not _MICRO.match(value):
        rest = re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "", value)
        raise MismatchError(
            f'parsing time "{value}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "{rest}" as ".000000"'
        )
    if code == "t" and not _SECONDS.match(value):
        raise MismatchError(f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"')


def _mismatch(value: Any, shape: Shape, path: str) -> str:
    given = {bool: "bool", str: "string", list: "array", dict: "object"}.get(type(value), "number")
    if isinstance(value, float) and shape.code in ("i", "l"):
        given = f"number {value}"
    struct = shape.parent.rpartition(".")[2]
    plain = re.sub(r"\[\d+\]", "", path)
    return f"json: cannot unmarshal {given} into Go struct field {struct}.{plain} of type {_go_type(shape.code)}"


def _go_type(code: str) -> str:
    if code.startswith("["):
        return "[]" + _go_type(code[1:])
    if code.startswith("{"):
        return "map[string]" + _go_type(code[1:])
    return _GO_TYPES.get(code, "string") if len(code) == 1 else ".".join(code.split(".")[-2:])
