"""Where a walk there was asked to stop, and in which state the service is then."""

from collections.abc import Mapping

from migrator.model.exits import Exit
from migrator.model.journal import OVER, Status, StepRecord
from migrator.model.plan import Plan, PlannedStep, StepKind
from migrator.running.moves import Book
from migrator.running.result import Result

_STATES: Mapping[StepKind, str] = {
    StepKind.AGENT: "the agent is there, nothing of the service was changed",
    StepKind.TRUST: "the role lets Pod Identity in, the pods are as they were",
    StepKind.SOURCE_ROLE: "the source role is there, the service's own role and its pods are as they were",
    StepKind.TARGET_TRUST: "the role lets the source role in, the pods are as they were",
    StepKind.ASSOCIATION: "new pods come with Pod Identity, those that run are as they were",
    StepKind.ADDON: "the add-on has its association and its pods were rolled, they are not verified yet",
    StepKind.ANNOTATION: "the annotation is gone and new pods come with Pod Identity, those that run are as they were",
    StepKind.RESTART: "its pods were replaced, and are not verified yet",
    StepKind.VERIFY: "its pods are proven on Pod Identity, the annotation is still there",
}
_LEFT: Mapping[StepKind, str] = {
    StepKind.ANNOTATION: "new pods come with Pod Identity, those that run are as they were; its annotation stays",
    StepKind.VERIFY: "its pods are proven on Pod Identity; its annotation stays",
}
_AS_ASKED = "stopped before it, as asked"
_GOES_ON = 'the same command without "--to" goes on'


def up_to(plan: Plan, to: StepKind | None) -> tuple[PlannedStep, ...]:
    """The steps there up to and including that kind's, in their order; all of them when none is named."""
    steps = plan.way_there
    end = next((at for at, step in enumerate(steps, 1) if step.kind is to), len(steps))
    return steps[:end]


def over(book: Book, step: PlannedStep) -> bool:
    """Whether nothing is left to do of it in this run."""
    return book.status(step.id) in OVER


def asked_for(record: StepRecord) -> bool:
    """Whether the walk stopped before that step because a person had said where."""
    return record.status is Status.PENDING and record.note.startswith(_AS_ASKED)


def stop(plan: Plan, book: Book, asked: PlannedStep, *, went: bool) -> Result:
    """Leaves a mark before the next step, so that the stop is known for one, and says how things stand.

    Args:
        plan: the plan, of which something is left to do.
        book: its run's records.
        asked: the last step that was asked for.
        went: whether anything was left to do up to there.
    """
    left = next(step for step in plan.way_there if not over(book, step))
    reached = [step for step in plan.way_there if over(book, step)][-1]
    if book.status(left.id) is Status.PENDING:
        book.move(left.id, Status.PENDING, note=f'{_AS_ASKED}: --to "{asked.id}"')
    owned = any(step.on.get("owner") for step in plan.forward)
    state = (owned and _LEFT.get(reached.kind)) or _STATES[reached.kind]
    if went:
        said = f'stopped after step "{asked.id}", as asked: {state}'
    elif reached is asked and book.status(left.id) is Status.PENDING:
        said = f'step "{asked.id}" was over already, nothing was changed: {state}'
    else:
        said = f'it is past step "{asked.id}" already, at "{left.id}" ({book.status(left.id)}), nothing was changed'
    return Result(service=plan.service, exit=Exit.UNFINISHED, message=f"{said}; {_GOES_ON}")
