"""The executor against a model: random worlds, faults, kills, second runners, foreign edits and next commands.

Whatever happens, each change is made as often as the journal says, no pod is left without credentials because of us,
the journal knows of all that is ours, no lock stays, what others changed is kept; and there is always a way: once
nothing goes wrong any more, one of the ordinary commands ends the service migrated, or back.
"""

import json
import os
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from migrator.model.errors import Locked, MigrateError
from migrator.model.exits import Exit
from migrator.model.facts import Association, WorkloadRef
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.journal import Direction, Standing, Status
from migrator.model.plan import Check, Edit, Order, StepKind
from migrator.model.trust import merge, ours
from migrator.running.ledger import ledger
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import IRSA_TRUST, ROLE_ARN, FakeWorkload
from tests.resume.model import FOUND, SUBJECT, Killed, ModelWorld, Stage

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "150"))
HAPPENINGS = ("kill", "kill", "fault", "second", "statement", "label", "annotation", "repoint", "scale")
COMMANDS = ("apply", "apply", "rollback", "replan", "to", "stay", "owner")
KINDS = {
    "Deployment": "RollingUpdate",
    "StatefulSet": "RollingUpdate",
    "DaemonSet": "OnDelete",
    "ReplicaSet": "",
    "Rollout": "Canary",
}
FINISHED = {Standing.MIGRATED, Standing.ROLLED_BACK, Standing.PLANNED}
BEGINNINGS = {(Status.STARTED, Status.PENDING), (Status.STARTED, Status.FAILED)}
Happenings = dict[int, str]


@dataclass(frozen=True)
class Script:
    """One drawn story. `commands` are what is typed, each with what happens at which point of it."""

    workloads: tuple[tuple[str, int], ...]  # kind, and how many pods
    order: Order
    restart: str
    agent: bool
    lets_in: bool  # the role trusts Pod Identity before us
    linked: bool  # somebody made the association before us
    visible: int
    accepted: int
    agent_late: int
    slow: int
    missed: int
    put_back: int
    check_exit: int
    reality: str | None
    commands: tuple[tuple[str, Happenings], ...] = field(default=())


happenings = st.dictionaries(st.integers(1, 30), st.sampled_from(HAPPENINGS), max_size=2)
scripts = st.builds(
    Script,
    workloads=st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 3)), min_size=1, max_size=3).map(tuple),
    order=st.sampled_from(Order),
    restart=st.sampled_from(("rollout", "rollout", "natural")),
    agent=st.booleans(),
    lets_in=st.booleans(),
    linked=st.sampled_from((False, False, True)),
    visible=st.integers(0, 3),
    accepted=st.integers(0, 3),
    agent_late=st.integers(0, 3),
    slow=st.integers(0, 3),
    missed=st.sampled_from((0, 0, 0, 1, 2, 9)),
    put_back=st.sampled_from((0, 0, 0, 1, 9)),
    check_exit=st.sampled_from((0, 0, 0, 1)),
    reality=st.sampled_from((None, None, None, "irsa", "none")),
    commands=st.lists(st.tuples(st.sampled_from(COMMANDS), happenings), min_size=1, max_size=5).map(tuple),
)


def stage_for(script: Script) -> Stage:
    """The world as the script has it, before anybody came."""
    opened = merge(IRSA_TRUST, SUBJECT).document.replace("IrsaMigrator", "Opened")
    found = Association(id=FOUND, namespace="shop", service_account="orders", role_arn=ROLE_ARN)
    world = ModelWorld(
        declared=[workload(kind, number, pods) for number, (kind, pods) in enumerate(script.workloads)],
        trust=opened if script.lets_in or script.linked else IRSA_TRUST,
        made=found if script.linked else None,
        daemonset=script.agent,
        probes_until_visible=script.visible,
        trust_accepted_after=script.accepted,
        looks_until_agent=script.agent_late,
        missed=script.missed,
        put_back=script.put_back,
        reality=script.reality,
        check_exit=script.check_exit,
    )
    world.slow = script.slow
    check = Check(command=("true",)) if script.check_exit else None
    return Stage(world, Bench(world, edit=Edit(order=script.order, restart=script.restart, verify=check)))


def workload(kind: str, number: int, replicas: int) -> FakeWorkload:
    """One of the service's, with a name of its own."""
    ref = WorkloadRef(kind=kind, namespace="shop", name=f"orders-{number}")
    return FakeWorkload(ref=ref, replicas=replicas, strategy=KINDS[kind])


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(scripts)
def test_whatever_happens(script: Script) -> None:
    play(script)


def play(script: Script) -> None:
    """The story from its first command to a good end."""
    stage = stage_for(script)
    try:
        for command, happenings in script.commands:
            type_in(stage, command, happenings)
            invariants_hold(stage)
        find_a_way(stage)
    finally:
        note(f"happened: {stage.happened}\nworld: {stage.world.snapshot()}")


def type_in(stage: Stage, command: str, happenings: Happenings) -> Exit | None:
    """One command as a process of its own; None when it was killed."""
    stage.begin(happenings)
    stage.second = lambda: second_runner_is_refused(stage)
    try:
        ended = run(stage, command)
    except Killed:
        ended = None
    except MigrateError as error:
        ended = error.exit
        stage.happened.append(error.sentence())
    stage.happened.append(f"{command}: {ended!r}")
    if ended is not None:
        assert not any(process.alive for process in stage.table.values()), f"locks left: {stage.table}"
    return ended


def run(stage: Stage, command: str) -> Exit:
    bench = stage.bench
    if command == "owner":
        stage.world.roll_all()
        return Exit.DONE
    if command == "rollback":
        return bench.runner().rollback(SERVICE).exit
    if command == "replan":
        replan(bench)
    to = StepKind.ASSOCIATION if command == "to" else None
    runner = bench.runner()
    return runner.apply(bench.plan, bench.document, auto_rollback=command != "stay", to=to).exit


def replan(bench: Bench) -> None:
    """`migrate plan`: one whose annotation somebody took is no service any more, and keeps its old plan."""
    if ROLE_ARN_ANNOTATION in bench.world.annotations:
        bench.replan()


def second_runner_is_refused(stage: Stage) -> None:
    """Another process tries the same service in the middle of the first one's work: nothing may come of it."""
    first, calls, lines = stage.bench.locks, list(stage.world.calls), len(stage.bench.journal.lines)
    due, stage.due = stage.due, {}
    try:
        stage.begin({})
        for command in ("apply", "rollback"):
            with pytest.raises(Locked):
                run(stage, command)
    finally:
        stage.bench.locks, stage.due = first, due
    assert (stage.world.calls, len(stage.bench.journal.lines)) == (calls, lines)


def invariants_hold(stage: Stage) -> None:
    world, journal = stage.world, stage.bench.journal
    assert world.gaps == []
    held = ledger(journal, SERVICE)
    if world.made is not None and world.made.id != FOUND:
        assert "association" in held.ours, "an association that the journal does not know"
    if SUBJECT in ours(world.trust):
        assert "trust" in held.ours, "a statement of ours that the journal does not know"
    if ROLE_ARN_ANNOTATION not in world.annotations:
        assert "annotation" in held.ours, "an annotation that the journal does not know to be gone"
    each_change_once(stage)
    statements = json.loads(world.trust)["Statement"]
    theirs = [
        s for s in statements if str(s.get("Sid", "")).startswith("Theirs") and s.get("Action") == "sts:AssumeRole"
    ]
    assert len(theirs) == stage.theirs.statements, "a statement of somebody else's was lost"
    assert sum(key.startswith("theirs-") for key in world.annotations) == stage.theirs.labels
    assert world.annotations.get("team") == "orders"


def each_change_once(stage: Stage) -> None:
    """What was done, against what the journal says, run by run."""
    effects = stage.world.effects
    assert effects["trust idle"] == 0, "a trust policy was written that changed nothing of ours"
    for step, direction, effect in (
        ("trust", Direction.FORWARD, "trust in"),
        ("trust", Direction.BACK, "trust out"),
        ("association", Direction.FORWARD, "create-association"),
        ("association", Direction.BACK, "delete-association"),
        ("annotation", Direction.FORWARD, "remove-annotation"),
        ("annotation", Direction.BACK, "add-annotation"),
        ("agent", Direction.FORWARD, "install-agent"),
    ):
        undone = stage.world.put_backs if effect == "remove-annotation" else 0
        least, most = said(stage, step, direction, undone)
        assert least <= effects[effect] <= most, f"{effect} {effects[effect]} times, the journal says {least} to {most}"


def said(stage: Stage, step: str, direction: Direction, undone: int) -> tuple[int, int]:
    """How often the journal says that it was done: surely, and perhaps.

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
    return least, min(most + undone, started)


def standing(stage: Stage) -> Standing:
    return stage.bench.journal.state(SERVICE).standing


def find_a_way(stage: Stage) -> None:
    """Nothing goes wrong any more, and what stands against us a person has put right: some command gets there."""
    world = stage.world
    for undo in reversed(stage.theirs.undo):
        undo()
    world.missed = world.put_back = 0
    world.reality, world.check_exit, world.slow = None, 0, 0
    tried: list[str] = []
    for command in ("apply", "owner", "apply", "rollback", "replan", "rollback", "apply"):
        world.rest()
        ended = type_in(stage, command, {})
        invariants_hold(stage)
        tried.append(f"{command}: {ended!r}")
        if command != "owner" and ended in {Exit.DONE, Exit.UNFINISHED} and standing(stage) in FINISHED:
            break
    else:
        raise AssertionError(f"no way: {tried}")
    assert world.annotations.get(ROLE_ARN_ANNOTATION) in {None, ROLE_ARN}
