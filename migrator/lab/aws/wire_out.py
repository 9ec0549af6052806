"""Answers and errors written to the wire by the operation's output shape and its service's protocol."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from migrator.lab.aws.models import error_status
from migrator.lab.aws.wire import HttpAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.errors import ApiError

_AMZ_JSON = "application/x-amz-json-"


def answer(operation: OperationModel, output: Mapping[str, Any], request_id: str) -> HttpAnswer:
    """A successful answer."""
    service = operation.service_model
    if service.protocol == "query":
        body = _query_body(operation, output, request_id)
        return HttpAnswer(200, {"content-type": "text/xml", "x-amzn-requestid": request_id}, body.encode())
    if service.protocol == "ec2":
        body = _ec2_body(operation, output, request_id)
        return HttpAnswer(200, {"content-type": "text/xml", "x-amzn-requestid": request_id}, body.encode())
    shape = operation.output_shape
    document = _to_json(shape, output) if shape is not None else {}
    kind = _json_type(service.protocol, service.metadata)
    status = int(operation.http.get("responseCode", 200))
    headers = {"content-type": kind, "x-amzn-requestid": request_id}
    return HttpAnswer(status, headers, json.dumps(document).encode())


def _json_type(protocol: str, metadata: Mapping[str, Any]) -> str:
    return _AMZ_JSON + str(metadata.get("jsonVersion", "1.1")) if protocol == "json" else "application/json"


def error(protocol: str, operation: OperationModel | None, problem: ApiError, request_id: str) -> HttpAnswer:
    """An error answer in the protocol's own form."""
    status = problem.status or error_status(operation, problem.code)
    if protocol in ("rest-json", "json"):
        document = {"__type": problem.code, "message": problem.message, **problem.members}
        kind = "application/json" if protocol == "rest-json" else _AMZ_JSON + "1.0"
        headers = {"content-type": kind, "x-amzn-errortype": problem.code, "x-amzn-requestid": request_id}
        return HttpAnswer(status, headers, json.dumps(document).encode())
    headers = {"content-type": "text/xml", "x-amzn-requestid": request_id}
    return HttpAnswer(status, headers, _xml_error(protocol, operation, problem, status, request_id).encode())


def _xml_error(protocol: str, operation: OperationModel | None, problem: ApiError, status: int, request_id: str) -> str:
    what = f"<Code>{escape(problem.code)}</Code><Message>{escape(problem.message)}</Message>"
    if protocol == "rest-xml":
        return f'<?xml version="1.0" encoding="UTF-8"?><Error>{what}<RequestId>{request_id}</RequestId></Error>'
    if protocol == "ec2":
        inner = f"<Errors><Error>{what}</Error></Errors><RequestID>{request_id}</RequestID>"
        return f"<Response>{inner}</Response>"
    space = operation.service_model.metadata.get("xmlNamespace", "") if operation else ""
    fault = "Sender" if status < 500 else "Receiver"
    return (
        f'<ErrorResponse xmlns="{space}"><Error><Type>{fault}</Type>{what}</Error>'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _aware(when: datetime) -> datetime:
    """A time of moto's has no zone and means UTC."""
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _to_json(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {
            str(member.serialization.get("name", name)): _to_json(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_to_json(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _to_json(shape.value, item) for key, item in value.items()}
    if isinstance(value, datetime):
        return _aware(value).timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _query_body(operation: OperationModel, output: Mapping[str, Any], request_id: str) -> str:
    space = operation.service_model.metadata.get("xmlNamespace", "")
    result = ""
    if operation.output_shape is not None:
        wrapper = operation.output_shape.serialization.get("resultWrapper", f"{operation.name}Result")
        result = f"<{wrapper}>{_to_xml(operation.output_shape, output)}</{wrapper}>"
    meta = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return f'<{operation.name}Response xmlns="{space}">{result}{meta}</{operation.name}Response>'


def _ec2_body(operation: OperationModel, output: Mapping[str, Any], request_id: str) -> str:
    space = operation.service_model.metadata.get("xmlNamespace", "")
    result = _to_xml(operation.output_shape, output) if operation.output_shape is not None else ""
    name = f"{operation.name}Response"
    return f'<{name} xmlns="{space}"><requestId>{request_id}</requestId>{result}</{name}>'


def _to_xml(shape: Shape, value: Any) -> str:
    """The content of an element, without the element itself."""
    if isinstance(shape, StructureShape):
        return "".join(
            _element(str(member.serialization.get("name", name)), _to_xml(member, value[name]))
            for name, member in shape.members.items()
            if value.get(name) is not None
        )
    if isinstance(shape, ListShape):
        name = str(shape.member.serialization.get("name", "member"))
        return "".join(_element(name, _to_xml(shape.member, item)) for item in value)
    if isinstance(shape, MapShape):
        return "".join(
            _element("entry", _element("key", escape(str(key))) + _element("value", _to_xml(shape.value, item)))
            for key, item in value.items()
        )
    return escape(_text(value))


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _aware(value).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
