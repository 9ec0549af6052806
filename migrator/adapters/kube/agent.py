"""The pod identity agent on a cluster, by whomever it was installed, and the nodes on which it is ready."""

from migrator.adapters.kube import decode
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.pages import listed
from migrator.adapters.kube.paths import path_of
from migrator.adapters.kube.structs import PodObject
from migrator.adapters.kube.workload_structs import WorkloadObject
from migrator.model.facts import Addon, AgentState, Pod
from migrator.model.ids import AGENT_ADDON

_NAME_LABEL = "app.kubernetes.io/name"
_HOME = "kube-system"


def agent_state(connection: KubeConnection, addon: Addon | None) -> AgentState:
    """The DaemonSets of the agent and the nodes of their ready pods.

    Args:
        connection: the cluster.
        addon: what EKS knows of the add-on.
    """
    sets = listed(connection, path_of("DaemonSet"), WorkloadObject, doing="listing DaemonSets")
    agents = [entry for entry in sets if is_agent(entry)]
    pods = [pod for entry in agents for pod in _pods(connection, entry)]
    return AgentState(
        addon=addon,
        daemonset=bool(agents),
        ready_nodes=frozenset(pod.node for pod in pods if pod.ready),
        specs=tuple(decode.pod_spec(entry.spec.template.spec) for entry in agents),
        troubles={pod.node: pod.trouble for pod in pods if pod.trouble and not pod.ready},
    )


def is_agent(found: WorkloadObject) -> bool:
    """Labelled as the agent anywhere, or named so in kube-system; EKS's hybrid variant has a longer name."""
    meta = found.metadata
    labels = (meta.labels or {}, found.spec.template.metadata.labels or {})
    if any(held.get(_NAME_LABEL, "").startswith(AGENT_ADDON) for held in labels):
        return True
    return meta.namespace == _HOME and meta.name.startswith(AGENT_ADDON)


def _pods(connection: KubeConnection, agent: WorkloadObject) -> list[Pod]:
    """Its pods that are on a node and stay there."""
    meta = agent.metadata
    labels = agent.spec.selector.match_labels or {}
    only = {"labelSelector": ",".join(f"{key}={value}" for key, value in sorted(labels.items()))} if labels else None
    pods = listed(connection, path_of("Pod", meta.namespace), PodObject, only=only, doing="listing the agent's pods")
    own = [entry for entry in pods if (owner := entry.metadata.controller) is not None and owner.uid == meta.uid]
    found = [decode.pod(entry, {}) for entry in own]
    return [pod for pod in found if pod.node and not pod.deleting]
