"""One live cluster: everything the planner and the steps ask of it, over EKS and its own API server.

`LiveCluster` is the executor's world (port `ClusterWorld`). It serves as the planner's view (port `ClusterView`),
but `LiveCluster.snapshot()` is the better one: it reads a list that two facts need only once, and changes nothing.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from migrator.adapters.aws.eks import EksCluster
from migrator.adapters.aws.eks_addons import EksAddons
from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.kube.agent import agent_state
from migrator.adapters.kube.aside import Aside
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.env_sources import key_names
from migrator.adapters.kube.execute import run_in
from migrator.adapters.kube.gate import Gate
from migrator.adapters.kube.logs import log
from migrator.adapters.kube.opening import Opened, opened
from migrator.adapters.kube.proof import difference
from migrator.adapters.kube.reads import KubeReads
from migrator.adapters.kube.snapshot import Snapshot
from migrator.adapters.kube.surroundings import surroundings
from migrator.adapters.kube.writes import KubeWrites
from migrator.adapters.retry import Retry
from migrator.model.addons import AddonUpdate, InstalledAddon, Offer
from migrator.model.aws_side import Operator, Right, VpcEndpoint
from migrator.model.facts import (
    Addon,
    AgentState,
    Association,
    Cluster,
    CommandResult,
    EnvSource,
    FargateSelector,
    Json,
    Node,
    Pod,
    Probe,
    Rollout,
    ServiceAccount,
    SetAside,
    Unread,
    Workload,
    WorkloadRef,
)
from migrator.model.fleet import FleetCluster
from migrator.model.surroundings import Surroundings


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class LiveCluster:
    """One cluster of the fleet; connects at first use; thread-safe."""

    def __init__(
        self,
        cluster: FleetCluster,
        sessions: AwsSessions,
        *,
        retry: Retry | None = None,
        now: Callable[[], str] = _now,
    ) -> None:
        self._cluster = cluster
        self._sessions = sessions
        self._retry = retry or sessions.retry
        self._eks = EksCluster(cluster, sessions)
        self._addons = EksAddons(self._eks)
        self._opening = threading.Lock()
        self._open: Opened | None = None
        self._reads = KubeReads(self._connect)
        self._writes = KubeWrites(self._connect, now)
        self._aside = Aside(self._connect)
        self._gate = Gate(self._reads)

    def snapshot(self) -> Snapshot:
        """A read-only view for planning; a list that two facts need is read once."""
        return Snapshot(self._eks, self._reads, self._sessions)

    def prove(self, planned: Mapping[str, Json]) -> str | None:
        """None when the live cluster is the planned one; else what differs.

        Args:
            planned: the plan's facts of the cluster: `arn`, `account`, `issuer`.
        """
        caller = self._sessions.identity(self._cluster.account, self._cluster.region)
        return difference(planned, caller, self._eks.described(), self._opened())

    def cluster(self) -> Cluster:
        """The cluster as EKS describes it now."""
        return self._eks.described().cluster

    def association(self, namespace: str, service_account: str) -> Association | None:
        """In full, or None."""
        return self._eks.association(namespace, service_account)

    def create_association(
        self,
        *,
        namespace: str,
        service_account: str,
        role_arn: str,
        tags: Mapping[str, str],
        token: str,
        target_role_arn: str = "",
        session_tags: bool = True,
    ) -> Association:
        """Creates it; `token` makes a repeat idempotent. Refusals as the port `Associations` says."""
        return self._eks.create_association(
            namespace=namespace,
            service_account=service_account,
            role_arn=role_arn,
            tags=tags,
            token=token,
            target_role_arn=target_role_arn,
            session_tags=session_tags,
        )

    def delete_association(self, association_id: str) -> None:
        """Deletes it; one that is gone already is well."""
        self._eks.delete_association(association_id)

    def addons(self) -> Sequence[InstalledAddon]:
        """Every installed add-on but the agent's."""
        return self._addons.installed()

    def addon_offer(self, name: str, kubernetes: str) -> Offer:
        """The versions for that Kubernetes version."""
        return self._addons.offer(name, kubernetes)

    def addon_accounts(self, name: str, version: str) -> frozenset[str]:
        """The ServiceAccounts that may have associations in that version."""
        return self._addons.accounts(name, version)

    def installed_addon(self, name: str) -> InstalledAddon | None:
        """The add-on with what an update must leave as it is, or None."""
        return self._addons.one(name)

    def owned_by(self, addon: InstalledAddon, namespace: str) -> Sequence[Association]:
        """The associations that the add-on owns, in full."""
        return self._addons.owned_by(addon, namespace)

    def update_addon(
        self, addon: InstalledAddon, associations: Mapping[str, str], *, role_arn: str, token: str
    ) -> AddonUpdate:
        """Makes the add-on own exactly these; refusals as the port `Addons` says."""
        return self._addons.update(addon, associations, role_arn=role_arn, token=token)

    def addon_update(self, name: str, update_id: str) -> AddonUpdate | None:
        """An update of the add-on, or None."""
        return self._addons.update_of(name, update_id)

    def agent(self) -> AgentState:
        """The add-on, the agent's DaemonSets, and the nodes on which it is ready."""
        return agent_state(self._connect(), self._eks.addon())

    def install_agent(self, token: str) -> Addon:
        """Creates the add-on; `token` makes a repeat idempotent."""
        return self._eks.create_addon(token)

    def nodes(self) -> Sequence[Node]:
        """All nodes."""
        return self._reads.nodes()

    def service_accounts(self) -> Sequence[ServiceAccount]:
        """All ServiceAccounts."""
        return self._reads.service_accounts()

    def workloads(self) -> Sequence[Workload]:
        """All objects that make pods."""
        return self._reads.workloads()

    def pods(self) -> Sequence[Pod]:
        """All pods."""
        return self._reads.pods()

    def associations(self) -> Sequence[Association]:
        """All associations, as EKS lists them: without role and tags."""
        return self._eks.associations()

    def describe(self, association: Association) -> Association:
        """The association in full."""
        return self._eks.describe(association)

    def fargate_selectors(self) -> Sequence[FargateSelector]:
        """The selectors of all live Fargate profiles."""
        return self._eks.fargate_selectors()

    def key_names(self, wanted: Sequence[EnvSource]) -> Mapping[EnvSource, frozenset[str] | Unread]:
        """Of each ConfigMap or Secret the names of its keys, or why it may not be read."""
        return key_names(self._connect(), wanted)

    def surroundings(self, *, volumes: bool, security_groups: bool) -> Surroundings:
        """Objects of kinds that a cluster may not have, as far as they may be read."""
        return surroundings(self._connect(), volumes=volumes, security_groups=security_groups)

    def eks_auth_endpoints(self) -> Sequence[VpcEndpoint]:
        """The interface endpoints for `eks-auth` in the cluster's VPC."""
        return self.snapshot().eks_auth_endpoints()

    def operator(self, account: str, rights: Sequence[Right]) -> Operator:
        """Who acts in an account, and which of these rights he lacks there."""
        return self.snapshot().operator(account, rights)

    def service_account(self, namespace: str, name: str) -> ServiceAccount | None:
        """One ServiceAccount, or None."""
        return self._reads.service_account(namespace, name)

    def remove_annotation(self, account: ServiceAccount, key: str) -> None:
        """Takes out one key, guarded by the value and uid seen; `conflict` as the port says."""
        self._writes.remove_annotation(account, key)

    def add_annotation(self, account: ServiceAccount, key: str, value: str) -> None:
        """Puts one key in, guarded by its absence and the uid seen; `conflict` as the port says."""
        self._writes.add_annotation(account, key, value)

    def workloads_of(self, namespace: str, service_account: str) -> Sequence[Workload]:
        """The workloads whose pods run as that ServiceAccount."""
        return self._reads.workloads_of(namespace, service_account)

    def pods_of(self, namespace: str, service_account: str) -> Sequence[Pod]:
        """The pods that run as that ServiceAccount."""
        return self._reads.pods(namespace, service_account)

    def rollout(self, ref: WorkloadRef) -> Rollout | None:
        """How far it is, or None when the workload is gone."""
        return self._reads.rollout(ref)

    def restart(self, ref: WorkloadRef, stamp: str) -> None:
        """Has its controller replace the pods, as the port says for each kind."""
        self._writes.restart(ref, stamp)

    def evict(self, pod: Pod) -> None:
        """Asks for this very pod to go; `budget` as the port says."""
        self._writes.evict(pod)

    def set_aside(self, pod: Pod) -> None:
        """Keeps a bare pod's manifest in its namespace, to be made again from; refusals as the port says."""
        self._aside.keep(pod)

    def aside(self, namespace: str, service_account: str) -> Sequence[SetAside]:
        """The pods of that ServiceAccount that are set aside."""
        return self._aside.all(namespace, service_account)

    def recreate(self, kept: SetAside) -> bool:
        """Makes the pod again; False while the old one is there."""
        return self._aside.recreate(kept)

    def forget(self, kept: SetAside) -> None:
        """Drops what was kept of a pod that is still there."""
        self._aside.forget(kept)

    def run_in(self, pod: Pod, container: str, command: Sequence[str], timeout: float) -> CommandResult:
        """Runs a command in a container; the first ordinary one when `container` is empty."""
        ordinary = (entry.name for entry in pod.spec.containers if not entry.init)
        return run_in(self._connect(), pod, container or next(ordinary, ""), command, timeout)

    def log(self, pod: Pod, container: str, lines: int) -> str:
        """The last lines of a container's log."""
        return log(self._connect(), pod, container, lines)

    def probe(self, namespace: str, service_account: str) -> Probe:
        """What a pod of this service would get if it were created now."""
        return self._gate.probe(namespace, service_account)

    def close(self) -> None:
        """Closes the connections; the next use opens them anew."""
        with self._opening:
            if self._open is not None:
                self._open.connection.close()
            self._open = None

    def _connect(self) -> KubeConnection:
        return self._opened().connection

    def _opened(self) -> Opened:
        with self._opening:
            if self._open is None:
                self._open = opened(self._cluster, self._eks, self._sessions, self._retry)
            return self._open
