"""Garbage collection: what loses its last owner goes, and owners wait for or let go of what they own."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.delete_options import FOREGROUND, ORPHAN, Options
from migrator.lab.kubeapi.preparing import PROTECTION

if TYPE_CHECKING:
    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.storage import Event, KindKey, ObjectKey

Json = dict[str, Any]


class Collector:
    """Follows all changes and keeps track of who owns whom."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._alive: dict[str, tuple[KindKey, ObjectKey]] = {}
        self._owned: dict[str, set[str]] = defaultdict(set)
        self._absent: set[str] = set()  # owners that were seen to go

    def handle(self, kind: KindKey, event: Event) -> None:
        """Take note of one change and do what follows from it."""
        obj = event.record.obj
        metadata = obj["metadata"]
        uid = metadata["uid"]
        owners = [owner["uid"] for owner in metadata.get("ownerReferences") or ()]
        if event.type == "DELETED":
            self._alive.pop(uid, None)
            for owner in owners:
                self._owned[owner].discard(uid)
                self._finish_foreground(owner)
            dependents = self._owned.pop(uid, set())
            if dependents:
                self._absent.add(uid)
            for dependent in list(dependents):
                self._collect_if_abandoned(dependent)
            return
        self._alive[uid] = (kind, event.key)
        for owner in owners:
            self._owned[owner].add(uid)
        if owners and "deletionTimestamp" not in metadata:
            self._collect_if_abandoned(uid)
        held = metadata.get("finalizers") or ()
        if "deletionTimestamp" in metadata and FOREGROUND in held:
            self._delete_dependents(uid)
            self._finish_foreground(uid)
        elif "deletionTimestamp" in metadata and ORPHAN in held:
            self._orphan_dependents(uid)
        elif "deletionTimestamp" in metadata and PROTECTION.get(kind[1]) in held:
            self._drop_finalizer(kind, obj, PROTECTION[kind[1]])

    def _object(self, uid: str) -> tuple[KindKey, Json] | None:
        place = self._alive.get(uid)
        if place is None:
            return None
        record = self._cluster.store.get(place[0], *place[1])
        if record is None or record.obj["metadata"]["uid"] != uid:
            return None
        return place[0], record.obj

    def _collect_if_abandoned(self, uid: str) -> None:
        found = self._object(uid)
        if found is None:
            return
        kind, obj = found
        owners = obj["metadata"].get("ownerReferences") or ()
        if owners and all(self._is_gone(owner) for owner in owners):
            self._delete(kind, obj, "Background")

    def _is_gone(self, owner: Json) -> bool:
        """Whether the owner is known to be away; of one whose kind is not served nothing is known."""
        served = self._cluster.kinds.by_kind(owner["apiVersion"], owner["kind"]) is not None
        return self._object(owner["uid"]) is None and (served or owner["uid"] in self._absent)

    def _delete_dependents(self, uid: str) -> None:
        for dependent in list(self._owned.get(uid, ())):
            found = self._object(dependent)
            if found is not None and "deletionTimestamp" not in found[1]["metadata"]:
                self._delete(*found, "Foreground" if self._owned.get(dependent) else "Background")

    def _finish_foreground(self, uid: str) -> None:
        found = self._object(uid)
        if found is None or FOREGROUND not in (found[1]["metadata"].get("finalizers") or ()):
            return
        if not any(self._blocks(dependent, uid) for dependent in self._owned.get(uid, ())):
            self._drop_finalizer(*found, FOREGROUND)

    def _blocks(self, dependent: str, owner: str) -> bool:
        found = self._object(dependent)
        if found is None:
            return False
        references = found[1]["metadata"].get("ownerReferences") or ()
        return any(r["uid"] == owner and r.get("blockOwnerDeletion") for r in references)

    def _orphan_dependents(self, uid: str) -> None:
        for dependent in list(self._owned.pop(uid, ())):
            found = self._object(dependent)
            if found is not None:
                kind, obj = found
                changed = copy(obj)
                kept = [r for r in changed["metadata"]["ownerReferences"] if r["uid"] != uid]
                changed["metadata"]["ownerReferences"] = kept
                if not kept:
                    del changed["metadata"]["ownerReferences"]
                self._cluster.rewrite(kind, obj, changed)
        found = self._object(uid)
        if found is not None:
            self._drop_finalizer(*found, ORPHAN)

    def _drop_finalizer(self, kind: KindKey, obj: Json, finalizer: str) -> None:
        changed = copy(obj)
        kept = [f for f in changed["metadata"]["finalizers"] if f != finalizer]
        changed["metadata"]["finalizers"] = kept
        if not kept:
            del changed["metadata"]["finalizers"]
        self._cluster.rewrite(kind, obj, changed)

    def _delete(self, kind: KindKey, obj: Json, propagation: str) -> None:
        metadata = obj["metadata"]
        options = Options(propagation=propagation, uid=metadata["uid"])
        # somebody else may have been quicker, which is as good
        with contextlib.suppress(errors.ApiError, KeyError):
            served = self._cluster.kinds.named(*kind)
            self._cluster.deleter.delete(served, (metadata.get("namespace", ""), metadata["name"]), options)
