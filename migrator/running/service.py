"""Takes one service there, or back: lock, proof of the cluster, run, and the way back by itself when a step fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from migrator.model.errors import Blocked, Drift, MigrateError
from migrator.model.events import Reporter, RunStarted, WayBack
from migrator.model.exits import Exit
from migrator.model.facts import Json
from migrator.model.fleet import Waits
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run, Status
from migrator.model.plan import Plan, PlannedStep, StepKind
from migrator.model.ports import Clock, Closing, ClusterWorld, Interrupt, Journal, Locks, TrustPolicies
from migrator.running.admission import migrated, refuse_blocked, refuse_held, refuse_other_things, still_so
from migrator.running.lately import lately
from migrator.running.ledger import ledger, way_back
from migrator.running.moves import Book
from migrator.running.preflight import before_going, before_returning
from migrator.running.result import Result
from migrator.running.runs import Runs, carried_out, carries
from migrator.running.stops import over, stop, up_to
from migrator.running.walk import Postponed, StepFailed, Walk
from migrator.steps.step import Context

AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs plans of the services of one cluster. `plan_of` revives the plan document that a run carries.

    `file_of` names a service's plan file to people. `recreate_bare_pods` is a person's word, for both ways: bare pods
    may be deleted and made anew.
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
    recreate_bare_pods: bool = False

    def apply(
        self,
        plan: Plan,
        document: Json,
        *,
        auto_rollback: bool = True,
        to: StepKind | None = None,
        anew: bool = False,
    ) -> Result:
        """Carries the plan out, or takes up the run that was cut off.

        Args:
            plan: what to carry out.
            document: the same as plain data, for the journal.
            auto_rollback: walk the way back when a step fails.
            to: the last step to carry out; all of them when it is None.
            anew: the plan was made a moment ago because the world had drifted: a run that carries an equal one, open or
                done, is not taken up.

        Raises:
            Blocked, Locked, Drift, Interrupted, MigrateError: stopped; everything up to there is in the journal.
        """
        with self._service(plan.service, "apply"):
            run = self.journal.open_run(plan.service)
            if run is not None and run.direction is Direction.BACK:
                return self._finish_way_back(run)
            if run is None or anew or not carries(run, plan, self.plan_of):
                last = None if run or anew else carried_out(self.journal, plan, self.plan_of)
                if last is not None:
                    return self._look_again(plan, last)
                self._admit(plan)
                closing = Closing(run=run.id, outcome=Outcome.FAILED, note="replaced by a newer plan") if run else None
                run = self._runs.begin(plan.service, Direction.FORWARD, document, closing=closing)
            refuse_held(plan)
            self._prove(plan)
            return self._there(run, plan, to, auto_rollback=auto_rollback)

    def rollback(self, service: ServiceId) -> Result:
        """Walks the way back of what the journal says is ours, or takes up a way back that was cut off."""
        with self._service(service, "rollback"):
            run = self.journal.open_run(service)
            if run is None or run.direction is Direction.FORWARD:
                source = run or self._runs.last_forward(service)
                if source is None or ledger(self.journal, service).nothing_to_undo:
                    return self._nothing_to_undo(service, run)
                plan = self.plan_of(source.plan)
                self._prove(plan)
                self._before_returning(plan)
                closing = (
                    Closing(run=run.id, outcome=Outcome.ABANDONED, note="given up for the way back") if run else None
                )
                run = self._runs.begin(service, Direction.BACK, source.plan, cause=source.id, closing=closing)
            self._prove(self.plan_of(run.plan))
            self._back(run)
            return Result(service=service, exit=Exit.DONE, message=f"rolled back: {self._seen(run)}")

    def _there(self, run: Run, plan: Plan, to: StepKind | None, *, auto_rollback: bool) -> Result:
        steps, book = up_to(plan, to), self._book(run)
        went = not all(over(book, step) for step in steps)
        try:
            if went or to is None:
                self._walk(book, plan, steps)
        except StepFailed as failure:
            return self._failed(run, plan, failure, auto_rollback=auto_rollback)
        except Postponed as pause:
            self._runs.leave_open(run, pause.reason)
            message = f'stopped at step "{pause.step}": {pause.reason}; the same command goes on'
            return Result(service=run.service, exit=Exit.UNFINISHED, message=message)
        if not all(over(book, step) for step in plan.forward):
            result = stop(plan, book, steps[-1], went=went)
            self._runs.leave_open(run, result.message)
            return result
        self._runs.end(run, Outcome.DONE, "")
        proof = book.records.get(StepKind.VERIFY)
        return migrated(plan.service, proof.result if proof else None, "migrated", proof.note if proof else "")

    def _failed(self, run: Run, plan: Plan, failure: StepFailed, *, auto_rollback: bool) -> Result:
        """The way back, unless it is not wanted, or would take proven pods back for the sake of an annotation."""
        reason, remedy = failure.reason, ""
        if failure.step == StepKind.ANNOTATION and self._book(run).status(StepKind.VERIFY) is Status.DONE:
            reason += "; the pods are proven on Pod Identity and ignore it while the association is there: they stay so"
            remedy = "take it out at its source, then run the same command again"
        elif not auto_rollback:
            remedy = f"mend it and run the same command again, or: migrate rollback --service {plan.service}"
        if not remedy:
            return self._turn_round(run, failure)
        self._runs.leave_open(run, failure.reason)
        raise Blocked(reason, doing=f'step "{failure.step}" of "{plan.service}"', remedy=remedy) from failure

    def _turn_round(self, run: Run, failure: StepFailed) -> Result:
        self.reporter.tell(WayBack(service=run.service, step=failure.step, reason=failure.reason))
        note = f"{failure.step}: {failure.reason}"
        if ledger(self.journal, run.service).nothing_to_undo:
            self._runs.end(run, Outcome.FAILED, note)
            message = f'step "{failure.step}" failed before anything of the service was changed: {failure.reason}'
            return Result(service=run.service, exit=Exit.ROLLED_BACK, message=message)
        closing = Closing(run=run.id, outcome=Outcome.FAILED, note=note)
        back = self._runs.begin(run.service, Direction.BACK, run.plan, cause=run.id, note=AUTOMATIC, closing=closing)
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
            self._walk(self._book(run), plan, steps)
        except StepFailed as failure:
            self._runs.leave_open(run, failure.reason)
            raise _Stranded(run.service, failure) from failure
        self._runs.end(run, Outcome.DONE, "")

    def _book(self, run: Run) -> Book:
        return Book.open(run, self.journal, self.clock, self.reporter)

    def _walk(self, book: Book, plan: Plan, steps: tuple[PlannedStep, ...]) -> None:
        run = book.run
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
            lately=lately(self.journal, self.clock, plan.step(step), self.waits.trust),
            restart="rollout" if back else plan.edit.restart,
            recreate_bare_pods=self.recreate_bare_pods,
        )

    def _admit(self, plan: Plan) -> None:
        """Looks before anything is recorded: hold, findings, what earlier runs left, the cluster, drift."""
        refuse_held(plan)
        refuse_blocked(plan, recreate_bare_pods=self.recreate_bare_pods)
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
            restart=plan.edit.restart,
            recreate_bare_pods=self.recreate_bare_pods,
        )

    def _prove(self, plan: Plan) -> None:
        difference = self.cluster.prove(plan.facts["cluster"])
        if difference is not None:
            doing = f"{self.file_of(plan.service)}: planned for another cluster than the one reached"
            raise Drift(difference, doing=doing, remedy="plan again, or correct the fleet file")

    def _before_returning(self, plan: Plan) -> None:
        held = ledger(self.journal, plan.service)
        looking = replace(self._look_context(plan), check=None, restart="rollout")

        def context(step: str) -> Context:
            return replace(looking, forward=held.ours.get(step, {}))

        before_returning(plan, way_back(plan, held), context)

    def _nothing_to_undo(self, service: ServiceId, run: Run | None) -> Result:
        if run is not None:
            self._runs.end(run, Outcome.ABANDONED, "rolled back before anything was changed")
        return Result(service=service, exit=Exit.DONE, message="nothing of ours is in place; nothing to do")

    @property
    def _runs(self) -> Runs:
        return Runs(journal=self.journal, clock=self.clock, reporter=self.reporter, actor=self.actor, host=self.host)

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
