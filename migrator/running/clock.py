"""The real clock. Its sleep ends early when a signal wants the run to stop at its next checkpoint."""

import threading
import time
from datetime import UTC, datetime


class SystemClock:
    """Wall clock, monotonic clock and an interruptible sleep; `wake` is set by whoever handles signals."""

    def __init__(self, wake: threading.Event | None = None) -> None:
        self._wake = wake or threading.Event()

    def now(self) -> str:
        """UTC, ISO 8601 with microseconds."""
        return datetime.now(UTC).isoformat(timespec="microseconds")

    def monotonic(self) -> float:
        """Seconds from an arbitrary beginning."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits, or returns early once `wake` is set."""
        self._wake.wait(seconds)
