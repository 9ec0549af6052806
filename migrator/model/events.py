"""Coded facts about progress, with data. Logic tells them to a Reporter; the edge decides how they look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Root of the events; `code` is the class's stable name in JSON logs."""

    service: ServiceId

    @property
    def code(self) -> str:
        """The event's stable name."""
        return type(self).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A walk there or back begins, or is taken up again."""

    direction: Direction
    run: str
    resumed: bool
    steps: tuple[str, ...]
    statuses: Mapping[str, Status] = field(default_factory=dict)  # of the steps begun before, when it is taken up again


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMoved(Event):
    """A step's record was written; told after it is durable."""

    direction: Direction
    run: str
    step: str
    status: Status
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWaits(Event):
    """The step looked and the world is not there yet."""

    direction: Direction
    step: str
    reason: str
    waited: float  # seconds
    deadline: float  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack(Event):
    """The run turns round by itself."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Event):
    """A walk there or back is over, well or badly."""

    direction: Direction
    run: str
    outcome: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Something worth a line that belongs to no service: a cluster that could not be reached, a lock taken over."""

    what: str
    data: Mapping[str, str]

    @property
    def code(self) -> str:
        """The event's stable name."""
        return type(self).__name__


AnyEvent = Event | Noticed


class Reporter(Protocol):
    """Whoever wants to know."""

    def tell(self, event: AnyEvent) -> None:
        """Takes one event; must not raise."""
        ...
