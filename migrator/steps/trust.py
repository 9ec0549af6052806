"""The role's trust policy: the service's own pods.eks.amazonaws.com statement, absent → there, and back.

The merge is computed on the live document. IAM has no compare-and-swap (no ETag, last writer wins) and its reads may be
stale, so the role's lock is kept until the document has read back as written for a while: the next service of the role
then merges into a document that has reached IAM's other readers.
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
        if role.id != step.on["role_id"] and step.after["pod_identity"]:
            note = f'role "{role.arn}" was made anew: its id is {role.id}, planned was {step.on["role_id"]}'
            return Reading(position=Position.OTHER, note=note)
        position = Position.AFTER if _as_wanted(step, role) else Position.BEFORE
        return Reading(position=position, image={"trust": role.trust}, ours=_ours(step, role))

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Merges into, or takes out of, the document as it is at this moment."""
        role = self._role(step, context)
        edited = _edited(step, context, role)
        if step.after["pod_identity"] and not trust.allows(edited, _subject(step)):
            text = f'the trust policy of role "{role.arn}" denies Pod Identity, whatever is added to it'
            raise Rejected(text, reason="denied", remedy="take the Deny statement out, then plan again")
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

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.trust`."""
        del step
        return waits.trust

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.trust_settle`."""
        del step
        return waits.trust_settle

    def _role(self, step: PlannedStep, context: Context) -> Role:
        role = context.trust.role(step.on["role"])
        if role is None or (role.id != step.on["role_id"] and step.after["pod_identity"]):
            raise Rejected(f'role "{step.on["role"]}" was deleted or made anew a moment ago', reason="conflict")
        return role


def _subject(step: PlannedStep) -> trust.Subject:
    return trust.Subject(**(step.after.get("subject") or step.before["subject"]))


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
    removed = trust.remove(role.trust, subject, before_image=image)
    if removed.empty:  # IAM refuses a document without statements, and rightly: nobody could assume the role
        raise Rejected(f'role "{role.arn}" would trust nobody without our statement', reason="empty-trust")
    return removed.document
