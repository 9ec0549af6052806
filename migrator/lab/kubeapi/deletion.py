"""Deleting: at once, after a grace period, or when the last finalizer is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.delete_options import FINALIZERS, FOREGROUND, ORPHAN
from migrator.lab.kubeapi.kinds import DEFINITION, NAMESPACE
from migrator.lab.kubeapi.metadata import now

if TYPE_CHECKING:
    from migrator.lab.kubeapi.delete_options import Options
    from migrator.lab.kubeapi.kinds import Kind
    from migrator.lab.kubeapi.storage import ObjectKey, Store

Json = dict[str, Any]

_ENDED = ("Succeeded", "Failed")
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""Holds the definition of a kind until its objects are gone."""
_TERMINATING = {
    "type": "Terminating",
    "status": "True",
    "reason": "InstanceDeletionPending",
    "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
}
# kinds that answer a deletion with the object rather than with a status
_RETURNED = {
    "csidrivers.storage.k8s.io",
    "csinodes.storage.k8s.io",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "podtemplates",
    "resourcequotas",
    "serviceaccounts",
    "services",
    "storageclasses.storage.k8s.io",
}


class Deleter:
    """Deletes objects of one cluster."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def lingers(self, kind: Kind, obj: Json) -> bool:
        """Whether a deleted object without finalizers still has to wait for somebody."""
        if kind.key == ("", "pods"):
            return bool(obj["metadata"].get("deletionGracePeriodSeconds"))
        return kind.key == ("", "namespaces") and bool((obj.get("spec") or {}).get("finalizers"))

    def delete(self, kind: Kind, key: ObjectKey, options: Options) -> tuple[Json, bool]:
        """Delete one object; answers its last state and whether it is gone already.

        Raises:
            ApiError: 404, or 409 if a precondition does not hold.
        """
        with self._store.lock:
            record = self._store.get(kind.key, *key)
            if record is None:
                raise errors.not_found(kind, key[1])
            check_conditions(kind, record.obj, options.uid, options.version)
            marked = copy(record.obj)
            _keep_finalizers(marked["metadata"], options)
            goes = _mark(kind, marked, options)
            if options.dry_run:
                return marked, goes
            if marked != record.obj:
                # a pod that goes at once is marked as well: who watches sees both
                self._store.put(kind.key, marked)
            return (self._store.remove(kind.key, key).obj, True) if goes else (marked, False)


def _keep_finalizers(metadata: Json, options: Options) -> None:
    """Give the object the finalizer of this way of deleting, and take those of others."""
    if not options.propagation:
        return
    wanted = FINALIZERS.get(options.propagation)
    held = [one for one in metadata.get("finalizers") or [] if one not in (FOREGROUND, ORPHAN) or one == wanted]
    if wanted and wanted not in held:
        held.append(wanted)
    metadata["finalizers"] = held
    if not held:
        del metadata["finalizers"]


def _mark(kind: Kind, obj: Json, options: Options) -> bool:
    """Say in the object that it ends; whether it goes now."""
    metadata = obj["metadata"]
    if kind.key == ("", "namespaces"):
        metadata.setdefault("deletionTimestamp", now())
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        return not obj["spec"].get("finalizers") and not metadata.get("finalizers")
    if kind.key == DEFINITION.key and "deletionTimestamp" not in metadata:
        metadata["deletionTimestamp"] = now()
        metadata.setdefault("finalizers", []).append(CLEANUP)
        obj["status"]["conditions"] = [
            *(obj["status"].get("conditions") or ()),
            {**_TERMINATING, "lastTransitionTime": now()},
        ]
        return False
    if kind.key == ("", "pods") and (metadata.get("deletionGracePeriodSeconds") or "deletionTimestamp" not in metadata):
        _count_down(metadata, _grace(obj, options))
        return not metadata["deletionGracePeriodSeconds"] and not metadata.get("finalizers")
    if not metadata.get("finalizers"):
        return True
    if "deletionGracePeriodSeconds" not in metadata and metadata.get("generation"):
        metadata["generation"] += 1
    metadata.setdefault("deletionTimestamp", now())
    metadata["deletionGracePeriodSeconds"] = 0
    return False


def _count_down(metadata: Json, grace: int) -> None:
    """The moment at which a pod has to be gone; it may come sooner than was said, not later."""
    said = metadata.get("deletionGracePeriodSeconds")
    if said is not None and grace >= said:
        return
    if said is None and metadata.get("generation"):
        metadata["generation"] += 1
    ends = datetime.now(UTC) + timedelta(seconds=grace)
    metadata["deletionTimestamp"] = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata["deletionGracePeriodSeconds"] = grace


def _grace(obj: Json, options: Options) -> int:
    spec = obj.get("spec") or {}
    phase = (obj.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in _ENDED:
        return 0
    wanted = options.grace if options.grace is not None else spec.get("terminationGracePeriodSeconds", 30)
    return int(wanted) if wanted >= 0 else 1


def check_conditions(kind: Kind, obj: Json, uid: str | None, version: str | None) -> None:
    """Refuse to delete another object than is meant, or another state of it.

    Raises:
        ApiError: 409.
    """
    metadata = obj["metadata"]
    for word, wanted, found, otherwise in (
        ("UID", uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", version, metadata["resourceVersion"], "modified"),
    ):
        if wanted is not None and wanted != found:
            if kind.key == NAMESPACE.key:
                why = f"Precondition failed: {word} in precondition: {wanted}, {word} in object meta: {found}"
                raise errors.conflict(kind, metadata["name"], why)
            why = (
                f"the {word} in the precondition ({wanted}) does not match the {word} in record ({found}). "
                f"The object might have been {otherwise}"
            )
            raise errors.unmet(kind, metadata["name"], why)


def deletion_answer(kind: Kind, obj: Json, *, gone: bool) -> Json:
    """What a deletion is answered with."""
    if not gone or kind.qualified in _RETURNED or kind.key == ("", "namespaces"):
        return obj
    details: Json = {"name": obj["metadata"]["name"]}
    if kind.group:
        details["group"] = kind.group
    details["kind"] = kind.plural
    details["uid"] = obj["metadata"]["uid"]
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
