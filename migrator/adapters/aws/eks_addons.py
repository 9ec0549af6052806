"""One cluster's EKS add-ons: what is installed, what is on offer, and UpdateAddon."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from migrator.adapters.aws import eks_facts
from migrator.adapters.aws.eks import TAKEN, EksCluster, clear
from migrator.model.addons import AddonUpdate, InstalledAddon, Offer
from migrator.model.errors import Rejected
from migrator.model.facts import Association
from migrator.model.ids import AGENT_ADDON

if TYPE_CHECKING:
    from mypy_boto3_eks.type_defs import AddonPodIdentityAssociationsTypeDef

_STANDALONE = "Association already exists"
_PAGE = 100


class EksAddons:
    """The add-ons of one cluster; thread-safe."""

    def __init__(self, eks: EksCluster) -> None:
        self._eks = eks

    def installed(self) -> Sequence[InstalledAddon]:
        """All but the agent's, by name."""
        names = self._eks.pages(
            lambda token: self._eks.client().list_addons(clusterName=self._eks.name, maxResults=_PAGE, **token),
            "addons",
            "listing add-ons",
        )
        found = (self.one(name) for name in sorted(names) if name != AGENT_ADDON)
        return [addon for addon in found if addon is not None]

    def one(self, name: str) -> InstalledAddon | None:
        """The add-on, or None."""
        found = self._eks.found(
            lambda: self._eks.client().describe_addon(clusterName=self._eks.name, addonName=name)["addon"],
            f'reading add-on "{name}"',
        )
        return None if found is None else eks_facts.installed_addon(found)

    def offer(self, name: str, kubernetes: str) -> Offer:
        """The versions for that Kubernetes version, none if EKS does not offer the add-on for it."""
        entries = self._eks.pages(
            lambda token: self._eks.client().describe_addon_versions(
                addonName=name, kubernetesVersion=kubernetes, maxResults=_PAGE, **token
            ),
            "addons",
            f'reading the versions of add-on "{name}"',
        )
        return eks_facts.offer(entries)

    def accounts(self, name: str, version: str) -> frozenset[str]:
        """The ServiceAccounts that may have associations in that version; none for a version that EKS has withdrawn."""
        found = self._asked(
            lambda: self._eks.client().describe_addon_configuration(addonName=name, addonVersion=version),
            f'reading what add-on "{name}" {version} can be configured with',
        )
        return frozenset(entry["serviceAccount"] for entry in (found or {}).get("podIdentityConfiguration") or ())

    def owned_by(self, addon: InstalledAddon, namespace: str) -> Sequence[Association]:
        """Its associations in full, by ServiceAccount."""
        listed = (one for one in self._eks.associations(namespace) if one.owner_arn == addon.arn)
        full = (self._eks.describe(one) for one in listed)
        return sorted(full, key=lambda one: one.service_account)

    def update(
        self, addon: InstalledAddon, associations: Mapping[str, str], *, role_arn: str, token: str
    ) -> AddonUpdate:
        """UpdateAddon with the whole list; everything else as it is, and as it is in the cluster (PRESERVE).

        Raises:
            Rejected: as the port `Addons` says.
        """
        listing: list[AddonPodIdentityAssociationsTypeDef] = [
            {"serviceAccount": name, "roleArn": arn} for name, arn in sorted(associations.items())
        ]
        kept = {"configurationValues": addon.configuration, "serviceAccountRoleArn": role_arn}
        try:
            answer = self._eks.run(
                lambda: self._eks.client().update_addon(
                    clusterName=self._eks.name,
                    addonName=addon.name,
                    addonVersion=addon.version,
                    resolveConflicts="PRESERVE",
                    clientRequestToken=token,
                    podIdentityAssociations=listing,
                    **{member: value for member, value in kept.items() if value},
                ),
                f'updating add-on "{addon.name}"',
            )
        except Rejected as error:
            raise _clear(error) from error
        return eks_facts.addon_update(answer["update"])

    def update_of(self, name: str, update_id: str) -> AddonUpdate | None:
        """The update, or None."""
        found = self._eks.found(
            lambda: self._eks.client().describe_update(name=self._eks.name, updateId=update_id, addonName=name)[
                "update"
            ],
            f'reading update "{update_id}" of add-on "{name}"',
        )
        return None if found is None else eks_facts.addon_update(found)

    def _asked(self, call: Callable[[], Any], doing: str) -> Any:
        """None for what EKS does not offer: it says so as of a wrong parameter."""
        try:
            return self._eks.found(call, doing)
        except Rejected as error:
            if error.reason == "InvalidParameterException":
                return None
            raise


def _clear(error: Rejected) -> Rejected:
    """EKS has one code for an update under way and for an association that exists: the message tells them apart."""
    if error.reason == TAKEN and _STANDALONE not in error.message:
        return Rejected(error.message, reason="busy", doing=error.doing, remedy=error.remedy)
    return clear(error)
