"""The workloads' pods: old → new. Each kind is moved in its own way (`migrator.model.moving`).

There, one workload after another, the smallest first as the canary: the next is touched only when all pods of the one
before are up and show the new identity. Back, all together: what one of them suffers from must not keep the others.

Nothing is done twice. Pods that have the wanted identity are left alone; a stamped controller bears the run's id;
evictions go by the pods' uids, which stand in the memo before the first of them is touched. Which workloads there are
is looked up anew each time. With `restart: natural` the owners replace their pods, over as many runs as it takes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from migrator.model import identity
from migrator.model.facts import Pod, Rollout
from migrator.model.fleet import Waits
from migrator.model.identity import Identity
from migrator.model.ids import RESTART_STAMP
from migrator.model.moving import How
from migrator.model.plan import PlannedStep
from migrator.steps import bare
from migrator.steps.crowd import Crowd, crowds, is_wrong
from migrator.steps.missed import BEFORE, MISSED, Memory, evict_next, held_up, rerolled, uids_of
from migrator.steps.pods import count, judged, listed, replaced_here
from migrator.steps.step import Context, Failed, Later, NotYet, Position, Reading, Settled, Settling

_ASKED = "asked"  # the tries at stamping a workload, numbered
_TRIES = 3
_SLOW_STARTS = frozenset({"", "ContainerCreating", "PodInitializing"})


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

        Raises:
            Rejected: reason `budget` while a PodDisruptionBudget does not allow it.
        """
        found = crowds(step, context, _wanted(step))
        turns = found if _together(step, context) else [c for c in found if _look(step, context, c) is not None][:1]
        for crowd in turns:
            _act(step, context, crowd)
        if _together(step, context) or not turns:
            bare.act(context, _wanted(step))

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Every workload is whole, and every pod of it has the identity."""
        found = crowds(step, context, _wanted(step))
        looks = (_look(step, context, crowd) for crowd in found)
        answer = _worst(looks) if _together(step, context) else next((one for one in looks if one), None)
        return answer or bare.look(context, _wanted(step)) or _theirs(step, context) or _done(context, found)

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.rollout`, for each workload: each is a stage of its own."""
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


def _worst(looks: Iterable[Settling | None]) -> Settling | None:
    """What is to be done comes first, then what is under way; a failure counts once nothing else moves any more."""
    return min((one for one in looks if one is not None), key=_rank, default=None)


def _rank(answer: Settling) -> int:
    if isinstance(answer, NotYet):
        return 0 if answer.again else 1
    return 2 if isinstance(answer, Failed) else 3


def _look(step: PlannedStep, context: Context, crowd: Crowd) -> Settling | None:
    """None when the workload is through."""
    if _natural(step, context):
        return _waiting(context, crowd)
    return _evicting(context, crowd) if crowd.how is How.EVICT else _rolling(context, crowd)


def _act(step: PlannedStep, context: Context, crowd: Crowd) -> None:
    memory = Memory(context.memory)
    due = memory.uids(MISSED, crowd.ref)
    if _natural(step, context):
        evict_next(context.cluster, crowd, due)
        return
    if crowd.how is How.EVICT:
        due |= memory.uids(BEFORE, crowd.ref)
    elif memory.has(_ASKED, crowd.ref):
        rollout = context.cluster.rollout(crowd.ref)
        if rollout is not None and rollout.stamp != context.run and crowd.wrong:
            context.cluster.restart(crowd.ref, context.run)
            return
    evict_next(context.cluster, crowd, due)


def _rolling(context: Context, crowd: Crowd) -> Settling | None:
    """A controller that rolls: asked once by the run's stamp, and again when somebody takes the stamp out."""
    rollout = context.cluster.rollout(crowd.ref)
    if rollout is None:
        return None
    stamped = rollout.stamp == context.run
    if crowd.wrong and not stamped:
        return _to_be_asked(context, crowd)
    missed = rerolled(_new(crowd, context, rollout), Memory(context.memory), context.refused)
    if missed is None and rollout.failure:
        return Failed(reason=f"{crowd.ref}: {rollout.failure}")
    if missed is None and not (rollout.complete and crowd.whole):  # the status may not know of an eviction yet
        return NotYet(reason=_progress(crowd, rollout), stage=str(crowd.ref))
    return missed


def _new(crowd: Crowd, context: Context, rollout: Rollout) -> Crowd:
    """The pods that can be judged: all of a rollout that is through; before, new ones that fail and hold it up."""
    if rollout.complete:
        return crowd
    new = (pod for pod in crowd.pods if pod.annotations.get(RESTART_STAMP) == context.run)
    return replace(crowd, pods=tuple(pod for pod in new if pod.trouble not in _SLOW_STARTS))


def _to_be_asked(context: Context, crowd: Crowd) -> Settling:
    memory = Memory(context.memory)
    tries = memory.uids(_ASKED, crowd.ref)
    if len(tries) >= _TRIES:
        return Failed(reason=f"{crowd.ref}: its restart was taken out {_TRIES} times: something puts the old one back")
    memo = memory.adding(_ASKED, crowd.ref, [str(len(tries) + 1)])
    return NotYet(reason=f"{crowd.ref} is to be restarted", again=True, memo=memo, stage=str(crowd.ref))


def _evicting(context: Context, crowd: Crowd) -> Settling | None:
    """Nobody rolls it: its wrong pods go one after another, the next only when the workload is whole again."""
    memory = Memory(context.memory)
    stage = str(crowd.ref)
    if not memory.has(BEFORE, crowd.ref):
        if not crowd.wrong:
            return None if crowd.whole else NotYet(reason=_filling(crowd), stage=stage)
        reason = f"{crowd.ref}: {count(len(crowd.wrong), 'pod')} to be evicted one after another"
        memo = memory.adding(BEFORE, crowd.ref, uids_of(crowd.wrong))
        return NotYet(reason=reason, again=True, memo=memo, stage=stage)
    before = memory.uids(BEFORE, crowd.ref)
    left = [pod for pod in crowd.wrong if pod.uid in before]
    gone = len(before) - len(before & {pod.uid for pod in crowd.pods})
    missed = rerolled(crowd, memory, context.refused, allowed=gone)
    if missed is not None:
        return missed
    if not left:
        return None if crowd.whole else NotYet(reason=_filling(crowd), stage=stage)
    reason = f"{crowd.ref}: {gone} of {count(len(before), 'pod')} replaced, one after another"
    waits_for = held_up(context.refused) or ("" if crowd.whole else f"; {_filling(crowd)}")
    return NotYet(reason=f"{reason}{waits_for}", again=True, stage=stage)


def _waiting(context: Context, crowd: Crowd) -> Settling | None:
    """Its owner replaces the pods in its own time; only those that were missed are evicted."""
    memory = Memory(context.memory)
    if not memory.has(BEFORE, crowd.ref):
        if not crowd.wrong:
            return None
        memo = memory.adding(BEFORE, crowd.ref, uids_of(crowd.wrong))
        return NotYet(reason=f"{crowd.ref} is left to its owner", again=True, memo=memo)
    before = memory.uids(BEFORE, crowd.ref)
    missed = rerolled(crowd, memory, context.refused, allowed=len(before - {pod.uid for pod in crowd.pods}))
    if missed is not None or not crowd.wrong:
        return missed
    said = f"{len(crowd.wrong)} of {count(len(crowd.pods), 'pod')} of {crowd.ref} do not have {crowd.wanted} yet"
    return Later(reason=f"{said}: their owner has not replaced them")


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


def _done(context: Context, found: Sequence[Crowd]) -> Settled:
    memory = Memory(context.memory)
    touched = [c for c in found if memory.has(BEFORE, c.ref) or memory.has(_ASKED, c.ref)]
    again = memory.count(MISSED)
    parts = [f"{count(len(touched), 'workload')} restarted"] if touched else []
    parts += [f"{count(again, 'pod')} that the webhook had missed made anew once more"] if again else []
    parts += bare.said(context)
    result = {"stamp": context.run, "restarted": {str(c.ref): str(c.how) for c in touched}, "missed": again}
    return Settled(result=result, note="; ".join(parts) or "nothing to restart")


def _progress(crowd: Crowd, rollout: Rollout) -> str:
    counts = f"{rollout.updated} of {rollout.desired} updated, {rollout.ready} ready, {rollout.old} old"
    return f"{crowd.ref}: {counts}{_troubles(crowd.pods)}"


def _filling(crowd: Crowd) -> str:
    ready = sum(pod.ready for pod in crowd.pods)
    return f"{crowd.ref}: {ready} of {count(crowd.workload.replicas, 'pod')} ready{_troubles(crowd.pods)}"


def _troubles(pods: Sequence[Pod]) -> str:
    said = sorted({pod.trouble for pod in pods} - _SLOW_STARTS)
    return f"; {', '.join(said)}" if said else ""
