"""What is remembered of a run: the words, and the moves between them.

PENDING   not begun
STARTED   the intent and the before-image are durable; the change may or may not have been made
DONE      made by this run, and seen to have taken effect
FOUND     was so before this run came; not ours, and nobody undoes it
FAILED    did not take effect within its deadline, or the other side refused
"""

from dataclasses import dataclass, field
from enum import StrEnum

from migrator.model.facts import Json
from migrator.model.ids import ServiceId


class Status(StrEnum):
    """Where one step of one run stands."""

    PENDING = "pending"
    STARTED = "started"
    DONE = "done"
    FOUND = "found"
    FAILED = "failed"


OVER = frozenset({Status.DONE, Status.FOUND})  # nothing is left to do of the step in its run

ALLOWED = frozenset(
    {
        (Status.PENDING, Status.PENDING),  # a walk that was asked to stop leaves its mark before the next step
        (Status.PENDING, Status.STARTED),
        (Status.PENDING, Status.FOUND),
        (Status.PENDING, Status.FAILED),  # there before us, and it does not work: an agent that never gets ready
        (Status.STARTED, Status.STARTED),  # taken up again after a crash
        (Status.STARTED, Status.DONE),
        (Status.STARTED, Status.FOUND),  # somebody else made the same change after our intent was recorded
        (Status.STARTED, Status.FAILED),
        (Status.FAILED, Status.STARTED),  # tried again by a later command
        (Status.FAILED, Status.FAILED),  # it still does not work, or still must not be begun
        (Status.FAILED, Status.FOUND),  # there before us, and it works by now
    }
)


class Direction(StrEnum):
    """There, or back."""

    FORWARD = "forward"
    BACK = "back"


class Outcome(StrEnum):
    """How a run ended; OPEN until it has."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"  # stopped by a failure or by drift; the way back was not walked or is a run of its own
    ABANDONED = "abandoned"  # given up for the way back


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """The latest word on one step of one run."""

    run: str
    step: str
    status: Status
    at: str  # ISO 8601, UTC
    image: Json = None  # the before-image, taken when the step was STARTED
    result: Json = None  # what the step was seen to have made
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One walk there or back of one service. `plan` is the document it carries out: a resume needs no plan file."""

    id: str
    service: ServiceId
    direction: Direction
    outcome: Outcome
    plan: Json
    actor: str  # who: the AWS caller and the local user
    host: str
    started: str
    ended: str = ""
    note: str = ""
    cause: str = ""  # the forward run a way back undoes


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One line of a service's history, oldest first."""

    at: str
    run: str
    direction: Direction
    actor: str
    host: str
    step: str  # empty for lines about the run itself
    status: str
    note: str = ""
    image: Json = None
    result: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A small note beside the runs, such as that a cluster's first service is proven; the last one of a key counts."""

    key: str
    data: Json
    at: str  # ISO 8601, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock."""

    key: str
    owner: str
    host: str
    pid: int
    since: str
    doing: str
    expires: str


class Standing(StrEnum):
    """Where a service stands, as far as the journal tells."""

    PLANNED = "planned"
    RUNNING = "running"
    INTERRUPTED = "interrupted"  # a run is open and nobody holds it: the same command resumes
    WAITING = "waiting"  # the same, and it stopped by itself: as asked, or until something else has happened
    MIGRATED = "migrated"
    ROLLED_BACK = "rolled-back"
    FAILED = "failed"
    STRANDED = "stranded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """The newest run of a service, and its steps in the order they were begun."""

    standing: Standing
    run: Run | None = None
    steps: tuple[StepRecord, ...] = field(default=())
