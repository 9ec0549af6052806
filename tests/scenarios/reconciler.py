"""Somebody who has a ServiceAccount's role annotation in a source of his own, as GitOps and operators do."""

import threading
from typing import Self

from migrator.lab.kubeclient import APPLY, KubeClient

KEY = "eks.amazonaws.com/role-arn"
_PAUSE = 0.1  # seconds between two looks


class Reconciler(threading.Thread):
    """For the block, applies the annotation by server-side apply, with force, whenever it is not as `value` says.

    Attributes:
        healed: how often he had to.
    """

    def __init__(self, kube: KubeClient, namespace: str, account: str, value: str, manager: str) -> None:
        super().__init__(name=f"reconciler of {account}", daemon=True)
        self._kube, self._manager = kube, manager
        self._path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}"
        metadata = {"name": account, "namespace": namespace, "annotations": {KEY: value}}
        self._source = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
        self._value = value
        self._stopping = threading.Event()
        self.healed = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Looks until told to stop."""
        while not self._stopping.wait(_PAUSE):
            there = self._kube.get(self._path)["metadata"].get("annotations", {})
            if there.get(KEY) != self._value:
                self._kube.patch(self._path, self._source, APPLY, fieldManager=self._manager, force=True)
                self.healed += 1
