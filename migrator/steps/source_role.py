"""The source role of a service whose role lives in another account: none → there with its one permission; and back.

It takes two calls, the role and its inline policy, and what a kill left between them is completed. Its name belongs to
the service alone, and its trust lets nobody else in: whoever else uses it has changed it or hung something on it, and
then the way back leaves it be.
"""

from migrator.model import trust
from migrator.model.errors import Rejected
from migrator.model.facts import Json, SourceRole
from migrator.model.fleet import Waits
from migrator.model.plan import PlannedStep
from migrator.model.source_role import RUN_TAG
from migrator.model.trust.document import minified
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

_LATE = frozenset({"exists", "NoSuchEntity"})  # IAM's readers do not agree yet: the next look tells
_OF_OTHERS = frozenset({"in-use", "replaced"})  # it stays: the next look tells


class SourceRoleStep:
    """Makes the role, or deletes the one that this service's walk there made."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """OTHER when a role of that name is not this tool's for the service, or somebody changed it."""
        try:
            role = context.trust.source_role(step.on["role"])
        except Rejected as error:
            return Reading(position=Position.OTHER, note=error.message)
        image = _image(role)
        if not step.after["made"]:
            kept = _kept(step, context, role)
            there = role is not None and not kept
            return Reading(position=Position.BEFORE if there else Position.AFTER, image=image, note=kept)
        if role is None:
            return Reading(position=Position.BEFORE, image=image)
        problem = _problem(step, role)
        if problem:
            return Reading(position=Position.OTHER, image=image, note=problem)
        if role.policy is None:
            return Reading(position=Position.BEFORE, image=image)
        return Reading(position=Position.AFTER, image=image, ours=role.tags.get(RUN_TAG) == context.run)

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Makes what is missing of it, or deletes it; the live role is looked at first.

        Raises:
            Rejected: reason `conflict` when somebody else has made a role of that name meanwhile; else IAM's own.
        """
        role = context.trust.source_role(step.on["role"])
        try:
            if step.after["made"]:
                _make(step, context, role)
            elif role is not None and not _kept(step, context, role):
                context.trust.delete_source_role(role)
        except Rejected as error:
            if error.reason not in _LATE | _OF_OTHERS:
                raise

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Read back. That EKS accepts it is shown when the association is made, what it may do by a pod."""
        role = context.trust.source_role(step.on["role"])
        if not step.after["made"]:
            return _gone(step, context, role)
        if role is None:
            late = context.waited >= context.waits.trust_settle
            return NotYet(reason="IAM does not show the source role yet", again=late)
        problem = _problem(step, role)
        if problem:
            return Failed(reason=problem)
        if role.policy is None:
            return NotYet(reason="the source role has no permission yet", again=True)
        return Settled(result={"role_id": role.id}, note=f"role {role.arn.rpartition('/')[2]}")

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.trust`."""
        del step
        return waits.trust

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.trust_settle`; back, a look that does not show the role may be older than the role."""
        del step
        return waits.trust_settle


def _make(step: PlannedStep, context: Context, role: SourceRole | None) -> None:
    arn, wanted = step.on["role"], step.after
    if role is None:
        tags = {**wanted["tags"], RUN_TAG: context.run}
        context.trust.create_source_role(arn, trust=minified(wanted["trust"]), tags=tags)
    else:
        problem = _problem(step, role)
        if problem:
            raise Rejected(problem, reason="conflict")
    if role is None or role.policy is None:
        context.trust.permit(arn, minified(wanted["policy"]))


def _gone(step: PlannedStep, context: Context, role: SourceRole | None) -> Settling:
    kept = _kept(step, context, role)
    if role is None or kept:
        return Settled(note=kept)
    return NotYet(reason="the source role is still there", again=True)


def _problem(step: PlannedStep, role: SourceRole) -> str:
    """Why it is not the role that the plan wants; one without its permission may still get it."""
    wanted = step.after
    if not wanted["tags"].items() <= role.tags.items():
        return f'role "{role.arn}" was not made by this tool for the service: it lacks its tags'
    if not trust.allows(role.trust, _subject(step)):
        return f'somebody changed the trust policy of role "{role.arn}": it does not let the service in any more'
    if role.policy is not None and not _same(role.policy, wanted["policy"]):
        return f'somebody changed the permission of role "{role.arn}"'
    return ""


def _kept(step: PlannedStep, context: Context, role: SourceRole | None) -> str:
    """Why the way back leaves it be; empty when it is ours, as we made it, and nothing else hangs on it."""
    if role is None:
        return ""
    made = step.before
    if role.tags.get(RUN_TAG) not in context.forward.get("runs", ()):
        return f'role "{role.arn}" was not made by the walk there, and stays'
    if not _same(role.trust, made["trust"]) or not (role.policy is None or _same(role.policy, made["policy"])):
        return f'role "{role.arn}" was changed by somebody else, and stays'
    others = context.trust.attached_to(role.arn)
    return f'role "{role.arn}" is in use by somebody else ({", ".join(others)}), and stays' if others else ""


def _subject(step: PlannedStep) -> trust.Subject:
    return trust.subject_from(step.on["subject"])


def _same(document: str, planned: Json) -> bool:
    return trust.same_policy(document, minified(planned))


def _image(role: SourceRole | None) -> Json:
    """How it was; not None, so that a step that failed is known to have begun."""
    if role is None:
        return {"source_role": None}
    return {"source_role": {"arn": role.arn, "id": role.id, "trust": role.trust, "policy": role.policy}}
