"""From the bytes of a request's body to an object of the kind that its path names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from migrator.lab.kubeapi import errors, schema, syntax
from migrator.lab.kubeapi.calls import check_options
from migrator.lab.kubeapi.kinds import BUILTIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

ACCEPTED = ("application/json", "application/yaml")
_YAML = {"application/yaml", "application/x-yaml", "text/yaml"}
_KNOWN = {(kind.api_version, kind.kind) for kind in BUILTIN}
_SHOWN = 30
_HEAD = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
_UNTYPED = "couldn't get version/kind; json parse error: "
_GO_NAMES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}


class UnreadableError(Exception):
    """Bytes that are no object; its text is what a real server's parser says, as far as that can be told."""


def document(call: Call) -> Json:
    """The object in a request's body, whatever it is.

    Raises:
        ApiError: 415 for protobuf and other languages, 422 for the call's options, 400 for a body that is no object.
    """
    check_media(call)
    check_options(call)
    body = call.request.body
    try:
        found: Json = parsed(body, yaml_body=call.content_type in _YAML)
    except UnreadableError as error:
        kind = call.kind.kind
        text = f"the object provided is unrecognized (must be of type {kind}): {_UNTYPED}{error} ({_summary(body)})"
        raise errors.bad_request(text) from error
    return found


def check_media(call: Call) -> None:
    """Refuse a body in a language that is not spoken here.

    Raises:
        ApiError: 415.
    """
    content_type = call.content_type or ACCEPTED[0]
    if content_type not in ACCEPTED and content_type not in _YAML:
        raise errors.unsupported_media(content_type, ACCEPTED)


def options(call: Call) -> Json | None:
    """The options in the body of a deletion, if it has a body.

    Raises:
        ApiError: 415 or 400.
    """
    if not call.request.body.strip():
        return None
    check_media(call)
    try:
        found: Json = parsed(call.request.body, yaml_body=call.content_type in _YAML)
    except UnreadableError as error:
        raise errors.bad_request(f"{_UNTYPED}{error}") from error
    version, name = found.get("apiVersion") or "meta.k8s.io/v1", found.get("kind") or "DeleteOptions"
    if version.count("/") > 1:
        raise errors.bad_request(f"unexpected GroupVersion string: {version}")
    if name != "DeleteOptions":  # which is one of every group and version
        raise errors.bad_request(_unregistered(version, name))
    return found


def parsed(body: bytes, *, yaml_body: bool = False, wanted: str = _HEAD) -> Any:
    """What is in the bytes, which must be an object, or a list if the wanted Go type is one; null is an empty one.

    Raises:
        UnreadableError: they are none.
    """
    try:
        found = yaml.safe_load(body) if yaml_body else msgspec.json.decode(body)
    except (msgspec.DecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnreadableError((not yaml_body and syntax.complaint(body)) or str(error)) from error
    goal = list if wanted.startswith("[]") else dict
    if found is None:
        return goal()
    if not isinstance(found, goal):
        raise UnreadableError(f"json: cannot unmarshal {_GO_NAMES[type(found)]} into Go value of type {wanted}")
    return found


def _summary(body: bytes) -> str:
    if not body:
        return "<empty>"
    more = " ..." if len(body) > _SHOWN else ""
    short = body[:_SHOWN]
    return (short.decode(errors="replace") if body.startswith(b"{") else short.hex()) + more


def of_kind(call: Call, obj: Json, warnings: list[str], *, fills: bool = True) -> Json:
    """The object, read as one of the kind that the path names.

    Raises:
        ApiError: 400, it is of another kind, or for another place.
    """
    kind = call.kind
    obj = _named(kind, obj)
    try:
        read, unknown = schema.read(kind, obj, fills=fills)
    except schema.MismatchError as error:
        raise _refused(kind, str(error)) from error
    faults = [f'unknown field "{path}"' for path in unknown]
    if call.validation != "Ignore" and call.verb in ("create", "update") and call.content_type not in _YAML:
        faults = [f'duplicate field "{path}"' for path in _repeated(call.request.body)] + faults
    if faults and call.validation == "Strict":
        raise _refused(kind, f"strict decoding error: {', '.join(faults)}")
    if call.validation == "Warn":
        warnings += faults
    check_place(call, read.get("metadata") or {})
    return read


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object as they came."""


def _repeated(body: bytes) -> list[str]:
    """Where a JSON object has the same member twice; nearly none has, so that is looked for first."""
    twice = False

    def met(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len(pairs) != len({name for name, _ in pairs})

    json.loads(body or b"{}", object_pairs_hook=met)
    return list(_paths_of_repeated(json.loads(body, object_pairs_hook=_Members), "")) if twice else []


def _paths_of_repeated(value: Any, path: str) -> Iterator[str]:
    seen: set[str] = set()
    for name, item in value if isinstance(value, _Members) else ():
        where = f"{path}.{name}" if path else name
        if name in seen:
            yield where
        seen.add(name)
        yield from _paths_of_repeated(item, where)
    if isinstance(value, list) and not isinstance(value, _Members):
        for number, item in enumerate(value):
            yield from _paths_of_repeated(item, f"{path}[{number}]")


def _refused(kind: Kind, why: str) -> errors.ApiError:
    return errors.bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}')


def check_place(call: Call, metadata: Json) -> None:
    """Refuse an object for another namespace than that of the path.

    Raises:
        ApiError: 400.
    """
    if call.kind.namespaced and metadata.get("namespace") not in (None, "", call.namespace):
        text = "the namespace of the provided object does not match the namespace sent on the request"
        raise errors.bad_request(text)


def check_name(call: Call, metadata: Json) -> None:
    """Refuse an object of another name than that in the path.

    Raises:
        ApiError: 400.
    """
    name = metadata.get("name")
    if not name:
        text = f"the name of the object ({call.name} based on URL) was undeterminable: name must be provided"
        raise errors.bad_request(text)
    if name != call.name:
        raise errors.bad_request(f"the name of the object ({name}) does not match the name on the URL ({call.name})")


def _named(kind: Kind, obj: Json) -> Json:
    """The object with its kind and version, which need not be said of a built-in kind."""
    version, name = obj.get("apiVersion") or "", obj.get("kind") or ""
    if kind.custom:
        if not name:
            sent = errors.compact(obj)
            raise errors.bad_request(
                f"the object provided is unrecognized (must be of type {kind.kind}): "
                f"Object 'Kind' is missing in '{sent}' ({_summary(sent.encode())})"
            )
        if version != kind.api_version:
            text = (
                f"the API version in the data ({version}) does not match the expected API version ({kind.api_version})"
            )
            raise errors.bad_request(text)
        if name != kind.kind:
            other = replace(kind, kind=name)
            problem = errors.invalid_value("kind", name, f"must be {kind.kind}")
            raise errors.invalid(other, (obj.get("metadata") or {}).get("name") or "", [problem])
    version, name = version or kind.api_version, name or kind.kind
    if (version, name) != (kind.api_version, kind.kind):
        short = version.rpartition("/")[2]
        raise errors.bad_request(
            f'{name} in version "{short}" cannot be handled as a {kind.kind}: {_why(kind, version, name)}'
        )
    return {**obj, "kind": kind.kind, "apiVersion": kind.api_version}


def check_kind(kind: Kind, obj: Json) -> None:
    """Refuse what a patch made an object of another kind.

    Raises:
        MismatchError: it did.
    """
    version, name = obj.get("apiVersion", kind.api_version), obj.get("kind", kind.kind)
    if (version, name) != (kind.api_version, kind.kind):
        raise schema.MismatchError(_why(kind, version, name))


def _why(kind: Kind, version: str, name: str) -> str:
    if (version, name) not in _KNOWN:
        return _unregistered(version, name)
    package = kind.group.partition(".")[0] or "core"
    return f"converting ({version.rpartition('/')[2]}.{name}) to ({package}.{kind.kind}): unknown conversion"


def _unregistered(version: str, name: str) -> str:
    return f'no kind "{name}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
