"""Which ServiceAccounts belong to EKS add-ons: told by namespace and name, as EKS tells them, and never by their role.

A version that knows Pod Identity names its ServiceAccounts in DescribeAddonConfiguration; one that does not names none,
and then the first version that does is looked for, by halving: its names are the add-on's.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from migrator.model.addons import AddonCatalogue, InstalledAddon, Offer
from migrator.model.errors import NotPermitted
from migrator.model.facts import Cluster, Unread

_Key = tuple[str, str]  # namespace, ServiceAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonOwner:
    """The add-on that a ServiceAccount belongs to; `others` are the names of its other ServiceAccounts.

    `first` is the first version that knows Pod Identity, where the installed one does not; else it is empty.
    """

    addon: InstalledAddon
    others: tuple[str, ...] = ()
    first: str = ""

    @property
    def supported(self) -> bool:
        """Whether the installed version knows Pod Identity."""
        return not self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Of one cluster: by ServiceAccount its add-on; `nameless` are add-ons with a role that never name any."""

    by_account: Mapping[_Key, AddonOwner] = field(default_factory=dict)
    nameless: tuple[InstalledAddon, ...] = ()
    unread: tuple[Unread, ...] = ()


def owners(catalogue: AddonCatalogue, cluster: Cluster, accounts: Collection[_Key]) -> Owners:
    """The add-ons of these annotated ServiceAccounts; the number of calls grows with the add-ons only."""
    found: dict[_Key, AddonOwner] = {}
    nameless: list[InstalledAddon] = []
    try:
        for addon in catalogue.addons():
            owned = _of(catalogue, addon, cluster.version, accounts)
            found.update(owned or {})
            if owned is None and addon.role_arn:
                nameless.append(addon)
    except NotPermitted as error:
        return Owners(by_account=found, unread=(Unread(what="the EKS add-ons", why=error.message),))
    return Owners(by_account=found, nameless=tuple(nameless))


def _of(
    catalogue: AddonCatalogue, addon: InstalledAddon, kubernetes: str, accounts: Collection[_Key]
) -> Mapping[_Key, AddonOwner] | None:
    """Its ServiceAccounts among these; None when no version names any."""
    offer = None if addon.namespace else catalogue.addon_offer(addon.name, kubernetes)
    namespace = addon.namespace or (offer.namespace if offer else "")
    if not any(place == namespace for place, _ in accounts):
        return {}
    names, first = catalogue.addon_accounts(addon.name, addon.version), ""
    if not names:
        offer = offer or catalogue.addon_offer(addon.name, kubernetes)
        if not (addon.role_arn or offer.needs_role):
            return {}  # it needs no role in any version: nothing of it is ours to move
        first, names = _first(catalogue, addon, offer)
        if not first:
            return None
    return {
        (namespace, name): AddonOwner(addon=addon, others=tuple(sorted(names - {name})), first=first)
        for name in names
        if (namespace, name) in accounts
    }


def _first(catalogue: AddonCatalogue, addon: InstalledAddon, offer: Offer) -> tuple[str, frozenset[str]]:
    """The first version that names ServiceAccounts, and the names; empty when the newest does not either.

    A version that knows Pod Identity is taken to be followed by ones that do.
    """
    newer = sorted((one for one in offer.versions if numbers(one) > numbers(addon.version)), key=numbers)
    names = catalogue.addon_accounts(addon.name, newer[-1]) if newer else frozenset[str]()
    if not names:
        return "", names
    low, high = 0, len(newer) - 1
    while low < high:
        middle = (low + high) // 2
        seen = catalogue.addon_accounts(addon.name, newer[middle])
        low, high, names = (low, middle, seen) if seen else (middle + 1, high, names)
    return newer[high], names


def numbers(version: str) -> tuple[int, ...]:
    """A version to be compared: `v1.26.0-eksbuild.1` is 1, 26, 0, 1."""
    return tuple(int(number) for number in re.findall(r"\d+", version))
