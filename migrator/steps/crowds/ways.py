"""How one workload's pods are moved: what is to be done next, by a look, and the doing of it.

Nothing is done that the memo does not name: `look` asks for it to be written, `act` goes by it.
"""

from collections.abc import Sequence

from migrator.model import identity
from migrator.model.errors import Rejected
from migrator.model.facts import Pod, Rollout
from migrator.model.identity import Identity
from migrator.model.ids import RESTART_STAMP
from migrator.model.moving import How
from migrator.steps.crowds.crowd import Crowd
from migrator.steps.crowds.judged import SLOW_STARTS, count
from migrator.steps.crowds.logs import last_words
from migrator.steps.crowds.metadata import fallen_to
from migrator.steps.crowds.missed import BEFORE, MISSED, Memory, evict_next, expected, held_up, rerolled, uids_of
from migrator.steps.step import Context, Failed, Later, NotYet, Settling

_ASKED = "asked"  # the tries at stamping a workload, numbered
_STUCK = "stuck"  # pods of a StatefulSet that its controller waits for in vain
_TRIES = 3


def look(context: Context, crowd: Crowd, *, natural: bool) -> Settling | None:
    """None when the workload is through; `natural` when its owner is to replace the pods."""
    there = crowd.wanted is Identity.POD_IDENTITY  # back, pods on it are on their way out
    too_old = last_words(context.cluster, crowd.pods, context.waits.log_lines) if there else ""
    if too_old:
        return Failed(reason=too_old, memo=context.memory)
    if natural:
        return _waiting(context, crowd)
    return _evicting(context, crowd) if crowd.how is How.EVICT else _rolling(context, crowd)


def touched(context: Context, crowd: Crowd) -> bool:
    """Whether its turn has come in this run."""
    memory = Memory(context.memory)
    return memory.has(BEFORE, crowd.ref) or memory.has(_ASKED, crowd.ref)


def act(context: Context, crowd: Crowd, *, natural: bool) -> None:
    """Stamps the workload, or evicts one pod, where the memo says so.

    Raises:
        Rejected: reason `budget` while a PodDisruptionBudget does not allow it; else the API server's.
    """
    if not natural and _to_be_stamped(context, crowd):
        _stamp(context, crowd)
    else:
        evict_next(context.cluster, crowd, _due(Memory(context.memory), crowd, natural=natural))


def _to_be_stamped(context: Context, crowd: Crowd) -> bool:
    if crowd.rollout is None or crowd.rollout.stamp == context.run or not crowd.wrong:
        return False
    return Memory(context.memory).has(_ASKED, crowd.ref)


def _stamp(context: Context, crowd: Crowd) -> None:
    try:
        context.cluster.restart(crowd.ref, context.run)
    except Rejected as error:
        if error.reason != "NotFound":
            raise
        # Somebody deleted the workload between our look and our change: it has no pods to replace any more.


def _due(memory: Memory, crowd: Crowd, *, natural: bool) -> frozenset[str]:
    """Missed pods first, alone: until what takes their places is there, no other new pod can be taken for it."""
    missed = memory.uids(MISSED, crowd.ref)
    if natural or any(pod.uid in missed for pod in crowd.wrong):
        return missed
    if crowd.how is How.EVICT:
        return memory.uids(BEFORE, crowd.ref)
    return memory.uids(_STUCK, crowd.ref) & {pod.uid for pod in crowd.wrong if not pod.ready}


def _rolling(context: Context, crowd: Crowd) -> Settling | None:
    """A controller that rolls: asked once by the run's stamp, and again when somebody takes the stamp out."""
    rollout = crowd.rollout
    if rollout is None:
        return None
    if crowd.wrong and rollout.stamp != context.run:
        return _to_be_asked(context, crowd)
    judged = _judged(crowd, context, rollout)
    missed = rerolled(crowd, Memory(context.memory), context.refused, among=judged)
    if missed is not None:
        return _running_dry(context, crowd, rollout, judged) or missed
    if rollout.failure:
        return Failed(reason=f"{crowd.ref}: {rollout.failure}", memo=context.memory)
    return _stuck(context, crowd, rollout) or _under_way(crowd, rollout)


def _running_dry(context: Context, crowd: Crowd, rollout: Rollout, new: Sequence[Pod]) -> Failed | None:
    """The rollout puts pods without any credentials in the place of those that have them, and none may be evicted.

    Each moment of waiting makes it worse, so it ends here, once they are as many as the new ones that are well.
    """
    without = [pod for pod in new if identity.of_pod(pod) is Identity.NONE]
    if rollout.complete or not context.refused or not without or 2 * len(without) < len(new):
        return None
    reason = f"{expected(crowd.wanted, without)}, and may not be made anew: {context.refused}{fallen_to(without)}"
    return Failed(reason=reason, memo=context.memory)


def _judged(crowd: Crowd, context: Context, rollout: Rollout) -> Sequence[Pod]:
    """The pods that can be judged: all of a rollout that is through; before, the new ones.

    Not to wait for its end: a rollout that goes wrong would replace every pod that is well meanwhile.
    """
    if rollout.complete:
        return crowd.pods
    return [pod for pod in crowd.pods if _new(pod, context)]


def _new(pod: Pod, context: Context) -> bool:
    return pod.annotations.get(RESTART_STAMP) == context.run


def _to_be_asked(context: Context, crowd: Crowd) -> Settling:
    memory = Memory(context.memory)
    tries = memory.uids(_ASKED, crowd.ref)
    if len(tries) >= _TRIES:
        reason = f"{crowd.ref}: its restart was taken out {_TRIES} times: something puts the old one back"
        return Failed(reason=reason, memo=memory.having(_ASKED, crowd.ref, ()))  # a later run may try as often again
    memo = memory.adding(_ASKED, crowd.ref, [str(len(tries) + 1)])
    return NotYet(reason=f"{crowd.ref} is to be restarted", again=True, memo=memo, stage=str(crowd.ref))


def _stuck(context: Context, crowd: Crowd, rollout: Rollout) -> Settling | None:
    """A StatefulSet's controller does not replace a pod that never gets ready, it waits for it: somebody must evict it.

    That goes for every pod of an older template, whichever run's, and is how a failed way there is taken back.
    """
    if crowd.ref.kind != "StatefulSet" or rollout.complete:
        return None
    memory = Memory(context.memory)
    stuck = [pod for pod in crowd.wrong if not pod.ready and not _new(pod, context)]
    if not stuck:
        return None
    reason = f"{_progress(crowd, rollout)}; {count(len(stuck), 'older pod')} not ready to be evicted"
    fresh = not set(uids_of(stuck)) <= memory.uids(_STUCK, crowd.ref)
    memo = memory.adding(_STUCK, crowd.ref, uids_of(stuck)) if fresh else None
    return NotYet(reason=f"{reason}{held_up(context.refused)}", again=True, memo=memo, stage=str(crowd.ref))


def _under_way(crowd: Crowd, rollout: Rollout) -> Settling | None:
    if rollout.complete and crowd.whole:  # the status alone may not know of an eviction yet
        return None
    stage = f"{crowd.ref}, {rollout.updated} updated, {rollout.old} old"
    return NotYet(reason=_progress(crowd, rollout), stage=stage)


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
    missed = rerolled(crowd, memory, context.refused)
    if missed is not None:
        return missed
    before = memory.uids(BEFORE, crowd.ref)
    if not any(pod.uid in before for pod in crowd.wrong):
        return None if crowd.whole else NotYet(reason=_filling(crowd), stage=stage)
    gone = len(before) - len(before & set(uids_of(crowd.pods)))
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
    missed = rerolled(crowd, memory, context.refused)
    if missed is not None or not crowd.wrong:
        return missed
    said = f"{len(crowd.wrong)} of {count(len(crowd.pods), 'pod')} of {crowd.ref} do not have {crowd.wanted} yet"
    return Later(reason=f"{said}: their owner has not replaced them")


def _progress(crowd: Crowd, rollout: Rollout) -> str:
    counts = f"{rollout.updated} of {rollout.desired} updated, {rollout.ready} ready, {rollout.old} old"
    return f"{crowd.ref}: {counts}{_troubles(crowd.pods)}"


def _filling(crowd: Crowd) -> str:
    ready = sum(pod.ready for pod in crowd.pods)
    return f"{crowd.ref}: {ready} of {count(crowd.workload.replicas, 'pod')} ready{_troubles(crowd.pods)}"


def _troubles(pods: Sequence[Pod]) -> str:
    said = sorted({pod.trouble for pod in pods} - SLOW_STARTS)
    return f"; {', '.join(said)}" if said else ""
