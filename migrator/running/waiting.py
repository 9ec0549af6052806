"""Waits for the world: looks at `settled` until it holds, fails, or the deadline passes."""

from collections.abc import Callable
from dataclasses import dataclass

from migrator.model.errors import Interrupted
from migrator.model.ports.running import Clock, Interrupt
from migrator.steps.step import Failed, Later, NotYet, Settled, Settling


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long, in seconds."""

    poll: float
    deadline: float
    hold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """The deadline was over."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waiter:
    """Waits through a clock, so that tests wait for nothing."""

    clock: Clock
    interrupt: Interrupt

    def until_settled(
        self,
        look: Callable[[bool], Settling],
        again: Callable[[NotYet], None],
        patience: Patience,
        waiting: Callable[[str, float], None],
    ) -> Settled | Failed | Later | GaveUp:
        """Looks until `look` has said Settled for the whole hold, or Failed or Later, or the deadline is over.

        `look` is told whether this look would be the last one, the one that ends the hold.

        Each stage that an answer names for the first time has the deadline to itself.

        A settled world is given its whole hold even past the deadline; one that falls back starts its hold anew.

        Raises:
            Interrupted: a signal was honoured between two looks.
        """
        began = self.clock.monotonic()
        steady: float | None = None
        stages = {""}
        while True:
            now = self.clock.monotonic()
            last = patience.hold <= (0.0 if steady is None else now - steady)
            answer = look(last)
            if isinstance(answer, Failed | Later):
                return answer
            if isinstance(answer, Settled):
                if last:
                    return answer
                steady = now if steady is None else steady
                pause = min(patience.poll, max(patience.hold - (now - steady), 0.01))
            else:
                steady = steady if answer.holding else None
                if answer.stage not in stages:
                    stages.add(answer.stage)
                    began = now
                if now - began >= patience.deadline:
                    return GaveUp(reason=f"gave up after {patience.deadline:.0f} s: {answer.reason}")
                waiting(answer.reason, now - began)
                if answer.again:
                    again(answer)
                pause = patience.poll
            self.pause(pause)

    def pause(self, seconds: float) -> None:
        """Sleeps, unless a signal asks to stop.

        Raises:
            Interrupted: it does.
        """
        checkpoint(self.interrupt)
        self.clock.sleep(seconds)
        checkpoint(self.interrupt)


def checkpoint(interrupt: Interrupt) -> None:
    """Stops here when a signal asked for it; everything up to here is in the journal.

    Raises:
        Interrupted: it did.
    """
    signal = interrupt()
    if signal is not None:
        raise Interrupted(signal)
