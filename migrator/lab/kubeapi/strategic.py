"""Strategic merge patch: objects merge, lists of named things merge by their key, and directives steer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors

if TYPE_CHECKING:
    from migrator.lab.kubeapi.shapes import Shape

Json = dict[str, Any]

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_DELETE_FROM = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"


def strategic_merge(current: Json, patch: Json, shape: Shape) -> Json:
    """The object after the patch.

    Raises:
        ApiError: 500 for an unknown directive, or for a list element without its merge key, as on a real server.
    """
    directive = patch.get(_PATCH)
    if directive == "replace":
        replaced: Json = _stripped({k: v for k, v in patch.items() if k != _PATCH})
        return replaced
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise errors.failed(f"unknown patch type: {directive} in map: {in_go(patch)}")
    merged = dict(current)
    if _RETAIN in patch:
        merged = {k: v for k, v in merged.items() if k in patch[_RETAIN]}
    for key, value in patch.items():
        if key.startswith(_DELETE_FROM):
            _delete_scalars(merged, key.removeprefix(_DELETE_FROM), value)
        elif key in (_PATCH, _RETAIN) or key.startswith(_ORDER):
            continue
        elif value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged_value(merged.get(key), value, shape.child(key))
    for key, order in patch.items():
        if key.startswith(_ORDER):
            name = key.removeprefix(_ORDER)
            _reorder(merged, name, order, current.get(name), shape.child(name).patch_key)
    return merged


def _merged_value(current: Any, value: Any, shape: Shape) -> Any:
    if isinstance(value, dict):
        return strategic_merge(current if isinstance(current, dict) and not shape.replaces else {}, value, shape)
    if not isinstance(value, list):
        return value
    before = current if isinstance(current, list) else []
    if shape.merges_scalars:
        merged = before + [item for item in value if item not in before]
        return ordered(merged, value, before, "")
    if shape.patch_key:
        return _merged_list(before, value, shape)
    return [_stripped(item) for item in value]


def _merged_list(current: list[Any], patch: list[Any], shape: Shape) -> list[Any]:
    key = shape.patch_key
    if any(isinstance(item, dict) and item.get(_PATCH) == "replace" for item in patch):
        return [_stripped(item) for item in patch if item.get(_PATCH) != "replace"]
    merged = list(current)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise errors.failed(f"map: {in_go(item)} does not contain declared merge key: {key}")
        place = next((n for n, old in enumerate(merged) if old.get(key) == item[key]), None)
        if item.get(_PATCH) == "delete":
            if place is not None:
                del merged[place]
        elif place is None:
            merged.append(_stripped(item))
        else:
            merged[place] = strategic_merge(merged[place], item, shape.element)
    return ordered(merged, patch, current, key)


def ordered(merged: list[Any], patch: list[Any], before: list[Any], key: str) -> list[Any]:
    """A merged list in the order that a real server gives it: what the patch names comes as early as can be.

    What it does not name keeps its place before those that were behind it.
    """
    wanted, known = ([_named(item, key) for item in items] for items in (patch, before))
    listed = sorted((i for i in merged if _named(i, key) in wanted), key=lambda i: wanted.index(_named(i, key)))
    others = [item for item in merged if _named(item, key) not in wanted]
    found = []
    while others and listed:
        left, right = _named(others[0], key), _named(listed[0], key)
        first = right in known and known.index(left) < known.index(right)
        found.append(others.pop(0) if first else listed.pop(0))
    return [*found, *others, *listed]


def _named(item: Any, key: str) -> Any:
    return item.get(key) if isinstance(item, dict) and key else item


def _delete_scalars(merged: Json, name: str, values: list[Any]) -> None:
    if isinstance(merged.get(name), list):
        merged[name] = [item for item in merged[name] if item not in values]


def _reorder(merged: Json, name: str, order: list[Any], before: Any, key: str) -> None:
    if isinstance(merged.get(name), list):
        merged[name] = ordered(merged[name], order, before if isinstance(before, list) else [], key)


def _stripped(value: Any) -> Any:
    """A part of a patch as plain data: no directives, no nulls."""
    if isinstance(value, dict):
        return {
            k: _stripped(v)
            for k, v in value.items()
            if v is not None and k not in (_PATCH, _RETAIN) and not k.startswith((_ORDER, _DELETE_FROM))
        }
    if isinstance(value, list):
        return [_stripped(item) for item in value if not (isinstance(item, dict) and item.get(_PATCH) == "delete")]
    return value


def in_go(value: Any) -> str:
    """A value as Go prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{in_go(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(in_go, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
