"""The executor's whole rule for one step, and the walk over all steps of one run.

1. read; OTHER → stop: drift.
2. AFTER and never started by us → wait until it works, record FOUND, go on.
3. BEFORE → wait until the walk's guard lets the change be made.
4. record STARTED with the before-image, durably, before touching anything.
5. BEFORE → apply.
6. wait until settled, within a deadline and through the clock; record DONE or FAILED.

After an apply it is `settled`, not `read`, that decides: a read right after a write may be stale.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial

from migrator.model.errors import Drift, Rejected
from migrator.model.events import Reporter, StepWaits
from migrator.model.journal import OVER, Direction, Status, StepRecord
from migrator.model.plan import PlannedStep, StepKind
from migrator.model.ports.running import Clock, Interrupt, Locks
from migrator.running.moves import Book
from migrator.running.pulse import Pulse
from migrator.running.shared import Shared
from migrator.running.waiting import GaveUp, Patience, Waiter, checkpoint
from migrator.steps.addon import AddonStep
from migrator.steps.agent import AgentStep
from migrator.steps.annotation import AnnotationStep
from migrator.steps.association import AssociationStep
from migrator.steps.restart import RestartStep
from migrator.steps.source_role import SourceRoleStep
from migrator.steps.step import Context, Failed, Later, NotYet, Position, Reading, Settled, Settling, Step
from migrator.steps.trust import TrustStep
from migrator.steps.verify import VerifyStep

STEPS: Mapping[StepKind, Step] = {
    StepKind.AGENT: AgentStep(),
    StepKind.TRUST: TrustStep(),
    StepKind.SOURCE_ROLE: SourceRoleStep(),
    StepKind.TARGET_TRUST: TrustStep(),
    StepKind.ASSOCIATION: AssociationStep(),
    StepKind.ADDON: AddonStep(),
    StepKind.ANNOTATION: AnnotationStep(),
    StepKind.RESTART: RestartStep(),
    StepKind.VERIFY: VerifyStep(),
}
_DRIFT = "drift: "
Again = Callable[[PlannedStep, Step, Context, NotYet], None]
Guard = Callable[[PlannedStep], Settling]
ContextOf = Callable[[str], Context]  # of the step of that id


def drifted(record: StepRecord) -> bool:
    """Whether the walk stopped at that step because the world was neither before nor after it."""
    return record.note.startswith(_DRIFT)


class StepFailed(Exception):
    """A step did not take effect; its record says FAILED."""

    def __init__(self, step: str, reason: str) -> None:
        self.step = step
        self.reason = reason
        super().__init__(f"{step}: {reason}")


class Postponed(Exception):
    """A step that only a later run can finish; its record gets the reason, and the run stays open."""

    def __init__(self, step: str, reason: str) -> None:
        self.step = step
        self.reason = reason
        super().__init__(f"{step}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Carries out the steps of one run; `context` is asked with a step's id, `guard` before a step's change is made.

    A guard that fails, or does not settle within the gate's time, fails the step before anything of it is changed.
    """

    steps: Sequence[PlannedStep]
    book: Book
    context: ContextOf
    locks: Locks
    clock: Clock
    reporter: Reporter
    interrupt: Interrupt
    guard: Guard
    pulse: Pulse
    refusals: dict[str, str] = field(default_factory=dict)  # by step: why its last try was refused for the moment

    def go(self) -> None:
        """Every step that is not over yet, in order.

        Raises:
            StepFailed: a step failed.
            Postponed: a step can only be finished by a later run.
            Drift: the world is neither before nor after.
            Interrupted: a signal was honoured at a checkpoint.
            MigrateError: the environment failed; the record stays STARTED and the run stays open.
        """
        for planned in self.steps:
            if self.book.status(planned.id) not in OVER:
                checkpoint(self.interrupt)
                with self._lock(planned):
                    self._one(planned, STEPS[planned.kind], self.context(planned.id))

    def _one(self, planned: PlannedStep, step: Step, context: Context) -> None:
        reading = step.read(planned, context)
        if reading.position is Position.OTHER:
            self.book.move(planned.id, self.book.status(planned.id), note=f"{_DRIFT}{reading.note}")
            raise Drift(reading.note, doing=f'step "{planned.id}" of "{context.service}"', remedy=self._remedy())
        if reading.position is Position.AFTER and self._not_ours(planned, reading) and not reading.shared:
            self._found(planned, step, context, reading)
            return
        if reading.position is Position.BEFORE:
            self._cleared(planned, context)
        cut_off = self.book.begun(planned.id)
        self.book.move(planned.id, Status.STARTED, image=reading.image)
        if reading.position is Position.BEFORE:
            self._change(planned, step, replace(context, cut_off=cut_off, image=reading.image))
        self._conclude(planned, self._wait(planned, step, context, again=self._try_again), Status.DONE)

    def _cleared(self, planned: PlannedStep, context: Context) -> None:
        patience = Patience(poll=context.waits.poll, deadline=context.waits.gate, hold=0.0)

        def look(_last: bool) -> Settling:
            self.pulse.beat()
            return self.guard(planned)

        waiting = partial(self._tell_waiting, planned, patience)
        answer = Waiter(self.clock, self.interrupt).until_settled(look, lambda _answer: None, patience, waiting)
        if isinstance(answer, Failed | GaveUp):
            answer = Failed(reason=answer.reason, memo=self.book.memo(planned.id))
        if not isinstance(answer, Settled):
            self._conclude(planned, answer, Status.DONE)

    def _remedy(self) -> str:
        if self.book.run.direction is Direction.BACK:
            return "put that right, then run the same command again"
        return f'"migrate apply --service {self.book.run.service} --from-drift" plans again and goes on'

    def _not_ours(self, planned: PlannedStep, reading: Reading) -> bool:
        return not self.book.begun(planned.id) or not reading.ours

    def _found(self, planned: PlannedStep, step: Step, context: Context, reading: Reading) -> None:
        """There already: it must work all the same before anything is built on it. Nothing is tried: it is not ours."""
        answer = self._wait(planned, step, replace(context, lately={}))
        if isinstance(answer, Settled):
            answer = Settled(result=answer.result, note=answer.note or reading.note)
        self._conclude(planned, answer, Status.FOUND)

    def _try_again(self, planned: PlannedStep, step: Step, context: Context, answer: NotYet) -> None:
        """The intent stands in the journal; a record, or else the fence, shows that the locks are still ours."""
        if answer.memo is not None:
            self.book.move(planned.id, Status.STARTED, result=answer.memo)
        else:
            self.pulse.fence()
        self._change(planned, step, context)

    def _change(self, planned: PlannedStep, step: Step, context: Context) -> None:
        try:
            step.apply(planned, replace(context, memory=self.book.memo(planned.id)))
            self.refusals.pop(planned.id, None)
        except Rejected as error:
            if error.reason == "budget":  # the step asks for another try as long as its deadline lasts
                self.refusals[planned.id] = error.message
                return
            if error.reason == "conflict":  # somebody changed the thing between our look and our change
                remedy = "nothing of theirs was overwritten; run the same command again"
                raise Drift(
                    error.message, doing=f'step "{planned.id}" of "{context.service}"', remedy=remedy
                ) from error
            self._conclude(planned, Failed(reason=error.sentence(), memo=self.book.memo(planned.id)), Status.DONE)

    def _wait(
        self, planned: PlannedStep, step: Step, context: Context, again: Again | None = None
    ) -> Settled | Failed | Later:
        waits = context.waits
        patience = Patience(poll=waits.poll, deadline=step.deadline(planned, waits), hold=step.hold(planned, waits))

        well = self.clock.monotonic()  # when the last try was made, or the change was last seen in effect

        def look(last: bool) -> Settling:
            nonlocal well
            self.pulse.beat()
            waited = self.clock.monotonic() - well
            memory, refused = self.book.memo(planned.id), self.refusals.get(planned.id, "")
            now = replace(context, last_look=last, memory=memory, waited=waited, refused=refused)
            answer = step.settled(planned, now)
            well = self.clock.monotonic() if isinstance(answer, Settled) else well
            return answer

        def retry(answer: NotYet) -> None:
            nonlocal well
            if again is not None:
                again(planned, step, context, answer)
                well = self.clock.monotonic()

        waiting = partial(self._tell_waiting, planned, patience)
        answer = Waiter(self.clock, self.interrupt).until_settled(look, retry, patience, waiting)
        if isinstance(answer, GaveUp):  # a later try must know what the step asked to be remembered
            return Failed(reason=answer.reason, memo=self.book.memo(planned.id))
        return answer

    def _tell_waiting(self, planned: PlannedStep, patience: Patience, reason: str, waited: float) -> None:
        run = self.book.run
        self.reporter.tell(
            StepWaits(
                service=run.service,
                direction=run.direction,
                step=planned.id,
                reason=reason,
                waited=waited,
                deadline=patience.deadline,
            )
        )

    def _conclude(self, planned: PlannedStep, answer: Settled | Failed | Later, well: Status) -> None:
        if isinstance(answer, Later):
            begun = self.book.status(planned.id) is not Status.PENDING
            self.book.move(planned.id, Status.STARTED if begun else Status.PENDING, note=answer.reason)
            raise Postponed(planned.id, answer.reason)
        if isinstance(answer, Failed):
            self.book.move(planned.id, Status.FAILED, result=answer.memo, note=answer.reason)
            raise StepFailed(planned.id, answer.reason)
        self.book.move(planned.id, well, result=answer.result, note=answer.note)

    def _lock(self, planned: PlannedStep) -> AbstractContextManager[None]:
        """Roles and agents are shared by services."""
        waits = self.context(planned.id).waits
        shared = Shared(locks=self.locks, clock=self.clock, interrupt=self.interrupt, pulse=self.pulse)
        doing, patience = f"{planned.id} of {self.book.run.service}", STEPS[planned.kind].deadline(planned, waits)
        return shared.held(planned, doing=doing, patience=patience, poll=waits.poll)
