"""Who owns which fields: keeps ``metadata.managedFields`` on every write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import field_sets, schema
from migrator.lab.kubeapi.field_sets import Changes
from migrator.lab.kubeapi.metadata import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.lab.kubeapi.field_sets import Path
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

# what the server itself says of an object has no owner
_NOBODYS = {("f:apiVersion",), ("f:kind",), ("f:metadata",)} | {
    ("f:metadata", f"f:{name}")
    for name in (
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion",
    )
}  # fmt: skip
_REPLICAS = ("f:spec", "f:replicas")
_BEFORE_APPLY = "before-first-apply"
_UNTOUCHED_BY_STATUS: dict[tuple[str, str], tuple[Path, ...]] = {
    ("apps", "deployments"): (("f:metadata", "f:labels"),),
    ("", "pods"): (("f:metadata", "f:deletionTimestamp"), ("f:metadata", "f:ownerReferences")),
}


class Owners:
    """The entries of one object's ``managedFields``, with their field sets opened up."""

    def __init__(self, entries: Iterable[Json]) -> None:
        self._entries: list[tuple[Json, set[Path]]] = [
            ({k: v for k, v in entry.items() if k != "fieldsV1"}, field_sets.read(entry.get("fieldsV1")))
            for entry in entries
            if entry.get("manager") is not None or entry.get("fieldsV1")
        ]

    def own(self, head: Json) -> set[Path]:
        """The fields of one manager."""
        return next((set(paths) for known, paths in self._entries if _is(known, head)), set())

    def others(self, head: Json) -> list[tuple[Json, set[Path]]]:
        """The entries of everybody else."""
        return [(known, paths) for known, paths in self._entries if not _is(known, head)]

    def settle(self, head: Json, paths: set[Path], lost: set[Path]) -> list[Json]:
        """The entries after a write: one manager's new set, and what all others lose.

        A manager whose set did not change keeps its time.
        """
        found = []
        mine = None
        for known, owned in self._entries:
            if _is(known, head):
                mine = (known, owned)
            elif owned - lost:
                found.append(_entry(known, owned - lost))
        if paths:
            time = mine[0].get("time", now()) if mine is not None and mine[1] == paths else now()
            # an object applied by its scale alone is noted without a time
            timeless = (head["operation"], head.get("subresource")) == ("Apply", "scale")
            found.append(_entry(head if timeless else {**head, "time": time}, paths))
        return sorted(found, key=lambda e: (e["operation"] != "Apply", e.get("time", ""), e["manager"]))


def _is(known: Json, head: Json) -> bool:
    """Whether both are the same manager; one who updates in two versions counts as two."""
    names = ("manager", "operation", "subresource") + (() if head["operation"] == "Apply" else ("apiVersion",))
    return all(known.get(name) == head.get(name) for name in names)


def _entry(head: Json, paths: set[Path]) -> Json:
    entry: Json = {k: head[k] for k in ("manager", "operation", "apiVersion", "time") if k in head}
    entry["fieldsType"] = "FieldsV1"
    entry["fieldsV1"] = field_sets.written(paths)
    if head.get("subresource"):
        entry["subresource"] = head["subresource"]
    return entry


def head_of(kind: Kind, manager: str, operation: str, subresource: str) -> Json:
    """Who writes, as an entry says it."""
    head = {"manager": manager, "operation": operation, "apiVersion": kind.api_version}
    if subresource:
        head["subresource"] = subresource
    return head


def record_update(kind: Kind, old: Json | None, new: Json, *, manager: str, subresource: str = "") -> None:
    """Note that a manager wrote an object: what changed is now its own, what is gone is nobody's."""
    entries = _entries_before(old, new)
    if old is not None and not entries:
        # of an object whose fields nobody owned from the start no account is kept until somebody applies
        new["metadata"].pop("managedFields", None)
        return
    before = schema.unset(kind) if old is None else old
    changes = field_sets.compared(before, new, schema.root(kind)).without(_untouched(kind, subresource))
    changes = Changes(changes.added - _NOBODYS, changes.modified - _NOBODYS, changes.removed)
    if not changes.written and not changes.removed:
        _put(new, entries)
        return
    owners = Owners(entries)
    # a scale of none does not say so, and what it does not say nobody owns
    unsaid = {_REPLICAS} if subresource == "scale" and not (new.get("spec") or {}).get("replicas") else set()
    head = head_of(kind, manager, "Update", subresource)
    mine = (owners.own(head) | changes.written) - changes.removed - unsaid
    lost = changes.written | changes.removed
    _put(new, owners.settle(head, mine, lost))


def _entries_before(old: Json | None, new: Json) -> list[Json]:
    """The account so far; who sends one with nothing in it clears it."""
    if old is None or new["metadata"].get("managedFields") == [{}]:
        return []
    entries: list[Json] = old["metadata"].get("managedFields") or []
    return entries


def record_apply(
    kind: Kind, old: Json | None, new: Json, *, applied: Json, manager: str, subresource: str = ""
) -> None:
    """Note that a manager applied a configuration: exactly its fields are the manager's now."""
    before = schema.unset(kind) if old is None else old
    changes = field_sets.compared(before, new, schema.root(kind)).without(_untouched(kind, subresource))
    entries = owners_before(kind, old) if old is not None else []
    mine = applied_fields(kind, applied, subresource)
    lost = changes.written | changes.removed
    _put(new, Owners(entries).settle(head_of(kind, manager, "Apply", subresource), mine, lost))


def owners_before(kind: Kind, old: Json) -> list[Json]:
    """Who owns what before somebody applies; if no account was kept, all fields are given to one owner."""
    entries: list[Json] = old["metadata"].get("managedFields") or []
    if entries:
        return entries
    changes = field_sets.compared(schema.unset(kind), old, schema.root(kind)).without(_untouched(kind, ""))
    owned = changes.written - _NOBODYS
    return Owners([]).settle(head_of(kind, _BEFORE_APPLY, "Update", ""), owned, set())


def applied_fields(kind: Kind, applied: Json, subresource: str) -> set[Path]:
    """The fields a configuration speaks for, but for those that this way of writing does not touch."""
    untouched = _untouched(kind, subresource)
    found = field_sets.mentioned(applied, schema.root(kind)) - _NOBODYS
    return {path for path in found if not field_sets.below(path, untouched)}


def _untouched(kind: Kind, subresource: str) -> tuple[Path, ...]:
    """What is not this way of writing's to change: nobody comes to own it."""
    if not kind.has_status:
        return ()
    if subresource != "status":
        return (("f:status",),)
    if kind.custom:
        return (("f:metadata",), ("f:spec",))
    return (("f:spec",), *_UNTOUCHED_BY_STATUS.get(kind.key, ()))


def _put(obj: Json, entries: list[Json]) -> None:
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def unchanged(old: Json, new: Json) -> bool:
    """Whether a write would change nothing but the times at which managers wrote."""
    return _content(old) == _content(new)


def _content(obj: Json) -> Json:
    metadata = {k: v for k, v in obj["metadata"].items() if k not in ("resourceVersion", "managedFields")}
    entries = obj["metadata"].get("managedFields") or []
    metadata["managedFields"] = [{k: v for k, v in e.items() if k != "time"} for e in entries]
    return {**obj, "metadata": metadata}
