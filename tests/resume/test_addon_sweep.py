"""The crash sweep over the step that updates an EKS add-on: killed at every point, there, back, and where it fails.

There and back, each update of the add-on is made exactly once, and nothing else of its list or its role is lost.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from migrator.model.exits import Exit
from migrator.model.plan import StepKind
from migrator.running.result import Result
from tests.fakes.addon_world import AddonWorld
from tests.fakes.parts import IRSA_TRUST, deployment
from tests.fakes.running import SERVICE, Bench
from tests.resume.stores import Killed
from tests.resume.test_workload_sweep import arm

Make = Callable[[], AddonWorld]
Go = Callable[[Bench], Result]


def there(bench: Bench) -> Result:
    return bench.runner().apply(bench.plan, bench.document)


def to_the_addon(bench: Bench) -> Result:
    return bench.runner().apply(bench.plan, bench.document, to=StepKind.ADDON)


def back(bench: Bench) -> Result:
    return bench.runner().rollback(SERVICE)


def plain() -> AddonWorld:
    trust = IRSA_TRUST.replace('"Statement":[', '"Statement":').replace("}}}]}", "}}}}")
    return AddonWorld(trust=trust, declared=[deployment("orders"), deployment("worker")], looks_until_updated=2)


def with_its_role_kept() -> AddonWorld:
    return AddonWorld(keeps_role=True)


def beside_one_on_irsa() -> AddonWorld:
    return AddonWorld(sibling="irsa")


def beside_one_that_has_moved() -> AddonWorld:
    return AddonWorld(sibling="pod-identity")


def failing() -> AddonWorld:
    return AddonWorld(failing=True)


def never_on_pod_identity() -> AddonWorld:
    return AddonWorld(reality="none")


@pytest.mark.parametrize(
    ("make", "go", "ends"),
    [
        pytest.param(plain, there, Exit.DONE, id="[plain] there"),
        pytest.param(plain, to_the_addon, Exit.UNFINISHED, id="[plain] to the add-on"),
        pytest.param(plain, back, Exit.DONE, id="[plain] back"),
        pytest.param(with_its_role_kept, there, Exit.DONE, id="[its role kept] there"),
        pytest.param(with_its_role_kept, back, Exit.DONE, id="[its role kept] back"),
        pytest.param(beside_one_on_irsa, there, Exit.DONE, id="[beside one on IRSA] there"),
        pytest.param(beside_one_on_irsa, back, Exit.DONE, id="[beside one on IRSA] back"),
        pytest.param(beside_one_that_has_moved, there, Exit.DONE, id="[beside one that has moved] there"),
        pytest.param(beside_one_that_has_moved, back, Exit.DONE, id="[beside one that has moved] back"),
        pytest.param(failing, there, Exit.ROLLED_BACK, id="[update fails] there and back by itself"),
        pytest.param(never_on_pod_identity, there, Exit.ROLLED_BACK, id="[pods without] there and back by itself"),
    ],
)
def test_killed_anywhere_and_begun_again(make: Make, go: Go, ends: Exit) -> None:
    smooth = prepared(make, go)
    points = arm(smooth, at=-1)
    assert go(smooth).exit is ends
    assert any(point == "before update-addon" for point in points)

    for at, where in enumerate(points, 1):
        bench = prepared(make, go)
        arm(bench, at)
        with pytest.raises(Killed):
            go(bench)
        arm(bench, -1)
        assert go(bench).exit in {ends, Exit.DONE}, where
        again = ["update-addon"] if make is failing and where == "journal begin back" else []  # it tries once more
        assert Counter(bench.world.calls) == Counter([*smooth.world.calls, *again]), (
            f"killed at {where}: {bench.world.calls}"
        )
        assert bench.world.snapshot() == smooth.world.snapshot(), where
        assert back(bench).exit is Exit.DONE, where
        assert bench.world.snapshot() == {**make().snapshot(), "addon": "ACTIVE"}, where


def prepared(make: Make, go: Go) -> Bench:
    bench = Bench(make())
    if go is back:
        assert there(bench).exit is Exit.DONE
        bench.world.calls.clear()
    return bench
