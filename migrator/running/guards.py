"""What is looked at again before one of the two changes that take a way in: the annotation there, the association back.

Both are judged right before the change, since what was seen when the walk began may be hours old by then.
"""

from dataclasses import dataclass

from migrator.model.journal import OVER, Direction
from migrator.model.plan import Plan, PlannedStep, StepKind
from migrator.running.moves import Book
from migrator.running.preflight import irsa_is_closed, paused, unannotated
from migrator.running.walk import STEPS, ContextOf
from migrator.steps.crowds.stuck import stuck
from migrator.steps.step import Failed, NotYet, Settled, Settling

_KEPT = "nothing was taken from its pods: the association and the trust are kept"


@dataclass(frozen=True, slots=True)
class Guards:
    """Those of one walk. `proven` says that the association was over before this process came."""

    plan: Plan
    book: Book
    context: ContextOf
    proven: bool

    @classmethod
    def of(cls, plan: Plan, book: Book, context: ContextOf) -> "Guards":
        """Taken before the walk's first step."""
        return cls(plan, book, context, proven=book.status(StepKind.ASSOCIATION) in OVER)

    def before(self, step: PlannedStep) -> Settling:
        """Settled when the step's change may be made."""
        back = self.book.run.direction is Direction.BACK
        if back and step.kind in {StepKind.ASSOCIATION, StepKind.ADDON}:
            return self._leaving(step)
        if not back and step.kind is StepKind.ANNOTATION and self.proven:
            return self._gate()
        return Settled()

    def _gate(self) -> Settling:
        """Another process saw the association's gate pass, some time ago: once more, and waited for like the first."""
        answer = self._settled(StepKind.ASSOCIATION)
        proven = (
            self.book.status(StepKind.VERIFY) in OVER
        )  # before an annotation that goes last: pods may have come since
        return self._settled(StepKind.VERIFY) if proven and isinstance(answer, Settled) else answer

    def _settled(self, kind: StepKind) -> Settling:
        step = self.plan.step(kind)
        return STEPS[kind].settled(step, self.context(step.id)) if step else Settled()

    def _leaving(self, step: PlannedStep) -> Settling:
        """Once the association is gone, pods that nobody replaces, or that IRSA does not let in, have nothing."""
        context = self.context(step.id)
        by_addon = step.kind is StepKind.ADDON  # EKS took the annotation away, and puts it back with the role
        for judge in (paused, irsa_is_closed) if by_addon else (paused, irsa_is_closed, unannotated):
            problem = judge(self.plan, context)
            if problem:
                return Failed(reason=f"{problem}; {_KEPT}")
        left = stuck(context)
        if left:
            names = ", ".join(pod.name for pod in left)
            reason = f"pods on Pod Identity that no restart replaces: {names}; let them finish, or delete them"
            return NotYet(reason=f"{reason}; {_KEPT}")
        return Settled()
