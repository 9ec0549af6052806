"""Reporters for where nothing can be redrawn: one plain line per event, or none at all."""

from typing import TextIO

from migrator.model.events import AnyEvent, Event, RunEnded, StepWaits
from migrator.render.redact import redact
from migrator.render.words import sentence


class LineReporter:
    """Writes one line per event; a wait is repeated only when its reason changes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._said: dict[str, str] = {}

    def tell(self, event: AnyEvent) -> None:
        """Takes one event."""
        if isinstance(event, StepWaits) and not self._news(event):
            return
        if isinstance(event, RunEnded):
            self._said.pop(str(event.service), None)
        who = f"{event.service}: " if isinstance(event, Event) else ""
        self._stream.write(f"{who}{redact(sentence(event))}\n")
        self._stream.flush()

    def _news(self, event: StepWaits) -> bool:
        waits = f"{event.step}: {event.reason}"
        before = self._said.get(str(event.service))
        self._said[str(event.service)] = waits
        return waits != before


class SilentReporter:
    """For `--quiet`: the result and the errors say enough."""

    def tell(self, event: AnyEvent) -> None:
        """Takes one event and says nothing."""
