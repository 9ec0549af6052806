"""Bare pods, which nobody makes anew: where a person allowed it, they are set aside, evicted, and made as they were.

The manifest is kept in the cluster (it may hold secrets) and the uid in the memo, each before the pod is touched.
What was set aside is made again by whichever run comes next, allowed or not: else the pod would be lost.
"""

from collections.abc import Sequence

from migrator.model.facts import Json, Pod, SetAside, WorkloadRef
from migrator.model.identity import Identity
from migrator.steps.crowd import is_wrong
from migrator.steps.missed import Memory, expected, held_up
from migrator.steps.pods import count, live
from migrator.steps.step import Context, Failed, NotYet, Settling

BARE = "bare"
_TRIES = 2


def left(context: Context, wanted: Identity) -> bool:
    """Whether a bare pod is to be made anew, or again."""
    return bool(_wrong(context, wanted)) or bool(_aside(context))


def act(context: Context, wanted: Identity) -> None:
    """Makes again what is set aside; sets aside and evicts what the memo names.

    Raises:
        Rejected: reason `budget` while a PodDisruptionBudget does not allow it; else the API server's.
    """
    cluster, memory = context.cluster, Memory(context.memory)
    due = [pod for pod in _wrong(context, wanted) if pod.uid in memory.uids(BARE, _ref(pod))]
    stays = {pod.uid for pod in _bare(context)} - {pod.uid for pod in due}
    aside = _aside(context)
    for kept in aside:
        if kept.uid in stays:
            cluster.forget(kept)
        else:
            cluster.recreate(kept)
    for pod in due:
        if pod.uid not in {kept.uid for kept in aside}:
            cluster.set_aside(pod)
        cluster.evict(pod)


def look(context: Context, wanted: Identity) -> Settling | None:
    """None when every bare pod that may be made anew has the identity, and none is set aside."""
    memory = Memory(context.memory)
    for pod in _wrong(context, wanted):
        known = memory.uids(BARE, _ref(pod))
        if pod.uid in known:
            return NotYet(reason=f"pod {pod.name} is to be made anew{held_up(context.refused)}", again=True, stage=BARE)
        if len(known) >= _TRIES:
            return Failed(reason=f"{expected(wanted, [pod])} again, made anew once already", memo=memory.memo)
        memo = memory.adding(BARE, _ref(pod), [pod.uid])
        return NotYet(reason=f"pod {pod.name} is to be made anew", again=True, memo=memo, stage=BARE)
    kept = [one.name for one in _aside(context)]
    return NotYet(reason=f"set aside, to be made again: {', '.join(kept)}", again=True, stage=BARE) if kept else None


def image(context: Context, wanted: Identity) -> Json:
    """What the journal keeps before any of them is touched: whoever walks back must look for what is set aside."""
    return {BARE: [pod.name for pod in _wrong(context, wanted)]} if context.recreate_bare_pods else {}


def said(context: Context) -> list[str]:
    """The part of the step's note about them."""
    number = Memory(context.memory).count(BARE)
    return [f"{count(number, 'bare pod')} made anew"] if number else []


def _wrong(context: Context, wanted: Identity) -> list[Pod]:
    if not context.recreate_bare_pods:
        return []
    return [pod for pod in _bare(context) if is_wrong(pod, wanted)]


def _bare(context: Context) -> list[Pod]:
    pods = live(context.cluster.pods_of(context.service.namespace, context.service.name))
    return [pod for pod in pods if pod.owner is None]


def _aside(context: Context) -> Sequence[SetAside]:
    """Asked only where there may be something: it takes a permission of its own."""
    there = (context.forward.get("image") or {}).get(BARE)
    if not (context.recreate_bare_pods or there or (context.memory or {}).get(BARE)):
        return []
    return context.cluster.aside(context.service.namespace, context.service.name)


def _ref(pod: Pod) -> WorkloadRef:
    return WorkloadRef(kind="Pod", namespace=pod.namespace, name=pod.name)
