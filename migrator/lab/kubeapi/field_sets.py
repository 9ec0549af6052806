"""Sets of fields, as server-side apply counts them: what changed between two objects, and how it is written down.

A path is a tuple of steps spelled as in ``FieldsV1``: ``f:name`` into a map, ``k:{...}`` to a list element by its
keys, ``v:...`` to a set's member.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi.errors import compact
from migrator.lab.kubeapi.shapes import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.lab.kubeapi.shapes import Shape

Json = dict[str, Any]
Path = tuple[str, ...]

_MEMBER = "."
_ABSENT: Any = object()


@dataclass
class Changes:
    """The paths at which two objects differ."""

    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)

    @property
    def written(self) -> set[Path]:
        """Where the newer object says something else, or more."""
        return self.added | self.modified

    def without(self, places: tuple[Path, ...]) -> Changes:
        """The changes that are not at or below any of these places."""
        kept = [{p for p in paths if not below(p, places)} for paths in (self.added, self.modified, self.removed)]
        return Changes(*kept)


def below(path: Path, places: tuple[Path, ...]) -> bool:
    """Whether a path is one of these places or lies under one."""
    return any(path[: len(place)] == place for place in places)


def compared(old: Json, new: Json, shape: Shape) -> Changes:
    """What changed from one object to the other; a branch that came counts with all its joints."""
    changes = Changes()
    _compare(old, new, shape, (), changes)
    return changes


def _compare(old: Any, new: Any, shape: Shape, path: Path, changes: Changes) -> None:
    if old is _ABSENT:
        _all(new, shape, path, changes.added)
    elif new is _ABSENT:
        _all(old, shape, path, changes.removed)
    elif old != new:
        both = _children(old, new, shape)
        if both is None:
            changes.modified.add(path)
        else:
            for step, before, after, below_it in both:
                _compare(before, after, below_it, (*path, step), changes)


def _children(old: Any, new: Any, shape: Shape) -> list[tuple[str, Any, Any, Shape]] | None:
    """Pairs of what is below two values; nothing if they are leaves."""
    if not (old or new):
        return None  # the difference between null and empty
    before, after = (_branches(value, shape) for value in (old, new))
    if before is None or after is None:
        return None
    return [
        (step, before.get(step, (_ABSENT,))[0], after.get(step, (_ABSENT,))[0], (before.get(step) or after[step])[1])
        for step in {**before, **after}
    ]


def _branches(value: Any, shape: Shape) -> dict[str, tuple[Any, Shape]] | None:
    """What is below a value, by the step that leads there; nothing if it is owned as a whole."""
    if isinstance(value, dict):
        if shape.is_atomic:
            return None
        return {f"f:{key}": (item, shape.child(key)) for key, item in value.items()}
    if isinstance(value, list):
        if shape.is_set:
            return {"v:" + compact(item): (item, UNKNOWN) for item in value}
        return _elements(value, shape) if shape.apply_keys else None
    # null is as good as an empty map or list
    return None if value is not None or shape.is_atomic or (shape.is_list and not _has_members(shape)) else {}


def _has_members(shape: Shape) -> bool:
    return shape.is_set or bool(shape.apply_keys)


def _elements(items: list[Any], shape: Shape) -> dict[str, tuple[Any, Shape]] | None:
    found = {}
    for item in items:
        identity = shape.identity(item)
        if identity is None:
            return None
        found["k:" + compact(identity)] = (item, shape.element)
    return found


def _all(value: Any, shape: Shape, path: Path, found: set[Path]) -> None:
    found.add(path)
    for step, (item, below_it) in (_branches(value, shape) or {}).items():
        _all(item, below_it, (*path, step), found)


def mentioned(obj: Json, shape: Shape) -> set[Path]:
    """Every leaf and list element that a configuration speaks of."""
    return set(_mentioned(obj, shape, ()))


def _mentioned(value: Any, shape: Shape, path: Path) -> Iterator[Path]:
    branches = _branches(value, shape)
    if branches is None or (not branches and not shape.is_list):
        yield path
        return
    for step, (item, below_it) in branches.items():
        where = (*path, step)
        if not step.startswith("f:") or step[2:] not in shape.fields:
            yield where
        yield from _mentioned(item, below_it, where)


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
