"""Killed at every journal write and before and after every change, there and back, then started again.

The outcome must be that of an uninterrupted run, and each change must have been made exactly once.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from migrator.model.exits import Exit
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.running.result import Result
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import IRSA_TRUST, FakeWorld, deployment

Go = Callable[[Bench], Result]


class Killed(BaseException):
    """SIGKILL, as far as Python can play it: nothing after it runs."""


def there(bench: Bench) -> Result:
    return bench.runner().apply(bench.plan, bench.document)


def back(bench: Bench) -> Result:
    return bench.runner().rollback(SERVICE)


def world(*, fails: bool) -> FakeWorld:
    """Its trust policy's one statement is no list, as people write it: only a before-image brings that form back."""
    return FakeWorld(
        trust=IRSA_TRUST.replace('"Statement":[', '"Statement":').replace("}}}]}", "}}}}"),
        declared=[deployment("orders"), deployment("worker")],
        probes_until_visible=2,
        reality="none" if fails else None,
    )


def prepared(go: Go, *, fails: bool) -> Bench:
    bench = Bench(world(fails=fails))
    if go is back:
        there(bench)
        bench.world.calls.clear()
    return bench


def arm(bench: Bench, at: int) -> list[str]:
    """Kills at the `at`-th point; returns the list of points passed."""
    passed: list[str] = []

    def point(name: str) -> None:
        passed.append(name)
        if len(passed) == at:
            raise Killed

    bench.world.before_call = lambda name: point(f"before {name}")
    bench.world.after_call = lambda name: point(f"after {name}")
    bench.journal.on_write = lambda what: point(f"journal {what}")
    return passed


def assert_goes_back(bench: Bench, where: str) -> None:
    """Whatever was killed where: the way back must know what is ours."""
    assert back(bench).exit is Exit.DONE
    assert {**bench.world.snapshot(), "addon": None} == world(fails=False).snapshot(), where


@pytest.mark.parametrize("planned_anew", [False, True], ids=["[rollback at once]", "[planned anew, there, back]"])
def test_killed_there_and_something_else_next(planned_anew: bool) -> None:
    """Nobody need repeat the command that was killed: the way back, or a fresh plan, must do as well."""
    points = arm(smooth := prepared(there, fails=False), at=-1)
    there(smooth)
    for at, where in enumerate(points, 1):
        bench = prepared(there, fails=False)
        arm(bench, at)
        with pytest.raises(Killed):
            there(bench)
        disarm(bench)
        if planned_anew and ROLE_ARN_ANNOTATION in bench.world.annotations:
            bench.replan()
            assert there(bench).exit is Exit.DONE, where
        assert_goes_back(bench, where)


def disarm(bench: Bench) -> None:
    bench.world.before_call = bench.world.after_call = bench.journal.on_write = lambda _name: None


@pytest.mark.parametrize(
    ("go", "fails", "ends"),
    [
        pytest.param(there, False, Exit.DONE, id="[there]"),
        pytest.param(back, False, Exit.DONE, id="[back]"),
        pytest.param(there, True, Exit.ROLLED_BACK, id="[there and back by itself]"),
    ],
)
def test_sweep(go: Go, fails: bool, ends: Exit) -> None:
    smooth = prepared(go, fails=fails)
    points = arm(smooth, at=-1)
    assert go(smooth).exit is ends
    disarm(smooth)
    assert len(points) > 15

    for at in range(1, len(points) + 1):
        bench = prepared(go, fails=fails)
        arm(bench, at)
        with pytest.raises(Killed):
            go(bench)
        disarm(bench)
        where = points[at - 1]
        assert go(bench).exit is ends, where
        assert Counter(bench.world.calls) == Counter(smooth.world.calls), f"killed at {where}: {bench.world.calls}"
        assert bench.world.snapshot() == smooth.world.snapshot(), where
        assert bench.journal.state(SERVICE).standing == smooth.journal.state(SERVICE).standing, where
        assert bench.locks.open == []
        assert_goes_back(bench, where)
