"""What planner, steps and executor ask of the world, as small protocols; adapters and the store implement them.

Errors of all of them: `migrator.model.errors`. A thing that does not exist is None, not an error.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from migrator.model.addons import AddonCatalogue, Addons
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
    Role,
    Rollout,
    ServiceAccount,
    SetAside,
    SourceRole,
    Unread,
    Workload,
    WorkloadRef,
)
from migrator.model.ids import ServiceId
from migrator.model.journal import (
    Holder,
    JournalLine,
    Mark,
    Outcome,
    Run,
    ServiceState,
    StepRecord,
)
from migrator.model.permissions import Permissions
from migrator.model.resource_policies import ResourcePolicies
from migrator.model.surroundings import Surroundings


class Roles(Protocol):
    """IAM, read-only, over all accounts of the fleet. The account is taken from the ARN."""

    def role(self, arn: str) -> Role | None:
        """The live role, whose whole ARN is `arn`; None if there is none of that name, or its ARN (path) differs."""
        ...

    def roles(self, arns: Iterable[str]) -> Mapping[str, Role]:
        """The live roles among `arns`, keyed by ARN, read in bulk where that is cheaper; absent ones are left out.

        An account that cannot be reached is left out as well; ask `unreadable`.
        """
        ...

    def unreadable(self, account: str) -> str | None:
        """Why the account's roles could not be read, or None."""
        ...

    def trust_quota(self, role: Role) -> int:
        """How many characters, white space left out, the role's account lets a trust policy have.

        Raises:
            EnvironmentFault: it cannot be read, or the operator may not.
        """
        ...

    def permissions(self, roles: Iterable[Role]) -> Mapping[str, Permissions]:
        """What each role may do, keyed by ARN, in bulk where that is cheaper; what may not be read is in `unread`."""
        ...


class ClusterView(AddonCatalogue, Protocol):
    """One cluster, read-only: all that planning needs. Each method is a live read, whole cluster, paginated inside."""

    def cluster(self) -> Cluster: ...
    def service_accounts(self) -> Sequence[ServiceAccount]: ...
    def workloads(self) -> Sequence[Workload]: ...
    def pods(self) -> Sequence[Pod]: ...
    def nodes(self) -> Sequence[Node]: ...
    def associations(self) -> Sequence[Association]:
        """All associations; role, target role and tags are filled in only where `describe` was asked for them."""
        ...

    def describe(self, association: Association) -> Association:
        """The association in full."""
        ...

    def agent(self) -> AgentState: ...
    def eks_auth_endpoints(self) -> Sequence[VpcEndpoint]:
        """The interface endpoints for `eks-auth` in the cluster's VPC, in whatever state."""
        ...

    def operator(self, account: str, rights: Sequence[Right]) -> Operator:
        """Who acts in an account, the cluster's or another one, and which of these rights he lacks there."""
        ...

    def fargate_selectors(self) -> Sequence[FargateSelector]: ...
    def key_names(self, wanted: Sequence[EnvSource]) -> Mapping[EnvSource, frozenset[str] | Unread]:
        """Of each ConfigMap or Secret the names of its keys, never a value, or why it may not be read.

        One that does not exist has no keys.
        """
        ...

    def surroundings(self, *, volumes: bool, security_groups: bool) -> Surroundings:
        """Objects of kinds that a cluster may not have; what there is and may not be read is said in its `unread`.

        Args:
            volumes: PersistentVolumes are of interest.
            security_groups: SecurityGroupPolicies are of interest.
        """
        ...


class ResourceReader(Protocol):
    """Policies of buckets and the like, read-only."""

    def read(self, places: Iterable[tuple[str, str]]) -> ResourcePolicies:
        """All of these accounts in these regions; what may not be read is said in its `unread`, and stops nothing."""
        ...


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


class Clock(Protocol):
    """Time, so that tests need none."""

    def now(self) -> str:
        """UTC, ISO 8601 with microseconds."""
        ...

    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None:
        """Waits; returns early, without an error, when an interruption is asked for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How the run that a new one follows is ended."""

    run: str
    outcome: Outcome
    note: str


class Journal(Protocol):
    """The durable memory. Every method is durable when it returns, and may be called by several threads.

    Whoever lost a lock that his thread holds can begin, record and end nothing any more: he gets Locked.
    """

    def begin(self, run: Run, closing: Closing | None = None) -> None:
        """Opens a run; with `closing`, ends another in the same transaction: a kill leaves both or neither."""
        ...

    def record(self, record: StepRecord) -> None: ...
    def end(self, run: str, outcome: Outcome, note: str, at: str) -> None: ...
    def open_run(self, service: ServiceId) -> Run | None: ...
    def open_runs(self) -> Sequence[Run]:
        """Of all services, sorted by service."""
        ...

    def run(self, run_id: str) -> Run | None: ...
    def runs(self, service: ServiceId) -> Sequence[Run]:
        """All runs of the service, oldest first."""
        ...

    def records(self, run: str) -> Mapping[str, StepRecord]:
        """The latest record of each step, in the order they were begun."""
        ...

    def recent(self, step: str, since: str) -> Sequence[StepRecord]:
        """Every record of that step, of all services, not older than `since`, oldest first."""
        ...

    def ended(self, since: str) -> Sequence[Run]:
        """The runs of all services that ended at or after that moment, oldest end first.

        Without their plans (None), which are large; `run` gives the whole.
        """
        ...

    def mark(self, key: str, data: Json, at: str) -> None:
        """Keeps a small note beside the runs; the last one of a key counts."""
        ...

    def marks(self, prefix: str) -> Mapping[str, Mark]:
        """The notes whose keys begin with `prefix`, by key, in its order."""
        ...

    def state(self, service: ServiceId) -> ServiceState: ...
    def states(self) -> Mapping[ServiceId, ServiceState]: ...
    def history(self, service: ServiceId) -> Sequence[JournalLine]: ...


class Locks(Protocol):
    """Locks per service, per role and per cluster's agent, with holder and expiry.

    Several threads of one process may use them, each holding keys of its own.
    """

    def held(self, key: str, *, doing: str) -> AbstractContextManager[None]:
        """Holds `key` for the block.

        Raises:
            Locked: another living runner, or another thread, has it; the message says who, where and since when.
        """
        ...

    def renew(self) -> None:
        """Puts off the expiry of every lock that is held here.

        Raises:
            Locked: another runner took over one that this thread holds: nothing more may be changed.
        """
        ...

    def holders(self) -> Sequence[Holder]: ...


Interrupt = Callable[[], int | None]  # the signal asked for, or None; read at checkpoints
