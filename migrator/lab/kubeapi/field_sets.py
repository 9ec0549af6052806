"""Sets of fields, as server-side apply counts them: which paths an object has, and how they are written down.

A path is a tuple of steps spelled as in ``FieldsV1``: ``f:name`` into a map, ``k:{...}`` to a list element by its
keys, ``v:...`` to a set's member. A path's value is compared to see whether somebody changed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi.errors import compact

if TYPE_CHECKING:
    from migrator.lab.kubeapi.shapes import Shape

Json = dict[str, Any]
Path = tuple[str, ...]

_MEMBER = "."
_NOT_COUNTED = {("f:apiVersion",), ("f:kind",)} | {
    ("f:metadata", f"f:{name}")
    for name in (
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion",
        "deletionTimestamp", "deletionGracePeriodSeconds",
    )
}  # fmt: skip


def field_values(obj: Json, shape: Shape, *, with_maps: bool = False) -> dict[Path, Any]:
    """Every countable path of an object with its value; maps and list elements count with an empty one."""
    found: dict[Path, Any] = {}
    for key, value in obj.items():
        if key == "metadata":
            for name, item in value.items():
                if ("f:metadata", f"f:{name}") not in _NOT_COUNTED:
                    _collect(item, shape.child("metadata").child(name), ("f:metadata", f"f:{name}"), found, with_maps)
        elif (f"f:{key}",) not in _NOT_COUNTED:
            _collect(value, shape.child(key), (f"f:{key}",), found, with_maps)
    return found


def _collect(value: Any, shape: Shape, path: Path, found: dict[Path, Any], with_maps: bool) -> None:
    if isinstance(value, dict) and value and not shape.is_atomic:
        if with_maps and not shape.is_struct:
            found[path] = None
        for key, item in value.items():
            _collect(item, shape.child(key), (*path, f"f:{key}"), found, with_maps)
    elif isinstance(value, list) and value and shape.is_set:
        for item in value:
            found[(*path, "v:" + compact(item))] = None
    elif isinstance(value, list) and value and shape.apply_keys:
        _collect_elements(value, shape, path, found, with_maps)
    else:
        found[path] = value


def _collect_elements(items: list[Any], shape: Shape, path: Path, found: dict[Path, Any], with_maps: bool) -> None:
    for item in items:
        identity = shape.identity(item)
        if identity is None:
            found[path] = items
            return
        step = (*path, "k:" + compact(identity))
        found[step] = None
        for key, part in item.items():
            _collect(part, shape.element.child(key), (*step, f"f:{key}"), found, with_maps)


def written(paths: set[Path]) -> Json:
    """A set of paths as ``FieldsV1``."""
    tree: Json = {}
    for path in sorted(paths):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node[_MEMBER] = {}
    _simplify(tree)
    return tree


def _simplify(node: Json) -> None:
    for child in node.values():
        if len(child) == 1 and _MEMBER in child:
            child.clear()
        else:
            _simplify(child)


def read(fields: Json | None) -> set[Path]:
    """A set of paths from ``FieldsV1``."""
    found: set[Path] = set()
    _read(fields or {}, (), found)
    return found


def _read(node: Json, path: Path, found: set[Path]) -> None:
    if path and (not node or _MEMBER in node):
        found.add(path)
    for step, child in node.items():
        if step != _MEMBER:
            _read(child, (*path, step), found)


def shown(path: Path) -> str:
    """A path as conflict messages print it: ``.spec.containers[name="app"].image``."""
    parts = []
    for step in path:
        if step.startswith("f:"):
            parts.append("." + step[2:])
        elif step.startswith("k:"):
            keys = msgspec.json.decode(step[2:])
            parts.append("[" + ",".join(f"{k}={compact(v)}" for k, v in keys.items()) + "]")
        else:
            parts.append(f"[={step[2:]}]")
    return "".join(parts)


def remove_path(obj: Any, path: Path, shape: Shape) -> None:
    """Take a path out of an object, and what it leaves empty above it; what is not there is no error."""
    step, rest = path[0], path[1:]
    if isinstance(obj, dict) and step.startswith("f:"):
        name = step[2:]
        if not rest:
            obj.pop(name, None)
        elif name in obj:
            remove_path(obj[name], rest, shape.child(name))
            if obj[name] in ({}, []):
                del obj[name]
    elif isinstance(obj, list):
        place = _place(obj, step, shape)
        if place is None:
            return
        if rest:
            remove_path(obj[place], rest, shape.element)
        else:
            del obj[place]


def _place(items: list[Any], step: str, shape: Shape) -> int | None:
    wanted = msgspec.json.decode(step[2:])
    for number, item in enumerate(items):
        if (step.startswith("k:") and shape.identity(item) == wanted) or (step.startswith("v:") and item == wanted):
            return number
    return None
