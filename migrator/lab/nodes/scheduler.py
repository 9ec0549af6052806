"""Picks a node for a pending pod and binds it there: the least loaded one that fits."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeclient import resource_path
from migrator.lab.nodes.specs import COMPUTE_TYPE
from migrator.lab.placement import blocker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrator.lab.kubeclient import KubeClient

Json = dict[str, Any]
FARGATE_SCHEDULER = "fargate-scheduler"


class Scheduler:
    """Binds pods; `load` tells how many pods a node has by now."""

    def __init__(self, kube: KubeClient, nodes: Callable[[], Iterable[Json]], load: Callable[[str], int]) -> None:
        self._kube, self._nodes, self._load = kube, nodes, load
        self._underway: dict[str, str] = {}

    def place(self, pod: Json) -> str:
        """Bind the pod; why it could not be, or nothing."""
        spec = tolerant(pod["spec"])
        blockers: Counter[str] = Counter()
        fitting: list[str] = []
        for node in self._nodes():
            reason = _not_for_fargate(spec, node) or blocker(spec, node)
            if reason:
                blockers[reason] += 1
            else:
                fitting.append(node["metadata"]["name"])
        if not fitting:
            reasons = ", ".join(f"{count} node(s) {reason}" for reason, count in sorted(blockers.items()))
            return f"0/{blockers.total()} nodes are available: {reasons or 'no nodes'}."
        coming = Counter(self._underway.values())
        self._bind(pod, min(fitting, key=lambda name: (self._load(name) + coming[name], name)))
        return ""

    def seen(self, uid: str) -> None:
        """A pod that was bound has been seen bound, or is gone."""
        self._underway.pop(uid, None)

    def _bind(self, pod: Json, node: str) -> None:
        metadata = pod["metadata"]
        path = resource_path("v1", "pods", metadata["namespace"], metadata["name"], "binding")
        self._kube.create(
            path,
            {
                "apiVersion": "v1",
                "kind": "Binding",
                "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]},
                "target": {"apiVersion": "v1", "kind": "Node", "name": node},
            },
        )
        self._underway[metadata["uid"]] = node


def tolerant(spec: Json) -> Json:
    """The pod spec, with Fargate's taint tolerated if its scheduler is Fargate's."""
    if spec.get("schedulerName") != FARGATE_SCHEDULER:
        return spec
    result = deepcopy(spec)
    toleration = {"key": COMPUTE_TYPE, "operator": "Exists"}
    result["tolerations"] = [*(result.get("tolerations") or []), toleration]
    return result


def _not_for_fargate(spec: Json, node: Json) -> str:
    labels = node["metadata"].get("labels") or {}
    wants = spec.get("schedulerName") == FARGATE_SCHEDULER
    return "were no Fargate nodes" if wants and labels.get(COMPUTE_TYPE) != "fargate" else ""
