"""Takes one service there, or back: lock, proof of the cluster, run, and the way back by itself when a step fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from uuid import uuid4

from migrator.model.errors import Blocked, Drift, MigrateError
from migrator.model.events import Reporter, RunEnded, RunStarted, WayBack
from migrator.model.exits import Exit
from migrator.model.facts import Json
from migrator.model.fleet import Waits
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run
from migrator.model.plan import Plan, PlannedStep, StepKind
from migrator.model.ports import Clock, Closing, ClusterWorld, Interrupt, Journal, Locks, TrustPolicies
from migrator.running.admission import migrated, refuse_blocked, refuse_held, refuse_other_things, still_so
from migrator.running.ledger import ledger, way_back
from migrator.running.moves import Book
from migrator.running.preflight import before_going, before_returning
from migrator.running.result import Result
from migrator.running.walk import Postponed, StepFailed, Walk
from migrator.steps.step import Context

AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs plans of the services of one cluster. `plan_of` revives the plan document that a run carries.

    `file_of` names a service's plan file to people.
    """

    cluster: ClusterWorld
    trust: TrustPolicies
    journal: Journal
    locks: Locks
    clock: Clock
    reporter: Reporter
    interrupt: Interrupt
    waits: Waits
    actor: str
    host: str
    plan_of: Callable[[Json], Plan]
    file_of: Callable[[ServiceId], str]

    def apply(self, plan: Plan, document: Json, *, auto_rollback: bool = True) -> Result:
        """Carries the plan out, or takes up the run that was cut off.

        Raises:
            Blocked, Locked, Drift, Interrupted, MigrateError: stopped; everything up to there is in the journal.
        """
        with self._service(plan.service, "apply"):
            run = self.journal.open_run(plan.service)
            if run is not None and run.direction is Direction.BACK:
                return self._finish_way_back(run)
            if run is None or not self._same(run, plan):
                last = self._migrated(plan) if run is None else None
                if last is not None:
                    return self._look_again(plan, last)
                self._admit(plan)
                closing = Closing(run=run.id, outcome=Outcome.FAILED, note="replaced by a newer plan") if run else None
                run = self._begin(plan.service, Direction.FORWARD, document, closing=closing)
            refuse_held(plan)
            self._prove(plan)
            return self._there(run, plan, auto_rollback=auto_rollback)

    def rollback(self, service: ServiceId) -> Result:
        """Walks the way back of what the journal says is ours, or takes up a way back that was cut off."""
        with self._service(service, "rollback"):
            run = self.journal.open_run(service)
            if run is None or run.direction is Direction.FORWARD:
                source = run or self._last_forward(service)
                if source is None or ledger(self.journal, service).nothing_to_undo:
                    return self._nothing_to_undo(service, run)
                plan = self.plan_of(source.plan)
                self._prove(plan)
                self._before_returning(plan)
                closing = (
                    Closing(run=run.id, outcome=Outcome.ABANDONED, note="given up for the way back") if run else None
                )
                run = self._begin(service, Direction.BACK, source.plan, cause=source.id, closing=closing)
            self._prove(self.plan_of(run.plan))
            self._back(run)
            return Result(service=service, exit=Exit.DONE, message=f"rolled back: {self._seen(run)}")

    def _there(self, run: Run, plan: Plan, *, auto_rollback: bool) -> Result:
        try:
            book = self._walk(run, plan, plan.forward)
        except StepFailed as failure:
            if not auto_rollback:
                remedy = f"mend it and run the same command again, or: migrate rollback --service {plan.service}"
                raise Blocked(
                    failure.reason, doing=f'step "{failure.step}" of "{plan.service}"', remedy=remedy
                ) from failure
            return self._turn_round(run, failure)
        except Postponed as pause:
            self.reporter.tell(self._ended(run, Outcome.OPEN, pause.reason))
            message = f'stopped at step "{pause.step}": {pause.reason}; the same command goes on'
            return Result(service=run.service, exit=Exit.UNFINISHED, message=message)
        self._end(run, Outcome.DONE, "")
        proof = book.records.get(StepKind.VERIFY)
        return migrated(plan.service, proof.result if proof else None, "migrated", proof.note if proof else "")

    def _turn_round(self, run: Run, failure: StepFailed) -> Result:
        self.reporter.tell(WayBack(service=run.service, step=failure.step, reason=failure.reason))
        note = f"{failure.step}: {failure.reason}"
        if ledger(self.journal, run.service).nothing_to_undo:
            self._end(run, Outcome.FAILED, note)
            message = f'step "{failure.step}" failed before anything of the service was changed: {failure.reason}'
            return Result(service=run.service, exit=Exit.ROLLED_BACK, message=message)
        closing = Closing(run=run.id, outcome=Outcome.FAILED, note=note)
        back = self._begin(run.service, Direction.BACK, run.plan, cause=run.id, note=AUTOMATIC, closing=closing)
        return self._finish_way_back(back)

    def _finish_way_back(self, run: Run) -> Result:
        if run.note != AUTOMATIC:
            remedy = f"finish it first: migrate rollback --service {run.service}"
            raise Blocked(f'a rollback of "{run.service}" was cut off', remedy=remedy)
        self._prove(self.plan_of(run.plan))
        try:
            self._back(run)
        except _Stranded as error:
            return Result(service=run.service, exit=Exit.STRANDED, message=error.sentence())
        cause = self.journal.run(run.cause)
        why = cause.note if cause else "a step failed"
        message = f"failed ({why}) and rolled back: {self._seen(run)}"
        return Result(service=run.service, exit=Exit.ROLLED_BACK, message=message)

    def _seen(self, run: Run) -> str:
        """What the way back's own verify saw in the end."""
        proof = self.journal.records(run.id).get(StepKind.VERIFY)
        return proof.note if proof and proof.note else "nothing of the service had been changed"

    def _back(self, run: Run) -> None:
        plan = self.plan_of(run.plan)
        steps = way_back(plan, ledger(self.journal, run.service))
        try:
            self._walk(run, plan, steps)
        except StepFailed as failure:
            self.reporter.tell(self._ended(run, Outcome.OPEN, failure.reason))
            raise _Stranded(run.service, failure) from failure
        self._end(run, Outcome.DONE, "")

    def _walk(self, run: Run, plan: Plan, steps: tuple[PlannedStep, ...]) -> Book:
        book = Book.open(run, self.journal, self.clock, self.reporter)
        self.reporter.tell(
            RunStarted(
                service=run.service,
                direction=run.direction,
                run=run.id,
                resumed=bool(book.records),
                steps=tuple(step.id for step in steps),
                statuses={step: record.status for step, record in book.records.items()},
            )
        )
        Walk(
            steps=steps,
            book=book,
            context=partial(self._context, run, plan),
            locks=self.locks,
            clock=self.clock,
            reporter=self.reporter,
            interrupt=self.interrupt,
        ).go()
        return book

    def _context(self, run: Run, plan: Plan, step: str) -> Context:
        back = run.direction is Direction.BACK
        return Context(
            service=run.service,
            run=run.id,
            cluster=self.cluster,
            trust=self.trust,
            waits=self.waits,
            check=None if back else plan.edit.verify,  # it may be about Pod Identity; the way back asks for IRSA only
            role_arn=_associated(plan),
            forward=ledger(self.journal, run.service).ours.get(step, {}) if back else {},
        )

    def _admit(self, plan: Plan) -> None:
        """Looks before anything is recorded: hold, findings, what earlier runs left, the cluster, drift."""
        refuse_held(plan)
        refuse_blocked(plan)
        refuse_other_things(plan, self.journal, self.plan_of)
        self._prove(plan)
        before_going(plan, partial(self._look_context, plan))

    def _look_again(self, plan: Plan, last: Run) -> Result:
        """The same plan was carried out before: is it still so, and is it proven by now?"""
        self._prove(plan)
        return still_so(plan, self._context(last, plan, ""))

    def _look_context(self, plan: Plan) -> Context:
        return Context(
            service=plan.service,
            run="",
            cluster=self.cluster,
            trust=self.trust,
            waits=self.waits,
            check=plan.edit.verify,
            role_arn=_associated(plan),
        )

    def _prove(self, plan: Plan) -> None:
        difference = self.cluster.prove(plan.facts["cluster"])
        if difference is not None:
            doing = f"{self.file_of(plan.service)}: planned for another cluster than the one reached"
            raise Drift(difference, doing=doing, remedy="plan again, or correct the fleet file")

    def _before_returning(self, plan: Plan) -> None:
        held = ledger(self.journal, plan.service)

        def context(step: str) -> Context:
            return replace(self._look_context(plan), check=None, forward=held.ours.get(step, {}))

        before_returning(plan, way_back(plan, held), context)

    def _nothing_to_undo(self, service: ServiceId, run: Run | None) -> Result:
        if run is not None:
            self._end(run, Outcome.ABANDONED, "rolled back before anything was changed")
        return Result(service=service, exit=Exit.DONE, message="nothing of ours is in place; nothing to do")

    def _begin(
        self,
        service: ServiceId,
        direction: Direction,
        document: Json,
        *,
        cause: str = "",
        note: str = "",
        closing: Closing | None = None,
    ) -> Run:
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

    def _end(self, run: Run, outcome: Outcome, note: str) -> None:
        self.journal.end(run.id, outcome, note, self.clock.now())
        self.reporter.tell(self._ended(run, outcome, note))

    def _ended(self, run: Run, outcome: Outcome, note: str) -> RunEnded:
        return RunEnded(service=run.service, direction=run.direction, run=run.id, outcome=outcome, note=note)

    def _last_forward(self, service: ServiceId) -> Run | None:
        there = [run for run in self.journal.runs(service) if run.direction is Direction.FORWARD]
        return there[-1] if there else None

    def _same(self, run: Run, plan: Plan) -> bool:
        """Whether the run carries this plan; what people may edit counts as it is now."""
        carried = self.plan_of(run.plan)
        return replace(carried, edit=plan.edit, verdict=plan.verdict) == plan

    def _migrated(self, plan: Plan) -> Run | None:
        """The run that carried this very plan out, if nothing was done since."""
        last = next(reversed(self.journal.runs(plan.service)), None)
        if last is None or last.direction is not Direction.FORWARD or last.outcome is not Outcome.DONE:
            return None
        return last if self._same(last, plan) else None

    @contextmanager
    def _service(self, service: ServiceId, doing: str) -> Iterator[None]:
        with self.locks.held(f"service:{service}", doing=doing):
            yield


def _associated(plan: Plan) -> str:
    """The role that the plan's association names."""
    step = plan.step(StepKind.ASSOCIATION)
    return str(step.after["role_arn"]) if step else ""


class _Stranded(MigrateError):
    """The way back failed too."""

    exit = Exit.STRANDED
    code = "stranded"

    def __init__(self, service: ServiceId, failure: StepFailed) -> None:
        super().__init__(
            f'the way back of "{service}" failed at step "{failure.step}": {failure.reason}',
            remedy=f"mend it, then: migrate rollback --service {service}",
        )
