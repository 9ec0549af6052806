"""The steps of a ServiceAccount that belongs to an EKS add-on: the add-on is updated instead of what it owns.

It makes the association, takes the annotation away and rolls its pods by itself. So there is no step for those: a
standalone association could not be adopted by the add-on, an annotation taken out would be put back, and a restart of
ours would be a second one.
"""

from migrator.model.facts import Json
from migrator.model.plan import PlannedStep, StepKind
from migrator.planning.addon_owners import AddonOwner
from migrator.planning.case import Case


def addon_there(case: Case, owner: AddonOwner) -> PlannedStep:
    """No association, or the add-on's own → the add-on's own, to the role."""
    now = case.association.role_arn if case.association is not None else None
    return _step(case, owner, {"role_arn": now}, {"role_arn": case.role.written})


def addon_back(case: Case, owner: AddonOwner) -> PlannedStep:
    """The add-on's own → none, and the add-on has the role again by which EKS annotates its ServiceAccounts."""
    role = owner.addon.role_arn or (None if case.account.role_arn else case.role.written)
    after = {"role_arn": None, "service_account_role_arn": role}
    return _step(case, owner, {"role_arn": case.role.written}, after)


def _step(case: Case, owner: AddonOwner, before: Json, after: Json) -> PlannedStep:
    on = {
        "cluster": case.cluster.name,
        "addon": owner.addon.name,
        "arn": owner.addon.arn,
        "namespace": case.service.namespace,
        "service_account": case.service.name,
        "others": list(owner.others),
    }
    return PlannedStep(id=StepKind.ADDON.value, kind=StepKind.ADDON, on=on, before=before, after=after)
