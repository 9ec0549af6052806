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
        ApiError: 400 for an unknown directive, 422 for a list element without its merge key.
    """
    directive = patch.get(_PATCH)
    if directive == "replace":
        replaced: Json = _stripped({k: v for k, v in patch.items() if k != _PATCH})
        return replaced
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise errors.bad_request(f"Unknown patch type found: {directive}")
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
            _reorder(merged, name, order, shape.child(name))
    return merged


def _merged_value(current: Any, value: Any, shape: Shape) -> Any:
    if isinstance(value, dict):
        return strategic_merge(current if isinstance(current, dict) and not shape.replaces else {}, value, shape)
    if not isinstance(value, list):
        return value
    if shape.merges_scalars:
        base = current if isinstance(current, list) else []
        return base + [item for item in value if item not in base]
    if shape.patch_key:
        return _merged_list(current if isinstance(current, list) else [], value, shape)
    return [_stripped(item) for item in value]


def _merged_list(current: list[Any], patch: list[Any], shape: Shape) -> list[Any]:
    key = shape.patch_key
    if any(isinstance(item, dict) and item.get(_PATCH) == "replace" for item in patch):
        return [_stripped(item) for item in patch if item.get(_PATCH) != "replace"]
    merged = list(current)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise errors.rejected_patch()
        place = next((n for n, old in enumerate(merged) if old.get(key) == item[key]), None)
        if item.get(_PATCH) == "delete":
            if place is not None:
                del merged[place]
        elif place is None:
            merged.append(_stripped(item))
        else:
            merged[place] = strategic_merge(merged[place], item, shape.element)
    return merged


def _delete_scalars(merged: Json, name: str, values: list[Any]) -> None:
    if isinstance(merged.get(name), list):
        merged[name] = [item for item in merged[name] if item not in values]


def _reorder(merged: Json, name: str, order: list[Any], shape: Shape) -> None:
    items = merged.get(name)
    if not isinstance(items, list):
        return
    key = shape.patch_key
    wanted = [item.get(key) if isinstance(item, dict) else item for item in order]

    def named(item: Any) -> Any:
        return item.get(key) if isinstance(item, dict) else item

    listed = iter(sorted((i for i in items if named(i) in wanted), key=lambda i: wanted.index(named(i))))
    merged[name] = [next(listed) if named(item) in wanted else item for item in items]


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
