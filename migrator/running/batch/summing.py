"""What a batch that has run tells: its summary."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from migrator.model.batch import ServiceLeft, Summary
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.journal import ServiceState, Standing
from migrator.running.batch.agenda import FOR_A_PERSON, Agenda, Known, Left
from migrator.running.batch.batch import Batch
from migrator.running.batch.canaries import under_way
from migrator.running.batch.ending import counts, exit_of

_NAMED = FOR_A_PERSON - {Left.BREAKER} | {Left.UNREADABLE}  # of a breaker's cluster there may be thousands


def standings(states: Mapping[ServiceId, ServiceState], plans: Collection[ServiceId]) -> dict[str, int]:
    """How many services of the fleet stand where."""
    planned = len(set(plans) - states.keys())
    found = Counter(state.standing for state in states.values())
    return {str(one): found[one] + planned * (one is Standing.PLANNED) for one in Standing}


def for_a_person(
    left: Mapping[ServiceId, Left], states: Mapping[ServiceId, ServiceState], told: Collection[ServiceId]
) -> Iterator[ServiceLeft]:
    """Those left that no later run does by itself; what ended in this very run is `told` of anyway."""
    waiting = {service.cluster for service, why in left.items() if why is Left.CANARY}
    for service in sorted(left.keys() - set(told)):
        why = left[service]
        waited_for = service.cluster in waiting and under_way(states.get(service))
        if why in _NAMED or (why is Left.HOLD and waited_for):
            yield ServiceLeft(service=service, why=str(why), cluster_waits=waited_for)


def summary_of(batch: Batch, *, run: str, worker: str, began: str, signal: int | None) -> Summary:
    """What a batch that has run tells."""
    left = batch.agenda.left
    return Summary(
        run=run,
        worker=worker,
        began=began,
        ended=batch.tools.clock.now(),
        reason=batch.stopped or "done",
        exit=exit_of(batch.ended, left.values(), batch.stopped, signal, astray=batch.astray),
        services=tuple(batch.ended),
        left=counts(left),
        for_a_person=tuple(for_a_person(left, batch.states, [one.service for one in batch.ended])),
        breakers=batch.brakes.open(),
        standings=standings(batch.states, batch.plans),
    )


def summary_outside_windows(
    agenda: Agenda, known: Known, *, run: str, worker: str, now: str, breakers: Mapping[str, str]
) -> Summary:
    """What a run tells that may begin nothing at this hour: all that there is to do is for a later one."""
    left = {**agenda.left, **dict.fromkeys(agenda.tasks, Left.LATER)}
    return Summary(
        run=run,
        worker=worker,
        began=now,
        ended=now,
        reason="window",
        exit=Exit.UNFINISHED,
        services=(),
        left=counts(left),
        for_a_person=tuple(for_a_person(left, known.states, ())),
        breakers=breakers,
        standings=standings(known.states, known.plans.keys()),
    )
