"""What the planner asks of the world: none of it has a verb that changes anything."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from migrator.model.addons import AddonCatalogue
from migrator.model.aws_side import Operator, Right, VpcEndpoint
from migrator.model.facts import (
    AgentState,
    Association,
    Cluster,
    EnvSource,
    FargateSelector,
    Node,
    Pod,
    Role,
    ServiceAccount,
    Unread,
    Workload,
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
