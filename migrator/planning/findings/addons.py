"""Rules about ServiceAccounts that belong to EKS add-ons.

Source: the EKS user guide, "IAM roles for Amazon EKS add-ons" and "Retrieve IAM information about an add-on".
"""

from collections.abc import Iterator

from migrator.model.addons import InstalledAddon
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.ownership import ADDON_MANAGER
from migrator.model.plan import Finding
from migrator.planning.addon_owners import AddonOwner
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found

_CNI = "vpc-cni"
_ROLE = "serviceAccountRoleArn"


def judge(case: Case) -> Iterator[Finding]:
    """Findings about the add-on, and about ones that may own the ServiceAccount without saying so."""
    account = f"ServiceAccount {case.service.name}"
    if case.addon is not None:
        yield from _owned(case, case.addon)
    elif any(one.name == ADDON_MANAGER for one in case.account.managers):
        yield found("addon-unclaimed", account, f"managedFields of {ROLE_ARN_ANNOTATION}", ADDON_MANAGER)
    for addon in case.nameless:
        yield from _perhaps(case, addon)


def _owned(case: Case, owner: AddonOwner) -> Iterator[Finding]:
    addon = owner.addon
    if not owner.supported:
        yield found("addon-unsupported", addon.name, "addonVersion", addon.version, first=owner.first)
        return
    yield found("addon-owned", addon.name, "podIdentityConfiguration", case.service.name, version=addon.version)
    if addon.status != "ACTIVE":
        yield found("addon-not-active", addon.name, "status", " ".join([addon.status, *addon.issues]))
    if addon.role_arn and case.account.role_arn and case.account.role_arn != addon.role_arn:
        yield found("addon-other-role", addon.name, _ROLE, addon.role_arn, annotated=case.account.role_arn)
    if addon.name == _CNI:
        yield found("addon-cni", addon.name, "addonName", addon.name)
    if case.association is not None and not case.association.owner_arn:
        yield found("addon-standalone", case.association.id, "ownerArn", "", addon=addon.name)


def _perhaps(case: Case, addon: InstalledAddon) -> Iterator[Finding]:
    """A warning may go by the role; what is planned never does."""
    there = not addon.namespace or addon.namespace == case.service.namespace
    if there and case.addon is None and case.role.written == addon.role_arn:
        account = f"ServiceAccount {case.service.name}"
        yield found("addon-perhaps", account, ROLE_ARN_ANNOTATION, addon.role_arn, addon=addon.name)
