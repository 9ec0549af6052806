"""What a node is told about itself and about AWS, and the Node object it registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from migrator.lab.nodes.botoclients import Keys

Json = dict[str, Any]
COMPUTE_TYPE = "eks.amazonaws.com/compute-type"
WEBSOCKETS = "ExtendWebSocketsToKubelet"
"""What a node declares to be handed an exec's websocket as it is, by API servers of 1.36 or later, instead of SPDY."""
_LABELLED = frozenset({"fargate", "hybrid", "auto"})


@dataclass(frozen=True)
class NodeSpec:
    """One node.

    Attributes:
        name: the Node's name.
        labels: further labels.
        taints: as in a Node's spec.
        os: `linux` or `windows`.
        arch: `amd64` or `arm64`.
        compute_type: `ec2`, `auto`, `hybrid` or `fargate`.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, str]] = ()
    os: str = "linux"
    arch: str = "amd64"
    compute_type: str = "ec2"


@dataclass(frozen=True)
class PodAws:
    """Where the AWS front is, and what the cluster is called there.

    Attributes:
        node_keys: credentials of the node role, for the pod identity agent; the account's administrator without it.
    """

    endpoint: str
    account: str
    region: str
    cluster_name: str
    node_keys: Callable[[], Keys] | None = None


def node_object(spec: NodeSpec, port: int, version: str, now: str) -> Json:
    """The Node as its kubelet registers it, reachable at this port of 127.0.0.1."""
    labels = {
        "kubernetes.io/hostname": spec.name,
        "kubernetes.io/os": spec.os,
        "kubernetes.io/arch": spec.arch,
        "beta.kubernetes.io/os": spec.os,
        "beta.kubernetes.io/arch": spec.arch,
        **({COMPUTE_TYPE: spec.compute_type} if spec.compute_type in _LABELLED else {}),
        **spec.labels,
    }
    taints = [dict(taint) for taint in spec.taints]
    if spec.compute_type == "fargate" and not any(taint["key"] == COMPUTE_TYPE for taint in taints):
        taints.append({"key": COMPUTE_TYPE, "value": "fargate", "effect": "NoSchedule"})
    metadata = {"name": spec.name, "labels": labels}
    node_spec = {"taints": taints} if taints else {}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "spec": node_spec,
        "status": node_status(spec, port, version, now),
    }


def node_status(spec: NodeSpec, port: int, version: str, now: str) -> Json:
    """The status of a healthy node."""
    room = {"cpu": "64", "memory": "256Gi", "pods": "1000", "ephemeral-storage": "100Gi"}
    return {
        "capacity": room,
        "allocatable": room,
        "addresses": [
            {"type": "InternalIP", "address": "127.0.0.1"},
            {"type": "Hostname", "address": spec.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "declaredFeatures": [WEBSOCKETS],
        "nodeInfo": {
            "architecture": spec.arch,
            "operatingSystem": spec.os,
            "kubeletVersion": version,
            "kubeProxyVersion": version,
            "containerRuntimeVersion": "practice://1",
            "kernelVersion": "0.0.0-practice",
            "osImage": "practice fleet",
            "machineID": spec.name,
            "systemUUID": spec.name,
            "bootID": spec.name,
        },
        "conditions": [
            _condition("MemoryPressure", "False", "KubeletHasSufficientMemory", now),
            _condition("DiskPressure", "False", "KubeletHasNoDiskPressure", now),
            _condition("PIDPressure", "False", "KubeletHasSufficientPID", now),
            _condition("Ready", "True", "KubeletReady", now),
        ],
    }


def _condition(kind: str, status: str, reason: str, now: str) -> Json:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": reason,
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
