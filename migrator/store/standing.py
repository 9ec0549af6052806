"""What runs and records come to: where a service stands, and its history; the same whatever the store.

Whether somebody is at work on an open run only the locks know.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from migrator.model.facts import Json
from migrator.model.journal import (
    Direction,
    JournalLine,
    Outcome,
    Run,
    ServiceState,
    Standing,
    Status,
    StepRecord,
)


def latest(records: Iterable[StepRecord]) -> dict[str, StepRecord]:
    """The latest record of each step, in the order the steps were begun."""
    return {record.step: record for record in records}


def state(last: Run | None, records: Iterable[StepRecord]) -> ServiceState:
    """Where a service stands whose newest run is `last`, with all that was recorded of it."""
    steps = tuple(latest(records).values())
    return ServiceState(standing=standing(last, steps), run=last, steps=steps)


def lines(run: Run, records: Iterable[StepRecord]) -> Iterator[JournalLine]:
    """The run's part of the history."""
    whose: Mapping[str, Json] = {"run": run.id, "direction": run.direction, "actor": run.actor, "host": run.host}
    yield JournalLine(at=run.started, step="", status="begun", **whose)
    for r in records:
        yield JournalLine(at=r.at, step=r.step, status=r.status, note=r.note, image=r.image, result=r.result, **whose)
    if run.ended:
        yield JournalLine(at=run.ended, step="", status=run.outcome, note=run.note, **whose)


def standing(run: Run | None, steps: Sequence[StepRecord]) -> Standing:
    """The standing after that run; an open run counts as interrupted until a holder of its lock is seen."""
    if run is None:
        return Standing.PLANNED
    if run.outcome is Outcome.OPEN:
        failed = any(record.status is Status.FAILED for record in steps)
        if not failed:
            return Standing.WAITING if any(map(_stopped, steps)) else Standing.INTERRUPTED
        return Standing.STRANDED if run.direction is Direction.BACK else Standing.FAILED
    if run.direction is Direction.BACK:
        return Standing.ROLLED_BACK if run.outcome is Outcome.DONE else Standing.STRANDED
    return Standing.MIGRATED if run.outcome is Outcome.DONE else Standing.FAILED


def _stopped(record: StepRecord) -> bool:
    """A step that is not over says something only when its run stopped there by itself."""
    return record.status in {Status.PENDING, Status.STARTED} and bool(record.note)
