"""A Reporter that counts steps on their way to another one, and writes the file when the run is over."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prometheus_client import Metric, write_to_textfile
from prometheus_client.registry import Collector

from migrator import __version__
from migrator.model.batch import Summary
from migrator.model.events import AnyEvent, Reporter, RunEnded, StepMoved
from migrator.model.exits import Exit
from migrator.model.journal import Direction, Standing, Status
from migrator.model.meter import KUBERNETES, Meter
from migrator.model.plan import StepKind
from migrator.render.textfile import families as of
from migrator.render.textfile.series import Numbers, metrics, remembered
from migrator.render.words import REASONS

_OVER = (Status.DONE, Status.FOUND, Status.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which file, of which fleet with which clusters."""

    path: Path
    fleet: Path
    clusters: tuple[str, ...]


class Textfile:
    """Counts what it is told and what the meter counted; thread-safe."""

    def __init__(
        self, inner: Reporter, place: Place, meter: Meter, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._place = place
        self._meter = meter
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._began: dict[tuple[str, str], float] = {}
        self._steps = _zeros()
        self._written = Numbers()  # of this process's numbers, those that are in the file

    def tell(self, event: AnyEvent) -> None:
        """Takes one event, and passes it on."""
        with self._lock:
            if isinstance(event, StepMoved):
                self._moved(event)
            elif isinstance(event, RunEnded):
                for key in [key for key in self._began if key[0] == event.run]:
                    del self._began[key]
        self._inner.tell(event)

    def write(self, summary: Summary) -> str:
        """Writes the file, all of it at once; empty, or why it could not be written. May be called again."""
        mine = self._counted().plus(_ended(summary))
        path, fleet = self._place.path, str(self._place.fleet)
        try:
            with _alone(path.parent):
                grown = remembered(path, fleet).plus(mine.plus(self._written, -1))
                page = metrics(grown.plus(_state(summary, self._place.clusters)), fleet)
                write_to_textfile(str(path), _Page(page))
        except OSError as error:
            why = error.strerror or str(error)
            return f'the metrics could not be written to "{path}": {why}; correct "batch.metrics" or the rights there'
        self._written = mine
        return ""

    def _moved(self, event: StepMoved) -> None:
        key = (event.run, event.step)
        if event.status is Status.STARTED:
            self._began.setdefault(key, self._monotonic())
        elif event.status in _OVER:
            self._steps.add(of.STEPS, event.step, event.direction, event.status)
            began = self._began.pop(key, None)
            if began is not None:
                took = self._monotonic() - began
                self._steps.observe(of.STEP_SECONDS, event.step, event.direction, seconds=took)

    def _counted(self) -> Numbers:
        with self._lock:
            numbers = Numbers(self._steps)
        for api, calls in self._meter.counts().items():
            if api.service == KUBERNETES:
                labels: tuple[str, ...] = (api.owner,)
                told = (
                    (of.KUBE_CALLS, calls.made),
                    (of.KUBE_THROTTLES, calls.throttled),
                    (of.KUBE_RETRIES, calls.retried),
                )
            else:
                labels = (api.owner, api.service)
                told = (
                    (of.AWS_CALLS, calls.made),
                    (of.AWS_THROTTLES, calls.throttled),
                    (of.AWS_RETRIES, calls.retried),
                )
                numbers.add(of.AWS_HELD, *labels, amount=calls.held)
            for family, count in told:
                numbers.add(family, *labels, amount=count)
        return numbers


class _Page(Collector):
    """What the library asks for."""

    def __init__(self, page: Iterable[Metric]) -> None:
        self._page = page

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self._page


def _zeros() -> Numbers:
    """What may be counted, at 0: a counter that begins at 1 has no increase."""
    numbers = Numbers()
    for outcome in Exit:
        numbers.add(of.SERVICE_RUNS, outcome.label, amount=0)
    for kind in StepKind:
        for direction in Direction:
            for status in _OVER:
                numbers.add(of.STEPS, kind, direction, status, amount=0)
    return numbers


def _ended(summary: Summary) -> Numbers:
    numbers = Numbers()
    for one in summary.services:
        numbers.add(of.SERVICE_RUNS, one.exit.label)
    return numbers


def _state(summary: Summary, clusters: Iterable[str]) -> Numbers:
    """The gauges."""
    began, ended = (datetime.fromisoformat(at).timestamp() for at in (summary.began, summary.ended))
    numbers = Numbers()
    numbers.add(of.BUILD, __version__)
    for standing in Standing:
        numbers.add(of.SERVICES, standing, amount=summary.standings.get(standing, 0))
    for reason, count in summary.left.items():
        numbers.add(of.LEFT, reason, amount=count)
    for cluster in sorted({*clusters, *summary.breakers}):
        numbers.add(of.BREAKERS, cluster, amount=cluster in summary.breakers)
    for reason in sorted({*REASONS, summary.reason}):
        numbers.add(of.REASON, reason, amount=reason == summary.reason)
    for family, value in ((of.BEGAN, began), (of.ENDED, ended), (of.LASTED, ended - began), (of.EXIT, summary.exit)):
        numbers.add(family, amount=value)
    return numbers


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process of ours reads and writes a file there meanwhile.

    Raises:
        OSError: there is no such folder.
    """
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
