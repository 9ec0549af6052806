"""Bare pods: left where they are unless a person allows more; then made anew as they were, and never lost."""

from dataclasses import replace

import pytest

from migrator.model import identity
from migrator.model.errors import Blocked, MigrateError, Rejected
from migrator.model.exits import Exit
from migrator.model.facts import WorkloadRef
from migrator.model.plan import Acceptance, Edit
from migrator.running.result import Result
from tests.fakes.parts import pod
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld

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


def died(bench: Bench, what: str, *, recreate: bool = True) -> None:
    """A walk there whose process dies right after that call."""

    def die(call: str) -> None:
        if call == what:
            raise Died

    bench.world.after_call = die
    with pytest.raises(Died):
        apply(bench, recreate=recreate)
    bench.world.after_call = lambda _call: None


def test_a_newer_plan_makes_again_what_an_older_run_set_aside() -> None:
    bench = benched(ACCEPTED)
    died(bench, "evict bare")

    result = bench.runner().apply(bench.plan, bench.document, anew=True)

    assert result.exit is Exit.DONE, result.message
    assert "bare" in bench.world.live
    assert bench.world.kept == {}


def test_a_try_that_failed_loses_nothing_when_the_next_one_comes_without_the_option() -> None:
    bench = benched(ACCEPTED)
    slow = replace(bench.world.live["bare"], deleting=True)

    def linger(call: str) -> None:
        if call == "evict bare":
            bench.world.live["bare"] = slow

    bench.world.after_call = linger
    runner = replace(bench.runner(), recreate_bare_pods=True)
    with pytest.raises(Blocked, match="set aside"):
        runner.apply(bench.plan, bench.document, auto_rollback=False)
    bench.world.after_call = lambda _call: None
    del bench.world.live["bare"]

    assert apply(bench, recreate=False).exit is Exit.DONE
    assert "bare" in bench.world.live


def test_the_first_image_need_not_name_it() -> None:
    bench = benched(ACCEPTED)
    died(bench, "restart orders", recreate=False)
    died(bench, "evict bare")

    result = bench.runner().rollback(SERVICE)

    assert result.exit is Exit.DONE, result.message
    assert identity.of_pod(bench.world.live["bare"]) is identity.Identity.IRSA


def test_a_way_back_taken_up_without_the_option_makes_anew_what_the_walk_there_made_anew() -> None:
    bench = benched(ACCEPTED)

    def turn(call: str) -> None:
        bench.world.answers = "other" if call == "recreate bare" else bench.world.answers
        if call == "delete-association":
            raise Died

    bench.world.after_call = turn
    with pytest.raises(Died):
        apply(bench, recreate=True)
    bench.world.after_call, bench.world.answers = (lambda _call: None), "arn"

    result = apply(bench, recreate=False)

    assert result.exit is Exit.ROLLED_BACK, result.message
    assert identity.of_pod(bench.world.live["bare"]) is identity.Identity.IRSA


def test_one_that_is_deleted_before_it_is_set_aside_is_nothing_to_do() -> None:
    bench = benched()

    def delete(call: str) -> None:
        if call == "set-aside bare":
            del bench.world.live["bare"]

    bench.world.before_call = delete

    assert apply(bench, recreate=True).exit is Exit.DONE
    assert "evict bare" not in bench.world.calls


def test_one_that_may_not_be_evicted_does_not_keep_the_others() -> None:
    bench = benched()
    bench.world.live["alone"] = pod("irsa", "alone")

    def held(call: str) -> None:
        if call == "evict alone":
            raise Rejected("the budget forbids it", reason="budget")

    bench.world.before_call = held
    runner = replace(bench.runner(), recreate_bare_pods=True)
    with pytest.raises(Blocked, match="the budget forbids it"):
        runner.apply(bench.plan, bench.document, auto_rollback=False)

    assert identity.of_pod(bench.world.live["bare"]) is identity.Identity.POD_IDENTITY


@pytest.mark.parametrize("owner", [None, WorkloadRef(kind="Job", namespace="shop", name="import")], ids=["bare", "job"])
def test_the_association_stays_while_a_pod_that_nobody_replaces_lives_on_it(owner: WorkloadRef | None) -> None:
    bench = benched(ACCEPTED)
    bench.world.declared[0].replicas = 1

    def come(call: str) -> None:
        if call == "restart orders" and bench.world.made is not None:
            bench.world.live["odd"] = pod("pod-identity", "odd", owner)
            bench.world.answers = "other"

    bench.world.after_call = come
    result = apply(bench, recreate=False)

    assert result.exit is Exit.STRANDED
    assert "no restart replaces: odd" in result.message
    assert bench.world.made is not None
    del bench.world.live["odd"]
    bench.world.answers = "arn"
    assert apply(bench, recreate=False).exit is Exit.ROLLED_BACK
    assert bench.world.made is None


def test_the_trust_stays_while_a_pod_that_came_too_late_lives_on_pod_identity() -> None:
    bench = benched(ACCEPTED)
    assert apply(bench, recreate=False).exit is Exit.DONE

    def come(call: str) -> None:
        if call == "delete-association":
            bench.world.live["job-1"] = pod(
                "pod-identity", "job-1", WorkloadRef(kind="Job", namespace="shop", name="j")
            )

    bench.world.after_call = come
    with pytest.raises(MigrateError, match="still on Pod Identity: job-1"):
        bench.runner().rollback(SERVICE)

    assert bench.world.calls.count("write-trust") == 1
    del bench.world.live["job-1"]
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert bench.world.calls.count("write-trust") == 2
