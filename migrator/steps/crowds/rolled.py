"""Pods that somebody else rolls: whether that is over, and which of them were left as they were."""

from migrator.model.identity import Identity
from migrator.model.plan import PlannedStep
from migrator.steps.crowds.crowd import crowds
from migrator.steps.crowds.judged import listed
from migrator.steps.step import Context

_LOOKS = "unrolled"


def rolling(step: PlannedStep, context: Context, expected: Identity) -> str:
    """What is still being rolled, or has not begun to be for less than `waits.reconcile`; else empty."""
    found = crowds(step, context, expected, rollouts=True)
    busy = [one for one in found if one.rollout is not None and not one.rollout.complete]
    if busy:
        return f"{busy[0].ref} is being rolled by the add-on"
    left = unrolled(step, context, expected)
    early = left and looks(context, _LOOKS) * context.waits.poll < context.waits.reconcile
    return f"the add-on has not rolled {listed(left)} yet" if early else ""


def unrolled(step: PlannedStep, context: Context, expected: Identity) -> list[str]:
    """Names of the pods that have another identity."""
    return [pod.name for one in crowds(step, context, expected) for pod in one.wrong]


def looks(context: Context, what: str) -> int:
    """How many looks of this process have found that, this one included."""
    context.between[what] = int(context.between.get(what, 0)) + 1
    return int(context.between[what])
