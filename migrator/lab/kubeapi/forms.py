"""The form of an answer: the object itself, its metadata alone, or a table; and JSON or YAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.routes import MEDIA
from migrator.lab.kubeapi.wire import Response, json_response

if TYPE_CHECKING:
    from migrator.lab.kubeapi.wire import Request

Json = dict[str, Any]

PLAIN = ""
TABLE = "Table"
METADATA = "PartialObjectMetadata"
METADATA_LIST = "PartialObjectMetadataList"
_GROUP = "meta.k8s.io"
_YAML = "application/yaml"
_ANY = ("", "*/*", "application/*", "application/json")


@dataclass(frozen=True)
class Form:
    """What the caller takes."""

    name: str = PLAIN
    yaml: bool = False


_USUAL = Form()


def form_of(request: Request) -> Form:
    """The first of the forms that the caller takes and that is spoken here.

    Raises:
        ApiError: 406, none of them is.
    """
    found = _first(request.header("accept"))
    if found is None:
        raise unspoken()
    return found


def _first(accept: str) -> Form | None:
    if accept in _ANY:
        return _USUAL
    return next((found for part in accept.split(",") if (found := _spoken(part)) is not None), None)


def refusal(error: errors.ApiError, request: Request) -> Response:
    """What a caller is told who does not get what he asked for, in his language if it is spoken here."""
    form = _first(request.header("accept")) or _USUAL
    response = written(error.status(), form, error.code)
    later = (error.details or {}).get("retryAfterSeconds")
    response.headers.update({**error.headers, **({"Retry-After": str(later)} if later else {})})
    return response


def unspoken() -> errors.ApiError:
    """The caller takes nothing but forms that there are not."""
    text = f"only the following media types are accepted: {', '.join(MEDIA)}"
    return errors.ApiError(406, "NotAcceptable", text)


def _spoken(part: str) -> Form | None:
    media, *parameters = [one.strip() for one in part.split(";")]
    given = dict(one.split("=", 1) for one in parameters if "=" in one)
    if media not in (*_ANY, _YAML):
        return None
    name = given.get("as", PLAIN)
    if name == PLAIN:
        return Form(PLAIN, media == _YAML)
    known = name in (TABLE, METADATA, METADATA_LIST) and given.get("g") == _GROUP and given.get("v") == "v1"
    return Form(name, media == _YAML) if known else None


def written(body: Any, form: Form, status: int = 200) -> Response:
    """An answer in the language of a form."""
    if not form.yaml:
        return json_response(body, status)
    plain = msgspec.json.decode(msgspec.json.encode(body))
    return Response(status, yaml.safe_dump(plain, default_flow_style=False).encode(), _YAML)
