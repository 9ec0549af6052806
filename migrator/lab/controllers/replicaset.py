"""ReplicaSet: as many pods as asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.controllers.objects import (
    FINISHED,
    available_in,
    is_active,
    is_leaving,
    is_ready,
    pod_from,
    text_of,
)
from migrator.lab.kubeclient import KubeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.lab.controllers.view import View

Json = dict[str, Any]


def reconcile(view: View, replicaset: Json) -> float | None:
    """Create or delete pods until their number is right; the answer is when to look again."""
    pods = [pod for pod in view.owned("pods", replicaset) if is_active(pod)]
    failure: KubeError | None = None
    if not is_leaving(replicaset):
        try:
            _scale(view, replicaset, pods)
        except KubeError as error:
            failure = error
    pods = [pod for pod in view.owned("pods", replicaset) if is_active(pod)]
    again = _write_status(view, replicaset, pods, failure)
    return 1.0 if failure else again


def _scale(view: View, replicaset: Json, pods: Sequence[Json]) -> None:
    missing = replicaset["spec"].get("replicas", 1) - len(pods)
    for _ in range(missing):
        view.create("pods", pod_from(replicaset["spec"]["template"], replicaset))
    for pod in victims(pods, -missing):
        view.delete("pods", pod)


def victims(pods: Sequence[Json], count: int) -> list[Json]:
    """The pods to delete first: unassigned, not running, not ready, youngest."""
    ranked = sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)
    ranked.sort(
        key=lambda pod: (
            bool(pod["spec"].get("nodeName")),
            pod.get("status", {}).get("phase") == "Running",
            is_ready(pod),
        )
    )
    return ranked[: max(count, 0)]


def _write_status(view: View, replicaset: Json, pods: Sequence[Json], failure: KubeError | None) -> float | None:
    spec = replicaset["spec"]
    wanted = (spec["template"].get("metadata") or {}).get("labels") or {}
    waits = [available_in(pod, spec.get("minReadySeconds", 0), view.now()) for pod in pods]
    status = {
        "replicas": len(pods),
        "fullyLabeledReplicas": sum(wanted.items() <= (pod["metadata"].get("labels") or {}).items() for pod in pods),
        "readyReplicas": sum(wait is not None for wait in waits),
        "availableReplicas": sum(wait == 0 for wait in waits),
        "observedGeneration": replicaset["metadata"].get("generation", 1),
        "conditions": _conditions(view, replicaset, failure),
    }
    view.set_status("replicasets", replicaset, status)
    return min((wait for wait in waits if wait), default=None)


def _conditions(view: View, replicaset: Json, failure: KubeError | None) -> list[Json]:
    if failure is None:
        return []
    for known in replicaset.get("status", {}).get("conditions") or []:
        if known["type"] == "ReplicaFailure" and known["message"] == failure.message:
            return [known]
    return [
        {
            "type": "ReplicaFailure",
            "status": "True",
            "reason": "FailedCreate",
            "message": failure.message,
            "lastTransitionTime": text_of(view.now()),
        }
    ]


def has_live_pods(view: View, replicaset: Json) -> bool:
    """Whether any pod of it has not finished, one on its way out included."""
    pods = view.owned("pods", replicaset)
    return any(pod.get("status", {}).get("phase") not in FINISHED for pod in pods)
