"""What the steps ask of the world, account by account and cluster by cluster; each step sees its own part."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from migrator.model.addons import Addons
from migrator.model.facts import (
    Addon,
    AgentState,
    Association,
    CommandResult,
    Json,
    Node,
    Pod,
    Probe,
    Role,
    Rollout,
    ServiceAccount,
    SetAside,
    SourceRole,
    Workload,
    WorkloadRef,
)


class TrustPolicies(Protocol):
    """IAM as the trust step needs it."""

    def role(self, arn: str) -> Role | None: ...
    def write_trust(self, role: Role, document: str) -> None:
        """Replaces the role's trust policy, if it still is the one in `role`; `document` is JSON text.

        Raises:
            Rejected: reason `conflict`, and nothing is written, when somebody changed it meanwhile.
        """
        ...


class SourceRoles(Protocol):
    """IAM as the step of a source role needs it."""

    def source_role(self, arn: str) -> SourceRole | None:
        """The live role of that name, with its tags and our inline policy.

        Raises:
            Rejected: reason `other-path` when a role of that name has another path: names are unique without it.
        """
        ...

    def create_source_role(self, arn: str, *, trust: str, tags: Mapping[str, str]) -> None:
        """Makes the role, still without its policy; documents are JSON text.

        Raises:
            Rejected: reason `exists` when there is one of that name.
        """
        ...

    def permit(self, arn: str, policy: str) -> None:
        """Writes the role's inline policy of our name, which it does not have yet; one that says the same is well.

        Raises:
            Rejected: reason `conflict` when it has another one.
        """
        ...

    def attached_to(self, arn: str) -> Sequence[str]:
        """What else hangs on the role, by name: other inline policies, attached policies, instance profiles."""
        ...

    def delete_source_role(self, role: SourceRole) -> None:
        """Takes away our inline policy, then the role, as just read; what is gone already is well.

        Raises:
            Rejected: reason `in-use` while something else hangs on it, `replaced` when there is another of that name.
        """
        ...


class IamWorld(TrustPolicies, SourceRoles, Protocol):
    """IAM as the executor's steps need it."""


class Associations(Protocol):
    """EKS associations of one cluster as the association step needs them."""

    def association(self, namespace: str, service_account: str) -> Association | None:
        """In full, or None."""
        ...

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
        """Creates it; `token` makes a repeat idempotent.

        Raises:
            Rejected: with reason `trust-not-accepted` or `role-not-visible` while IAM's change has not reached EKS,
                `exists` when the pair is taken, `limit` at the quota, else EKS's own code.
        """
        ...

    def delete_association(self, association_id: str) -> None:
        """Deletes it; one that is gone already is well."""
        ...


class AgentInstaller(Protocol):
    """The agent add-on of one cluster as the agent step needs it."""

    def agent(self) -> AgentState: ...
    def nodes(self) -> Sequence[Node]: ...
    def install_agent(self, token: str) -> Addon: ...


class ServiceAccounts(Protocol):
    """ServiceAccounts of one cluster as the annotation step needs them."""

    def service_account(self, namespace: str, name: str) -> ServiceAccount | None: ...
    def remove_annotation(self, account: ServiceAccount, key: str) -> None:
        """Takes out one key, and only if it still has the value seen in `account` and the object is the same (uid).

        Raises:
            Rejected: reason `conflict` when somebody changed it meanwhile.
        """
        ...

    def add_annotation(self, account: ServiceAccount, key: str, value: str) -> None:
        """Puts one key in, and only if it is absent and the object is the same (uid).

        Raises:
            Rejected: reason `conflict` when somebody changed it meanwhile.
        """
        ...


class Workloads(Protocol):
    """Workloads and pods of one cluster as restart and verify need them."""

    def workloads_of(self, namespace: str, service_account: str) -> Sequence[Workload]: ...
    def pods_of(self, namespace: str, service_account: str) -> Sequence[Pod]: ...
    def rollout(self, ref: WorkloadRef) -> Rollout | None:
        """How far it is, or None when the workload is gone.

        Of what somebody else has to replace (`OnDelete`, ordinals below a partition, a ReplicaSet's own pods),
        `complete` says only that every wanted pod is there and ready, of whichever revision; `old` counts older ones.
        Just after an eviction the status may not know of it yet: look at the pods as well.

        Raises:
            Rejected: reason `no-rollout` for a kind without one: Job, CronJob.
        """
        ...

    def restart(self, ref: WorkloadRef, stamp: str) -> None:
        """Stamps the pod template (kubectl's `restartedAt` and our own annotation); its controller rolls the pods.

        An Argo Rollout gets `spec.restartAt` and our annotation on itself; its pods are replaced, not its template.

        Raises:
            Rejected: reason `no-rollout` for a kind without one: ReplicaSet, Job, CronJob.
        """
        ...

    def evict(self, pod: Pod) -> None:
        """Asks for the pod to go, within its PodDisruptionBudgets; its owner makes a new one.

        Only this very pod (uid); one that is gone already is well.

        Raises:
            Rejected: reason `budget` while a PodDisruptionBudget does not allow it.
        """
        ...

    def set_aside(self, pod: Pod) -> None:
        """Keeps a bare pod's manifest in the cluster, so that `recreate` can make the pod again once it is gone.

        Kept without what the API server and the identity webhook added. A repeat changes nothing. Evict the pod after.

        Raises:
            Rejected: reason `NotFound` when this very pod (uid) is gone and nothing was kept; `static` when a node's
                own file makes the pod, which comes back by itself.
        """
        ...

    def aside(self, namespace: str, service_account: str) -> Sequence[SetAside]:
        """The pods of that ServiceAccount that are set aside now, by name; what a killed run left behind among them.

        Needs a permission of its own (list podtemplates): ask only where a pod was, or may have been, set aside.
        """
        ...

    def recreate(self, kept: SetAside) -> bool:
        """Makes the pod again and drops what was kept; False, and nothing done, while the old pod is still there.

        Safe to repeat. A pod of that name that somebody else made meanwhile stays, and counts as made.

        Raises:
            Rejected: the API server's reason for refusing the pod; its manifest stays set aside.
        """
        ...

    def forget(self, kept: SetAside) -> None:
        """Drops what was kept of a pod that was never evicted; nothing kept is well."""
        ...

    def run_in(self, pod: Pod, container: str, command: Sequence[str], timeout: float) -> CommandResult: ...
    def log(self, pod: Pod, container: str, lines: int) -> str:
        """The last lines of what a container has written since it started, cut to a size fit for reading through.

        Of a container that has just crashed, what it wrote before.

        Raises:
            NotPermitted: a permission of its own (get pods/log).
            Rejected: reason `NotFound` when the pod is gone.
        """
        ...


class AdmissionGate(Protocol):
    """Asks the cluster what a pod of this service would get if it were created now."""

    def probe(self, namespace: str, service_account: str) -> Probe:
        """One server-side dry-run create on a fresh connection, with the service's own pod template if it has one."""
        ...


class ClusterWorld(Associations, Addons, AgentInstaller, ServiceAccounts, Workloads, AdmissionGate, Protocol):
    """One cluster as the executor's steps need it."""

    def prove(self, planned: Mapping[str, Json]) -> str | None:
        """None when the live cluster is the planned one (ARN, issuer, endpoint's CA, account); else what differs."""
        ...
