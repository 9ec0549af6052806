"""What stands in a task's way, as things are in one round of beginning tasks; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from migrator.running.batch.agenda import Errand, Left, Task
from migrator.running.batch.hours import Hours

LOCKED, WAVE = "locked", "wave"  # what others will take out of its way
_LEFT: Mapping[str, Left] = {"unreachable": Left.UNREACHABLE, "breaker": Left.BREAKER, LOCKED: Left.LOCKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One of them.

    Attributes:
        now: aware.
        hours: of the run.
        held: services that other runners are at work on.
        unreachable: clusters that failed too often in a row, in this run.
        breakers: clusters whose breaker is open.
        spent: why the failure budget is spent, or None.
        wave: the earliest that is under way, or could still be begun.
    """

    now: datetime
    hours: Hours
    held: frozenset[str] = field(default=frozenset())
    unreachable: frozenset[str] = field(default=frozenset())
    breakers: frozenset[str] = field(default=frozenset())
    spent: str | None = None
    wave: tuple[bool, int] = (False, 0)

    def why_not(self, task: Task) -> str | None:
        """What stands in its way, but for its shares of the limits; None when nothing does."""
        if task.service.cluster in self.unreachable:
            return "unreachable"
        if str(task.service) in self.held:
            return LOCKED
        if task.errand in {Errand.RETURN, Errand.LOOK}:
            return self.hours.over(self.now)
        late = self.hours.too_late(self.now)
        if late is not None or task.errand is Errand.RESUME:
            return late
        return self._brake(task) or (WAVE if task.wave > self.wave else None)

    def _brake(self, task: Task) -> str | None:
        if task.service.cluster in self.breakers:
            return "breaker"
        return "budget" if self.spent else None


def earliest(tasks: Iterable[Task]) -> tuple[bool, int]:
    """The wave that comes first among them."""
    return min((task.wave for task in tasks if task.errand is not Errand.LOOK), default=(False, 0))


def why_left(hindrance: str | None) -> Left:
    """What a service is left for that was not begun."""
    return _LEFT.get(hindrance or "", Left.LATER)
