"""Whether the world left the plan that a run carries: told from a plan made anew, as pure data.

A run moves the world from each step's before to its after. What it finished must still be as it left it; what it did
not must be one or the other. The rest of the world may change under way: workloads come, go and scale.
"""

from collections.abc import Mapping

from migrator.model.facts import Json
from migrator.model.plan import TRUST_EDITS, Plan, PlannedStep, StepKind
from migrator.model.trust import subject_from

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
    if new is None or _things(new) != _things(step) or _led_to(new) != _led_to(step):
        return True
    if step.kind in {StepKind.RESTART, StepKind.VERIFY}:
        return False
    if step.kind is StepKind.AGENT:  # installed or ready: whether it gets ready is the step's question
        return new.before["agent"] == "absent" and (step.id in over or step.before["agent"] != "absent")
    before, after = ({name: side[name] for name in step.before} for side in (step.before, step.after))
    done = step.id in over and not step.on.get("owner")  # who owns it may leave it as it is, or not
    return _seen(new, fresh) not in ([after] if done else [before, after])


def _led_to(step: PlannedStep) -> Mapping[str, Json]:
    """How narrowly a role lets the service in is the plan's to say: the fleet's policy may have changed since."""
    if step.kind not in TRUST_EDITS:
        return step.after
    subject = subject_from(step.after["subject"])
    return {"pod_identity": step.after["pod_identity"], "for": (subject.cluster_arn, subject.namespace, subject.name)}


def _things(step: PlannedStep) -> Mapping[str, Json]:
    left = {"uid"} if step.on.get("owner") else set()  # he may make the account anew, and nothing of ours is on it
    return {name: value for name, value in step.on.items() if name not in _MAY_CHANGE | left}


def _seen(step: PlannedStep, fresh: Plan) -> Mapping[str, Json]:
    """A ServiceAccount is planned with the annotation it bore before us; whether it bears it now the facts tell."""
    if step.kind is StepKind.ANNOTATION:
        return {"value": fresh.facts["service_account"]["annotations"].get(step.on["key"])}
    return step.before
