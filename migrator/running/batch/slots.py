"""Shares of what only so many may use at once: a cluster, a role, a cluster's first services.

They are locks: so they count over every worker of the fleet, and a dead worker's come free as its other locks do.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from migrator.model.batch import Limits
from migrator.model.errors import Locked
from migrator.model.ports.running import Locks
from migrator.running.batch.agenda import Task

PREFIX = "slot:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Hands out shares."""

    locks: Locks
    limits: Limits

    def take(self, task: Task, *, first: int | None, full: set[str]) -> ExitStack | None:
        """What gives the task's shares back when it is closed, or None when one is not to be had now.

        Args:
            task: what wants to begin.
            first: how many may go as the first of its cluster, if it would be one of them.
            full: what was found to be used up in this round, and is added to.
        """
        with ExitStack() as stack:
            for name, count in self._wanted(task, first=first):
                if name in full or not self._one(stack, name, count):
                    full.add(name)
                    return None
            return stack.pop_all()

    def _wanted(self, task: Task, *, first: int | None) -> Iterator[tuple[str, int]]:
        if first is not None:
            yield f"{PREFIX}canary:{task.service.cluster}", first
        yield f"{PREFIX}cluster:{task.service.cluster}", self.limits.per_cluster
        if task.role:
            yield f"{PREFIX}role:{task.role}", self.limits.per_role

    def _one(self, stack: ExitStack, name: str, count: int) -> bool:
        for number in range(count):
            holding = self.locks.held(f"{name}:{number}", doing="batch")
            try:
                holding.__enter__()
            except Locked:
                continue
            stack.push(holding)
            return True
        return False
