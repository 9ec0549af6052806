"""What a batch that has run tells: its summary."""

from collections import Counter
from collections.abc import Collection, Mapping

from migrator.model.batch import Summary
from migrator.model.ids import ServiceId
from migrator.model.journal import ServiceState, Standing
from migrator.running.batch.batch import Batch
from migrator.running.batch.ending import counts, exit_of


def standings(states: Mapping[ServiceId, ServiceState], plans: Collection[ServiceId]) -> dict[str, int]:
    """How many services of the fleet stand where."""
    planned = len(set(plans) - states.keys())
    found = Counter(state.standing for state in states.values())
    return {str(one): found[one] + planned * (one is Standing.PLANNED) for one in Standing}


def summary_of(batch: Batch, *, run: str, worker: str, began: str, signal: int | None) -> Summary:
    """What a batch that has run tells."""
    left = batch.agenda.left
    return Summary(
        run=run,
        worker=worker,
        began=began,
        ended=batch.tools.clock.now(),
        reason=batch.stopped or "done",
        exit=exit_of(batch.ended, left.values(), batch.stopped, signal),
        services=tuple(batch.ended),
        left=counts(left),
        breakers=batch.brakes.open(),
        standings=standings(batch.states, batch.plans),
    )
