"""Input checked against its shape: required members, types, lengths, ranges, allowed values."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes,),
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
}


def _typed(shape: Shape, value: Any) -> bool:
    kinds = _TYPES[shape.type_name]
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Every way in which a value does not fit its shape, as AWS words it."""
    if not _typed(shape, value):
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must be of type {shape.type_name}"
        return
    yield from _size_problems(shape, value, path)
    if isinstance(shape, StructureShape):
        yield from _structure_problems(shape, value, path)
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value, start=1):
            yield from problems(shape.member, item, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from problems(shape.key, key, f"{path}.{key}.key")
            yield from problems(shape.value, item, f"{path}.{key}.value")
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum)
        yield (
            f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: [{allowed}]"
        )


def _structure_problems(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            where = _lower(name) if path == "" else f"{path}.{_lower(name)}"
            yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        where = _lower(name) if path == "" else f"{path}.{_lower(name)}"
        yield from problems(shape.members[name], item, where)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _size_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    sized = isinstance(value, (str, bytes, list, dict))
    size = len(value) if sized else value
    if not isinstance(size, (int, float)) or isinstance(size, bool):
        return
    what = "length" if sized else "value"
    if low is not None and size < low:
        yield (
            f"Value '{value}' at '{path}' failed to satisfy constraint: "
            f"Member must have {what} greater than or equal to {low}"
        )
    if high is not None and size > high:
        yield (
            f"Value '{value}' at '{path}' failed to satisfy constraint: "
            f"Member must have {what} less than or equal to {high}"
        )


def _code(operation: OperationModel, found: list[str]) -> str:
    service = operation.service_model.service_name
    if service in ("eks", "eks-auth"):
        return "InvalidParameterException"
    if service == "cloudtrail":
        if any("'maxResults'" in text for text in found):
            return "InvalidMaxResultsException"
        if any("'lookupAttributes" in text for text in found):
            return "InvalidLookupAttributesException"
        return "InvalidParameterCombinationException"
    return "ValidationException" if service == "dynamodb" else "ValidationError"


def check(operation: OperationModel, params: dict[str, Any]) -> None:
    """Refuses input that does not fit the operation's input shape.

    Raises:
        ApiError: with the validation code of the operation's service.
    """
    shape = operation.input_shape
    if shape is None:
        return
    found = list(problems(shape, params, ""))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
        raise ApiError(_code(operation, found), count + "; ".join(found), 400)
