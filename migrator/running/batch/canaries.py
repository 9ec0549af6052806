"""How many services may be begun in a cluster that has not yet proven that it takes to it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Mark, Outcome, ServiceState, Standing
from migrator.running.proven import unproven


def canaries(
    states: Mapping[ServiceId, ServiceState], marks: Mapping[str, Mark], wanted: int, clusters: Iterable[str]
) -> Mapping[str, int]:
    """By cluster, how many may go as its first ones now; a cluster whose first ones are migrated is not in it.

    A walk there that is under way, or waits, counts as one of them: its cluster waits for it. One that had no pod to
    prove it has proven nothing: the next goes alone as well.
    """
    proven, under_way = Counter[str](), Counter[str]()
    for service, state in states.items():
        run = state.run
        if state.standing is Standing.MIGRATED and not unproven(state, marks):
            proven[service.cluster] += 1
        elif run is not None and run.outcome is Outcome.OPEN and run.direction is Direction.FORWARD:
            under_way[service.cluster] += 1
    return {
        cluster: max(0, wanted - proven[cluster] - under_way[cluster])
        for cluster in clusters
        if proven[cluster] < wanted
    }
