"""How far a cluster's workloads have come up, from what their controllers say."""

from typing import Any

from migrator.lab.kubeclient import KubeClient

Json = dict[str, Any]


def settled(pod: Json) -> bool:
    """Whether a pod is ready, or has done its work."""
    told = pod.get("status", {})
    if told.get("phase") == "Succeeded":
        return True
    return any(one["type"] == "Ready" and one["status"] == "True" for one in told.get("conditions") or ())


def progress(kube: KubeClient) -> tuple[int, int]:
    """How many workloads and bare pods there are, and how many of them are up."""
    states = [
        *(_replicas_up(one) for one in _items(kube, "/apis/apps/v1/deployments")),
        *(_replicas_up(one) for one in _items(kube, "/apis/apps/v1/statefulsets")),
        *(_daemons_up(one) for one in _items(kube, "/apis/apps/v1/daemonsets")),
        *(_replicas_up(one) for one in _items(kube, "/apis/apps/v1/replicasets") if _of_nobody(one)),
        *(_replicas_up(one) for one in _rollouts(kube)),
        *(_job_up(one) for one in _items(kube, "/apis/batch/v1/jobs")),
        *(settled(one) for one in _items(kube, "/api/v1/pods") if _of_nobody(one)),
    ]
    return len(states), sum(states)


def daemons_up(document: Json | None) -> bool:
    """Whether a DaemonSet runs, in its current form, on every node it wants."""
    return document is not None and _daemons_up(document)


def _items(kube: KubeClient, path: str) -> list[Json]:
    return kube.list(path)["items"]  # type: ignore[no-any-return]  # a list, says the API


def _rollouts(kube: KubeClient) -> list[Json]:
    """Argo's Rollouts; none where the cluster does not know the kind."""
    page = kube.find("/apis/argoproj.io/v1alpha1/rollouts")
    return page["items"] if page is not None else []


def _of_nobody(document: Json) -> bool:
    return not document["metadata"].get("ownerReferences")


def _observed(document: Json) -> bool:
    seen = int(document.get("status", {}).get("observedGeneration", 0))  # a string in Argo's status
    return seen >= int(document["metadata"].get("generation", 0))


def _replicas_up(document: Json) -> bool:
    told, wanted = document.get("status", {}), document["spec"].get("replicas", 1)
    return _observed(document) and int(told.get("readyReplicas", 0)) >= int(wanted)


def _daemons_up(document: Json) -> bool:
    told = document.get("status", {})
    wanted = int(told.get("desiredNumberScheduled", 0))
    ready, updated = int(told.get("numberReady", 0)), int(told.get("updatedNumberScheduled", 0))
    return _observed(document) and min(ready, updated) >= wanted


def _job_up(document: Json) -> bool:
    told = document.get("status", {})
    ended = any(one["status"] == "True" for one in told.get("conditions") or ())
    return bool(ended or told.get("active") or document["spec"].get("suspend"))
