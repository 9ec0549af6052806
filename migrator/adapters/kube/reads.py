"""What is read from one cluster: whole lists for planning, one namespace or one object for the steps. Always live."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from migrator.adapters.kube import decode
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.pages import decoded, listed, metadata
from migrator.adapters.kube.paths import path_of
from migrator.adapters.kube.rollout import rollout
from migrator.adapters.kube.structs import AccountObject, MetaOnly, NodeObject, PodObject
from migrator.adapters.kube.workload_structs import WorkloadObject
from migrator.adapters.kube.workloads import LISTED, RESTARTABLE, heads, makes_pods_itself, workload
from migrator.model.errors import Rejected
from migrator.model.facts import Node, Pod, Rollout, ServiceAccount, Workload, WorkloadRef

# kind -> metadata of every object of that kind: the middle of owner chains
Parts = dict[str, list[MetaOnly]]

_MIDDLE = ("ReplicaSet", "Job")


@dataclass(frozen=True, slots=True)
class KubeReads:
    """Reads of one cluster; `connect` gives its connection, opened at first use."""

    connect: Callable[[], KubeConnection]

    def service_accounts(self) -> Sequence[ServiceAccount]:
        """All ServiceAccounts."""
        found = listed(self.connect(), path_of("ServiceAccount"), AccountObject, doing="listing ServiceAccounts")
        return [decode.service_account(entry) for entry in found]

    def service_account(self, namespace: str, name: str) -> ServiceAccount | None:
        """One ServiceAccount, or None."""
        doing = f'reading ServiceAccount "{namespace}/{name}"'
        body = self.connect().find(path_of("ServiceAccount", namespace, name), doing=doing)
        return None if body is None else decode.service_account(decoded(body, AccountObject, doing=doing))

    def nodes(self) -> Sequence[Node]:
        """All nodes."""
        return [
            decode.node(entry) for entry in listed(self.connect(), path_of("Node"), NodeObject, doing="listing nodes")
        ]

    def parts(self, namespace: str = "") -> Parts:
        """The metadata of all ReplicaSets and Jobs, for owner chains."""
        return {kind: self._metadata(kind, namespace) for kind in _MIDDLE}

    def pods(self, namespace: str = "", service_account: str = "", parts: Parts | None = None) -> Sequence[Pod]:
        """Pods, of the whole cluster or of one namespace and ServiceAccount.

        Args:
            namespace: all of them if left out.
            service_account: all of them if left out.
            parts: owner chains as read before; read as far as these pods need them if left out.
        """
        only = {"fieldSelector": f"spec.serviceAccountName={service_account}"} if service_account else None
        found = listed(self.connect(), path_of("Pod", namespace), PodObject, only=only, doing="listing pods")
        if parts is None:
            kinds = {owner.kind for entry in found if (owner := entry.metadata.controller) is not None}
            parts = {kind: self._metadata(kind, namespace) for kind in _MIDDLE if kind in kinds}
        owners = {key: head for kind, entries in parts.items() for key, head in heads(kind, entries).items()}
        return [decode.pod(entry, owners) for entry in found]

    def workloads(self, namespace: str = "", parts: Parts | None = None) -> Sequence[Workload]:
        """The objects that make pods, of the whole cluster or of one namespace."""
        found: list[Workload] = []
        for kind in LISTED:
            if kind != "ReplicaSet":
                path, doing = path_of(kind, namespace), f"listing {kind}s"
                entries = listed(self.connect(), path, WorkloadObject, doing=doing)
                found += [workload(kind, entry) for entry in entries if makes_pods_itself(kind, entry)]
        replica_sets = parts["ReplicaSet"] if parts is not None else self._metadata("ReplicaSet", namespace)
        return [*found, *self._free_replica_sets(replica_sets)]

    def workloads_of(self, namespace: str, service_account: str) -> Sequence[Workload]:
        """The workloads of one namespace whose pods run as that ServiceAccount, the restartable kinds first."""
        found = [one for one in self.workloads(namespace) if one.spec.service_account == service_account]
        return sorted(found, key=lambda one: (LISTED.index(one.ref.kind), one.ref.name))

    def rollout(self, ref: WorkloadRef) -> Rollout | None:
        """How far it is, or None when it is gone.

        Raises:
            Rejected: reason `no-rollout`: its kind has none.
        """
        if ref.kind not in RESTARTABLE:
            raise Rejected(f'a {ref.kind} has no rollout: "{ref.namespace}/{ref.name}"', reason="no-rollout")
        found = self._workload(ref)
        return None if found is None else rollout(ref.kind, found)

    def _free_replica_sets(self, parts: Sequence[MetaOnly]) -> list[Workload]:
        """ReplicaSets without an owner; only these few are read in full."""
        free = [part.metadata for part in parts if part.metadata.controller is None]
        refs = [WorkloadRef(kind="ReplicaSet", namespace=meta.namespace, name=meta.name) for meta in free]
        found = (self._workload(ref) for ref in refs)
        return [workload("ReplicaSet", entry) for entry in found if entry and makes_pods_itself("ReplicaSet", entry)]

    def _workload(self, ref: WorkloadRef) -> WorkloadObject | None:
        doing = f'reading {ref.kind} "{ref.namespace}/{ref.name}"'
        body = self.connect().find(path_of(ref.kind, ref.namespace, ref.name), doing=doing)
        return None if body is None else decoded(body, WorkloadObject, doing=doing)

    def _metadata(self, kind: str, namespace: str) -> list[MetaOnly]:
        return metadata(self.connect(), path_of(kind, namespace), doing=f"listing {kind}s")
