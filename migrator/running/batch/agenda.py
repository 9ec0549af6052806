"""What a batch has to do with each service of the fleet, told from plans and journal alone; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from migrator.model.errors import RecordFault
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Mark, Outcome, Run, ServiceState, Status, StepRecord
from migrator.model.plan import Plan, Verdict
from migrator.running.kept import kept
from migrator.running.proven import unproven
from migrator.running.runs import PlanOf, carries
from migrator.running.stops import asked_for
from migrator.running.walk import drifted

Selected = Callable[[ServiceId, Plan | None], bool]  # whether a service is meant; None where no plan of it can be read


class Errand(StrEnum):
    """What is done with a service, the most urgent first."""

    RETURN = "return"  # a way back that was cut off: nothing else is safe before it is over
    RESUME = "resume"  # a walk there that was cut off
    LOOK = "look"  # migrated; not proven yet, or in its soak
    BEGIN = "begin"


class Left(StrEnum):
    """Why a service is left as it is."""

    BLOCKED = "blocked"  # a finding that nobody took on
    ATTENTION = "attention"  # a warning that nobody took on
    UNREADABLE = "unreadable"  # its plan file, or the plan that its run carries
    HOLD = "hold"
    FAILED = "failed"  # an earlier run with this very plan failed
    ROLLED_BACK = "rolled-back"  # by a person, and the plan is the same
    STOPPED = "stopped"  # where a person's --to said
    DRIFT = "drift"
    BREAKER = "breaker"  # too many failures in its cluster
    UNREACHABLE = "unreachable"  # errors of its cluster, several in a row
    LOCKED = "locked"  # another runner is at work on it
    CANARY = "canary"  # the first service of its cluster is not migrated yet
    LATER = "later"  # no time, no budget or no share of a limit was left


FOR_A_PERSON = frozenset({Left.BLOCKED, Left.ATTENTION, Left.FAILED, Left.STOPPED, Left.DRIFT, Left.BREAKER})
UNFINISHED = frozenset({Left.UNREACHABLE, Left.LOCKED, Left.CANARY, Left.LATER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One service's errand. `plan` is what is carried out; `role` the ARN that its pods use."""

    service: ServiceId
    errand: Errand
    plan: Plan
    role: str

    @property
    def wave(self) -> tuple[bool, int]:
        """Sorts as the waves come: by number, then the services without one."""
        number = self.plan.edit.wave
        return number is None, number or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the agenda is told from.

    Attributes:
        plans: those that can be read.
        unreadable: services whose plan file cannot.
        astray: whether there are files or folders of plans besides of which nobody can tell whose they are.
        states: of every service with a run.
        marks: those of services that a later look has proven, and of runs that stay open on purpose.
        now: aware.
        soak: seconds for which a migrated service is looked at again.
        retry_failed: whether what failed earlier is begun again.
        plan_of: revives the plan that a run carries.
    """

    plans: Mapping[ServiceId, Plan]
    states: Mapping[ServiceId, ServiceState]
    marks: Mapping[str, Mark]
    now: datetime
    soak: float
    plan_of: PlanOf
    unreadable: frozenset[ServiceId] = field(default=frozenset())
    astray: bool = False
    retry_failed: bool = False

    def errand(self, service: ServiceId) -> Task | Left | None:
        """What to do with a service, why it is left, or None when nothing is left to do of it."""
        state = self.states.get(service)
        run, plan = state.run if state else None, self.plans.get(service)
        if state is None or run is None:
            return self._new(service, plan)
        if run.outcome is Outcome.OPEN:
            return self._open(state, run, plan)
        if run.direction is Direction.FORWARD and run.outcome is Outcome.DONE:
            return self._migrated(state, run)
        return self._ended_otherwise(state, plan)

    def _new(self, service: ServiceId, plan: Plan | None) -> Task | Left:
        if plan is None:
            return Left.UNREADABLE
        if plan.edit.hold:
            return Left.HOLD
        if plan.verdict is not Verdict.READY:
            return Left.BLOCKED if plan.verdict is Verdict.BLOCKED else Left.ATTENTION
        return _task(Errand.BEGIN, plan, service)

    def _open(self, state: ServiceState, run: Run, plan: Plan | None) -> Task | Left:
        if run.direction is Direction.BACK:
            return _task(Errand.RETURN, self.plan_of(run.plan), run.service)
        if run.service in self.unreadable:
            return Left.UNREADABLE
        going = plan or self.plan_of(run.plan)
        if not carries(run, going, self.plan_of):
            return self._new(run.service, going)  # begun anew, past every gate; it ends the older run
        last = state.steps[-1] if state.steps else None
        why = None if self.retry_failed else _stopped(last, failed=kept(run, self.marks))
        return (Left.HOLD if going.edit.hold else why) or _task(Errand.RESUME, going, run.service)

    def _migrated(self, state: ServiceState, run: Run) -> Task | None:
        age = self.now - datetime.fromisoformat(run.ended)
        if unproven(state, self.marks) or age < timedelta(seconds=self.soak):
            return _task(Errand.LOOK, self.plan_of(run.plan), run.service)
        return None

    def _ended_otherwise(self, state: ServiceState, plan: Plan | None) -> Task | Left | None:
        """Failed or taken back: the same plan is not tried again without a person's word."""
        run = state.run
        if run is None or plan is None:
            return Left.UNREADABLE if run is not None and run.service in self.unreadable else None
        if plan.edit.hold:
            return Left.HOLD
        if carries(run, plan, self.plan_of):
            by_a_person = run.direction is Direction.BACK and not run.note  # that of a failed step carries its reason
            if by_a_person:
                return Left.ROLLED_BACK
            if not self.retry_failed:
                return Left.FAILED
        return self._new(run.service, plan)


@dataclass(slots=True, kw_only=True)
class Agenda:
    """What is to be done, and what is left as it is."""

    tasks: dict[ServiceId, Task] = field(default_factory=dict)
    left: dict[ServiceId, Left] = field(default_factory=dict)

    @classmethod
    def of(cls, known: Known, selected: Selected) -> "Agenda":
        """That of every service there is and that is meant."""
        made = cls()
        for service in sorted(known.plans.keys() | known.states.keys() | known.unreadable):
            found = _errand(known, service)
            plan = found.plan if isinstance(found, Task) else known.plans.get(service)
            if found is not None and selected(service, plan):
                made.put(service, found)
        return made

    def put(self, service: ServiceId, found: Task | Left | None) -> None:
        """Takes one service in, whatever was known of it before."""
        self.tasks.pop(service, None)
        self.left.pop(service, None)
        if isinstance(found, Task):
            self.tasks[service] = found
        elif found is not None:
            self.left[service] = found

    def begins(self) -> bool:
        """Whether something is to be begun."""
        return any(task.errand is Errand.BEGIN for task in self.tasks.values())

    def queue(self, *, looks_last: bool = False) -> list[Task]:
        """The tasks, the most urgent errand first, then by wave."""
        errands = [one for one in Errand if not (looks_last and one is Errand.LOOK)] + [Errand.LOOK] * looks_last
        return sorted(self.tasks.values(), key=lambda task: (errands.index(task.errand), task.wave, task.service))


def _errand(known: Known, service: ServiceId) -> Task | Left | None:
    """A run whose own record cannot be used concerns no other service."""
    try:
        return known.errand(service)
    except RecordFault:
        return Left.UNREADABLE


def _stopped(last: StepRecord | None, *, failed: bool) -> Left | None:
    """A run that only a person takes up again: it failed and stayed, met drift, or stopped where it was told to."""
    if last is None:
        return None
    if last.status is Status.FAILED and failed:
        return Left.FAILED
    if drifted(last):
        return Left.DRIFT
    return Left.STOPPED if asked_for(last) else None


def _task(errand: Errand, plan: Plan, service: ServiceId) -> Task:
    step = plan.trust_step
    return Task(service=service, errand=errand, plan=plan, role=str(step.on["role"]) if step else "")
