"""The look before the first change: nothing is recorded and nothing is touched while the world is not as planned."""

from collections.abc import Callable

from migrator.model.errors import Drift
from migrator.model.plan import Plan
from migrator.running.walk import STEPS
from migrator.steps.step import Context, Position


def preflight(plan: Plan, context: Callable[[], Context]) -> None:
    """Reads what every step would read.

    Raises:
        Drift: a step finds the world neither before nor after, or workloads came or went since the plan was made.
    """
    looking = context()
    for step in plan.forward:
        reading = STEPS[step.kind].read(step, looking)
        if reading.position is Position.OTHER:
            raise Drift(reading.note, doing=f'step "{step.id}" of "{plan.service}"', remedy=_REMEDY)
    _same_workloads(plan, looking)


_COMES_AND_GOES = "Job"  # it ends by itself, and nobody restarts it
_REMEDY = "nothing was changed; run migrate plan again"


def _same_workloads(plan: Plan, context: Context) -> None:
    service = plan.service
    planned = {(entry["kind"], entry["name"]) for entry in plan.facts["workloads"] if entry["kind"] != _COMES_AND_GOES}
    found = context.cluster.workloads_of(service.namespace, service.name)
    live = {(w.ref.kind, w.ref.name) for w in found if w.ref.kind != _COMES_AND_GOES}
    came, went = sorted(live - planned), sorted(planned - live)
    if came or went:
        said = [f"{kind} {name} is new" for kind, name in came] + [f"{kind} {name} is gone" for kind, name in went]
        raise Drift(f'since the plan of "{service}" was made, {", ".join(said)}', remedy=_REMEDY)
