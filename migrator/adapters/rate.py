"""How many calls per second go to one account: a bucket of tokens for each, which a call waits for.

A bucket holds one second's worth, so that a quiet account answers a burst at once. Whoever comes to an empty one takes
the next token in line and sleeps until it is there; nobody overtakes.
"""

import threading

from migrator.model.ports.running import Clock


class Rate:
    """The limit of every account; thread-safe."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._pause = 1.0 / per_second
        self._burst = max(1.0, per_second)
        self._clock = clock
        self._lock = threading.Lock()
        self._full: dict[str, float] = {}  # when the account's bucket is full again, if nobody comes

    def take(self, account: str) -> float:
        """Waits for the account's next token; the seconds that it took."""
        with self._lock:
            now = self._clock.monotonic()
            full = max(now, self._full.get(account, now)) + self._pause
            self._full[account] = full
        wait = full - now - self._burst * self._pause
        if wait <= 0:
            return 0.0
        self._clock.sleep(wait)
        return wait
