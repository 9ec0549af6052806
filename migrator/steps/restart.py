"""The workloads' pods: old → new. Each kind is moved in its own way (`migrator.steps.crowds.ways`).

There, one workload after another, the smallest first as the canary: the next is touched only when all pods of the one
before are up, show the new identity, and get credentials. Back, all together, bare pods too: what one of them suffers
from must not keep the others.

Nothing is done twice. Pods that have the wanted identity are left alone; a stamped controller bears the run's id;
evictions go by the pods' uids, which stand in the memo before the first of them is touched. Which workloads there are
is looked up anew each time. With `restart: natural` the owners replace their pods, over as many runs as it takes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from migrator.model import identity
from migrator.model.fleet import Waits
from migrator.model.identity import Identity
from migrator.model.plan import PlannedStep
from migrator.steps.crowds import bare, ways
from migrator.steps.crowds.canary import held_back
from migrator.steps.crowds.crowd import Crowd, crowds, is_wrong
from migrator.steps.crowds.judged import count, judged, listed, replaced_here
from migrator.steps.crowds.missed import MISSED, Memory
from migrator.steps.crowds.trying import each
from migrator.steps.step import Context, Later, NotYet, Position, Reading, Settled, Settling


class RestartStep:
    """Gives every pod the identity that a pod made now would get."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """AFTER when every pod has the identity already: on the way back, those that were never taken from IRSA."""
        wanted = _wanted(step)
        found = crowds(step, context, wanted)
        left = any(crowd.wrong for crowd in found) or bare.left(context, wanted)
        identities = {str(crowd.ref): str(identity.of_pods(crowd.pods)) for crowd in found}
        image = {"identities": identities, **bare.image(context, wanted)}
        if left:
            return Reading(position=Position.BEFORE, image=image)
        return Reading(position=Position.AFTER, image=image, note=f"no pod to replace: all have {wanted} already")

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Stamps, or evicts one pod, where the memo says that it is to be done; there, where it is a workload's turn.

        A refusal does not keep the rest from being done.

        Raises:
            Rejected: reason `budget` while a PodDisruptionBudget does not allow it; else the API server's, first.
        """
        found = crowds(step, context, _wanted(step), rollouts=True)
        natural, together = _natural(step, context), _together(step, context)
        left = found if together else [c for c in found if ways.look(context, c, natural=natural) is not None][:1]
        turns = [partial(ways.act, context, crowd, natural=natural) for crowd in left]
        if together or not left:
            turns.append(partial(bare.act, context, _wanted(step)))
        each(turns)

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Every workload is whole, and every pod of it has the identity."""
        found = crowds(step, context, _wanted(step), rollouts=True)
        answer = _all(step, context, found) if _together(step, context) else _in_turn(step, context, found)
        if isinstance(answer, NotYet):
            return replace(answer, stage=f"{answer.stage}: {_well(found)} well")
        return answer or _theirs(step, context) or _done(step, context, found)

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.rollout`: for how long it may stand still. Each pod that is replaced is a new stage."""
        del step
        return waits.rollout

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """Verify holds."""
        del step, waits
        return 0.0


def _wanted(step: PlannedStep) -> Identity:
    return Identity.POD_IDENTITY if step.after["restarted"] else Identity.IRSA


def _natural(step: PlannedStep, context: Context) -> bool:
    return bool(step.after["restarted"]) and context.restart == "natural"


def _together(step: PlannedStep, context: Context) -> bool:
    return not step.after["restarted"] or _natural(step, context)


def _all(step: PlannedStep, context: Context, found: Sequence[Crowd]) -> Settling | None:
    """What all need is asked for in one memo; a failure counts once nothing else moves any more."""
    natural = _natural(step, context)
    looks = [*(ways.look(context, crowd, natural=natural) for crowd in found), bare.look(context, _wanted(step))]
    answers = [one for one in looks if one is not None]
    waiting = [one for one in answers if isinstance(one, NotYet)]
    if not waiting:
        return min(answers, key=lambda one: isinstance(one, Later), default=None)
    memos = [one.memo for one in waiting if one.memo is not None]
    return NotYet(
        reason=listed([one.reason for one in waiting]),
        again=any(one.again for one in waiting),
        memo=Memory(context.memory).merged(memos) if memos else None,
        stage="; ".join(one.stage for one in waiting),
    )


def _in_turn(step: PlannedStep, context: Context, found: Sequence[Crowd]) -> Settling | None:
    """The first that is not through; it is touched for the first time only when the one before it proved well."""
    last = None
    for crowd in found:
        answer = ways.look(context, crowd, natural=False)
        if answer is not None:
            begins = not ways.touched(context, crowd) and _touches(answer)
            return (held_back(context, last) if begins else None) or answer
        last = crowd
    answer = bare.look(context, _wanted(step))
    return (held_back(context, last) if _touches(answer) else None) or answer


def _touches(answer: Settling | None) -> bool:
    """Whether it asks for something to be done that was not asked for before."""
    return isinstance(answer, NotYet) and answer.memo is not None


def _well(found: Iterable[Crowd]) -> int:
    return sum(pod.ready and not is_wrong(pod, crowd.wanted) for crowd in found for pod in crowd.pods)


def _theirs(step: PlannedStep, context: Context) -> Settling | None:
    """There: pods of controllers that are not known here. Who took them on in the plan replaces them."""
    if not step.after["restarted"]:
        return None
    service = context.service
    here = replaced_here(context.cluster.workloads_of(service.namespace, service.name))
    pods = judged(context.cluster.pods_of(service.namespace, service.name))
    left = [pod.name for pod in pods if pod.owner not in here and is_wrong(pod, _wanted(step))]
    if not left:
        return None
    return Later(reason=f"waiting for pods that nothing here replaces: {listed(left)}; replace them")


def _done(step: PlannedStep, context: Context, found: Sequence[Crowd]) -> Settled:
    by_owner = _natural(step, context)
    touched = [crowd for crowd in found if ways.touched(context, crowd)]
    again = Memory(context.memory).count(MISSED)
    said = (
        f"{count(len(touched), 'workload')} {'left to the owner, who replaced the pods' if by_owner else 'restarted'}"
    )
    parts = [said] if touched else []
    parts += [f"{count(again, 'pod')} that the webhook had missed made anew once more"] if again else []
    parts += bare.said(context)
    restarted = {str(crowd.ref): "natural" if by_owner else str(crowd.how) for crowd in touched}
    result = {"stamp": context.run, "restarted": restarted, "missed": again, **bare.result(context)}
    return Settled(result=result, note="; ".join(parts) or "nothing to restart")
