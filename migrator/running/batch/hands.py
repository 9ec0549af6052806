"""Threads that carry out tasks; daemons, so that a second Ctrl-C ends the process at once, as a kill would."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from migrator.model.ids import ServiceId
from migrator.running.result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a task ended: one of the two is there."""

    service: ServiceId
    result: Result | None = None
    error: Exception | None = None


class Hands:
    """As many as are asked for; whoever asks keeps the limits."""

    def __init__(self) -> None:
        self._finished: SimpleQueue[Finished] = SimpleQueue()

    def start(self, service: ServiceId, work: Callable[[], Result]) -> None:
        """Begins the work in a thread of its own."""

        def run() -> None:
            try:
                self._finished.put(Finished(service=service, result=work()))
            except Exception as error:  # noqa: BLE001 - told to whoever takes it in; a thread's own traceback helps nobody
                self._finished.put(Finished(service=service, error=error))

        threading.Thread(target=run, name=f"batch {service}", daemon=True).start()

    def next(self, seconds: float) -> Finished | None:
        """The next that has ended, or None after so many seconds."""
        try:
            return self._finished.get(timeout=seconds)
        except Empty:
            return None
