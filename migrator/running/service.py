"""Takes one service there, or back: lock, proof of the cluster, run, and the way back by itself when a step fails."""

from dataclasses import dataclass, replace
from functools import partial

from migrator.model.errors import Blocked
from migrator.model.events import WayBack
from migrator.model.exits import Exit
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run, Status
from migrator.model.plan import Plan, PlannedStep, StepKind
from migrator.model.ports.running import Closing
from migrator.running import handed
from migrator.running.admission import (
    migrated,
    refuse_blocked,
    refuse_held,
    refuse_other_things,
    refuse_stop,
    refuse_undone,
    refuse_unremembered,
    still_so,
    with_owner,
)
from migrator.running.kept import key as kept_key
from migrator.running.ledger import ledger, way_back
from migrator.running.means import Means
from migrator.running.preflight import before_going, before_returning
from migrator.running.proven import key, proven_by
from migrator.running.result import Result, Stranded
from migrator.running.runs import carried_out, carries
from migrator.running.stops import over, stop, up_to
from migrator.running.waiting import Waiter
from migrator.running.walk import Postponed, StepFailed
from migrator.steps.step import Context

AUTOMATIC = "automatic"
REPLACED = "replaced by a newer plan"
_STAY = "the pods are proven on Pod Identity and ignore it while the association is there: they stay so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner(Means):
    """Runs plans of the services of one cluster."""

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
            UsageError: the plan has no step `to`.
            Blocked, Locked, Drift, Interrupted, MigrateError: stopped; everything up to there is in the journal.
        """
        refuse_stop(plan, to)
        with self._service(plan.service, "apply"):
            run = self.journal.open_run(plan.service)
            if run is not None and run.direction is Direction.BACK:
                return self._finish_way_back(run)
            if run is None or anew or not carries(run, plan, self.plan_of):
                last = None if run or anew else carried_out(self.journal, plan, self.plan_of)
                if last is not None:
                    return self._look_again(plan, last)
                self._admit(plan)
                closing = Closing(run=run.id, outcome=Outcome.FAILED, note=REPLACED) if run else None
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
            return self._returned(run)

    def go_back(self, service: ServiceId) -> Result:
        """Takes up a way back that was cut off, a person's or that of a failed step; begins none."""
        with self._service(service, "rollback"):
            run = self.journal.open_run(service)
            if run is None or run.direction is Direction.FORWARD:
                return _came_between(service)
            return self._finish_way_back(run) if run.note == AUTOMATIC else self._returned(run)

    def _returned(self, run: Run) -> Result:
        self._prove(self.plan_of(run.plan))
        self._back(run)
        return Result(service=run.service, exit=Exit.DONE, message=f"rolled back: {self._seen(run)}")

    def look(self, service: ServiceId) -> Result:
        """Looks again at a migrated service: is it still so, and is it proven by now? Changes nothing.

        Raises:
            Drift, Blocked: it is not, or its pods do not show it.
        """
        with self._service(service, "look"):
            last = next(reversed(self.journal.runs(service)), None)
            if last is None or last.direction is not Direction.FORWARD or last.outcome is not Outcome.DONE:
                return _came_between(service)
            return self._look_again(self.plan_of(last.plan), last)

    def _there(self, run: Run, plan: Plan, to: StepKind | None, *, auto_rollback: bool) -> Result:
        steps, book = up_to(plan, to), self._book(run)
        refuse_undone((step for step in plan.way_there if over(book, step)), partial(self._context, run, plan))
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
        ended = migrated(plan.service, proof.result if proof else None, "migrated", proof.note if proof else "")
        return with_owner(ended, handed.owner_of(book.records.values()))

    def _failed(self, run: Run, plan: Plan, failure: StepFailed, *, auto_rollback: bool) -> Result:
        """The way back, unless it is not wanted, or would take proven pods back for the sake of an annotation."""
        reason, remedy, book = failure.reason, "", self._book(run)
        if failure.step == StepKind.ANNOTATION and book.status(StepKind.VERIFY) is Status.DONE:
            if book.begun(StepKind.ANNOTATION):
                reason += f"; {_STAY}"
                remedy = "take it out at its source, then run the same command again"
            else:
                reason += "; the annotation was left in place, for the next pods"
                remedy = "look at the pod identity webhook, then run the same command again"
        elif not auto_rollback:
            remedy = f"mend it and run the same command again, or: migrate rollback --service {plan.service}"
        if not remedy:
            return self._turn_round(run, failure)
        self.journal.mark(kept_key(run.service), {"run": run.id}, self.clock.now())  # not cut off: it stays on purpose
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
        except Stranded as error:
            return Result(service=run.service, exit=Exit.STRANDED, message=error.sentence())
        cause = self.journal.run(run.cause)
        why = cause.note if cause else "a step failed"
        message = f"failed ({why}) and rolled back: {self._seen(run)}"
        return Result(service=run.service, exit=Exit.ROLLED_BACK, message=message)

    def _seen(self, run: Run) -> str:
        """What the way back's own verify saw in the end; where it has none, what it undid."""
        records = self.journal.records(run.id)
        proof = records.get(StepKind.VERIFY)
        if proof and proof.note:
            return proof.note
        undone = [f'"{one.step}"' for one in records.values() if one.status is Status.DONE and one is not proof]
        if not undone:
            return "nothing of the service had been changed"
        return f"{', '.join(undone)} {'was' if len(undone) == 1 else 'were'} undone"

    def _back(self, run: Run) -> None:
        plan, book = self.plan_of(run.plan), self._book(run)
        steps = self._way_back(plan)
        refuse_undone((step for step in steps if over(book, step)), partial(self._context, run, plan), back=True)
        try:
            self._walk(book, plan, steps)
        except StepFailed as failure:
            self._runs.leave_open(run, failure.reason)
            raise Stranded(run.service, failure.step, failure.reason) from failure
        cause = self.journal.run(run.cause) if run.note == AUTOMATIC else None
        self._runs.end(run, Outcome.DONE, "", why=cause.note if cause else "")

    def _admit(self, plan: Plan) -> None:
        """Looks before anything is recorded: hold, findings, what earlier runs left, the cluster, drift."""
        refuse_held(plan)
        refuse_blocked(plan, recreate_bare_pods=self.recreate_bare_pods)
        refuse_other_things(plan, self.journal, self.plan_of)
        self._prove(plan)
        pause = partial(Waiter(self.clock, self.interrupt).pause, self.waits.poll)
        before_going(plan, partial(self._look_context, plan), pause)

    def _look_again(self, plan: Plan, last: Run) -> Result:
        """The same plan was carried out before: is it still so, and is it proven by now?"""
        self._prove(plan)
        seen = still_so(plan, self._context(last, plan, ""))
        records = self.journal.records(last.id)
        if seen.exit is Exit.DONE and not proven_by(records.get(StepKind.VERIFY)):
            self.journal.mark(key(plan.service), {"run": last.id}, self.clock.now())
        owner = handed.owner_of(records.values())
        return with_owner(seen, owner, gone=bool(owner) and handed.look(last, self.cluster, self.journal, self.clock))

    def _before_returning(self, plan: Plan) -> None:
        held = ledger(self.journal, plan.service)
        looking = replace(self._look_context(plan), check=None, restart="rollout")

        def context(step: str) -> Context:
            return replace(looking, forward=held.ours.get(step, {}))

        before_returning(plan, self._way_back(plan), context)

    def _way_back(self, plan: Plan) -> tuple[PlannedStep, ...]:
        gone = self.cluster.association(plan.service.namespace, plan.service.name) is None
        return way_back(plan, ledger(self.journal, plan.service), gone=gone)

    def _nothing_to_undo(self, service: ServiceId, run: Run | None) -> Result:
        refuse_unremembered(service, self.journal, self.cluster.association(service.namespace, service.name))
        if run is not None:
            self._runs.end(run, Outcome.ABANDONED, "rolled back before anything was changed")
        return Result(service=service, exit=Exit.DONE, message="nothing of ours is in place; nothing to do")


def _came_between(service: ServiceId) -> Result:
    return Result(service=service, exit=Exit.UNFINISHED, message="another run came between; nothing was done")
