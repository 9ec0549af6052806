"""What a service's cluster stands in: the way to EKS's credentials API, and what the operator may do there."""

from dataclasses import dataclass

from migrator.model.facts import ServiceAccount, Unread

AVAILABLE = "available"  # EC2's models say Available, its answers mostly available: compared in lower case


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class VpcEndpoint:
    """An interface endpoint for `eks-auth` in the cluster's VPC; `policy` is JSON text, empty for none."""

    id: str
    state: str  # lower case
    private_dns: bool  # the service's own name leads to it inside the VPC
    policy: str = ""

    @property
    def takes(self) -> bool:
        """Whether calls to the service's own name from inside the VPC end here."""
        return self.state == AVAILABLE and self.private_dns


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Right:
    """Something the operator has to be allowed: an action on a resource's ARN, or on all (`*`).

    `passed_to` are the services to which a role has to be passed, where any one of them is enough.
    """

    action: str
    resource: str
    passed_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who acts in an account, and which of the rights asked about he surely lacks."""

    arn: str
    missing: frozenset[Right] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Lack:
    """A right that a plan takes and whoever acts there lacks."""

    operator: str
    right: Right


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSide:
    """What a cluster's services stand in; None is what was not or may not be looked at.

    `associations` are those that the cluster has once all its services have moved. `accounts` are all ServiceAccounts
    of the cluster, read only where a role lets some in by a pattern.
    """

    endpoints: tuple[VpcEndpoint, ...] | None = None
    associations: int = 0
    accounts: tuple[ServiceAccount, ...] = ()
    unread: tuple[Unread, ...] = ()
