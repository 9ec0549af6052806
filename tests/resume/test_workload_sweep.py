"""The crash sweep over what replaces pods: evictions, canaries, missed pods, bare pods; killed at every point."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from migrator.model.exits import Exit
from migrator.model.facts import WorkloadRef
from migrator.running.result import Result
from tests.fakes.parts import FakeWorkload, deployment, pod
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld
from tests.resume.stores import Killed

Go = Callable[[Bench], Result]


def there(bench: Bench) -> Result:
    return replace(bench.runner(), recreate_bare_pods=True).apply(bench.plan, bench.document)


def back(bench: Bench) -> Result:
    return replace(bench.runner(), recreate_bare_pods=True).rollback(SERVICE)


def evicted() -> FakeWorld:
    ref = WorkloadRef(kind="StatefulSet", namespace="shop", name="db")
    return FakeWorld(declared=[deployment("orders"), FakeWorkload(ref=ref, replicas=2, strategy="OnDelete")])


def never_well() -> FakeWorld:
    world = evicted()
    world.reality = "none"
    return world


def bare() -> FakeWorld:
    world = FakeWorld()
    world.live["bare"] = pod("irsa", "bare")
    return world


def arm(bench: Bench, at: int) -> list[str]:
    """Kills at the `at`-th point; returns the points passed."""
    passed: list[str] = []

    def point(name: str) -> None:
        passed.append(name)
        if len(passed) == at:
            raise Killed

    bench.world.before_call = lambda name: point(f"before {name}")
    bench.world.after_call = lambda name: point(f"after {name}")
    bench.journal.on_write = lambda what: point(f"journal {what}")
    return passed


def prepared(make: Callable[[], FakeWorld], go: Go) -> Bench:
    bench = Bench(make())
    if go is back:
        assert there(bench).exit is Exit.DONE
        bench.world.calls.clear()
    return bench


@pytest.mark.parametrize(
    ("make", "go", "ends"),
    [
        pytest.param(evicted, there, Exit.DONE, id="[evicted] there"),
        pytest.param(evicted, back, Exit.DONE, id="[evicted] back"),
        pytest.param(never_well, there, Exit.ROLLED_BACK, id="[missed twice] there and back by itself"),
        pytest.param(bare, there, Exit.DONE, id="[bare] there"),
        pytest.param(bare, back, Exit.DONE, id="[bare] back"),
    ],
)
def test_killed_anywhere_and_begun_again(make: Callable[[], FakeWorld], go: Go, ends: Exit) -> None:
    smooth = prepared(make, go)
    points = arm(smooth, at=-1)
    assert go(smooth).exit is ends

    for at, where in enumerate(points, 1):
        bench = prepared(make, go)
        arm(bench, at)
        with pytest.raises(Killed):
            go(bench)
        arm(bench, -1)
        assert go(bench).exit is ends, where
        assert Counter(bench.world.calls) == Counter(smooth.world.calls), f"killed at {where}: {bench.world.calls}"
        assert bench.world.snapshot() == smooth.world.snapshot(), where
        assert bench.world.kept == {}, where
