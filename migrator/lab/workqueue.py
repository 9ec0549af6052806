"""A work queue: what is asked for twice is done once, may be due later, and comes back later after a failure."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import urllib3

from migrator.lab.kubeclient import KubeError

_LOG = logging.getLogger(__name__)


class Task(NamedTuple):
    """One object to bring up to date: its resource, namespace and name."""

    plural: str
    namespace: str
    name: str


class WorkQueue:
    """Tasks with the time they are due; an earlier time replaces a later one."""

    def __init__(self) -> None:
        self._due: dict[Task, float] = {}
        self._heap: list[tuple[float, Task]] = []
        self._failures: dict[Task, int] = {}
        self._changed = threading.Condition()
        self._closed = False

    def add(self, task: Task, after: float = 0.0) -> None:
        """Ask for a task to be done `after` seconds from now, or sooner if so asked before."""
        due = time.monotonic() + after
        with self._changed:
            if due < self._due.get(task, float("inf")):
                self._due[task] = due
                heapq.heappush(self._heap, (due, task))
                self._changed.notify()

    def retry(self, task: Task) -> None:
        """Ask for a task again after it failed, each time later."""
        failures = self._failures.get(task, 0)
        self._failures[task] = failures + 1
        self.add(task, min(0.05 * 2**failures, 5.0))

    def succeeded(self, task: Task) -> None:
        """Forget a task's failures."""
        self._failures.pop(task, None)

    def get(self) -> Task | None:
        """Wait for the next due task; None once the queue is closed."""
        with self._changed:
            while not self._closed:
                wait = self._next_wait()
                if wait is not None and wait <= 0:
                    _, task = heapq.heappop(self._heap)
                    del self._due[task]
                    return task
                self._changed.wait(wait)
            return None

    def work_off(self, reconcile: Callable[[Task], float | None]) -> None:
        """Do every due task until the queue is closed; `reconcile` says in how many seconds to look again, if at all.

        One object's bad luck must not end the work for all others: what fails is told and done again later.
        """
        while (task := self.get()) is not None:
            try:
                again = reconcile(task)
            except KubeError as error:
                # somebody else wrote or deleted first, and the watch is about to tell us what
                level = logging.DEBUG if error.status in (404, 409) else logging.WARNING
                _LOG.log(level, "%s: %s", task, error)
                self.retry(task)
            except (OSError, urllib3.exceptions.HTTPError) as error:
                _LOG.debug("%s: %s", task, error)
                self.retry(task)
            except Exception:  # noqa: BLE001 - told with its traceback; a bug in one must not stop the rest
                _LOG.exception("%s", task)
                self.retry(task)
            else:
                self.succeeded(task)
                if again is not None:
                    self.add(task, again)

    def close(self) -> None:
        """Wake every waiter up for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next_wait(self) -> float | None:
        """Seconds until the first task is due, None if there is none; drops entries replaced by earlier ones."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] - time.monotonic() if self._heap else None
