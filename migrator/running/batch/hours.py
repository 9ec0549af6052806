"""Until when a batch may work, and what it does to a service that is under way when the time is up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from signal import SIGALRM

from migrator.model.batch import BatchPolicy
from migrator.model.events import AnyEvent, Reporter, RunStarted, WayBack
from migrator.model.journal import Direction
from migrator.model.ports.running import Clock, Interrupt
from migrator.model.windows import next_opening, open_until

TIME_IS_UP = int(SIGALRM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The time of one run: the present opening of its windows, and what the command line says.

    Attributes:
        closes: when the windows close; None without windows.
        until: the command line's; None without.
        longest: seconds that a service is taken to need.
    """

    closes: datetime | None = None
    until: datetime | None = None
    longest: float = 0.0

    @classmethod
    def of(cls, policy: BatchPolicy, now: datetime, until: datetime | None) -> "Hours | None":
        """Those of a run that begins now; None while every window is closed."""
        closes = open_until(policy.windows, now) if policy.windows else None
        if policy.windows and closes is None:
            return None
        return cls(closes=closes, until=until, longest=policy.longest)

    def over(self, now: datetime) -> str | None:
        """Why everything stops at its next checkpoint, or None."""
        if self.closes is not None and now >= self.closes:
            return "window"
        return "until" if self.until is not None and now >= self.until else None

    def too_late(self, now: datetime) -> str | None:
        """Why nothing new may be begun, or None: it might not be over when the window closes."""
        if self.closes is not None and now + timedelta(seconds=self.longest) > self.closes:
            return "window"
        return self.over(now)


def opens(policy: BatchPolicy, now: datetime) -> datetime:
    """When a run may begin next; to be asked only where there are windows."""
    return next_opening(policy.windows, now)


class Bell:
    """One task's Interrupt, and a Reporter around another: rings when time is up, unless the task is on its way back.

    A way back that has begun is carried through: pods without credentials wait for no window.
    """

    def __init__(
        self,
        hours: Hours,
        clock: Clock,
        signals: Interrupt,
        inner: Reporter,
        halted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._hours, self._clock, self._signals, self._inner, self._halted = hours, clock, signals, inner, halted
        self._returning = False

    def __call__(self) -> int | None:
        """The signal asked for, `TIME_IS_UP`, or None."""
        signal = self._signals()
        if signal is not None or self._returning:
            return signal
        return TIME_IS_UP if self._halted() or self._hours.over(instant(self._clock)) else None

    def tell(self, event: AnyEvent) -> None:
        """Takes one event."""
        back = isinstance(event, RunStarted) and event.direction is Direction.BACK
        self._returning = self._returning or back or isinstance(event, WayBack)
        self._inner.tell(event)


def instant(clock: Clock) -> datetime:
    """The clock's time, aware."""
    return datetime.fromisoformat(clock.now())
