"""Where a service stands, told from its newest run. Whether somebody is at work on an open run only the locks know."""

from collections.abc import Sequence

from migrator.model.journal import Direction, Outcome, Run, Standing, Status, StepRecord


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
