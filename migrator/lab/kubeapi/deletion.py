"""Deleting: at once, after a grace period, or when the last finalizer is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.calls import Call, copy, optional_body

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind
    from migrator.lab.kubeapi.storage import ObjectKey, Store

Json = dict[str, Any]

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_FINALIZERS = {"Foreground": FOREGROUND, "Orphan": ORPHAN}
_ENDED = ("Succeeded", "Failed")
# kinds that answer a deletion with the object rather than with a status
_RETURNED = {
    "pods",
    "services",
    "serviceaccounts",
    "persistentvolumeclaims",
    "persistentvolumes",
    "resourcequotas",
    "podtemplates",
}


@dataclass(frozen=True)
class Options:
    """How to delete."""

    grace: int | None = None
    propagation: str = ""
    uid: str = ""
    version: str = ""


def options_of(call: Call, kind: Kind) -> Options:
    """The delete options of a call, from its body or its query.

    Raises:
        ApiError: 422, an unknown propagation policy.
    """
    body = optional_body(call)
    conditions = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds")
    if grace is None and call.request.param("gracePeriodSeconds"):
        grace = int(call.request.param("gracePeriodSeconds"))
    propagation = body.get("propagationPolicy") or call.request.param("propagationPolicy")
    orphan = body.get("orphanDependents")
    if not propagation and orphan is not None:
        propagation = "Orphan" if orphan else "Background"
    if not propagation and kind.key == ("batch", "jobs"):
        propagation = "Orphan"
    if propagation not in ("", "Background", *_FINALIZERS):
        raise errors.ApiError(
            422,
            "Invalid",
            f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "{propagation}": '
            "must be one of Foreground, Background, Orphan or nil",
            {"group": "meta.k8s.io", "kind": "DeleteOptions"},
        )
    return Options(grace, propagation, conditions.get("uid") or "", conditions.get("resourceVersion") or "")


def wants_dry_run(call: Call) -> bool:
    """Whether a deletion is only to be tried; clients say so in the query or in the body."""
    return call.dry_run or "All" in (optional_body(call).get("dryRun") or [])


class Deleter:
    """Deletes objects of one cluster."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def lingers(self, kind: Kind, obj: Json) -> bool:
        """Whether a deleted object without finalizers still has to wait for somebody."""
        if kind.key == ("", "pods"):
            return bool(obj["metadata"].get("deletionGracePeriodSeconds"))
        return kind.key == ("", "namespaces") and bool((obj.get("spec") or {}).get("finalizers"))

    def delete(self, kind: Kind, key: ObjectKey, options: Options, *, dry_run: bool = False) -> tuple[Json, bool]:
        """Delete one object; answers its last state and whether it is gone already.

        Raises:
            ApiError: 404, or 409 if a precondition does not hold.
        """
        with self._store.lock:
            record = self._store.get(kind.key, *key)
            if record is None:
                raise errors.not_found(kind, key[1])
            _check(kind, record.obj, options)
            marked = copy(record.obj)
            self._mark(kind, marked, options)
            if not marked["metadata"].get("finalizers") and not self.lingers(kind, marked):
                if dry_run:
                    return record.obj, True
                return self._store.remove(kind.key, key).obj, True
            if dry_run or marked == record.obj:
                return marked, False
            return self._store.put(kind.key, marked).obj, False

    def _mark(self, kind: Kind, obj: Json, options: Options) -> None:
        metadata = obj["metadata"]
        finalizer = _FINALIZERS.get(options.propagation)
        held = [f for f in metadata.get("finalizers") or [] if f not in (FOREGROUND, ORPHAN) or f == finalizer]
        if options.propagation == "":
            held = list(metadata.get("finalizers") or [])
        if finalizer and finalizer not in held:
            held.append(finalizer)
        if held:
            metadata["finalizers"] = held
        else:
            metadata.pop("finalizers", None)
        grace = _grace(kind, obj, options)
        already = "deletionTimestamp" in metadata
        if not already or grace < metadata.get("deletionGracePeriodSeconds", 0):
            ends = datetime.now(UTC) + timedelta(seconds=grace)
            metadata["deletionTimestamp"] = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
            metadata["deletionGracePeriodSeconds"] = grace
            if not already and metadata.get("generation"):
                metadata["generation"] += 1
        if kind.key == ("", "namespaces"):
            metadata.pop("deletionGracePeriodSeconds", None)
            obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}


def _grace(kind: Kind, obj: Json, options: Options) -> int:
    if kind.key != ("", "pods"):
        return 0
    spec = obj.get("spec") or {}
    phase = (obj.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in _ENDED:
        return 0
    wanted = options.grace if options.grace is not None else spec.get("terminationGracePeriodSeconds", 30)
    return max(int(wanted), 0)


def _check(kind: Kind, obj: Json, options: Options) -> None:
    metadata = obj["metadata"]
    for word, wanted, found, otherwise in (
        ("UID", options.uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", options.version, metadata["resourceVersion"], "modified"),
    ):
        if wanted and wanted != found:
            why = (
                f"the {word} in the precondition ({wanted}) does not match the {word} in record ({found}). "
                f"The object might have been {otherwise}"
            )
            raise errors.unmet(kind, metadata["name"], why)


def deletion_answer(kind: Kind, obj: Json, *, gone: bool) -> Json:
    """What a deletion is answered with."""
    if not gone or kind.plural in _RETURNED or kind.key == ("", "namespaces"):
        return obj
    details: Json = {"name": obj["metadata"]["name"]}
    if kind.group:
        details["group"] = kind.group
    details["kind"] = kind.plural
    details["uid"] = obj["metadata"]["uid"]
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
