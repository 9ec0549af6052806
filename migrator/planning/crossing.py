"""Services whose role lives in another account: what keeps the plan from reaching it through a source role.

An association takes a role of the cluster's account. The old role becomes its target role, which a source role of the
service's own may assume (EKS user guide, "pod-id-assign-target-role").
"""

from migrator.planning.case import Case


def crosses(case: Case) -> bool:
    """Whether the role is of another account of the cluster's partition."""
    arn, cluster = case.role.arn, case.cluster
    return arn is not None and arn.partition == cluster.partition and arn.account != cluster.account


def refusal(case: Case) -> str:
    """Why a role of another account is not planned for; empty when it is, or when it is no such role."""
    if not crosses(case):
        return ""
    if case.policy.cross_account == "block":
        return "the fleet's policy.cross_account is block"
    if case.addon is not None or (case.association is not None and case.association.owner_arn):
        return "its ServiceAccount belongs to an add-on, whose associations have no target role"
    return "its account cannot be read" if case.role.unreadable else ""
