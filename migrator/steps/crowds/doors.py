"""Whether every role on the way of a service's sessions lets them in: one, or the source role and its target."""

from migrator.model import trust
from migrator.steps.step import Context


def closed(context: Context, cluster_arn: str) -> str:
    """Which role does not, and why; empty when all do, or none is known. IAM's reads may be stale: wait."""
    service = context.service
    own = trust.Subject(cluster_arn, service.namespace, service.name)
    for arn, subject in (context.lets_in or ({context.role_arn: own} if context.role_arn else {})).items():
        role = context.trust.role(arn)
        if role is None:
            return f'role "{arn}" is not to be found'
        if not trust.allows(role.trust, subject):
            return f'the trust policy of role "{role.arn}" no longer lets "{service}" in by Pod Identity'
    return ""
