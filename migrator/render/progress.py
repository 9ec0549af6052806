"""The live step list: per service its steps, what the current one waits for, and how long already. For a terminal only.

rich is imported at the top: whoever imports this module has a terminal to draw on.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from migrator.model.events import AnyEvent, Noticed, RunEnded, RunStarted, StepMoved, StepWaits, WayBack
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Status
from migrator.render.redact import redact
from migrator.render.words import seconds, sentence, status_words, way

_MARKS = {
    Status.PENDING: ("·", "dim"),
    Status.STARTED: ("▸", "bold"),
    Status.DONE: ("✓", "green"),
    Status.FOUND: ("=", "green"),
    Status.FAILED: ("✗", "bold red"),
}


@dataclass(slots=True)
class StepLine:
    """One step of the list."""

    status: Status = Status.PENDING
    note: str = ""
    began: float = 0.0


@dataclass(slots=True)
class Walked:
    """One run of one service as the display knows it."""

    service: ServiceId
    direction: Direction
    steps: dict[str, StepLine] = field(default_factory=dict)
    ending: str = ""
    failed: bool = False


class LiveProgress:
    """A Reporter and a context manager; between entry and exit it owns the bottom of the terminal."""

    def __init__(
        self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic, width: int | None = None
    ) -> None:
        self._console = Console(file=stream, force_terminal=True, width=width, highlight=False, emoji=False)
        self._clock = clock
        self._lock = threading.Lock()
        self._walks: list[Walked] = []
        self._live = Live(
            console=self._console, get_renderable=self.picture, refresh_per_second=4, redirect_stdout=False
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def tell(self, event: AnyEvent) -> None:
        """Takes one event."""
        with self._lock:
            aside = self._take(event)
        if aside:
            self._console.print(Text(redact(aside), style="yellow"))

    def picture(self) -> RenderableType:
        """What the display shows now."""
        with self._lock:
            parts = [part for walk in self._walks for part in self._drawn(walk)]
        return Group(*parts)

    def _take(self, event: AnyEvent) -> str:
        """Changes the picture; the text returned goes above it, for good."""
        if isinstance(event, Noticed):
            return sentence(event)
        if isinstance(event, RunStarted):
            steps = {step: StepLine(event.statuses.get(step, Status.PENDING)) for step in event.steps}
            self._walks.append(Walked(event.service, event.direction, steps))
            return ""
        walk = next((walk for walk in reversed(self._walks) if walk.service == event.service), None)
        if walk is None:
            return f"{event.service}: {sentence(event)}"
        self._change(walk, event)
        return f"{event.service}: {sentence(event)}" if isinstance(event, WayBack) else ""

    def _change(self, walk: Walked, event: AnyEvent) -> None:
        if isinstance(event, StepMoved):
            line = walk.steps.setdefault(event.step, StepLine())
            line.began = self._clock() if event.status is Status.STARTED else line.began
            line.status, line.note = event.status, event.note
        elif isinstance(event, StepWaits):
            line = walk.steps.setdefault(event.step, StepLine())
            line.note = event.reason
            line.began = line.began or self._clock() - event.waited
        elif isinstance(event, RunEnded):
            walk.failed = event.outcome == "failed"
            walk.ending = f"{event.outcome}{f': {event.note}' if event.note else ''}"

    def _drawn(self, walk: Walked) -> tuple[RenderableType, RenderableType]:
        head = Text(f"{walk.service}  {way(walk.direction)}", style="bold")
        if walk.ending:
            head.append(f"  {redact(walk.ending)}", style="bold red" if walk.failed else "green")
        steps = Table.grid()  # what a step says is folded under itself, never under its name
        steps.add_column(no_wrap=True)
        steps.add_column()
        for step, line in walk.steps.items():
            steps.add_row(*self._step(step, line))
        return head, steps

    def _step(self, name: str, line: StepLine) -> tuple[Text, Text]:
        mark, style = _MARKS[line.status]
        said = "" if line.status is Status.PENDING else status_words(line.status)
        if line.status is Status.STARTED:
            said = seconds(self._clock() - line.began) if line.began else ""
        parts = (said, " ".join(redact(line.note).split()))
        told = "  ".join(part for part in parts if part)
        return Text(f"  {mark} {name}  ", style=style), Text(told, style="dim" if line.status is Status.PENDING else "")
