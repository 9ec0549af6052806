"""Facts about EKS add-ons, and what planner and steps ask of EKS about them.

Source: the EKS API, DescribeAddon, DescribeAddonConfiguration, UpdateAddon, DescribeUpdate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from migrator.model.facts import Association


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledAddon:
    """An add-on as DescribeAddon shows it; `role_arn` is its `serviceAccountRoleArn`, by which EKS gives it IRSA."""

    name: str
    arn: str
    version: str
    status: str
    namespace: str = ""  # where it was installed; empty when EKS does not say
    role_arn: str = ""
    configuration: str = ""  # `configurationValues` as given
    issues: tuple[str, ...] = ()  # of its health, code and message


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What DescribeAddonVersions says of an add-on for one Kubernetes version; `needs_role`: some version wants one."""

    namespace: str = ""
    versions: tuple[str, ...] = ()
    needs_role: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonUpdate:
    """An update as DescribeUpdate shows it; `errors` are code and message."""

    id: str
    status: str  # InProgress, Failed, Cancelled, Successful
    errors: tuple[str, ...] = ()


class AddonCatalogue(Protocol):
    """Add-ons of one cluster, read-only, as planning needs them."""

    def addons(self) -> Sequence[InstalledAddon]:
        """Every installed add-on but the agent's, by name: one call for the list, and one for each."""
        ...

    def addon_offer(self, name: str, kubernetes: str) -> Offer:
        """The versions for that Kubernetes version."""
        ...

    def addon_accounts(self, name: str, version: str) -> frozenset[str]:
        """The ServiceAccounts to which that version lets one give associations; none if it knows no Pod Identity."""
        ...


class Addons(Protocol):
    """Add-ons of one cluster as the add-on step needs them."""

    def installed_addon(self, name: str) -> InstalledAddon | None:
        """With what an update of it must leave as it is, or None."""
        ...

    def owned_by(self, addon: InstalledAddon, namespace: str) -> Sequence[Association]:
        """The associations that the add-on owns, in full, by ServiceAccount."""
        ...

    def update_addon(
        self, addon: InstalledAddon, associations: Mapping[str, str], *, role_arn: str, token: str
    ) -> AddonUpdate:
        """Makes it own exactly these associations (ServiceAccount to role), version and configuration as in `addon`.

        A `role_arn` is set as well; without one EKS takes away the role it had. `token` makes a repeat idempotent.

        Raises:
            Rejected: reason `busy` while another update runs, `trust-not-accepted` or `role-not-visible` while IAM's
                change has not reached EKS, `exists` when a ServiceAccount has a standalone association; else EKS's own.
        """
        ...

    def addon_update(self, name: str, update_id: str) -> AddonUpdate | None:
        """How far that update is, or None."""
        ...
