"""Reporters for where nothing can be redrawn: one plain line per event, or none at all."""

import threading
from typing import TextIO

from migrator.model.events import AnyEvent, Event, RunEnded, StepWaits
from migrator.render.redact import redact
from migrator.render.words import sentence
from migrator.render.writing import write_line


class LineReporter:
    """Writes one line per event; a wait is repeated only when its reason changes. Thread-safe."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._said: dict[str, str] = {}

    def tell(self, event: AnyEvent) -> None:
        """Takes one event."""
        if self._news(event):
            who = f"{event.service}: " if isinstance(event, Event) else ""
            write_line(self._stream, f"{who}{redact(sentence(event))}")

    def _news(self, event: AnyEvent) -> bool:
        with self._lock:
            if isinstance(event, RunEnded):
                self._said.pop(str(event.service), None)
            return not isinstance(event, StepWaits) or self._waits_anew(event)

    def _waits_anew(self, event: StepWaits) -> bool:
        waits = f"{event.step}: {event.reason}"
        before = self._said.get(str(event.service))
        self._said[str(event.service)] = waits
        return waits != before


class SilentReporter:
    """For `--quiet`: the result and the errors say enough."""

    def tell(self, event: AnyEvent) -> None:
        """Takes one event and says nothing."""
