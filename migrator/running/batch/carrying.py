"""Carries out one task, in a thread of its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from migrator.model.ids import ServiceId
from migrator.model.journal import ServiceState
from migrator.running.batch.agenda import Errand, Task
from migrator.running.batch.desk import Overtaken, Tools
from migrator.running.batch.hours import Bell, Hours
from migrator.running.result import Result

LOOKED = "looked:"  # a mark's key begins so: when a migrated service was looked at last


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrying:
    """For the tasks of one batch that began at `began`; `halted` says that everything stops at its next checkpoint."""

    tools: Tools
    hours: Hours
    began: str
    halted: Callable[[], bool]

    def carry(self, task: Task, seen: ServiceState | None) -> Result:
        """Carries the task out, unless somebody was at work on its service after its state was `seen`.

        Raises:
            Overtaken: somebody was.
            MigrateError: as the runner says.
        """
        bell = Bell(self.hours, self.tools.clock, self.tools.interrupt, self.tools.reporter, self.halted)
        asked = partial(self._still_as, seen, look=task.errand is Errand.LOOK)
        runner = replace(self.tools.runner(task.service), interrupt=bell, reporter=bell, at_lock=asked)
        if task.errand is Errand.RETURN:
            return runner.go_back(task.service)
        if task.errand is Errand.LOOK:
            return runner.look(task.service)
        return runner.apply(task.plan, self.tools.document_of(task.plan))

    def _still_as(self, seen: ServiceState | None, service: ServiceId, *, look: bool) -> None:
        """What another worker tried in vain, or has looked at since this run began, is not done again."""
        looked = self.tools.journal.marks(f"{LOOKED}{service}").get(f"{LOOKED}{service}") if look else None
        if (looked and looked.at >= self.began) or _face(self.tools.journal.state(service)) != _face(seen):
            raise Overtaken(f'another runner was at work on "{service}"')


def _face(state: ServiceState | None) -> object:
    """What changes whenever somebody does something with a service."""
    run = state.run if state else None
    return run and (run.id, run.outcome, state and state.steps[-1:])
