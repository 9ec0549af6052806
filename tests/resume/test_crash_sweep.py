"""Killed at every journal write and before and after every change, there and back, then started again.

The outcome must be that of an uninterrupted run, and each change must have been made exactly once. Over the real store
it is killed in the middle of its commits as well, once as a process and once with the machine under it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

import pytest

from migrator.model.exits import Exit
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.journal import ServiceState
from migrator.model.plan import Edit, Order, StepKind
from migrator.running.result import Result
from migrator.running.service import Runner
from tests.fakes.crossing import AWAY_TRUST, TARGET
from tests.fakes.parts import IRSA_TRUST, ROLE_ARN, TRACKED, deployment
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld
from tests.resume.stores import Killed, Store, killed, memory, nothing, unplugged

pytestmark = pytest.mark.apart

Open = Callable[[], AbstractContextManager[Store]]


@dataclass
class Scene:
    """A world, its plan, and a store that may be lost."""

    bench: Bench
    store: Store
    before: object  # the world's snapshot before anybody came

    @property
    def runner(self) -> Runner:
        """A new process."""
        return replace(self.bench.runner(), journal=self.store.journal)

    @property
    def world(self) -> FakeWorld:
        return self.bench.world

    @property
    def state(self) -> ServiceState:
        return self.store.journal.state(SERVICE)

    def arm(self, at: int) -> list[str]:
        """Kills at the `at`-th point; returns the list of points passed."""
        passed: list[str] = []

        def point(name: str) -> None:
            passed.append(name)
            if len(passed) == at:
                raise Killed

        self.world.before_call = lambda name: point(f"before {name}")
        self.world.after_call = lambda name: point(f"after {name}")
        self.store.arm(point)
        return passed

    def ended(self, whole: "Scene") -> bool:
        """Whether the command was over, and nothing was left but to say so."""
        return self.store.journal.open_run(SERVICE) is None and self.state.standing == whole.state.standing

    def restart(self) -> None:
        """The killed process is gone."""
        self.world.before_call = self.world.after_call = nothing
        self.store.lose()


Go = Callable[[Scene], Result]


def there(scene: Scene) -> Result:
    return scene.runner.apply(scene.bench.plan, scene.bench.document)


def back(scene: Scene) -> Result:
    return scene.runner.rollback(SERVICE)


def up_to(kind: StepKind) -> Go:
    """There, but only so far."""
    return lambda scene: scene.runner.apply(scene.bench.plan, scene.bench.document, to=kind)


def natural(scene: Scene) -> Result:
    """There; the owner of the pods replaces them in its own time, which is when apply has nothing left to do."""
    result = there(scene)
    if result.exit is Exit.UNFINISHED:
        for one in scene.world.declared:
            scene.world._roll(one)
        result = there(scene)
    return result


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is swept: a command in a world, and how it ends."""

    go: Go
    ends: Exit = Exit.DONE
    fails: bool = False  # pods come up without credentials
    owned: bool = False  # Argo CD has the annotation in its source
    away: bool = False  # the role lives in another account
    edit: Edit = field(default_factory=Edit)

    @contextmanager
    def scene(self, opened: Open) -> Iterator[Scene]:
        """Ready for the command."""
        with opened() as store:
            before = world(fails=self.fails, owned=self.owned, away=self.away)
            scene = Scene(Bench(before, edit=self.edit), store, before.snapshot())
            if self.go is back:
                there(scene)
                scene.world.calls.clear()
            yield scene


def world(*, fails: bool, owned: bool = False, away: bool = False) -> FakeWorld:
    """Its trust policy's one statement is no list, as people write it: only a before-image brings that form back."""
    role, trust = (TARGET, AWAY_TRUST) if away else (ROLE_ARN, IRSA_TRUST)
    return FakeWorld(
        role_arn=role,
        annotations={ROLE_ARN_ANNOTATION: role, "team": "orders", **(TRACKED if owned else {})},
        trust=trust.replace('"Statement":[', '"Statement":').replace("}}}]}", "}}}}"),
        declared=[deployment("orders"), deployment("worker")],
        probes_until_visible=2,
        reality="none" if fails else None,
    )


def assert_goes_back(scene: Scene, where: str) -> None:
    """Whatever was killed where: the way back must know what is ours."""
    assert back(scene).exit is Exit.DONE
    assert {**scene.world.snapshot(), "addon": None} == scene.before, where


def smooth(case: Case, opened: Open) -> list[str]:
    """The points that an uninterrupted run passes."""
    with case.scene(opened) as scene:
        points = scene.arm(at=-1)
        assert case.go(scene).exit is case.ends
        return points


def sweep(case: Case, opened: Open) -> int:
    """Kills the command at every point in turn; returns how many there were."""
    with case.scene(opened) as whole:
        points = whole.arm(at=-1)
        assert case.go(whole).exit is case.ends
        whole.restart()
        for at, where in enumerate(points, 1):
            with case.scene(opened) as scene:
                scene.arm(at)
                with pytest.raises(Killed):
                    case.go(scene)
                scene.restart()
                if not scene.ended(whole):
                    assert case.go(scene).exit is case.ends, where
                assert Counter(scene.world.calls) == Counter(whole.world.calls), f"at {where}: {scene.world.calls}"
                assert scene.world.snapshot() == whole.world.snapshot(), where
                assert scene.state.standing == whole.state.standing, where
                assert scene.bench.locks.open == []
                assert_goes_back(scene, where)
    return len(points)


FIRST, LAST = Edit(), Edit(order=Order.ANNOTATION_LAST)
ORDERED = {
    f"[{edit.order}]{' [away]' if away else ''} {name}": replace(case, edit=edit, away=away)
    for edit in (FIRST, LAST)
    for away in (False, True)
    for name, case in {
        "there": Case(go=there),
        "back": Case(go=back),
        "there and back by itself": Case(go=there, fails=True, ends=Exit.ROLLED_BACK),
    }.items()
}
OWNED = {f"{name} [owned]": replace(case, owned=True) for name, case in ORDERED.items()}
CASES = {
    **ORDERED,
    **OWNED,
    **{
        f"[{edit.order}] to {kind}": Case(go=up_to(kind), edit=edit, ends=Exit.UNFINISHED)
        for edit in (FIRST, LAST)
        for kind in (StepKind.AGENT, StepKind.TRUST, StepKind.ASSOCIATION, StepKind.RESTART)
    },
    **{
        f"[away] to {kind}": Case(go=up_to(kind), away=True, ends=Exit.UNFINISHED)
        for kind in (StepKind.SOURCE_ROLE, StepKind.TARGET_TRUST, StepKind.ASSOCIATION)
    },
    **{f"[{edit.order}] natural": Case(go=natural, edit=replace(edit, restart="natural")) for edit in (FIRST, LAST)},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_sweep(case: Case) -> None:
    assert sweep(case, memory) > 5


@pytest.mark.parametrize("case", ORDERED.values(), ids=ORDERED.keys())
def test_sweep_with_power_cuts(case: Case) -> None:
    assert sweep(case, unplugged) > 40


def test_sweep_with_kills_in_the_middle_of_a_commit() -> None:
    assert sweep(CASES["[annotation-first] there and back by itself"], killed) > 40


@pytest.mark.parametrize("away", [False, True], ids=["[home]", "[away]"])
@pytest.mark.parametrize("order", Order, ids=lambda order: f"[{order}]")
@pytest.mark.parametrize("planned_anew", [False, True], ids=["[rollback at once]", "[planned anew, there, back]"])
def test_killed_there_and_something_else_next(planned_anew: bool, order: Order, away: bool) -> None:
    """Nobody need repeat the command that was killed: the way back, or a fresh plan, must do as well."""
    case = Case(go=there, edit=Edit(order=order), away=away)
    for at, where in enumerate(smooth(case, memory), 1):
        with case.scene(memory) as scene:
            scene.arm(at)
            with pytest.raises(Killed):
                there(scene)
            scene.restart()
            if planned_anew and ROLE_ARN_ANNOTATION in scene.world.annotations:
                scene.bench.replan()
                assert there(scene).exit is Exit.DONE, where
            assert_goes_back(scene, where)
