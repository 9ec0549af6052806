"""Whether something makes nodes of a cluster as pods need them, as far as its workloads and nodes tell.

Source: the images and node labels of Karpenter and of the Kubernetes cluster autoscaler. The nodes of EKS Auto Mode
bear Karpenter's label too, and have the agent built in.
"""

from collections.abc import Iterable

from migrator.model.facts import Node, Workload

_IMAGES = ("cluster-autoscaler", "karpenter/controller")
_LABELS = ("karpenter.sh/nodepool", "karpenter.sh/provisioner-name")


def autoscaler(workloads: Iterable[Workload], nodes: Iterable[Node]) -> str:
    """The workload or the node that tells of it, or nothing."""
    running = [
        f"{workload.ref} in {workload.ref.namespace}"
        for workload in workloads
        if workload.replicas > 0 and any(_scales(container.image) for container in workload.spec.containers)
    ]
    made = [f"{label} on node {node.name}" for node in nodes for label in _LABELS if _made(node, label)]
    return min(running, default="") or min(made, default="")


def _scales(image: str) -> bool:
    repository = image.partition("@")[0].rpartition(":")[0]
    return repository.endswith(_IMAGES)


def _made(node: Node, label: str) -> bool:
    return node.compute_type != "auto" and label in node.labels
