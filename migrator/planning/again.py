"""Whether the world left the plan that a run carries: told from a plan made anew, as pure data.

A run moves the world from each step's before to its after. What it finished must still be as it left it; what it did
not must be one or the other. The rest of the world may change under way: workloads come, go and scale.
"""

from collections.abc import Mapping

from migrator.model.facts import Json
from migrator.model.plan import Plan, PlannedStep, StepKind

_MAY_CHANGE = frozenset({"workloads", "left", "others"})
_CLUSTER = ("arn", "issuer")


def drifted(plan: Plan, fresh: Plan, over: frozenset[str]) -> bool:
    """Whether `plan` can no longer be carried on with.

    Args:
        plan: what the run carries.
        fresh: what the planner makes of the service now.
        over: ids of the steps that are over in that run.
    """
    was, now = plan.facts["cluster"], fresh.facts["cluster"]
    if any(was[name] != now[name] for name in _CLUSTER):
        return True
    return any(_moved(step, fresh, over) for step in plan.forward)


def _moved(step: PlannedStep, fresh: Plan, over: frozenset[str]) -> bool:
    new = fresh.step(step.id)
    if new is None or _things(new) != _things(step) or new.after != step.after:
        return True
    if step.kind in {StepKind.RESTART, StepKind.VERIFY}:
        return False
    if step.kind is StepKind.AGENT:  # installed or ready: whether it gets ready is the step's question
        return new.before["agent"] == "absent" and (step.id in over or step.before["agent"] != "absent")
    before, after = ({name: side[name] for name in step.before} for side in (step.before, step.after))
    done = step.id in over and not step.on.get("owner")  # who owns it may leave it as it is, or not
    return _seen(new, fresh) not in ([after] if done else [before, after])


def _things(step: PlannedStep) -> Mapping[str, Json]:
    return {name: value for name, value in step.on.items() if name not in _MAY_CHANGE}


def _seen(step: PlannedStep, fresh: Plan) -> Mapping[str, Json]:
    """A ServiceAccount is planned with the annotation it bore before us; whether it bears it now the facts tell."""
    if step.kind is StepKind.ANNOTATION:
        return {"value": fresh.facts["service_account"]["annotations"].get(step.on["key"])}
    return step.before
