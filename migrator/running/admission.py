"""What is asked of a plan before a run is begun for it, and of a run that was carried out before."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from migrator.model.errors import Blocked, Drift, UsageError
from migrator.model.exits import Exit
from migrator.model.facts import Association, Json
from migrator.model.ids import MANAGED_BY, ServiceId
from migrator.model.plan import TRUST_EDITS, Acceptance, Plan, PlannedStep, StepKind
from migrator.model.ports.running import Journal
from migrator.planning.verdict import open_blocks
from migrator.running.ledger import ledger
from migrator.running.result import Result
from migrator.running.walk import STEPS, ContextOf
from migrator.steps.association import RUN_TAG
from migrator.steps.step import Context, NotYet, Position, Settled

_BARE_PODS = "bare-pods"
_STAYS = frozenset(
    {
        *TRUST_EDITS,
        StepKind.SOURCE_ROLE,
        StepKind.ASSOCIATION,
        StepKind.ADDON,
        StepKind.ANNOTATION,
    }
)
_LEFT = "it is no longer as the run left it"
_SAME = (
    "role",
    "role_id",
    "namespace",
    "service_account",
    "uid",
    "key",
    "arn",
)  # what names the thing that a step changes


def refuse_held(plan: Plan) -> None:
    """A person's word first, also while a run is under way.

    Raises:
        Blocked: the plan is on hold.
    """
    if plan.edit.hold:
        raise Blocked(f'the plan of "{plan.service}" is on hold', remedy="set edit.hold to false in its plan file")


def refuse_stop(plan: Plan, to: StepKind | None) -> None:
    """A plan that does not come past the step would be carried out to its end.

    Raises:
        UsageError: the plan has no such step.
    """
    kinds = [str(step.kind) for step in plan.way_there]
    if to is not None and kinds and to not in kinds:
        text = f'the plan of "{plan.service}" has no step "{to}"'
        raise UsageError(text, remedy=f"it has {', '.join(kinds)}")


def blocks_of(plan: Plan, *, recreate_bare_pods: bool) -> tuple[str, ...]:
    """Codes of the blocks that nobody took on, in the plan or by an option of this command."""
    by_option = (Acceptance(code=_BARE_PODS, reason="recreate_bare_pods"),) if recreate_bare_pods else ()
    return open_blocks(plan.findings, (*plan.edit.accept, *by_option))


def way_past(blocks: tuple[str, ...]) -> str:
    """Where a person reads on about blocks, and the option that would take them on."""
    option = ', or add "--recreate-bare-pods"' if blocks == (_BARE_PODS,) else ""
    return f"migrate explain {blocks[0]}{option}"


def refuse_blocked(plan: Plan, *, recreate_bare_pods: bool) -> None:
    """What the planner found.

    Raises:
        Blocked: a finding that nobody took on blocks the plan.
    """
    blocks = blocks_of(plan, recreate_bare_pods=recreate_bare_pods)
    if blocks:
        raise Blocked(f'"{plan.service}" is blocked by {", ".join(blocks)}', remedy=way_past(blocks))


def refuse_other_things(plan: Plan, journal: Journal, plan_of: Callable[[Json], Plan]) -> None:
    """What earlier runs changed and nobody undid must be what this plan is about, or its way back would miss it.

    Raises:
        Blocked: an earlier run changed another role or another ServiceAccount of the same name.
    """
    for step_id, entry in ledger(journal, plan.service).ours.items():
        step = plan.step(step_id)
        for run in filter(None, map(journal.run, entry["runs"])):
            old = plan_of(run.plan).step(step_id)
            if step is None or old is None or any(old.on.get(key) != step.on.get(key) for key in _SAME):
                text = f'an earlier run changed another {step_id} for "{plan.service}" than this plan is about'
                raise Blocked(text, remedy=f"migrate rollback --service {plan.service} first")


def refuse_undone(steps: Iterable[PlannedStep], context: ContextOf, *, back: bool = False) -> None:
    """What a run carried out before must still be in place: the rest of its way is built on it.

    Args:
        steps: those that are over.
        context: asked with a step's id.
        back: whether they are the way back's.

    Raises:
        Drift: somebody undid one of them since.
    """
    for step in steps:
        if step.kind not in _STAYS:
            continue
        looking = context(step.id)
        reading = STEPS[step.kind].read(step, looking)
        if reading.position is not Position.AFTER:
            way = "the way back of " if back else ""
            doing = f'step "{step.id}" of {way}"{looking.service}", carried out before'
            raise Drift(reading.note or _LEFT, doing=doing, remedy=_after_undoing(looking.service, back=back))


def _after_undoing(service: ServiceId, *, back: bool) -> str:
    rollback = f"migrate rollback --service {service}"
    if back:
        return f"nothing more was changed; put it back as it was, then: {rollback}"
    return f'"migrate apply --service {service} --from-drift" plans again and goes on; or: {rollback}'


def still_so(plan: Plan, context: Context) -> Result:
    """Whether what a finished run of this plan made is still in place, and proven by now.

    Raises:
        Drift: somebody undid a part of it since.
        Blocked: its pods do not show what they should.
    """
    refuse_undone(plan.way_there, lambda _step: context)
    verify = plan.step(StepKind.VERIFY)
    answer = STEPS[StepKind.VERIFY].settled(verify, context) if verify else Settled()
    while verify and isinstance(answer, NotYet) and answer.holding:  # well so far, and not through
        answer = STEPS[StepKind.VERIFY].settled(verify, context)
    if not isinstance(answer, Settled):
        raise Blocked(answer.reason, doing=f'"{plan.service}" was migrated', remedy="look at it with migrate verify")
    return migrated(plan.service, answer.result, "already migrated; nothing to do", answer.note)


def migrated(service: ServiceId, proof: Json, message: str, note: str) -> Result:
    """The result of a walk there: unfinished while no pod has proven it. `proof` is what verify saw."""
    if not (proof or {}).get("containers"):
        text = "migrated; no pod yet to prove it: the next one will; the same command, or migrate verify, looks again"
        return Result(service=service, exit=Exit.UNFINISHED, message=text)
    return Result(service=service, exit=Exit.DONE, message=f"{message} ({note})" if note else message)


def with_owner(result: Result, owner: str, *, gone: bool = False) -> Result:
    """The result with a word on the annotation that was left to its owner; unchanged when it was not.

    Args:
        result: of a walk there, or of a look at one.
        owner: whom it was left to; empty when it was not.
        gone: he has taken it out since.
    """
    if not owner:
        return result
    said = f"{owner} has taken its annotation out since" if gone else f"its annotation is left to {owner}"
    return replace(result, message=f"{result.message}; {said}", left_to="" if gone else owner)


def refuse_unremembered(service: ServiceId, journal: Journal, found: Association | None) -> None:
    """What bears our mark was made by a run, and a way back goes by what that run remembered.

    Raises:
        Blocked: the association is this tool's work for the service, and no run in this state file made it.
    """
    if found is None or found.tags.get(f"{MANAGED_BY}/service") != str(service):
        return
    if found.tags.get(RUN_TAG) in {run.id for run in journal.runs(service)}:
        return
    text = (
        f'association "{found.id}" was made by this tool for "{service}", by a run that this state file does not hold'
    )
    raise Blocked(text, remedy="nothing was changed; use the state file that the service was migrated with")
