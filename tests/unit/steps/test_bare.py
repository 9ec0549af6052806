"""Bare pods: left where they are unless a person allows more; then made anew as they were, and never lost."""

from dataclasses import replace

import pytest

from migrator.model import identity
from migrator.model.exits import Exit
from migrator.model.plan import Acceptance, Edit
from migrator.running.result import Result
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld, pod

ACCEPTED = Edit(accept=(Acceptance(code="bare-pods", reason="a debug pod"),))


class Died(Exception):
    """The process, at one call."""


def benched(edit: Edit | None = None) -> Bench:
    world = FakeWorld()
    world.live["bare"] = pod("irsa", "bare")
    return Bench(world, edit=edit or Edit())


def apply(bench: Bench, *, recreate: bool) -> Result:
    return replace(bench.runner(), recreate_bare_pods=recreate).apply(bench.plan, bench.document)


def test_without_the_option_it_is_left_alone() -> None:
    bench = benched(ACCEPTED)

    result = apply(bench, recreate=False)

    assert result.exit is Exit.DONE
    assert "left out, bare or a Job's: bare" in result.message
    assert identity.of_pod(bench.world.live["bare"]) is identity.Identity.IRSA


def test_with_the_option_it_is_made_anew_there_and_back() -> None:
    bench = benched()
    before = bench.world.snapshot()

    assert apply(bench, recreate=True).exit is Exit.DONE
    assert bench.world.calls[-3:] == ["set-aside bare", "evict bare", "recreate bare"]
    assert identity.of_pod(bench.world.live["bare"]) is identity.Identity.POD_IDENTITY
    assert replace(bench.runner(), recreate_bare_pods=True).rollback(SERVICE).exit is Exit.DONE

    assert {**bench.world.snapshot(), "addon": None} == before
    assert bench.world.kept == {}


def test_it_goes_last_and_a_budget_is_waited_for() -> None:
    bench = benched()
    bench.world.budget_refusals = 3

    assert apply(bench, recreate=True).exit is Exit.DONE
    calls = bench.world.calls
    assert calls.index("restart orders") < calls.index("set-aside bare") < calls.index("evict bare")


def test_missed_again_ends_in_the_way_back() -> None:
    bench = benched()

    def miss(call: str) -> None:
        bench.world.misses = int(call == "recreate bare" and bench.world.made is not None)

    bench.world.before_call = miss
    before = bench.world.snapshot()
    result = apply(bench, recreate=True)

    assert result.exit is Exit.ROLLED_BACK, result.message
    assert "made anew once already" in result.message
    assert {**bench.world.snapshot(), "addon": None} == before


@pytest.mark.parametrize("dies", ["before set-aside", "after set-aside", "after evict", "before recreate"])
@pytest.mark.parametrize("recreate", [True, False], ids=["with the option again", "without it"])
def test_whoever_comes_next_makes_again_what_was_set_aside(dies: str, recreate: bool) -> None:
    bench = benched()
    when, what = dies.split()

    def die(call: str) -> None:
        if call == f"{what} bare":
            raise Died

    if when == "before":
        bench.world.before_call = die
    else:
        bench.world.after_call = die
    with pytest.raises(Died):
        apply(bench, recreate=True)
    bench.world.before_call = bench.world.after_call = lambda _call: None

    result = replace(bench.runner(), recreate_bare_pods=recreate).rollback(SERVICE)

    assert result.exit is Exit.DONE, result.message
    assert identity.of_pod(bench.world.live["bare"]) is identity.Identity.IRSA
    assert bench.world.kept == {}
