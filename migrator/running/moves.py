"""The one door through which a step's record changes: check the table, write the journal, then tell."""

from dataclasses import dataclass, field

from migrator.model.events import Reporter, StepMoved
from migrator.model.facts import Json
from migrator.model.journal import ALLOWED, Run, Status, StepRecord
from migrator.model.ports.running import Clock, Journal

_UNFINISHED = frozenset({Status.STARTED, Status.FAILED})


@dataclass(frozen=True, slots=True)
class Book:
    """The records of one run, in memory as they are in the journal."""

    run: Run
    journal: Journal
    clock: Clock
    reporter: Reporter
    records: dict[str, StepRecord] = field(default_factory=dict)

    @classmethod
    def open(cls, run: Run, journal: Journal, clock: Clock, reporter: Reporter) -> "Book":
        """The book of a run that may have been under way before."""
        return cls(run, journal, clock, reporter, dict(journal.records(run.id)))

    def status(self, step: str) -> Status:
        """Where the step stands."""
        record = self.records.get(step)
        return record.status if record else Status.PENDING

    def begun(self, step: str) -> bool:
        """Whether this run ever recorded the intent: then the change may be its own."""
        record = self.records.get(step)
        return record is not None and (record.status is Status.STARTED or record.image is not None)

    def move(self, step: str, to: Status, *, image: Json = None, result: Json = None, note: str = "") -> None:
        """Moves the step's record; the first before-image is kept, however often the step is begun again.

        Raises:
            ValueError: the move is not in the table: a bug.
            StoreFault: it could not be made durable; nothing was told.
        """
        before = self.status(step)
        if (before, to) not in ALLOWED:
            raise ValueError(f"step {step}: {before} -> {to} is not an allowed move")
        old = self.records.get(step)
        kept = old.image if old is not None and old.image is not None else image
        if result is None and old is not None and old.status in _UNFINISHED and to in {Status.STARTED, old.status}:
            result = old.result  # the memo of a try that was cut off, or what a failed one left for the next
        record = StepRecord(
            run=self.run.id, step=step, status=to, at=self.clock.now(), image=kept, result=result, note=note
        )
        self.journal.record(record)
        self.records[step] = record
        self.reporter.tell(
            StepMoved(
                service=self.run.service, direction=self.run.direction, run=self.run.id, step=step, status=to, note=note
            )
        )

    def memo(self, step: str) -> Json:
        """What the step asked to be remembered before its last try; None when it asked for nothing."""
        record = self.records.get(step)
        return record.result if record is not None and record.status is Status.STARTED else None
