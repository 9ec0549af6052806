"""OpenAPI documents, made from the field tables: enough for ``kubectl explain``, ``apply`` and ``diff``."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi import errors, shapes
from migrator.lab.kubeapi.patches import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from migrator.lab.kubeapi.shapes import Shape
from migrator.lab.kubeapi.wire import Request, Response, json_response

if TYPE_CHECKING:
    from migrator.lab.kubeapi.definitions import Definitions
    from migrator.lab.kubeapi.kinds import Kind, Kinds

Json = dict[str, Any]

_SCALARS: dict[str, Json] = {
    "s": {"type": "string"},
    "i": {"type": "integer", "format": "int32"},
    "l": {"type": "integer", "format": "int64"},
    "b": {"type": "boolean"},
    "f": {"type": "number", "format": "double"},
    "t": {"type": "string", "format": "date-time"},
    "m": {"type": "string", "format": "date-time"},
    "q": {"type": "string"},
    "p": {"type": "string", "format": "int-or-string"},
    "y": {"type": "string", "format": "byte"},
    "o": {},
}
_INFO = {"title": "Kubernetes", "version": "v1.33.5-eks-lab"}
_DEFINITIONS = "#/definitions/"
_SCHEMAS = "#/components/schemas/"


def answer(kinds: Kinds, definitions: Definitions, request: Request) -> Response:
    """A document under ``/openapi``.

    Raises:
        ApiError: 404, or 406 for a caller that takes only protobuf.
    """
    path = request.path.strip("/").split("/")
    groups: dict[str, list[Kind]] = {}
    for kind in kinds.all():
        groups.setdefault(_place(kind), []).append(kind)
    if path == ["openapi", "v2"]:
        if "json" not in request.header("accept", "json") and "*/*" not in request.header("accept"):
            raise errors.ApiError(406, "NotAcceptable", "only application/json is spoken here", {})
        return json_response(_version_two(kinds, definitions))
    if path == ["openapi", "v3"]:
        return json_response(
            {"paths": {place: {"serverRelativeURL": _url(place, found)} for place, found in groups.items()}}
        )
    place = "/".join(path[2:])
    if path[:2] == ["openapi", "v3"] and place in groups:
        return json_response(_version_three(groups[place], definitions))
    raise errors.unknown_path()


def _place(kind: Kind) -> str:
    return f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"


def _url(place: str, found: list[Kind]) -> str:
    names = ",".join(sorted(kind.plural for kind in found))
    return f"/openapi/v3/{place}?hash={hashlib.sha256(names.encode()).hexdigest()[:32].upper()}"


@cache
def _model(model: str, prefix: str) -> bytes:
    described = shapes.tables()["types"][model]
    fields = Shape(model).fields
    properties = {
        name: {"description": spec[1], **_type(fields[name], prefix)} for name, spec in described["fields"].items()
    }
    body: Json = {"description": described["about"], "type": "object", "properties": properties}
    if described["required"]:
        body["required"] = described["required"]
    return msgspec.json.encode(body)


def _type(shape: Shape, prefix: str) -> Json:
    if shape.is_list:
        found: Json = {"type": "array", "items": _type(shape.element, prefix)}
        if shape.patch_key:
            found["x-kubernetes-patch-merge-key"] = shape.patch_key
            found["x-kubernetes-patch-strategy"] = "merge,retainKeys" if shape.retains_keys else "merge"
        elif shape.merges_scalars:
            found["x-kubernetes-patch-strategy"] = "merge"
        if shape.apply_keys:
            found["x-kubernetes-list-type"] = "map"
            found["x-kubernetes-list-map-keys"] = list(shape.apply_keys)
        else:
            found["x-kubernetes-list-type"] = "set" if shape.is_set else "atomic"
        return found
    if shape.is_map:
        return {"type": "object", "additionalProperties": _type(shape.element, prefix)}
    if shape.is_struct:
        reference = {"$ref": prefix + shape.code}
        return {"allOf": [reference]} if prefix == _SCHEMAS else reference
    return dict(_SCALARS[shape.code])


def _closure(models: list[str]) -> list[str]:
    seen: dict[str, None] = {}
    queue = list(models)
    while queue:
        model = queue.pop()
        if model not in seen:
            seen[model] = None
            queue += [bare for shape in Shape(model).fields.values() if len(bare := shape.code.lstrip("[{")) > 1]
    return list(seen)


def _schemas(found: list[Kind], definitions: Definitions, prefix: str) -> Json:
    roots = shapes.tables()["roots"]
    models = {roots[f"{k.api_version}/{k.kind}"]: k for k in found if not k.custom}
    body: Json = {m: msgspec.json.decode(_model(m, prefix)) for m in _closure(list(models))}
    for model, kind in models.items():
        body[model]["x-kubernetes-group-version-kind"] = [_gvk(kind)]
    for kind in found:
        if kind.custom:
            schema = {"type": "object", **definitions.schema(kind)}
            body[f"{kind.group}.{kind.version}.{kind.kind}"] = {
                **schema,
                "x-kubernetes-group-version-kind": [_gvk(kind)],
            }
    return body


def _gvk(kind: Kind) -> Json:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _base(kind: Kind) -> str:
    head = f"/{_place(kind)}"
    return f"{head}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{head}/{kind.plural}"


def _parameters(*, three: bool) -> list[Json]:
    found = []
    for name in ("dryRun", "fieldManager", "fieldValidation"):
        typed: Json = {"schema": {"type": "string"}} if three else {"type": "string"}
        found.append({"name": name, "in": "query", "uniqueItems": True, **typed})
    return [{k: v for k, v in p.items() if not (three and k == "uniqueItems")} for p in found]


def _paths(found: list[Kind], *, three: bool) -> Json:
    body: Json = {}
    patches = [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH]
    for kind in found:
        parameters = _parameters(three=three)
        post: Json = {
            "x-kubernetes-action": "post",
            "x-kubernetes-group-version-kind": _gvk(kind),
            "parameters": parameters,
        }
        post["responses"] = {"200": {"description": "OK"}}
        body[_base(kind)] = {"post": post}
        if "patch" not in kind.verbs:
            continue
        spoken = [p for p in patches if not (kind.custom and p == STRATEGIC_PATCH)]
        patch: Json = {**post, "x-kubernetes-action": "patch"}
        if three:
            patch["requestBody"] = {"content": {media: {"schema": {"type": "object"}} for media in spoken}}
        else:
            patch["consumes"] = spoken
        put = {**post, "x-kubernetes-action": "put"}
        get = {k: v for k, v in post.items() if k != "parameters"} | {"x-kubernetes-action": "get"}
        body[_base(kind) + "/{name}"] = {"get": get, "put": put, "patch": patch}
    return body


def _version_three(found: list[Kind], definitions: Definitions) -> Json:
    return {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": _paths(found, three=True),
        "components": {"schemas": _schemas(found, definitions, _SCHEMAS)},
    }


def _version_two(kinds: Kinds, definitions: Definitions) -> Json:
    found = kinds.all()
    return {
        "swagger": "2.0",
        "info": _INFO,
        "paths": _paths(found, three=False),
        "definitions": _schemas(found, definitions, _DEFINITIONS),
    }
