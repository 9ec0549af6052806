"""The role's trust policy: the service's own pods.eks.amazonaws.com statement, absent → there, and back.

The merge is computed on the live document; IAM has no compare-and-swap (no ETag, last writer wins), so the step reads,
merges, writes and reads back, and looks again whether everything foreign is still there.
"""

from migrator.model import trust
from migrator.model.errors import Rejected
from migrator.model.facts import Role
from migrator.model.fleet import Waits
from migrator.model.plan import PlannedStep
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling


class TrustStep:
    """Adds or takes out one service's share of the statements we own; touches nothing else."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """BEFORE and AFTER by whether the live document lets the service's Pod Identity sessions in."""
        role = context.trust.role(step.on["role"])
        if role is None:
            return Reading(position=Position.OTHER, note=f'role "{step.on["role"]}" does not exist any more')
        if role.id != step.on["role_id"]:
            note = f'role "{role.arn}" was made anew: its id is {role.id}, planned was {step.on["role_id"]}'
            return Reading(position=Position.OTHER, note=note)
        position = Position.AFTER if _as_wanted(step, role) else Position.BEFORE
        return Reading(position=position, image={"trust": role.trust}, ours=_ours(step, role))

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Merges into, or takes out of, the document as it is at this moment."""
        role = self._role(step, context)
        edited = _edited(step, context, role)
        if edited != role.trust:
            context.trust.write_trust(role, edited)

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """The document reads back as wanted. That EKS accepts it is shown when the association is made."""
        role = context.trust.role(step.on["role"])
        if role is None:
            return Failed(reason=f'role "{step.on["role"]}" does not exist any more')
        if not _as_wanted(step, role):
            return NotYet(reason="the trust policy does not read back as written yet")
        size = trust.size(role.trust)
        return Settled(result={"trust": role.trust}, note=f"trust policy {size} characters")

    def deadline(self, waits: Waits) -> float:
        """The fleet's `waits.trust`."""
        return waits.trust

    def hold(self, waits: Waits) -> float:
        """One faithful read-back is enough; propagation shows at the association."""
        del waits
        return 0.0

    def _role(self, step: PlannedStep, context: Context) -> Role:
        role = context.trust.role(step.on["role"])
        if role is None:
            raise Rejected(f'role "{step.on["role"]}" does not exist any more', reason="no-role")
        return role


def _subject(step: PlannedStep) -> trust.Subject:
    wanted = step.after if step.after["pod_identity"] else step.before
    return trust.Subject(**wanted["subject"])


def _as_wanted(step: PlannedStep, role: Role) -> bool:
    """There: the sessions are let in, by whichever statement. Back: we no longer have a share in any statement."""
    subject = _subject(step)
    if step.after["pod_identity"]:
        return trust.allows(role.trust, subject)
    return subject not in trust.ours(role.trust)


def _ours(step: PlannedStep, role: Role) -> bool:
    return not step.after["pod_identity"] or _subject(step) in trust.ours(role.trust)


def _edited(step: PlannedStep, context: Context, role: Role) -> str:
    subject = _subject(step)
    if step.after["pod_identity"]:
        return trust.merge(role.trust, subject).document
    image = (context.forward.get("image") or {}).get("trust")
    return trust.remove(role.trust, subject, before_image=image).document
