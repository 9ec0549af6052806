"""What is read from one cluster: whole lists for planning, one namespace or one object for the steps. Always live."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from migrator.adapters.kube import decode
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.pages import decoded, listed, metadata
from migrator.adapters.kube.paths import path_of
from migrator.adapters.kube.rollout import KINDS, rollout
from migrator.adapters.kube.structs import AccountObject, MetaOnly, NodeObject, PodObject
from migrator.adapters.kube.workload_structs import Served, WorkloadObject
from migrator.adapters.kube.workloads import LISTED, ROLLED, heads, lender_of, makes_pods_itself, template_of, workload
from migrator.model.errors import NotPermitted, Rejected
from migrator.model.facts import Node, Pod, Rollout, ServiceAccount, Workload, WorkloadRef

# kind -> metadata of every object of that kind: the middle of owner chains
Parts = dict[str, list[MetaOnly]]

_MIDDLE = ("ReplicaSet", "Job")
_NO_SUCH_KIND = frozenset({"NotFound", "404"})


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
        rollouts = self._argo_rollouts(namespace)
        found = [self._argo_workload(entry) for entry in rollouts]
        for kind in (*ROLLED, "CronJob", "Job"):
            entries = self._objects(kind, namespace)
            found += [workload(kind, entry) for entry in entries if makes_pods_itself(kind, entry)]
        lenders = {ref for entry in rollouts if (ref := lender_of("Rollout", entry)) is not None}
        found = [
            one for one in found if one.replicas > 0 or one.ref not in lenders
        ]  # at zero it only lends its template
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
        if ref.kind not in KINDS:
            raise Rejected(f'a {ref.kind} has no rollout: "{ref.namespace}/{ref.name}"', reason="no-rollout")
        found = self._workload(ref)
        return None if found is None else rollout(ref.kind, found)

    def _objects(self, kind: str, namespace: str) -> list[WorkloadObject]:
        return listed(self.connect(), path_of(kind, namespace), WorkloadObject, doing=f"listing {kind}s")

    def _argo_rollouts(self, namespace: str) -> list[WorkloadObject]:
        """Argo's Rollouts; none where the cluster does not know that kind.

        The API server looks at permissions first: a refusal counts only where discovery says that there is such a kind.

        Raises:
            NotPermitted: there are Rollouts on this cluster, and the operator may not list them.
        """
        try:
            return self._objects("Rollout", namespace)
        except Rejected as error:
            if error.reason not in _NO_SUCH_KIND:
                raise
        except NotPermitted:
            if self._served("Rollout"):
                raise
        return []

    def _served(self, kind: str) -> bool:
        group, _, resource = path_of(kind).rpartition("/")
        doing = f"asking whether there are {kind}s"
        body = self.connect().find(group, doing=doing)
        return body is not None and resource in (one.name for one in decoded(body, Served, doing=doing).resources or ())

    def _argo_workload(self, found: WorkloadObject) -> Workload:
        """The fact for an Argo Rollout, with the template that it borrows, if that is there."""
        lender = lender_of("Rollout", found)
        lent = self._workload(lender) if lender is not None else None
        return workload("Rollout", found, template_of(lender.kind, lent) if lender and lent else None)

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
