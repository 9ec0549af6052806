"""What a controller sees of the cluster and the few writes it makes."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers.objects import compact, owned_by
from migrator.lab.informer import Informer
from migrator.lab.kubeclient import KubeError, resource_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from migrator.lab.kubeclient import KubeClient

Json = dict[str, Any]

KINDS = {
    "pods": ("v1", "Pod"),
    "nodes": ("v1", "Node"),
    "replicasets": ("apps/v1", "ReplicaSet"),
    "deployments": ("apps/v1", "Deployment"),
    "statefulsets": ("apps/v1", "StatefulSet"),
    "daemonsets": ("apps/v1", "DaemonSet"),
    "controllerrevisions": ("apps/v1", "ControllerRevision"),
    "jobs": ("batch/v1", "Job"),
    "cronjobs": ("batch/v1", "CronJob"),
    "poddisruptionbudgets": ("policy/v1", "PodDisruptionBudget"),
    "rollouts": ("argoproj.io/v1alpha1", "Rollout"),
}
ADDED = frozenset({"rollouts"})  # kinds that a cluster has only if somebody installed them
_ALWAYS_WRITTEN = {
    "replicasets": ("replicas",),
    "statefulsets": ("replicas", "availableReplicas"),
    "daemonsets": ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"),
    "poddisruptionbudgets": ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed"),
}
PLURALS = {kind: plural for plural, (_, kind) in KINDS.items()}


def _now() -> datetime:
    return datetime.now(UTC)


class View:
    """Local copies of everything the controllers look at, and writes that keep the copies current."""

    def __init__(
        self,
        kube: KubeClient,
        changed: Callable[[str, Json, bool], None],
        now: Callable[[], datetime] = _now,
        *,
        added: Collection[str] = (),
    ) -> None:
        self.now = now
        self._kube = kube
        self._informers = {
            plural: self._informer(plural, changed) for plural in KINDS if plural not in ADDED or plural in added
        }

    def start(self) -> None:
        """Fill the copies and keep following."""
        for informer in self._informers.values():
            informer.start()
        for informer in self._informers.values():
            informer.wait_synced()

    def stop(self) -> None:
        """Stop following."""
        for informer in self._informers.values():
            informer.stop()

    def get(self, plural: str, namespace: str, name: str) -> Json | None:
        """One object, or None; it is shared and must not be changed."""
        return self._informers[plural].get(namespace, name) if plural in self._informers else None

    def all(self, plural: str) -> list[Json]:
        """Every object of a kind; none of a kind that the cluster does not have."""
        return self._informers[plural].all() if plural in self._informers else []

    def owned(self, plural: str, owner: Json) -> list[Json]:
        """The objects that `owner` controls."""
        return self._informers[plural].having(owner["metadata"]["uid"])

    def create(self, plural: str, document: Json) -> Json:
        """Create an object and see it at once."""
        document = {"apiVersion": KINDS[plural][0], "kind": KINDS[plural][1], **document}
        created = self._kube.create(self._path(plural, document["metadata"]["namespace"]), document)
        self._informers[plural].observe(created)
        return created

    def create_claim(self, claim: Json) -> None:
        """Create a PersistentVolumeClaim unless it is there."""
        path = resource_path("v1", "persistentvolumeclaims", claim["metadata"]["namespace"])
        try:
            self._kube.create(path, claim)
        except KubeError as error:
            if error.reason != "AlreadyExists":
                raise

    def delete(self, plural: str, document: Json, propagation: str = "Background") -> None:
        """Delete an object, if it is still this one."""
        metadata = document["metadata"]
        options = {"preconditions": {"uid": metadata["uid"]}, "propagationPolicy": propagation}
        try:
            answer = self._kube.delete(
                self._path(plural, metadata["namespace"], metadata["name"]),
                {"apiVersion": "v1", "kind": "DeleteOptions", **options},
            )
        except KubeError as error:
            if error.status != 404:
                raise
            return
        if "deletionTimestamp" in answer.get("metadata", {}):
            self._informers[plural].observe(answer)

    def evict(self, pod: Json) -> None:
        """Have a pod deleted, if it is still this one and its disruption budget lets it go."""
        metadata = pod["metadata"]
        options = {"preconditions": {"uid": metadata["uid"]}}
        named = {"name": metadata["name"], "namespace": metadata["namespace"]}
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": named, "deleteOptions": options}
        self._kube.create(self._path("pods", metadata["namespace"], metadata["name"], "eviction"), eviction)

    def patch(self, plural: str, document: Json, change: Json) -> Json:
        """Merge a change into an object, provided nobody has changed it since we saw it."""
        metadata = document["metadata"]
        version = {"resourceVersion": metadata["resourceVersion"]}
        body = {**change, "metadata": {**change.get("metadata", {}), **version}}
        path = self._path(plural, metadata["namespace"], metadata["name"])
        changed = self._kube.patch(path, body)
        self._informers[plural].observe(changed)
        return changed

    def set_status(self, plural: str, document: Json, status: Json) -> None:
        """Write a whole status, zero counts left out, unless it is already so."""
        keep = _ALWAYS_WRITTEN.get(plural, ())
        status = compact(status, keep)
        if compact(document.get("status") or {}, keep) == status:
            return
        body = deepcopy(document)
        body.update(apiVersion=KINDS[plural][0], kind=KINDS[plural][1], status=status)
        metadata = document["metadata"]
        path = self._path(plural, metadata["namespace"], metadata["name"], "status")
        self._informers[plural].observe(self._kube.replace(path, body))

    def _informer(self, plural: str, changed: Callable[[str, Json, bool], None]) -> Informer:
        def tell(document: Json, gone: bool) -> None:
            changed(plural, document, gone)

        return Informer(self._kube, resource_path(KINDS[plural][0], plural), tell, owned_by)

    def _path(self, plural: str, namespace: str, *rest: str) -> str:
        name, subresource = (*rest, None, None)[:2]
        return resource_path(KINDS[plural][0], plural, namespace, name, subresource)
