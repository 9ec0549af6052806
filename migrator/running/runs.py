"""The runs of a service: which of them carries a plan, how one is begun and ended."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import uuid4

from migrator.model.events import Reporter, RunEnded
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import OVER, Direction, Outcome, Run
from migrator.model.plan import Plan, in_order
from migrator.model.ports.running import Clock, Closing, Journal
from migrator.planning.again import drifted

PlanOf = Callable[[Json], Plan]


def carries(run: Run, plan: Plan, plan_of: PlanOf) -> bool:
    """Whether the run carries this plan; what people may edit, the order of its steps included, counts as it is now."""
    carried = plan_of(run.plan)
    forward = in_order(carried.forward, plan.edit.order)
    return replace(carried, edit=plan.edit, verdict=plan.verdict, forward=forward) == replace(
        plan, forward=plan.way_there
    )


def carried_out(journal: Journal, plan: Plan, plan_of: PlanOf) -> Run | None:
    """The run that carried this very plan out, if nothing was done since."""
    last = next(reversed(journal.runs(plan.service)), None)
    if last is None or last.direction is not Direction.FORWARD or last.outcome is not Outcome.DONE:
        return None
    return last if carries(last, plan, plan_of) else None


def _steps_over(journal: Journal, plan: Plan, plan_of: PlanOf) -> frozenset[str] | None:
    """Which steps are over in the walk there that carries this plan, open or done; None when there is none."""
    run = journal.open_run(plan.service)
    if run is None:
        run = carried_out(journal, plan, plan_of)
    elif run.direction is Direction.BACK or not carries(run, plan, plan_of):
        run = None
    if run is None:
        return None
    return frozenset(step for step, record in journal.records(run.id).items() if record.status in OVER)


class Fate(StrEnum):
    """What becomes of the plan that stands there, now that one was made anew."""

    STAYS = "stays"  # a run goes on with it
    LEFT = "left"  # a run carries it, and the world has left it
    FREE = "free"  # no run carries it


def walking_back(journal: Journal, service: ServiceId) -> bool:
    """Whether a way back is not over: nothing else is begun before it is."""
    run = journal.open_run(service)
    return run is not None and run.direction is Direction.BACK


def fate(journal: Journal, old: Plan | None, fresh: Plan, plan_of: PlanOf) -> Fate:
    """Of the plan `old`, or of what cannot be read: the plan of an open run stays unless the world has left it."""
    if walking_back(journal, fresh.service):
        return Fate.STAYS
    over = _steps_over(journal, old, plan_of) if old is not None else None
    if old is None or over is None:
        return Fate.FREE
    return Fate.LEFT if drifted(old, fresh, over) else Fate.STAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Begins and ends runs: writes the journal, then tells."""

    journal: Journal
    clock: Clock
    reporter: Reporter
    actor: str
    host: str

    def begin(
        self,
        service: ServiceId,
        direction: Direction,
        document: Json,
        *,
        cause: str = "",
        note: str = "",
        closing: Closing | None = None,
    ) -> Run:
        """A new run, open; with `closing`, another ends with it."""
        run = Run(
            id=uuid4().hex[:16],
            service=service,
            direction=direction,
            outcome=Outcome.OPEN,
            plan=document,
            actor=self.actor,
            host=self.host,
            started=self.clock.now(),
            cause=cause,
            note=note,
        )
        self.journal.begin(run, closing)
        return run

    def end(self, run: Run, outcome: Outcome, note: str, *, why: str = "") -> None:
        """The run is over; `why` there was one goes to the journal, and was told before."""
        self.journal.end(run.id, outcome, note or why, self.clock.now())
        self._tell(run, outcome, note)

    def leave_open(self, run: Run, note: str) -> None:
        """This process stops here, the run does not: a later command takes it up."""
        self._tell(run, Outcome.OPEN, note)

    def last_forward(self, service: ServiceId) -> Run | None:
        """The newest walk there, whatever became of it."""
        there = [run for run in self.journal.runs(service) if run.direction is Direction.FORWARD]
        return there[-1] if there else None

    def _tell(self, run: Run, outcome: Outcome, note: str) -> None:
        self.reporter.tell(
            RunEnded(service=run.service, direction=run.direction, run=run.id, outcome=outcome, note=note)
        )
