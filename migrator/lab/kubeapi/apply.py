"""Server-side apply: merge a configuration into the live object, respecting who owns what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import decoding, errors, field_sets, schema
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.managed_fields import Owners, applied_fields, head_of, owners_before
from migrator.lab.kubeapi.strategic import in_go

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.field_sets import Path
    from migrator.lab.kubeapi.kinds import Kind
    from migrator.lab.kubeapi.shapes import Shape

Json = dict[str, Any]

_NUMBER = "numeric (int or float)"
_GOALS = {"s": "string", "i": _NUMBER, "l": _NUMBER, "f": _NUMBER, "b": "boolean", "[": "list", "{": "map"}


def configuration(call: Call) -> Json:
    """The configuration in a call's body.

    Raises:
        ApiError: it cannot be applied.
    """
    kind = call.kind
    try:
        given: Json = decoding.parsed(call.request.body, yaml_body=True, wanted="map[string]interface {}")
    except decoding.UnreadableError as error:
        raise errors.bad_request(f"error decoding YAML: {error}") from error
    version, name = given.get("apiVersion", ""), given.get("kind", "")
    if (version, name) != (kind.api_version, kind.kind):
        said = version if "/" in version else f"/{version}"
        raise errors.bad_request(f"invalid object type: {said}, Kind={name}")
    applied = _typed(kind, given)
    metadata = applied.setdefault("metadata", {})
    if metadata.get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    decoding.check_place(call, metadata)
    return applied


def _typed(kind: Kind, given: Json) -> Json:
    """The configuration, if it has nothing but what its kind has; there is no leniency here."""
    try:
        applied, unknown = schema.read(kind, given, fills=False)
    except schema.MismatchError as error:
        goal = _GOALS.get(error.wanted[:1] if error.wanted[:1] in "[{" else error.wanted, "map")
        text = f".{error.path}: expected {goal}, got &value.valueUnstructured{{Value:{in_go(error.value)}}}"
        raise _untyped(kind, given, text) from error
    if unknown:
        lines = [f".{path}: field not declared in schema" for path in unknown]
        raise _untyped(kind, given, lines[0] if len(lines) == 1 else "errors:\n  " + "\n  ".join(lines))
    return applied


def _untyped(kind: Kind, given: Json, text: str) -> errors.ApiError:
    metadata = given.get("metadata") or {}
    place = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
    version = kind.api_version if kind.group else f"/{kind.version}"
    return errors.failed(f"failed to create typed patch object ({place}; {version}, Kind={kind.kind}): {text}")


def merge(call: Call, current: Json, applied: Json, *, force: bool) -> Json:
    """The live object after applying a configuration.

    Raises:
        ApiError: 409, somebody else owns a field that would change, and ``force`` was not given.
    """
    kind, subresource = call.kind, call.subresource
    shape = schema.root(kind)
    owners = Owners(owners_before(kind, current))
    mine = applied_fields(kind, applied, subresource)
    head = head_of(kind, call.manager, "Apply", subresource)
    others = owners.others(head)
    merged: Json = _merged(current, _without_status(kind, applied, subresource), shape)
    _drop_abandoned(merged, owners.own(head) - mine, others, shape)
    if not force:
        _refuse_conflicts(field_sets.compared(current, merged, shape).written, others)
    return merged


def _without_status(kind: Kind, applied: Json, subresource: str) -> Json:
    config = copy(applied)
    (config.get("metadata") or {}).pop("creationTimestamp", None)
    if kind.has_status and subresource != "status":
        config.pop("status", None)
    return config


def _merged(current: Any, applied: Any, shape: Shape) -> Any:
    if isinstance(applied, dict) and isinstance(current, dict) and not shape.is_atomic:
        merged: Json = dict(current)
        for key, value in applied.items():
            merged[key] = _merged(current[key], value, shape.child(key)) if key in current else value
        return merged
    if isinstance(applied, list) and isinstance(current, list):
        if shape.is_set:
            return current + [item for item in applied if item not in current]
        if shape.apply_keys:
            return _merged_elements(current, applied, shape)
    return applied


def _merged_elements(current: list[Any], applied: list[Any], shape: Shape) -> list[Any]:
    merged = list(current)
    places = {errors.compact(shape.identity(item)): n for n, item in enumerate(current)}
    for item in applied:
        place = places.get(errors.compact(shape.identity(item)))
        if place is None:
            merged.append(item)
        else:
            merged[place] = _merged(merged[place], item, shape.element)
    return merged


def _drop_abandoned(merged: Json, abandoned: set[Path], others: list[tuple[Json, set[Path]]], shape: Shape) -> None:
    """Remove what the manager applied before, applies no longer, and nobody else owns."""
    # an element goes before its parts: without its key it would not be found
    for path in sorted(abandoned, key=len):
        kept = any(owned[: len(path)] == path for _, paths in others for owned in paths)
        if not kept:
            field_sets.remove_path(merged, path, shape)


def _refuse_conflicts(changed: set[Path], others: list[tuple[Json, set[Path]]]) -> None:
    found = [(_described(head), path) for head, paths in others for path in sorted(paths & changed)]
    if not found:
        return
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": field_sets.shown(path)}
        for who, path in found
    ]
    noun = "conflict" if len(found) == 1 else "conflicts"
    message = f"Apply failed with {len(found)} {noun}: {_summary(found)}"
    raise errors.ApiError(409, "Conflict", message, {"causes": causes})


def _summary(found: list[tuple[str, Path]]) -> str:
    managers = sorted({who for who, _ in found})
    parts = []
    for who in managers:
        paths = [field_sets.shown(path) for name, path in found if name == who]
        if len(paths) == 1:
            parts.append(f"conflict with {who}: {paths[0]}")
        else:
            parts.append(f"conflicts with {who}:\n- " + "\n- ".join(paths))
    return "\n".join(parts)


def _described(head: Json) -> str:
    text = f'"{head.get("manager", "")}"'
    if head.get("subresource"):
        text += f' with subresource "{head["subresource"]}"'
    return text if head.get("operation") == "Apply" else f"{text} using {head.get('apiVersion', '')}"
