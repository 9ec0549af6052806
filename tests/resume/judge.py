"""What must hold after every command of the property test, and at its good end."""

import json
from collections.abc import Iterator, Mapping

from migrator.model.exits import Exit
from migrator.model.identity import Identity, of_pod
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.journal import Direction, Standing, Status
from migrator.model.plan import Order
from migrator.model.trust import ours
from migrator.running.ledger import ledger
from tests.fakes.parts import ROLE_ARN, TRACKED
from tests.fakes.running import SERVICE
from tests.resume.model import BARE, FOREIGN, FOUND, SUBJECT
from tests.resume.stage import Stage

BEGINNINGS = {(Status.STARTED, Status.PENDING), (Status.STARTED, Status.FAILED)}
ENDS = {Exit.DONE, Exit.ROLLED_BACK, Exit.STRANDED}  # the command did all that it was going to do


def invariants_hold(stage: Stage, ended: Exit | None) -> None:
    """After a command; `ended` is None when it was killed."""
    assert not stage.world.gaps, f"harm: {stage.world.gaps[0]}"
    everything_is_known(stage)
    each_change_once(stage)
    theirs_is_kept(stage)
    fails_for_a_reason(stage)
    nobody_is_left_behind(stage, ended)


def everything_is_known(stage: Stage) -> None:
    """Nothing of ours is in the world that the journal does not know."""
    world, held = stage.world, ledger(stage.bench.journal, SERVICE)
    if world.made is not None and world.made.id not in {FOUND, FOREIGN}:
        assert "association" in held.ours, "an association that the journal does not know"
    if SUBJECT in ours(world.trust):
        assert "trust" in held.ours, "a statement of ours that the journal does not know"
    if ROLE_ARN_ANNOTATION not in world.annotations and "annotation" not in world.harm:
        assert "annotation" in held.ours, "an annotation that the journal does not know to be gone"


def theirs_is_kept(stage: Stage) -> None:
    """What others changed stays."""
    world, others = stage.world, stage.others
    statements = json.loads(world.trust)["Statement"]
    theirs = [
        s for s in statements if str(s.get("Sid", "")).startswith("Theirs") and s.get("Action") == "sts:AssumeRole"
    ]
    assert len(theirs) == others.statements, "a statement of somebody else's was lost"
    assert sum(key.startswith("theirs-") for key in world.annotations) == others.labels
    assert world.annotations.get("team") == "orders"
    assert not world.bare or BARE in world.live or world.kept, "a bare pod is lost"


def fails_for_a_reason(stage: Stage) -> None:
    """A pod counts as missed by the webhook only if it was; one is made anew, and no reason to turn round."""
    world = stage.world
    there = {run.id for run in stage.bench.journal.all_runs if run.direction is Direction.FORWARD}
    for line in stage.bench.journal.lines:
        pods = line.run in there and line.step in {"restart", "verify"}
        missed = (line.result or {}).get("missed") if pods else None
        uids = {uid for named in missed.values() for uid in named} if isinstance(missed, Mapping) else set()
        assert uids <= world.made_wrong, f"taken for missed by the webhook: {uids - world.made_wrong}"
        if line.status is Status.FAILED:
            assert "not found" not in line.note, "a workload that was deleted is a failure"
            once = len(world.made_wrong) <= 1 and not (stage.others.undone or world.was_unmovable or world.unreliable)
            dry = "may not be made anew" in line.note  # pods without credentials come, and no budget lets them go
            early = once and "expected pod-identity" in line.note and f"{BARE}/" not in line.note and not dry
            assert not early, f"missed once, and given up: {line.note}"


def nobody_is_left_behind(stage: Stage, ended: Exit | None) -> None:
    """Without an association no pod is on Pod Identity, and the annotation is there; no bare pod is still set aside."""
    world = stage.world
    if ended not in ENDS:
        return
    left = [one for one in world.unassociated() if one.uid not in world.excused]
    if ended is Exit.STRANDED:  # what no command could have replaced
        stuck = {*world._unmovable(), *(w.ref for w in world.declared if w.paused)}
        left = [one for one in left if one.owner not in stuck and not _a_jobs(one.owner)]
    assert not left, f"{ended!r}: on Pod Identity without an association: {[one.name for one in left]}"
    bare = world.made is None and ROLE_ARN_ANNOTATION not in world.annotations
    assert not bare or "annotation" in world.harm or world.recent, f"{ended!r}: neither association nor annotation"
    assert ended is not Exit.DONE or not world.kept, "done, and a bare pod is still set aside"


def _a_jobs(owner: object) -> bool:
    return getattr(owner, "kind", "") == "Job"


def a_good_end(stage: Stage) -> None:
    """Nothing goes wrong any more, and it stands where it was to stand: no excuse counts."""
    world, standing = stage.world, stage.bench.journal.state(SERVICE).standing
    assert world.annotations.get(ROLE_ARN_ANNOTATION) in {None, ROLE_ARN}
    assert not world.kept, "a bare pod is still set aside"
    if standing is Standing.MIGRATED:
        assert world.made is not None, "migrated without association"
        assert world.made.role_arn == ROLE_ARN
        assert ROLE_ARN_ANNOTATION not in world.annotations or TRACKED.items() <= world.annotations.items()
    if standing is Standing.ROLLED_BACK and "annotation" in world.harm:
        return  # it is as it was before us: without
    if standing is not Standing.PLANNED:
        problems = [f"{one.name}: {world.problem(one)}" for one in world.live.values() if world.problem(one)]
        assert not problems, f"{standing}: {problems}"
        assert not world.unassociated(), f"{standing}: {world.unassociated()[0].name} has no association"
    others = world.made is not None  # somebody else's
    wanted = Identity.POD_IDENTITY if standing is Standing.MIGRATED or others else Identity.IRSA
    proven_before = stage.bench.edit.order is Order.ANNOTATION_LAST  # pods that came since are not looked at
    if standing is Standing.ROLLED_BACK or (standing is Standing.MIGRATED and not proven_before):
        wrong = [one.name for one in world.live.values() if one.name != BARE and of_pod(one) is not wanted]
        assert not wrong, f"{standing}: not on {wanted}: {wrong}"


def each_change_once(stage: Stage) -> None:
    """What was done, against what the journal says, run by run."""
    effects, undone = stage.world.effects, stage.others.undone
    assert effects["trust idle"] == 0, "a trust policy was written that changed nothing of ours"
    for step, direction, effect in _changes():
        least, most, started = said(stage, step, direction)
        put_backs = stage.world.put_backs if effect == "remove-annotation" else 0
        theirs = undone.get(step, 0)
        least, most = least - theirs, min(most + put_backs, started) + theirs
        assert least <= effects[effect] <= most, f"{effect} {effects[effect]} times, the journal says {least} to {most}"


def _changes() -> Iterator[tuple[str, Direction, str]]:
    yield "trust", Direction.FORWARD, "trust in"
    yield "trust", Direction.BACK, "trust out"
    yield "association", Direction.FORWARD, "create-association"
    yield "association", Direction.BACK, "delete-association"
    yield "annotation", Direction.FORWARD, "remove-annotation"
    yield "annotation", Direction.BACK, "add-annotation"
    yield "agent", Direction.FORWARD, "install-agent"


def said(stage: Stage, step: str, direction: Direction) -> tuple[int, int, int]:
    """How often the journal says that it was done: surely, and perhaps; and how often it was tried.

    A run that was cut off and finds the change undone, by others, cannot know it from one that was never made.
    """
    journal = stage.bench.journal
    least = most = started = 0
    for one in journal.all_runs:
        lines = [line for line in journal.lines if (line.run, line.step) == (one.id, step)]
        if one.direction is direction and lines:
            least += lines[-1].status is Status.DONE
            before = [Status.PENDING, *(line.status for line in lines)]
            most += sum((new.status, old) in BEGINNINGS for new, old in zip(lines, before, strict=False))
            started += sum(line.status is Status.STARTED for line in lines)
    return least, most, started
