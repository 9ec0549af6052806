"""The role's trust policy: the service's own pods.eks.amazonaws.com statement, absent → there, and back.

IAM has no compare-and-swap (no ETag, the last writer wins). It gives no bound for how late a read may be, and one of
its readers may be later than another. What is done about it:

- One runner at a time: the role's lock is kept until the document has read back as written for `waits.trust_settle`,
  the time that IAM's readers are given to agree.
- Every write is a merge into, or a removal from, the document just read, and only if the look before showed the same
  one. The adapter looks once more right before it writes, and writes nothing when the document has changed.
- Once two looks have differed, after a write, after a try that was cut off, and where a document contradicts the
  journal, a document without the change is either late, or put back, or somebody else's who wrote over ours. No single
  look tells them apart, and a merge into a late one would undo what others wrote since. So nothing is written until
  every look for `waits.trust_settle` has shown the same: that one is true, and is merged into anew.
- What this tool's other services changed in the role a moment ago is known from the journal: their shares are put right
  in the same write, whatever the document read says.
- After TRIES writes something keeps putting the document back, or writing over it: the step has failed. The count is
  durable before each further try.

What remains: what somebody else writes and no look shows before our write, be it within the one round trip between the
adapter's look and its write or because IAM's readers are late, is overwritten, as by every tool that writes trust
policies. And where readers are later than `waits.trust_settle`, a service that turns round at once may believe a look
from before its own last change.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from migrator.model import trust
from migrator.model.errors import Rejected
from migrator.model.facts import Json, Role
from migrator.model.fleet import Waits
from migrator.model.ownership import OwnerKind, role_owner
from migrator.model.plan import PlannedStep
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

TRIES = 5
_UNDOES = frozenset({OwnerKind.CLOUDFORMATION, OwnerKind.CONTROLLER})  # Terraform's tags are a convention, no proof


class TrustStep:
    """Adds or takes out one service's share of the statements we own; touches nothing else."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """BEFORE and AFTER by whether the live document lets the service's Pod Identity sessions in.

        One that contradicts what the journal knows of the service itself is an old one, and proves no AFTER.
        """
        role = context.trust.role(step.on["role"])
        if role is None:
            return Reading(position=Position.OTHER, note=f'role "{step.on["role"]}" does not exist any more')
        if role.id != step.on["role_id"] and step.after["pod_identity"]:
            note = f'role "{role.arn}" was made anew: its id is {role.id}, planned was {step.on["role_id"]}'
            return Reading(position=Position.OTHER, note=note)
        share = _subject(step).share
        known = {one: there for one, there in context.lately.items() if one.share == share}
        there = _as_wanted(step, context, role) and not _contradicts(role.trust, known)
        return Reading(
            position=Position.AFTER if there else Position.BEFORE,
            image=_image(step, role),
            ours=_ours(step, role),
            shared=_ours(step, role) and step.after["pod_identity"] and share != _subject(step),
        )

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Merges into, or takes out of, the document as it is at this moment; writes nothing into a doubtful one."""
        role = self._role(step, context)
        if not _certain(role.trust, context):
            return  # `settled` has it tried again, once IAM had its time
        edited = _edited(step, context, role)
        if edited != role.trust:
            _refuse_owned(step, role)
        _refuse_hopeless(step, role, edited)
        if edited != role.trust:
            _write(context, role, edited)

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """The document reads back as wanted. That EKS accepts it is shown when the association is made."""
        role = context.trust.role(step.on["role"])
        if role is None:
            return Failed(reason=f'role "{step.on["role"]}" does not exist any more')
        if _as_wanted(step, context, role) and not _contradicts(role.trust, _others(step, context)):
            return Settled(result={"trust": role.trust}, note=_note(step, context, role))
        memory: Mapping[str, Json] = context.memory or {"tries": 1}
        memo = {"tries": memory["tries"], "seen": _digest(role.trust), "write": False}
        if memory.get("seen") != memo["seen"]:  # from here on it has to stay the same
            return NotYet(reason="the trust policy does not read back as written yet", again=True, memo=memo)
        if context.waited < context.waits.trust_settle:
            return NotYet(reason="the trust policy does not read back as written")
        if memory["tries"] >= TRIES:
            return Failed(reason=_given_up(step, context, role))
        memo |= {"tries": memory["tries"] + 1, "write": True}
        return NotYet(reason="the trust policy has lost our change", again=True, memo=memo)

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
    return trust.subject_from(_named(step))


def _named(step: PlannedStep) -> Mapping[str, Json]:
    named: Mapping[str, Json] = step.after.get("subject") or step.before["subject"]
    return named


def _to_take_out(step: PlannedStep, context: Context) -> list[trust.Subject]:
    """What the plan says, and what the journal says was put in, should an earlier plan have said otherwise.

    But for shares that other services use as well: the last of them takes those out.
    """
    image = context.forward.get("image") or {}
    ours = {_subject(step), trust.subject_from(image["subject"]) if "subject" in image else _subject(step)}
    users = context.past().users if any(one.share != one for one in ours) else {}
    return sorted(one for one in ours if not users.get(one.share))


def _image(step: PlannedStep, role: Role) -> Json:
    """The document as it was, and what is about to be done: other runners go by it."""
    return {"trust": role.trust, "role": step.on["role"], "subject": _named(step), "there": step.after["pod_identity"]}


def _as_wanted(step: PlannedStep, context: Context, role: Role) -> bool:
    """There: the sessions are let in, by the plan's share or by others. Back: no share of the service's own is left."""
    if step.after["pod_identity"]:
        return trust.granted(role.trust, _subject(step))
    return not {one.share for one in _to_take_out(step, context)} & trust.ours(role.trust)


def _ours(step: PlannedStep, role: Role) -> bool:
    return not step.after["pod_identity"] or _subject(step).share in trust.ours(role.trust)


def _note(step: PlannedStep, context: Context, role: Role) -> str:
    size = f"trust policy {trust.size(role.trust)} characters"
    if step.after["pod_identity"] or _to_take_out(step, context):
        return size
    users = sorted(map(str, context.past().users[_subject(step).share]))
    return f"{size}; the statement stays, for it serves {', '.join(users)} as well"


def _contradicts(document: str, lately: Mapping[trust.Subject, bool]) -> bool:
    """Whether the document lacks a share just put in, or still has one just taken out."""
    ours = trust.ours(document)
    return any(
        not (one.share in ours or trust.allows(document, one)) if there else one.share in ours
        for one, there in lately.items()
    )


def _certain(document: str, context: Context) -> bool:
    """Whether the document may be built on: the look before this try showed the same, and nothing speaks against it."""
    if context.cut_off:
        return False
    if context.memory is not None:
        return bool(context.memory["write"]) and context.memory["seen"] == _digest(document)
    before = (context.image or {}).get("trust", document)
    return bool(before == document) and not _contradicts(document, context.lately)


def _others(step: PlannedStep, context: Context) -> Mapping[trust.Subject, bool]:
    share = _subject(step).share
    return {one: there for one, there in context.lately.items() if one.share != share}


def _edited(step: PlannedStep, context: Context, role: Role) -> str:
    """The role's document with our change in it, and with every other service's share as the journal knows it."""
    subject, others = _subject(step), _others(step, context)
    wanted = {one for one, there in others.items() if there}
    gone = [one for one, there in others.items() if not there]
    if step.after["pod_identity"]:
        return trust.merge_all(_without(role.trust, gone), wanted | {subject}).document
    kept = trust.merge_all(_without(role.trust, gone), wanted).document
    removed = _taken_out(kept, _to_take_out(step, context), context)
    if removed.empty:  # IAM refuses a document without statements, and rightly: nobody could assume the role
        raise Rejected(f'role "{role.arn}" would trust nobody without our statement', reason="empty-trust")
    return removed.document


def _taken_out(document: str, subjects: Sequence[trust.Subject], context: Context) -> trust.Removed:
    """Where others of ours came and went in between, their images are looked through as well, and only then."""
    image = (context.forward.get("image") or {}).get("trust")
    if not subjects:
        return trust.Removed(document=document, changed=False, size=trust.size(document))
    *first, last = subjects
    left = _without(document, first)
    removed = trust.remove(left, last, before_image=image)
    if removed.document == image or trust.ours(removed.document):
        return removed
    return trust.remove(left, last, before_image=image, earlier=context.past().images)


def _without(document: str, gone: Iterable[trust.Subject]) -> str:
    for subject in gone:
        document = trust.remove(document, subject).document
    return document


def _refuse_owned(step: PlannedStep, role: Role) -> None:
    """A plan may be older than the role's stack. What we put in once we may take out, whoever owns the role by now."""
    owner = role_owner(role) if step.after["pod_identity"] else None
    if owner is not None and owner.kind in _UNDOES:
        text = f'role "{role.arn}" belongs to {owner.name}: its trust policy is not edited behind it'
        raise Rejected(text, reason="owned", remedy="plan again: the plan has the change to make at the source")


def _refuse_hopeless(step: PlannedStep, role: Role, edited: str) -> None:
    if step.after["pod_identity"] and not trust.granted(edited, _subject(step)):
        text = f'the trust policy of role "{role.arn}" denies Pod Identity, whatever is added to it'
        raise Rejected(text, reason="denied", remedy="take the Deny statement out, then plan again")
    size = trust.size(edited)
    if size > max(trust.LARGEST, trust.size(role.trust)):  # up to there it is for IAM to say what the account allows
        text = f'the trust policy of role "{role.arn}" would be {size} characters long; no account allows more than'
        raise Rejected(f"{text} {trust.LARGEST}", reason="too-large", remedy="shorten it, then plan again")


def _write(context: Context, role: Role, edited: str) -> None:
    try:
        context.trust.write_trust(role, edited)
    except Rejected as error:
        if error.reason != "conflict":
            raise
        # Somebody was faster and nothing was written: `settled` finds our change missing and has it merged into theirs.


def _given_up(step: PlannedStep, context: Context, role: Role) -> str:
    """What the live document says, and what that means."""
    subject, size = _subject(step), trust.size(role.trust)
    if _as_wanted(step, context, role):
        what = "lacks what other services have there, or still has what was taken out for them"
    elif step.after["pod_identity"]:
        what = f'does not let "{subject.namespace}/{subject.name}" in by Pod Identity'
    else:
        what = f'still has our statement for "{subject.namespace}/{subject.name}"'
    text = f'after {TRIES} tries the trust policy of role "{role.arn}", now of {size} characters, {what}'
    return f"{text}: something keeps putting it back, or writing over it; make the change where the role is managed"


def _digest(document: str) -> str:
    return sha256(document.encode()).hexdigest()[:16]
