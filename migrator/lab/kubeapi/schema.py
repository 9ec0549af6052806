"""Checks an object against the fields its kind has: unknown ones, wrong types, times.

As on a real server, unknown fields are dropped, with a warning or, if the caller asks for strictness, an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors, shapes
from migrator.lab.kubeapi.shapes import Shape

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_GO_TYPES = {"s": "string", "i": "int64", "b": "bool", "f": "float64"}
_MICRO_TIMES = {("V1LeaseSpec", "acquireTime"), ("V1LeaseSpec", "renewTime"), ("CoreV1Event", "eventTime")}
_MICRO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})(Z|[+-]\d\d:\d\d)$")
_SECONDS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
# the client's models call quantities strings; the wire takes numbers too
_QUANTITIES = {
    "capacity", "allocatable", "limits", "requests", "hard", "used", "overhead", "sizeLimit", "divisor",
    "max", "min", "default", "defaultRequest", "maxLimitRequestRatio", "averageValue", "value", "allocatedResources",
}  # fmt: skip


@dataclass
class _Findings:
    kind: Kind
    unknown: list[str] = field(default_factory=list)

    def fail(self, text: str) -> errors.ApiError:
        """400, as the decoder words it."""
        kind = self.kind
        return errors.bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {text}')


def root(kind: Kind) -> Shape:
    """The shape of a kind's objects."""
    return shapes.UNKNOWN if kind.custom else shapes.root(kind.api_version, kind.kind)


def checked(kind: Kind, obj: Json, validation: str, warnings: list[str]) -> Json:
    """The object without unknown fields and nulls.

    Raises:
        ApiError: 400 for a value of the wrong type, or for unknown fields if validation is ``Strict``.
    """
    findings = _Findings(kind)
    shape = root(kind)
    if not shape.is_struct:
        metadata = _clean(obj.get("metadata") or {}, Shape("V1ObjectMeta"), "metadata", findings)
        cleaned = {**obj, "metadata": metadata}
    else:
        cleaned = _clean_struct(obj, shape, "", findings)
    if findings.unknown and validation == "Strict":
        raise findings.fail("strict decoding error: " + ", ".join(f'unknown field "{p}"' for p in findings.unknown))
    if findings.unknown and validation == "Warn":
        warnings.extend(f'unknown field "{path}"' for path in findings.unknown)
    return cleaned


def _clean(value: Any, shape: Shape, path: str, findings: _Findings) -> Any:
    if shape.is_struct:
        if not isinstance(value, dict):
            raise findings.fail(_mismatch(value, shape, path, shape.code))
        return _clean_struct(value, shape, path, findings)
    if shape.is_list:
        if not isinstance(value, list):
            raise findings.fail(_mismatch(value, shape, path, "[]" + shape.code[1:]))
        element = shape.element
        return [_clean(item, element, f"{path}[{n}]", findings) for n, item in enumerate(value)]
    if shape.is_map:
        if not isinstance(value, dict):
            raise findings.fail(_mismatch(value, shape, path, "map[string]" + _GO_TYPES.get(shape.code[1:], "")))
        element = Shape(shape.code[1:], shape.parent, shape.name)
        return {
            key: _clean(item, element, f"{path}.{key}", findings) for key, item in value.items() if item is not None
        }
    _check_scalar(value, shape, path, findings)
    return value


def _clean_struct(value: Json, shape: Shape, path: str, findings: _Findings) -> Json:
    fields = shape.fields
    cleaned: Json = {}
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        known = fields.get(name)
        if known is None:
            findings.unknown.append(where)
        elif item is not None:
            cleaned[name] = _clean(item, known, where, findings)
    return cleaned


def _check_scalar(value: Any, shape: Shape, path: str, findings: _Findings) -> None:
    code = shape.code
    if code in ("s", "y"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = isinstance(value, str) or (number and shape.name in _QUANTITIES)
    elif code == "i":
        fits = isinstance(value, int) and not isinstance(value, bool)
    elif code == "b":
        fits = isinstance(value, bool)
    elif code == "f":
        fits = isinstance(value, int | float)
    elif code == "t":
        _check_time(value, shape, findings)
        return
    else:
        return
    if not fits:
        raise findings.fail(_mismatch(value, shape, path, _GO_TYPES.get(code, "string")))


def _check_time(value: Any, shape: Shape, findings: _Findings) -> None:
    micro = (shape.parent, shape.name) in _MICRO_TIMES
    if not isinstance(value, str):
        raise findings.fail("json: cannot unmarshal time from a value that is not a string")
    if micro and not _MICRO.match(value):
        rest = re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "", value)
        raise findings.fail(
            f'parsing time "{value}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "{rest}" as ".000000"'
        )
    if not micro and not _SECONDS.match(value):
        raise findings.fail(f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"')


def _mismatch(value: Any, shape: Shape, path: str, wanted: str) -> str:
    if isinstance(value, bool):
        given = "bool"
    elif isinstance(value, int | float):
        given = "number"
    else:
        given = {"str": "string", "list": "array", "dict": "object"}.get(type(value).__name__, "null")
    struct = re.sub(r"^(Core)?V\d+", "", shape.parent)
    plain = re.sub(r"\[\d+\]", "", path)
    return f"json: cannot unmarshal {given} into Go struct field {struct}.{plain} of type {wanted}"
