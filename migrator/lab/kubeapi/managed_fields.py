"""Who owns which fields: keeps ``metadata.managedFields`` on every write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import field_sets, schema
from migrator.lab.kubeapi.metadata import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.lab.kubeapi.field_sets import Path
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]


class Owners:
    """The entries of one object's ``managedFields``, with their field sets opened up."""

    def __init__(self, entries: Iterable[Json]) -> None:
        self._entries: list[tuple[Json, set[Path]]] = [
            ({k: v for k, v in entry.items() if k != "fieldsV1"}, field_sets.read(entry.get("fieldsV1")))
            for entry in entries
            if entry.get("manager") is not None or entry.get("fieldsV1")
        ]

    def own(self, manager: str, operation: str, subresource: str) -> set[Path]:
        """The fields of one manager."""
        for head, paths in self._entries:
            if _is(head, manager, operation, subresource):
                return set(paths)
        return set()

    def others(self, manager: str, operation: str, subresource: str) -> list[tuple[Json, set[Path]]]:
        """The entries of everybody else."""
        return [(head, paths) for head, paths in self._entries if not _is(head, manager, operation, subresource)]

    def settle(self, head: Json, paths: set[Path], lost: set[Path]) -> list[Json]:
        """The entries after a write: one manager's new set, and what all others lose.

        A manager whose set did not change keeps its time.
        """
        place = (head["manager"], head["operation"], head.get("subresource", ""))
        found = []
        mine = None
        for known, owned in self._entries:
            if _is(known, *place):
                mine = (known, owned)
            elif owned - lost:
                found.append(_entry(known, owned - lost))
        if paths:
            time = mine[0].get("time", now()) if mine is not None and mine[1] == paths else now()
            found.append(_entry({**head, "time": time}, paths))
        return sorted(found, key=lambda e: (e["operation"] != "Apply", e.get("time", ""), e["manager"]))


def _is(head: Json, manager: str, operation: str, subresource: str) -> bool:
    return (head.get("manager"), head.get("operation"), head.get("subresource", "")) == (
        manager,
        operation,
        subresource,
    )


def _entry(head: Json, paths: set[Path]) -> Json:
    entry: Json = {k: head[k] for k in ("manager", "operation", "apiVersion", "time") if k in head}
    entry["fieldsType"] = "FieldsV1"
    entry["fieldsV1"] = field_sets.written(paths)
    if head.get("subresource"):
        entry["subresource"] = head["subresource"]
    return entry


def _head(kind: Kind, manager: str, operation: str, subresource: str) -> Json:
    head = {"manager": manager, "operation": operation, "apiVersion": kind.api_version}
    if subresource:
        head["subresource"] = subresource
    return head


def record_update(kind: Kind, old: Json | None, new: Json, *, manager: str, subresource: str = "") -> None:
    """Note that a manager wrote an object: what changed is now its own, what is gone is nobody's."""
    shape = schema.root(kind)
    before = field_sets.field_values(old, shape, with_maps=True) if old else {}
    after = field_sets.field_values(new, shape, with_maps=True)
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    if old is None and kind.has_status:
        # the first status is the server's own word
        changed = {path for path in changed if path[0] != "f:status"}
    gone = set(before) - set(after)
    entries = (old["metadata"].get("managedFields") or []) if old else []
    if not changed and not gone:
        _put(new, entries)
        return
    owners = Owners(entries)
    mine = (owners.own(manager, "Update", subresource) | changed) - gone
    _put(new, owners.settle(_head(kind, manager, "Update", subresource), mine, changed | gone))


def record_apply(
    kind: Kind, old: Json | None, new: Json, *, applied: Json, manager: str, subresource: str = ""
) -> None:
    """Note that a manager applied a configuration: exactly its fields are the manager's now."""
    shape = schema.root(kind)
    before = field_sets.field_values(old, shape) if old else {}
    after = field_sets.field_values(new, shape)
    mine = set(applied_fields(kind, applied, subresource))
    lost = {path for path in mine if before.get(path) != after.get(path)} | (set(before) - set(after))
    entries = (old["metadata"].get("managedFields") or []) if old else []
    owners = Owners(entries)
    _put(new, owners.settle(_head(kind, manager, "Apply", subresource), mine, lost))


def applied_fields(kind: Kind, applied: Json, subresource: str) -> dict[Path, Any]:
    """The fields a configuration speaks for; status only through its own subresource."""
    found = field_sets.field_values(applied, schema.root(kind))
    if not kind.has_status:
        return found
    if subresource == "status":
        return {path: value for path, value in found.items() if path[0] == "f:status"}
    return {path: value for path, value in found.items() if path[0] != "f:status"}


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
