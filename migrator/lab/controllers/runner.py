"""All controllers of one cluster: watches fill a queue, one thread works it off."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers import argo, cronjob, daemonset, deployment, disruption, job, replicaset, statefulset
from migrator.lab.controllers.objects import controller_of
from migrator.lab.controllers.view import ADDED, PLURALS, View
from migrator.lab.workqueue import Task, WorkQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from migrator.lab.kubeclient import KubeClient

Json = dict[str, Any]
_RECONCILERS: dict[str, Callable[[View, Json], float | None]] = {
    "replicasets": replicaset.reconcile,
    "deployments": deployment.reconcile,
    "statefulsets": statefulset.reconcile,
    "daemonsets": daemonset.reconcile,
    "jobs": job.reconcile,
    "cronjobs": cronjob.reconcile,
    "poddisruptionbudgets": disruption.reconcile,
    "rollouts": argo.reconcile,
}
EVERY_KIND = tuple(_RECONCILERS)


class Controllers:
    """The built-in kinds' controllers of one cluster; `with_argo` also that of Argo Rollouts, whose CRD is there.

    `only` names the resources to care for, where others care for the rest.
    """

    def __init__(
        self,
        kube: KubeClient,
        *,
        now: Callable[[], datetime] | None = None,
        with_argo: bool = False,
        only: Collection[str] = EVERY_KIND,
    ) -> None:
        self._queue = WorkQueue()
        self._cared_for = frozenset(only)
        added = ADDED if with_argo else frozenset[str]()
        self._view = View(kube, self._changed, now, added=added) if now else View(kube, self._changed, added=added)
        self._thread = threading.Thread(target=self._work, daemon=True, name="controllers")

    def start(self) -> None:
        """Look at everything there is, then follow changes."""
        self._view.start()
        self._thread.start()

    def stop(self) -> None:
        """Finish the task in hand and stop."""
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join(5)
        self._view.stop()

    def _changed(self, plural: str, document: Json, gone: bool) -> None:
        """Queue the object itself, whoever controls it, and all whom it concerns."""
        metadata = document["metadata"]
        for concerned, one in self._concerned(plural, document):
            if concerned in self._cared_for:
                self._queue.add(Task(concerned, one["metadata"]["namespace"], one["metadata"]["name"]))
        if plural in self._cared_for and not gone:
            self._queue.add(Task(plural, metadata["namespace"], metadata["name"]))
        owner = controller_of(document)
        if owner and PLURALS.get(owner["kind"]) in self._cared_for:
            self._queue.add(Task(PLURALS[owner["kind"]], metadata["namespace"], owner["name"]))
            if gone and plural == "pods":  # a Deployment that recreates waits for the last old pod to be gone
                above = self._view.get(PLURALS[owner["kind"]], metadata["namespace"], owner["name"])
                self._changed_owner(above)

    def _changed_owner(self, document: Json | None) -> None:
        owner = controller_of(document) if document is not None else None
        if document is not None and owner and PLURALS.get(owner["kind"]) in self._cared_for:
            self._queue.add(Task(PLURALS[owner["kind"]], document["metadata"]["namespace"], owner["name"]))

    def _concerned(self, plural: str, document: Json) -> list[tuple[str, Json]]:
        """Resource and object of those who look at others: a node concerns DaemonSets, a pod the disruption budgets."""
        if plural == "nodes":
            return [("daemonsets", one) for one in self._view.all("daemonsets")]
        if plural == "pods":
            namespace = document["metadata"]["namespace"]
            budgets = self._view.all("poddisruptionbudgets")
            return [("poddisruptionbudgets", one) for one in budgets if one["metadata"]["namespace"] == namespace]
        if plural == "deployments":
            return [("rollouts", one) for one in argo.waiting_for(self._view, document)]
        return []

    def _work(self) -> None:
        self._queue.work_off(self._reconcile)

    def _reconcile(self, task: Task) -> float | None:
        document = self._view.get(*task)
        return _RECONCILERS[task.plural](self._view, document) if document is not None else None
