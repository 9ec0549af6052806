"""The ServiceAccount's role-arn annotation: there → gone, and back. One key; everything else stays as it is.

One that somebody has in a source of his own is left to him, since he would put it back, and with an association the
webhook ignores it. Such a step changes nothing, there or back: it looks that the annotation is as planned, or gone.
"""

from migrator.model.errors import Rejected
from migrator.model.facts import Json, ServiceAccount
from migrator.model.fleet import Waits
from migrator.model.plan import PlannedStep
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

_OURS_TO_READ = "eks.amazonaws.com/"  # other annotations may hold anything, and the journal is no place for it


class AnnotationStep:
    """Takes the annotation out, or puts it back as it was."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """OTHER when the account is gone, was made anew, or is annotated with another value."""
        account = _account(step, context)
        if account is None:
            return Reading(position=Position.OTHER, note=f'ServiceAccount "{_name(step)}" does not exist any more')
        if account.uid != step.on["uid"] and not _annotated_by_its_owner(step, account):
            note = f'ServiceAccount "{_name(step)}" was made anew: uid {account.uid}, planned was {step.on["uid"]}'
            return Reading(position=Position.OTHER, note=note)
        value = account.annotations.get(step.on["key"])
        image = {"annotations": {k: v for k, v in account.annotations.items() if k.startswith(_OURS_TO_READ)}}
        if _left_to_owner(step, context) and value in (step.before["value"], step.after["value"]):
            return _as_its_owner_has_it(step, value, image)
        if value == step.before["value"]:
            return Reading(position=Position.BEFORE, image=image)
        if value == step.after["value"]:
            return Reading(position=Position.AFTER, image=image)
        note = f'annotation "{step.on["key"]}" of "{_name(step)}" is "{value}", planned was "{step.before["value"]}"'
        return Reading(position=Position.OTHER, image=image, note=note)

    def apply(self, step: PlannedStep, context: Context) -> None:
        """A patch with a test of the value and the uid, after one more look at both.

        What is as wanted by then is done: a write of ours may have been held up until another runner took over.
        """
        account = _account(step, context)
        if account is None:
            raise Rejected(f'ServiceAccount "{_name(step)}" does not exist any more', reason="conflict")
        live = account.annotations.get(step.on["key"])
        if account.uid == step.on["uid"] and live == step.after["value"]:
            return
        if account.uid != step.on["uid"] or live != step.before["value"]:
            text = f'ServiceAccount "{_name(step)}" was changed a moment ago: annotation "{step.on["key"]}" is "{live}"'
            raise Rejected(text, reason="conflict")
        if step.after["value"] is None:
            context.cluster.remove_annotation(account, step.on["key"])
        else:
            context.cluster.add_annotation(account, step.on["key"], step.after["value"])

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Still so; the executor holds this for the reconcile period, since GitOps puts annotations back."""
        account = _account(step, context)
        if account is None:
            return Failed(reason=f'ServiceAccount "{_name(step)}" does not exist any more')
        value = account.annotations.get(step.on["key"])
        if _left_to_owner(step, context) and value in (step.before["value"], step.after["value"]):
            return _settled_by_its_owner(step, value)
        if value == step.after["value"]:
            return Settled(result={"value": value})
        if value == step.before["value"]:
            return NotYet(reason=f'the annotation is back at "{value}": something reconciles it')
        return Failed(reason=f'annotation "{step.on["key"]}" was changed to "{value}" by somebody else')

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """Three reconcile periods: one that must pass undisturbed, and two for a put-back to be seen as one."""
        del step
        return max(3 * waits.reconcile, 10 * waits.poll)

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.reconcile`; what is left to its owner nobody changes."""
        return 0.0 if step.on.get("owner") else waits.reconcile


def _left_to_owner(step: PlannedStep, context: Context) -> bool:
    """What an earlier run of ours took out all the same is ours to put back."""
    return bool(step.on.get("owner")) and not context.forward


def _as_its_owner_has_it(step: PlannedStep, value: str | None, image: Json) -> Reading:
    """There: left, or gone already. Back: it must be there, since without an association it counts again."""
    if value is None and step.after["value"] is not None:
        note = (
            f'annotation "{step.on["key"]}" of "{_name(step)}" was taken out by its owner, {step.on["owner"]}: '
            f'have it put back there, with the value "{step.after["value"]}"'
        )
        return Reading(position=Position.OTHER, image=image, note=note)
    return Reading(position=Position.AFTER, image=image)


def _settled_by_its_owner(step: PlannedStep, value: str | None) -> Settling:
    owner = step.on["owner"]
    if step.after["value"] is not None:
        if value is None:
            return Failed(reason=f"the annotation was taken out by its owner, {owner}")
        return Settled(result={"value": value}, note=f"as its owner, {owner}, has it")
    if value is None:
        return Settled(result={"value": None}, note="gone already")
    return Settled(result={"value": value, "left_to": owner}, note=f"left to {owner}")


def _annotated_by_its_owner(step: PlannedStep, account: ServiceAccount) -> bool:
    """Made anew, and nothing of ours is left to do on it: annotated as it was on the way back, or left to its owner."""
    wanted = step.after["value"]
    return bool(step.on.get("owner")) or (wanted is not None and account.annotations.get(step.on["key"]) == wanted)


def _account(step: PlannedStep, context: Context) -> ServiceAccount | None:
    return context.cluster.service_account(step.on["namespace"], step.on["service_account"])


def _name(step: PlannedStep) -> str:
    return f"{step.on['namespace']}/{step.on['service_account']}"
