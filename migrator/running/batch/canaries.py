"""How many services may be begun in a cluster that has not yet proven that it takes to it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Mark, Outcome, ServiceState, Standing
from migrator.running.batch.agenda import Agenda, Errand
from migrator.running.proven import unproven


def canaries(
    states: Mapping[ServiceId, ServiceState], marks: Mapping[str, Mark], wanted: int, clusters: Iterable[str]
) -> Mapping[str, int]:
    """By cluster, how many may go as its first ones now; a cluster whose first ones are migrated is not in it.

    A walk there that is under way, or waits, counts as one of them: its cluster waits for it. One that had no pod to
    prove it has proven nothing: the next goes alone as well.
    """
    proven, going = Counter[str](), Counter[str]()
    for service, state in states.items():
        if state.standing is Standing.MIGRATED and not unproven(state, marks):
            proven[service.cluster] += 1
        elif under_way(state):
            going[service.cluster] += 1
    return {
        cluster: max(0, wanted - proven[cluster] - going[cluster]) for cluster in clusters if proven[cluster] < wanted
    }


def under_way(state: ServiceState | None) -> bool:
    """Whether a service's walk there has begun and is not over."""
    run = state.run if state else None
    return run is not None and run.outcome is Outcome.OPEN and run.direction is Direction.FORWARD


def held_up(
    agenda: Agenda, states: Mapping[ServiceId, ServiceState], marks: Mapping[str, Mark], wanted: int
) -> Iterator[ServiceId]:
    """The services that no run begins as things are: a first one of their cluster waits, and not for a run."""
    stuck = {service.cluster for service, state in states.items() if under_way(state) and service not in agenda.tasks}
    free = dict(canaries(states, marks, wanted, stuck))
    for task in agenda.queue():
        cluster = task.service.cluster
        if task.errand is Errand.BEGIN and cluster in free:
            if not free[cluster]:
                yield task.service
            free[cluster] = max(0, free[cluster] - 1)
