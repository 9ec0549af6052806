"""Keeps a runner's locks from expiring while a step waits, and stops a runner that has lost one."""

from dataclasses import dataclass

from migrator.model.ports.running import Clock, Locks

_EVERY = 60.0  # seconds


@dataclass(slots=True)
class Pulse:
    """Of one walk. Records renew the locks too, but a step may wait for hours without one."""

    locks: Locks
    clock: Clock
    _last: float | None = None

    def beat(self) -> None:
        """Renews the locks held here, once in a while.

        Raises:
            Locked: another runner took one over.
        """
        if self._last is None or self.clock.monotonic() - self._last >= _EVERY:
            self.fence()

    def fence(self) -> None:
        """Renews them now: asked right before a change that no record precedes.

        Raises:
            Locked: another runner took one over: nothing more may be changed.
        """
        self.locks.renew()
        self._last = self.clock.monotonic()
