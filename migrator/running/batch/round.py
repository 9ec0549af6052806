"""What stands in a task's way, as things are in one round of beginning tasks; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from migrator.running.batch.agenda import Errand, Left, Task
from migrator.running.batch.hours import Hours

LOCKED, WAVE, CANARY = "locked", "wave", "canary"
_LEFT: Mapping[str | None, Left] = {
    "unreachable": Left.UNREACHABLE,
    "breaker": Left.BREAKER,
    LOCKED: Left.LOCKED,
    CANARY: Left.CANARY,
}
REASONS: Mapping[str | None, str] = {
    None: "limits",
    **{reason: reason for reason in ("window", "until", "max-services", "budget", "credentials")},
}
"""Why a run is over that had to leave a task for that: a task that nothing but its shares was in the way of as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One of them.

    Attributes:
        now: aware.
        hours: of the run.
        held: services that other runners are at work on.
        unreachable: clusters that failed too often in a row, in this run.
        expired: clusters of accounts whose credentials have expired.
        breakers: clusters whose breaker is open.
        spent: why the failure budget is spent, or None.
        first: clusters whose first services are not migrated yet, and how many may go as such now.
        wave: the earliest that is under way, or could still be begun.
    """

    now: datetime
    hours: Hours
    held: frozenset[str] = field(default=frozenset())
    unreachable: frozenset[str] = field(default=frozenset())
    expired: frozenset[str] = field(default=frozenset())
    breakers: frozenset[str] = field(default=frozenset())
    spent: str | None = None
    first: Mapping[str, int] = field(default_factory=dict)
    wave: tuple[bool, int] = (False, 0)

    def why_not(self, task: Task) -> str | None:
        """What stands in its way, but for its shares of the limits; None when nothing does."""
        if task.service.cluster in self.unreachable:
            return "unreachable"
        if str(task.service) in self.held:
            return LOCKED
        if task.service.cluster in self.expired:
            return "credentials"
        if task.errand in {Errand.RETURN, Errand.LOOK}:
            return self.hours.over(self.now)
        late = self.hours.too_late(self.now)
        if late is not None or task.errand is Errand.RESUME:
            return late
        return self._brake(task) or (WAVE if task.wave > self.wave else self._as_first(task))

    def _brake(self, task: Task) -> str | None:
        if task.service.cluster in self.breakers:
            return "breaker"
        return "budget" if self.spent else None

    def _as_first(self, task: Task) -> str | None:
        return None if self.first.get(task.service.cluster, 1) else CANARY


def earliest(tasks: Iterable[Task]) -> tuple[bool, int]:
    """The wave that comes first among them."""
    return min((task.wave for task in tasks if task.errand is not Errand.LOOK), default=(False, 0))


def why_left(hindrance: str | None) -> Left:
    """What a service is left for that was not begun."""
    return _LEFT.get(hindrance, Left.LATER)
