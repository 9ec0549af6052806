"""What the executor asks for: time, the durable memory, locks."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import Holder, JournalLine, Mark, Outcome, Run, ServiceState, StepRecord


class Clock(Protocol):
    """Time, so that tests need none."""

    def now(self) -> str:
        """UTC, ISO 8601 with microseconds."""
        ...

    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None:
        """Waits; returns early, without an error, when an interruption is asked for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How the run that a new one follows is ended."""

    run: str
    outcome: Outcome
    note: str


class Journal(Protocol):
    """The durable memory. Every method is durable when it returns, and may be called by several threads.

    Whoever lost a lock that his thread holds can begin, record and end nothing any more: he gets Locked.
    """

    def begin(self, run: Run, closing: Closing | None = None) -> None:
        """Opens a run; with `closing`, ends another in the same transaction: a kill leaves both or neither."""
        ...

    def record(self, record: StepRecord) -> None: ...
    def end(self, run: str, outcome: Outcome, note: str, at: str) -> None: ...
    def open_run(self, service: ServiceId) -> Run | None: ...
    def open_runs(self) -> Sequence[Run]:
        """Of all services, sorted by service."""
        ...

    def run(self, run_id: str) -> Run | None: ...
    def runs(self, service: ServiceId) -> Sequence[Run]:
        """All runs of the service, oldest first."""
        ...

    def records(self, run: str) -> Mapping[str, StepRecord]:
        """The latest record of each step, in the order they were begun."""
        ...

    def recent(self, step: str, since: str) -> Sequence[StepRecord]:
        """Every record of that step, of all services, not older than `since`, oldest first."""
        ...

    def ended(self, since: str) -> Sequence[Run]:
        """The runs of all services that ended at or after that moment, oldest end first.

        Without their plans (None), which are large; `run` gives the whole.
        """
        ...

    def mark(self, key: str, data: Json, at: str) -> None:
        """Keeps a small note beside the runs; the last one of a key counts."""
        ...

    def marks(self, prefix: str) -> Mapping[str, Mark]:
        """The notes whose keys begin with `prefix`, by key, in its order."""
        ...

    def state(self, service: ServiceId) -> ServiceState: ...
    def states(self) -> Mapping[ServiceId, ServiceState]: ...
    def history(self, service: ServiceId) -> Sequence[JournalLine]: ...


class Locks(Protocol):
    """Locks per service, per role and per cluster's agent, with holder and expiry.

    Several threads of one process may use them, each holding keys of its own.
    """

    def held(self, key: str, *, doing: str) -> AbstractContextManager[None]:
        """Holds `key` for the block.

        Raises:
            Locked: another living runner, or another thread, has it; the message says who, where and since when.
        """
        ...

    def renew(self) -> None:
        """Puts off the expiry of every lock that is held here.

        Raises:
            Locked: another runner took over one that this thread holds: nothing more may be changed.
        """
        ...

    def holders(self) -> Sequence[Holder]: ...


Interrupt = Callable[[], int | None]  # the signal asked for, or None; read at checkpoints
