"""Input of an operation, read from the wire by its input shape."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.routing import form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.wire import HttpRequest


def parse_rest_json(operation: OperationModel, http: HttpRequest, path_params: Mapping[str, str]) -> dict[str, Any]:
    """Input of a rest-json operation: path, query string, headers, and a JSON body for the rest."""
    shape = operation.input_shape
    if shape is None:
        return {}
    body = _json_object(http.body)
    query: dict[str, list[str]] = {}
    for name, text in http.query_pairs():
        query.setdefault(name, []).append(text)
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        place, wire_name = (
            member.serialization.get("location"),
            str(member.serialization.get("name", name)),
        )
        if place == "uri" and wire_name in path_params:
            found[name] = _scalar(member, path_params[wire_name])
        elif place == "querystring" and wire_name in query:
            found[name] = _from_query(member, query[wire_name])
        elif place == "header" and wire_name.lower() in http.headers:
            found[name] = _scalar(member, http.headers[wire_name.lower()])
        elif place is None and body.get(wire_name) is not None:
            found[name] = _from_json(member, body[wire_name])
    return found


def parse_json(operation: OperationModel, http: HttpRequest) -> dict[str, Any]:
    """Input of a JSON operation: the body."""
    shape = operation.input_shape
    parsed = _from_json(shape, _json_object(http.body)) if shape is not None else {}
    return dict(parsed)


def parse_query(operation: OperationModel, http: HttpRequest) -> dict[str, Any]:
    """Input of a query operation: flat parameters such as `Tags.member.1.Key`."""
    shape = operation.input_shape
    if shape is None:
        return {}
    parsed = _from_form(shape, form(http), "")
    return dict(parsed or {})


def parse_ec2(operation: OperationModel, http: HttpRequest) -> dict[str, Any]:
    """Input of an EC2 operation: flat parameters such as `Filter.1.Value.2`, names capitalised, no `member`."""
    shape = operation.input_shape
    return dict((_from_ec2(shape, form(http), "") if shape is not None else None) or {})


def _json_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        document = json.loads(body)
    except ValueError as broken:
        raise ApiError("SerializationException", f"the body is not JSON: {broken}", 400) from broken
    if not isinstance(document, dict):
        raise ApiError("SerializationException", "the body is not a JSON object", 400)
    return document


def _from_query(shape: Shape, texts: list[str]) -> Any:
    if isinstance(shape, ListShape):
        return [_scalar(shape.member, text) for text in texts]
    return _scalar(shape, texts[-1])


def _scalar(shape: Shape, text: str) -> Any:
    """A value that the wire carries as text; what does not parse stays text, for validation to refuse."""
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if shape.type_name in ("float", "double") and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    if shape.type_name == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if shape.type_name == "timestamp":
        return _time(text)
    if shape.type_name == "blob":
        return _blob(text)
    return text


def _time(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) or (isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value)):
        return datetime.fromtimestamp(float(value), UTC)
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return value
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _blob(value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return value


def _from_json(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            name: _from_json(member, value[member.serialization.get("name", name)])
            for name, member in shape.members.items()
            if value.get(member.serialization.get("name", name)) is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_from_json(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _from_json(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return _time(value)
    if shape.type_name == "blob":
        return _blob(value)
    return value


def _from_form(shape: Shape, flat: Mapping[str, str], prefix: str) -> Any:
    if isinstance(shape, StructureShape):
        found = {
            name: _from_form(member, flat, _joined(prefix, str(member.serialization.get("name", name))))
            for name, member in shape.members.items()
        }
        present = {name: value for name, value in found.items() if value is not None}
        return present or None
    if isinstance(shape, ListShape):
        return _list_from_form(shape, flat, prefix)
    if isinstance(shape, MapShape):
        return _map_from_form(shape, flat, prefix)
    return _scalar(shape, flat[prefix]) if prefix in flat else None


def _from_ec2(shape: Shape, flat: Mapping[str, str], prefix: str) -> Any:
    if isinstance(shape, StructureShape):
        found = {
            name: _from_ec2(member, flat, _joined(prefix, _ec2_name(name, member)))
            for name, member in shape.members.items()
        }
        return {name: value for name, value in found.items() if value is not None} or None
    if isinstance(shape, ListShape):
        listed: list[Any] = []
        while (item := _from_ec2(shape.member, flat, f"{prefix}.{len(listed) + 1}")) is not None:
            listed.append(item)
        return listed or None
    return _scalar(shape, flat[prefix]) if prefix in flat else None


def _ec2_name(name: str, member: Shape) -> str:
    given = str(member.serialization.get("queryName") or member.serialization.get("name", name))
    return given[:1].upper() + given[1:]


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _list_from_form(shape: ListShape, flat: Mapping[str, str], prefix: str) -> list[Any] | None:
    if flat.get(prefix) == "":
        return []
    base = (
        prefix
        if shape.serialization.get("flattened")
        else f"{prefix}.{shape.member.serialization.get('name', 'member')}"
    )
    found: list[Any] = []
    while (item := _from_form(shape.member, flat, f"{base}.{len(found) + 1}")) is not None:
        found.append(item)
    return found or None


def _map_from_form(shape: MapShape, flat: Mapping[str, str], prefix: str) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    base = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
    while (key := flat.get(f"{base}.{len(found) + 1}.key")) is not None:
        found[key] = _from_form(shape.value, flat, f"{base}.{len(found) + 1}.value")
    return found or None
