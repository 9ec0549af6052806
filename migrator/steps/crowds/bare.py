"""Bare pods, which nobody makes anew: where a person allowed it, they are set aside, evicted, and made as they were.

The manifest is kept in the cluster (it may hold secrets) and the uid in the memo, each before the pod is touched.
What was set aside is made again by whichever run comes next, allowed or not: else the pod would be lost. And what was
made anew on the way there is made anew on the way back, allowed or not: else it would stay on what is taken away.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from migrator.model.errors import Rejected
from migrator.model.facts import Json, Pod, SetAside, WorkloadRef
from migrator.model.identity import Identity
from migrator.steps.crowds.crowd import is_wrong
from migrator.steps.crowds.judged import count, live
from migrator.steps.crowds.metadata import fallen_to
from migrator.steps.crowds.missed import Memory, expected, held_up
from migrator.steps.crowds.stuck import may_be_made_anew
from migrator.steps.crowds.trying import each
from migrator.steps.step import Context, Failed, NotYet, Settling

BARE = "bare"
_TRIES = 2
_GONE = "NotFound"
_KIND = "Pod "  # as a memo's key begins


def left(context: Context, wanted: Identity) -> bool:
    """Whether a bare pod is to be made anew, or again."""
    return bool(_wrong(context, wanted)) or bool(_aside(context))


def act(context: Context, wanted: Identity) -> None:
    """Makes again what is set aside; sets aside and evicts what the memo names. None waits for another.

    Raises:
        Rejected: at the end, reason `budget` while a PodDisruptionBudget does not allow it; else the API server's.
    """
    memory = Memory(context.memory)
    due = [pod for pod in _wrong(context, wanted) if pod.uid in memory.uids(BARE, _ref(pod))]
    stays = {pod.uid for pod in _bare(context)} - {pod.uid for pod in due}
    aside = _aside(context)
    kept = {one.uid for one in aside}
    deeds: list[Callable[[], object]] = [partial(_return, context, one, stays) for one in aside]
    each([*deeds, *(partial(_take, context, pod, kept) for pod in due)])


def _return(context: Context, kept: SetAside, stays: Collection[str]) -> None:
    if kept.uid in stays:
        context.cluster.forget(kept)
    else:
        context.cluster.recreate(kept)


def _take(context: Context, pod: Pod, kept: Collection[str]) -> None:
    if pod.uid not in kept:
        try:
            context.cluster.set_aside(pod)
        except Rejected as error:
            if error.reason != _GONE:
                raise
            return  # somebody deleted it after our look: it is not ours to bring back
    context.cluster.evict(pod)


def look(context: Context, wanted: Identity) -> Settling | None:
    """None when every bare pod that may be made anew has the identity, and none is set aside.

    Back, one that fails must not keep the others: it counts once nothing else is left to do.
    """
    memory, wrong = Memory(context.memory), _wrong(context, wanted)
    fresh = [pod for pod in wrong if pod.uid not in memory.uids(BARE, _ref(pod))]
    hopeless = [pod for pod in fresh if len(memory.uids(BARE, _ref(pod))) >= _TRIES]
    reason = f"{expected(wanted, hopeless)} again, made anew once already{fallen_to(hopeless)}"
    failed = Failed(reason=reason, memo=memory.memo)
    if hopeless and wanted is Identity.POD_IDENTITY:
        return failed
    for pod in fresh:
        if pod not in hopeless:
            memo = memory.adding(BARE, _ref(pod), [pod.uid])
            return NotYet(reason=f"pod {pod.name} is to be made anew", again=True, memo=memo, stage=BARE)
    pending = [pod.name for pod in wrong if pod not in fresh]
    if pending:
        reason = f"to be made anew: {', '.join(pending)}{held_up(context.refused)}"
        return NotYet(reason=reason, again=True, stage=BARE)
    kept = [one.name for one in _aside(context)]
    if kept:
        return NotYet(reason=f"set aside, to be made again: {', '.join(kept)}", again=True, stage=BARE)
    return failed if hopeless else None


def image(context: Context, wanted: Identity) -> Json:
    """What the journal keeps before any of them is touched: whoever walks back must look for what is set aside."""
    return {BARE: [pod.name for pod in _wrong(context, wanted)]} if context.recreate_bare_pods else {}


def result(context: Context) -> Json:
    """What the journal keeps when the step is over."""
    made = (context.memory or {}).get(BARE)
    return {BARE: made} if made else {}


def named(part: Json) -> frozenset[str]:
    """The names of the bare pods in an `image`, a memo or a `result` of the step."""
    return frozenset(str(name).removeprefix(_KIND) for name in (part or {}).get(BARE) or ())


def said(context: Context) -> list[str]:
    """The part of the step's note about them."""
    number = Memory(context.memory).count(BARE)
    return [f"{count(number, 'bare pod')} made anew"] if number else []


def _wrong(context: Context, wanted: Identity) -> list[Pod]:
    back = wanted is Identity.IRSA
    found = (pod for pod in _bare(context) if is_wrong(pod, wanted))
    return [pod for pod in found if context.recreate_bare_pods or (back and may_be_made_anew(context, pod))]


def _bare(context: Context) -> list[Pod]:
    pods = live(context.cluster.pods_of(context.service.namespace, context.service.name))
    return [pod for pod in pods if pod.owner is None]


def _aside(context: Context) -> Sequence[SetAside]:
    """Asked only where there may be something: it takes a permission of its own."""
    if not (context.recreate_bare_pods or context.made_anew or (context.memory or {}).get(BARE)):
        return []
    return context.cluster.aside(context.service.namespace, context.service.name)


def _ref(pod: Pod) -> WorkloadRef:
    return WorkloadRef(kind="Pod", namespace=pod.namespace, name=pod.name)
