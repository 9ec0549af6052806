"""Things to be done later, in one thread."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

_LOG = logging.getLogger(__name__)
Action = Callable[[], None]


class Agenda:
    """Runs actions at their time, one after another; what fails is told and does not stop the rest."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="faults-agenda", daemon=True)

    def start(self) -> None:
        """Begins to run what is due."""
        self._thread.start()

    def stop(self) -> None:
        """Stops at once; what is not due yet is never done."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def later(self, seconds: float, action: Action) -> None:
        """Has the action run in so many seconds."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), action))
            self._changed.notify()

    def _run(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            except Exception:  # noqa: BLE001 - told with its traceback; one fault's bad luck must not end all others
                _LOG.exception("a fault could not be played")

    def _next(self) -> Action | None:
        with self._changed:
            while not self._stopping:
                left = self._due[0][0] - time.monotonic() if self._due else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(left)
        return None
