"""Plays one story of the property test: its world, its commands, and the way to a good end that there must be."""

from dataclasses import dataclass, field, replace

import pytest

from migrator.model.errors import Locked, MigrateError
from migrator.model.exits import Exit
from migrator.model.facts import Association, WorkloadRef
from migrator.model.fleet import Policy
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.journal import Direction, Standing
from migrator.model.plan import Acceptance, Check, Edit, Order, StepKind
from migrator.planning.planner import PlanSettings, plan_cluster
from migrator.running.ledger import ledger, remembered_role
from tests.fakes.parts import IRSA_TRUST, ROLE_ARN, TRACKED, FakeWorkload
from tests.fakes.running import SERVICE, Bench
from tests.resume.judge import a_good_end, invariants_hold
from tests.resume.model import FOUND, ModelWorld, opened
from tests.resume.stage import Happenings, Killed, Stage

KINDS = {
    "Deployment": "RollingUpdate",
    "StatefulSet": "RollingUpdate",
    "DaemonSet": "OnDelete",
    "ReplicaSet": "",
    "Rollout": "Canary",
}
FINISHED = {Standing.MIGRATED, Standing.ROLLED_BACK, Standing.PLANNED}
TO = {"to": StepKind.ASSOCIATION, "to-verify": StepKind.VERIFY}
WAYS = ("apply", "owner", "apply", "from-drift", "owner", "apply", "rollback", "replan", "rollback", "apply")


@dataclass(frozen=True)
class Script:
    """One story. `commands` are what is typed, each with what happens at which point of it.

    A command with a plus may make bare pods anew.
    """

    commands: tuple[tuple[str, Happenings], ...] = field(default=())
    workloads: tuple[tuple[str, int], ...] = (("Deployment", 2),)  # kind, and how many pods
    order: Order = Order.ANNOTATION_FIRST
    restart: str = "rollout"
    agent: bool = True
    lets_in: bool = False  # the role trusts Pod Identity before us
    linked: bool = False  # somebody made the association before us
    bare: bool = False
    owned: bool = False  # Argo CD has the annotation in its source
    visible: int = 0
    accepted: int = 0
    agent_late: int = 0
    slow: int = 0
    late: int = 0
    refusals: int = 0
    missed: int = 0
    put_back: int = 0
    check_exit: int = 0
    reality: str | None = None


def stage_for(script: Script) -> Stage:
    """The world as the script has it, before anybody came."""
    found = Association(id=FOUND, namespace="shop", service_account="orders", role_arn=ROLE_ARN)
    world = ModelWorld(
        declared=[workload(kind, number, pods) for number, (kind, pods) in enumerate(script.workloads)],
        trust=opened() if script.lets_in or script.linked else IRSA_TRUST,
        made=found if script.linked else None,
        daemonset=script.agent,
        probes_until_visible=script.visible,
        trust_accepted_after=script.accepted,
        looks_until_agent=script.agent_late,
        budget_refusals=script.refusals,
        missed=script.missed,
        put_back=script.put_back,
        bare=script.bare,
        check_exit=script.check_exit,
        unreliable=script.reality is not None,
    )
    world.annotations.update(TRACKED if script.owned else {})
    world.slow, world.late, world.reality = script.slow, script.late, script.reality
    edit = Edit(
        order=script.order,
        restart=script.restart,
        verify=Check(command=("true",)) if script.check_exit else None,
        accept=(Acceptance(code="bare-pods", reason="they may be made anew"),) if script.bare else (),
    )
    return Stage(world, Bench(world, edit=edit))


def workload(kind: str, number: int, replicas: int) -> FakeWorkload:
    """One of the service's, with a name of its own."""
    ref = WorkloadRef(kind=kind, namespace="shop", name=f"orders-{number}")
    return FakeWorkload(ref=ref, replicas=replicas, strategy=KINDS[kind])


def play(script: Script) -> None:
    """The story from its first command to a good end."""
    stage = stage_for(script)
    try:
        for command, happenings in script.commands:
            invariants_hold(stage, type_in(stage, command, happenings))
        find_a_way(stage)
    except BaseException as error:
        error.add_note("\n".join([*stage.happened, f"world: {stage.world.snapshot()}"]))
        raise


def type_in(stage: Stage, command: str, happenings: Happenings) -> Exit | None:
    """One command as a process of its own; None when it was killed, or is nothing that we do."""
    stage.begin(happenings)
    stage.world.recent.clear()
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


def run(stage: Stage, typed: str) -> Exit | None:
    """What the command line would do."""
    bench, (command, plus, _) = stage.bench, typed.partition("+")
    if command == "owner":
        stage.others.roll_all()
        return None
    if command.startswith("they "):
        stage.others.do(command.removeprefix("they "))
        return None
    runner = replace(bench.runner(), recreate_bare_pods=bool(plus))
    if command == "rollback":
        ended = runner.rollback(SERVICE)
    else:
        if command in {"replan", "from-drift"}:
            replan(bench, afresh=command == "from-drift")
        ended = runner.apply(
            bench.plan,
            bench.document,
            auto_rollback=command != "stay",
            to=TO.get(command),
            anew=command == "from-drift",
        )
    stage.happened.append(ended.message)
    return ended.exit


def replan(bench: Bench, *, afresh: bool) -> None:
    """`migrate plan`, of what is annotated; afresh, a run of ours that took the annotation is remembered."""
    role = remembered_role(bench.journal, SERVICE) if afresh else None
    if ROLE_ARN_ANNOTATION in bench.world.annotations or role:
        remembered = {SERVICE: role} if role else {}
        (plan,) = plan_cluster(bench.world, bench.world, PlanSettings(policy=Policy(), remembered=remembered))
        bench.plan = replace(plan, edit=bench.edit)


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


def find_a_way(stage: Stage) -> None:
    """Nothing goes wrong any more, and what stands against us a person has put right: some command gets there."""
    calm(stage)
    tried: list[str] = []
    for command in WAYS:
        stage.world.rest()
        run_now = stage.bench.journal.open_run(SERVICE)
        if run_now is not None and run_now.direction is Direction.BACK:
            found = "association" in ledger(stage.bench.journal, SERVICE).found
            stage.others.give_back(found=found)
        elif command == "rollback" and TRACKED.items() <= stage.world.annotations.items():
            stage.others.give_back(found=True)  # its owner is asked for the annotation before a way back is begun
        plus = "+" if stage.world.bare and command != "owner" else ""
        ended = type_in(stage, command + plus, {})
        invariants_hold(stage, ended)
        tried.append(f"{command}: {ended!r}")
        there = stage.bench.journal.state(SERVICE).standing in FINISHED
        unproven = ended is Exit.UNFINISHED and not any(one.owner for one in stage.world.live.values())
        if there and (ended is Exit.DONE or unproven):
            break
    else:
        raise AssertionError(f"no way: {tried}")
    a_good_end(stage)


def calm(stage: Stage) -> None:
    """From here on nothing goes wrong."""
    world = stage.world
    stage.others.put_right()
    world.missed = world.put_back = world.budget_refusals = 0
    world.reality, world.check_exit, world.slow, world.late, world.unmovable = None, 0, 0, 0, False
