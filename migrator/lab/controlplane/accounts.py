"""Stands in for the ServiceAccount controller where there is no kube-controller-manager: a `default` per namespace."""

import threading
from typing import Any

from migrator.lab.informer import Informer
from migrator.lab.kubeclient import KubeClient, KubeError, resource_path
from migrator.lab.workqueue import Task, WorkQueue

Json = dict[str, Any]


class DefaultAccounts:
    """Makes the ServiceAccount `default` in every namespace that has none."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube
        self._queue = WorkQueue()
        self._namespaces = Informer(kube, resource_path("v1", "namespaces"), self._seen)
        self._thread = threading.Thread(target=self._work, daemon=True, name="default accounts")

    def start(self) -> None:
        """Looks at every namespace there is, then follows them."""
        self._namespaces.start()
        self._namespaces.wait_synced()
        self._thread.start()

    def stop(self) -> None:
        """Stops following them."""
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join(5)
        self._namespaces.stop()

    def _work(self) -> None:
        self._queue.work_off(self._make)

    def _seen(self, namespace: Json, gone: bool) -> None:
        if not gone and "deletionTimestamp" not in namespace["metadata"]:
            self._queue.add(Task("namespaces", "", namespace["metadata"]["name"]))

    def _make(self, task: Task) -> None:
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        try:
            self._kube.create(resource_path("v1", "serviceaccounts", task.name), account)
        except KubeError as error:
            if error.reason != "AlreadyExists":
                raise
