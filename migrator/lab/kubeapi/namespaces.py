"""The life of namespaces: nothing is created in one that is absent or ending, and its end empties it."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.delete_options import Options
from migrator.lab.kubeapi.kinds import CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT, Kind
from migrator.lab.kubeapi.metadata import now

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.storage import Event, KindKey

Json = dict[str, Any]

_OWN = "kubernetes"
_KEPT = {"default", "kube-system", "kube-public"}


class Namespaces:
    """Admission into namespaces, what every namespace has, and clearing up."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ending: set[str] = set()

    def admit(self, call: Call, name: str = "") -> None:
        """Check that something may be created in the call's namespace.

        Raises:
            ApiError: 404, there is no such namespace; 403, it is ending.
        """
        if not call.kind.namespaced or "list" not in call.kind.verbs:
            return
        record = self._cluster.store.get(NAMESPACE.key, "", call.namespace)
        if record is None:
            raise errors.not_found(NAMESPACE, call.namespace)
        if "deletionTimestamp" in record.obj["metadata"]:
            why = f"unable to create new content in namespace {call.namespace} because it is being terminated"
            error = errors.forbidden(call.kind, call.name or name, why)
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {call.namespace} is being terminated",
                "field": "metadata.namespace",
            }
            error.details = {**(error.details or {}), "causes": [cause]}
            raise error

    def admit_deletion(self, kind: Kind, name: str) -> None:
        """Refuse to delete the namespaces that every cluster has.

        Raises:
            ApiError: 403.
        """
        if kind.key == NAMESPACE.key and name in _KEPT:
            raise errors.forbidden(kind, name, "this namespace may not be deleted")

    def handle(self, kind: KindKey, event: Event) -> None:
        """Take note of one change and do what follows from it."""
        namespace, name = event.key
        if kind == NAMESPACE.key:
            if event.type == "DELETED":
                self._ending.discard(name)
            elif "deletionTimestamp" in event.record.obj["metadata"]:
                self._ending.add(name)
                self._clear(name)
            else:
                self._furnish(name)
        elif event.type == "DELETED" and namespace in self._ending:
            self._finish(namespace)
        elif namespace in self._ending:
            self._clear(namespace)
        elif event.type == "DELETED" and name in ("default", "kube-root-ca.crt"):
            self._furnish(namespace)

    def _furnish(self, name: str) -> None:
        found = self._cluster.store.get(NAMESPACE.key, "", name)
        if found is None or "deletionTimestamp" in found.obj["metadata"]:
            return
        self._put(SERVICE_ACCOUNT, name, "default", {})
        self._put(CONFIG_MAP, name, "kube-root-ca.crt", {"data": {"ca.crt": self._cluster.ca_pem}})

    def _put(self, kind: Kind, namespace: str, name: str, content: Json) -> None:
        store = self._cluster.store
        with store.lock:
            if store.get(kind.key, namespace, name) is None:
                self._cluster.put_new(kind, {"metadata": {"name": name, "namespace": namespace}, **content})

    def _clear(self, namespace: str) -> None:
        for kind in self._cluster.kinds.stored():
            if not kind.namespaced:
                continue
            for record in list(self._cluster.store.records(kind.key, namespace)):
                if "deletionTimestamp" not in record.obj["metadata"]:
                    key = (namespace, record.obj["metadata"]["name"])
                    # somebody else may have been quicker, which is as good
                    with contextlib.suppress(errors.ApiError):
                        self._cluster.deleter.delete(kind, key, Options(propagation="Background"))
        self._finish(namespace)

    def _finish(self, namespace: str) -> None:
        store = self._cluster.store
        kinds = [kind for kind in self._cluster.kinds.stored() if kind.namespaced]
        if any(True for kind in kinds for _ in store.records(kind.key, namespace)):
            return
        with store.lock:
            record = store.get(NAMESPACE.key, "", namespace)
            if record is None:
                return
            changed = copy(record.obj)
            spec = changed.setdefault("spec", {})
            held = [one for one in spec.pop("finalizers", ()) if one != _OWN]
            if held:
                spec["finalizers"] = held
            if held or changed["metadata"].get("finalizers"):
                if changed != record.obj:
                    store.put(NAMESPACE.key, changed)
            else:
                store.remove(NAMESPACE.key, ("", namespace))


def new_metadata(metadata: Json) -> Json:
    """Metadata of an object that the server itself makes."""
    return {**metadata, "uid": str(uuid.uuid4()), "creationTimestamp": now()}
