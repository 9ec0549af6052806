"""One planning pass over a cluster: the port `ClusterView`, reading what is asked for twice only once."""

import threading
from collections.abc import Mapping, Sequence

from migrator.adapters.aws.eks import EksCluster
from migrator.adapters.kube.agent import agent_state
from migrator.adapters.kube.env_sources import key_names
from migrator.adapters.kube.reads import KubeReads, Parts
from migrator.model.facts import (
    AgentState,
    Association,
    Cluster,
    EnvSource,
    FargateSelector,
    Node,
    Pod,
    ServiceAccount,
    Unread,
    Workload,
)


class Snapshot:
    """Reads for one plan; not to be kept longer than that."""

    def __init__(self, eks: EksCluster, reads: KubeReads) -> None:
        self._eks = eks
        self._reads = reads
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None
        self._parts: Parts | None = None
        self._accounts: Sequence[ServiceAccount] | None = None

    def cluster(self) -> Cluster:
        """The cluster as EKS describes it."""
        with self._lock:
            if self._cluster is None:
                self._cluster = self._eks.described().cluster
            return self._cluster

    def service_accounts(self) -> Sequence[ServiceAccount]:
        """All ServiceAccounts."""
        with self._lock:
            if self._accounts is None:
                self._accounts = self._reads.service_accounts()
            return self._accounts

    def workloads(self) -> Sequence[Workload]:
        """All objects that make pods."""
        return self._reads.workloads(parts=self._chains())

    def pods(self) -> Sequence[Pod]:
        """All pods."""
        return self._reads.pods(parts=self._chains())

    def nodes(self) -> Sequence[Node]:
        """All nodes."""
        return self._reads.nodes()

    def associations(self) -> Sequence[Association]:
        """All associations, as EKS lists them: without role and tags."""
        return self._eks.associations()

    def describe(self, association: Association) -> Association:
        """The association in full."""
        return self._eks.describe(association)

    def agent(self) -> AgentState:
        """The add-on, the agent's DaemonSets, and the nodes on which it is ready."""
        return agent_state(self._reads.connect(), self._eks.addon())

    def fargate_selectors(self) -> Sequence[FargateSelector]:
        """The selectors of all live Fargate profiles."""
        return self._eks.fargate_selectors()

    def key_names(self, wanted: Sequence[EnvSource]) -> Mapping[EnvSource, frozenset[str] | Unread]:
        """Of each ConfigMap or Secret the names of its keys, or why it may not be read."""
        return key_names(self._reads.connect(), wanted)

    def _chains(self) -> Parts:
        with self._lock:
            if self._parts is None:
                self._parts = self._reads.parts()
            return self._parts
