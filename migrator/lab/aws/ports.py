"""What the AWS front is given: the clusters it answers for, and what it asks of their control planes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Clock = Callable[[], datetime]

LAB_SECRET = "lab-secret-key-for-practice-only"


def lab_access_key(account: str) -> str:
    """The fixed key of an account's administrator: 20 characters, A-Z and 0-9 only."""
    return f"LABKEY00{account}"


_OWN = "LABOWN00"


def own_access_key(account: str) -> str:
    """The key by which the practice fleet itself acts in an account: no fault strikes it, nothing takes note of it."""
    return f"{_OWN}{account}"


def is_own(access_key: str) -> bool:
    """Whether a key is one of the fleet's own."""
    return access_key.startswith(_OWN)


@dataclass(frozen=True)
class LabCluster:
    """One EKS cluster as its account sees it.

    Attributes:
        account: twelve digits.
        region: its Region.
        name: its name in that account and Region.
        endpoint: URL of its Kubernetes API server.
        ca_data: base64 of the PEM of that server's authority.
        issuer: OIDC issuer URL, with `https://`.
        version: Kubernetes minor version.
        platform_version: EKS platform version.
        status: a `ClusterStatus` of the EKS model.
        ip_family: `ipv4` or `ipv6`.
        auto_mode: whether EKS Auto Mode runs its nodes.
        partition: AWS partition.
        extra: members laid over the answer of DescribeCluster (`outpostConfig`, `connectorConfig`, ...).
    """

    account: str
    region: str
    name: str
    endpoint: str
    ca_data: str
    issuer: str
    version: str = "1.33"
    platform_version: str = "eks.5"
    status: str = "ACTIVE"
    ip_family: str = "ipv4"
    auto_mode: bool = False
    partition: str = "aws"
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The cluster's ARN."""
        return f"arn:{self.partition}:eks:{self.region}:{self.account}:cluster/{self.name}"


@dataclass(frozen=True)
class AddonChange:
    """What an update of an add-on means for its objects.

    Attributes:
        name: the add-on's.
        namespace: where its objects are.
        accounts: names of its ServiceAccounts.
        role_arn: what they are annotated with from now on, where they bear no other role.
        drops: whether EKS takes their annotation away by itself.
        rolls: whether it rolls their pods.
    """

    name: str
    namespace: str
    accounts: tuple[str, ...]
    role_arn: str | None
    drops: bool
    rolls: bool


class ControlPlane(Protocol):
    """What EKS asks of one cluster's control plane."""

    def associations_changed(self, pairs: frozenset[tuple[str, str]]) -> None:
        """Tells the (namespace, service account) pairs of all associations, after each change.

        How late they become visible to admission is the control plane's affair.
        """
        ...

    def install_addon(self, name: str, version: str, configuration: str) -> None:
        """Puts the add-on's objects on the cluster, or brings them to this version and configuration."""
        ...

    def remove_addon(self, name: str) -> None:
        """Takes the add-on's objects off the cluster."""
        ...

    def change_addon(self, change: AddonChange, dropped: Callable[[], None]) -> None:
        """Has the add-on's ServiceAccounts annotated and its pods rolled, in its own time.

        Calls `dropped` once it has taken the annotation away.
        """
        ...

    def addon_ready(self, name: str) -> bool:
        """Whether the add-on's objects are complete and running, and its last change is over."""
        ...

    def jwks(self) -> dict[str, Any]:
        """The public keys of the cluster's service account token issuer."""
        ...

    def pod(self, namespace: str, name: str) -> dict[str, Any] | None:
        """The pod as the API server has it, or None."""
        ...
