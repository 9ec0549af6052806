"""What EKS does on a cluster to the objects of an add-on that is updated: annotations come and go, pods are rolled.

The add-ons' own objects are the world's (`namespaces`), as is what runs as them. Seconds pass before EKS rolls the
pods, and takes an annotation away that it is not told to keep; on EKS nobody can tell how many.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from migrator.lab.aws.ports import AddonChange
from migrator.lab.kubeclient import KubeClient, KubeError, resource_path
from migrator.lab.world.manifests import ROLE_ANNOTATION

_LOG = logging.getLogger(__name__)
_KINDS = ("deployments", "daemonsets", "statefulsets")
_MANAGER = "eks"
_ROLLED = "addons.practice.example/rolled"  # what EKS changes in the template is not documented

Json = dict[str, Any]


class AddonObjects:
    """The add-ons of one cluster; `after` is the number of seconds that pass."""

    def __init__(self, kube: Callable[[], KubeClient], after: float = 2.0) -> None:
        self._kube = kube
        self._after = after
        self._changes: dict[str, AddonChange] = {}
        self._timers: dict[str, threading.Timer] = {}
        self._lock = threading.Lock()

    def change(self, change: AddonChange, dropped: Callable[[], None]) -> None:
        """Annotates at once, and drops and rolls later; `dropped` is called when the annotations are gone."""
        if change.role_arn:
            self._annotate(change, change.role_arn)
        if not change.rolls:
            return
        timer = threading.Timer(self._after, self._later, (change, dropped))
        timer.daemon = True
        with self._lock:
            self._changes[change.name] = change
            self._timers[change.name] = timer
        timer.start()

    def ready(self, name: str) -> bool:
        """Whether nothing of the add-on's last change is still to come, and its pods are rolled."""
        with self._lock:
            change = self._changes.get(name)
            if change is None:
                return True
            if name in self._timers:
                return False
        return all(_complete(one) for _, one in self._workloads(change))

    def stop(self) -> None:
        """Nothing more is done."""
        with self._lock:
            timers = list(self._timers.values())
        for timer in timers:
            timer.cancel()
            timer.join()

    def _later(self, change: AddonChange, dropped: Callable[[], None]) -> None:
        try:
            if change.drops:
                self._annotate(change, None)
                dropped()
            self._roll(change)
        except KubeError:
            _LOG.exception("the objects of add-on %s could not be changed", change.name)
        finally:
            with self._lock:
                self._timers.pop(change.name, None)

    def _annotate(self, change: AddonChange, role_arn: str | None) -> None:
        """What somebody wrote into the cluster is kept, as with `resolveConflicts: PRESERVE`."""
        for name in change.accounts:
            path = resource_path("v1", "serviceaccounts", change.namespace, name)
            found = self._kube().find(path)
            written = (found or {}).get("metadata", {}).get("annotations") or {}
            if found is not None and (role_arn is None or ROLE_ANNOTATION not in written):
                self._kube().patch(
                    path, {"metadata": {"annotations": {ROLE_ANNOTATION: role_arn}}}, fieldManager=_MANAGER
                )

    def _roll(self, change: AddonChange) -> None:
        mark = {"metadata": {"annotations": {_ROLLED: str(uuid.uuid4())}}}
        for path, _ in self._workloads(change):
            self._kube().patch(path, {"spec": {"template": mark}}, fieldManager=_MANAGER)

    def _workloads(self, change: AddonChange) -> Iterator[tuple[str, Json]]:
        for kind in _KINDS:
            for one in self._kube().list(resource_path("apps/v1", kind, change.namespace))["items"]:
                if _runs_as(one, change.accounts):
                    yield resource_path("apps/v1", kind, change.namespace, one["metadata"]["name"]), one


def _runs_as(document: Json, accounts: Sequence[str]) -> bool:
    return document["spec"]["template"]["spec"].get("serviceAccountName", "default") in accounts


def _complete(document: Json) -> bool:
    """Whether its controller has seen its newest form, and no pod of an older one is left."""
    told = document.get("status", {})
    if int(told.get("observedGeneration", 0)) < int(document["metadata"].get("generation", 0)):
        return False
    if "desiredNumberScheduled" in told:  # a DaemonSet
        wanted, updated = told["desiredNumberScheduled"], told.get("updatedNumberScheduled", 0)
        return int(updated) >= int(wanted) and int(told.get("numberReady", 0)) >= int(wanted)
    wanted = int(document["spec"].get("replicas", 1))
    updated, there = int(told.get("updatedReplicas", 0)), int(told.get("replicas", 0))
    return updated >= wanted and there == updated and int(told.get("readyReplicas", 0)) >= wanted
