"""One planning pass over a cluster: the port `ClusterView`, reading what is asked for twice only once."""

import threading
from collections.abc import Mapping, Sequence

from migrator.adapters.aws.eks import EksCluster
from migrator.adapters.aws.eks_addons import EksAddons
from migrator.adapters.aws.endpoints import eks_auth_endpoints
from migrator.adapters.aws.operator import operator
from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.kube.agent import agent_state
from migrator.adapters.kube.env_sources import key_names
from migrator.adapters.kube.reads import KubeReads, Parts
from migrator.adapters.kube.surroundings import surroundings
from migrator.model.addons import InstalledAddon, Offer
from migrator.model.aws_side import Operator, Right, VpcEndpoint
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
from migrator.model.surroundings import Surroundings


class Snapshot:
    """Reads for one plan; not to be kept longer than that."""

    def __init__(self, eks: EksCluster, reads: KubeReads, sessions: AwsSessions) -> None:
        self._eks = eks
        self._addons = EksAddons(eks)
        self._reads = reads
        self._sessions = sessions
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

    def addons(self) -> Sequence[InstalledAddon]:
        """Every installed add-on but the agent's."""
        return self._addons.installed()

    def addon_offer(self, name: str, kubernetes: str) -> Offer:
        """The versions for that Kubernetes version."""
        return self._addons.offer(name, kubernetes)

    def addon_accounts(self, name: str, version: str) -> frozenset[str]:
        """The ServiceAccounts that may have associations in that version."""
        return self._addons.accounts(name, version)

    def agent(self) -> AgentState:
        """The add-on, the agent's DaemonSets, and the nodes on which it is ready."""
        return agent_state(self._reads.connect(), self._eks.addon())

    def eks_auth_endpoints(self) -> Sequence[VpcEndpoint]:
        """The interface endpoints for `eks-auth` in the cluster's VPC; none where EKS tells of no VPC."""
        cluster = self.cluster()
        return eks_auth_endpoints(self._sessions, cluster) if cluster.vpc else ()

    def operator(self, account: str, rights: Sequence[Right]) -> Operator:
        """Who acts in an account, and which of these rights he lacks there."""
        return operator(self._sessions, self.cluster(), account, rights)

    def fargate_selectors(self) -> Sequence[FargateSelector]:
        """The selectors of all live Fargate profiles."""
        return self._eks.fargate_selectors()

    def key_names(self, wanted: Sequence[EnvSource]) -> Mapping[EnvSource, frozenset[str] | Unread]:
        """Of each ConfigMap or Secret the names of its keys, or why it may not be read."""
        return key_names(self._reads.connect(), wanted)

    def surroundings(self, *, volumes: bool, security_groups: bool) -> Surroundings:
        """Objects of kinds that a cluster may not have, as far as they may be read."""
        return surroundings(self._reads.connect(), volumes=volumes, security_groups=security_groups)

    def _chains(self) -> Parts:
        with self._lock:
            if self._parts is None:
                self._parts = self._reads.parts()
            return self._parts
