"""An annotation that has an owner: left to him there and back, and what he does with it meanwhile is seen."""

from dataclasses import replace

import pytest

from migrator.model.errors import Drift
from migrator.model.exits import Exit
from migrator.model.fleet import Policy
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.plan import Edit, Order, Plan, StepKind
from migrator.planning.again import drifted
from migrator.planning.planner import PlanSettings, plan_cluster
from migrator.running import handed
from migrator.running.ledger import remembered_role
from tests.fakes.parts import ROLE_ARN, TRACKED
from tests.fakes.running import SERVICE, WAITS, Bench
from tests.fakes.world import FakeWorld

OWNER = "Argo CD application shop"
BOTH = pytest.mark.parametrize("order", Order, ids=lambda order: f"[{order}]")


def owned(order: Order = Order.ANNOTATION_FIRST, **differs: object) -> Bench:
    world = FakeWorld(annotations={ROLE_ARN_ANNOTATION: ROLE_ARN, **TRACKED}, **differs)  # type: ignore[arg-type]
    return Bench(world, edit=Edit(order=order))


def moved(order: Order = Order.ANNOTATION_FIRST) -> Bench:
    bench = owned(order)
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    return bench


def planned_anew(bench: Bench) -> Plan:
    role = remembered_role(bench.journal, SERVICE)
    assert role is not None
    (plan,) = plan_cluster(bench.world, bench.world, PlanSettings(policy=Policy(), remembered={SERVICE: role}))
    return replace(plan, edit=bench.edit)


@BOTH
def test_there_and_back_nobody_touches_it(order: Order) -> None:
    bench = owned(order)
    before = bench.world.snapshot()

    result = bench.runner().apply(bench.plan, bench.document)
    assert (result.exit, result.left_to) == (Exit.DONE, OWNER)
    assert result.message.endswith(f"its annotation is left to {OWNER}")
    assert bench.statuses()["annotation"] == "found"
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE

    assert not {"remove-annotation", "add-annotation"} & set(bench.world.calls)
    assert {**bench.world.snapshot(), "addon": None} == before


def test_it_is_not_waited_for() -> None:
    bench, plain = owned(), Bench(FakeWorld())
    for one in (bench, plain):
        one.runner().apply(one.plan, one.document)
    assert plain.clock.time - bench.clock.time >= WAITS.reconcile - 1


def test_a_step_that_fails_takes_the_service_back_and_leaves_it() -> None:
    bench = owned(reality="none")
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.ROLLED_BACK
    assert bench.world.annotations == {ROLE_ARN_ANNOTATION: ROLE_ARN, **TRACKED}
    assert "add-annotation" not in bench.world.calls


def test_another_role_in_it_is_drift() -> None:
    bench = owned()
    bench.world.annotations[ROLE_ARN_ANNOTATION] = "arn:aws:iam::111122223333:role/other"
    with pytest.raises(Drift, match="planned was"):
        bench.runner().apply(bench.plan, bench.document)


@BOTH
def test_taken_out_by_its_owner_before_the_step_it_is_left_to_nobody(order: Order) -> None:
    bench = owned(order)

    def taken(call: str) -> None:
        if call == "create-association":
            bench.world.annotations.pop(ROLE_ARN_ANNOTATION)

    bench.world.after_call = taken
    result = bench.runner().apply(bench.plan, bench.document)
    assert (result.exit, result.left_to) == (Exit.DONE, "")
    assert "left to" not in result.message


def test_taken_out_since_is_seen_by_the_next_look_and_asked_back_before_the_way_back() -> None:
    bench = moved()
    state = bench.journal.state(SERVICE)
    assert handed.left_to(state, bench.journal.notes) == OWNER
    bench.world.annotations.pop(ROLE_ARN_ANNOTATION)

    assert f"{OWNER} has taken its annotation out since" in bench.runner().look(SERVICE).message
    assert handed.left_to(state, bench.journal.notes) == ""
    calls = list(bench.world.calls)
    with pytest.raises(
        Drift, match=f'taken out by its owner, {OWNER}: have it put back there, with the value "{ROLE_ARN}"'
    ):
        bench.runner().rollback(SERVICE)
    assert bench.world.calls == calls

    bench.world.annotations[ROLE_ARN_ANNOTATION] = ROLE_ARN
    assert f"left to {OWNER}" in bench.runner().look(SERVICE).message
    assert handed.left_to(state, bench.journal.notes) == OWNER
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE


def test_a_look_that_sees_nothing_new_writes_nothing() -> None:
    bench = moved()
    bench.runner().look(SERVICE)
    assert handed.key(SERVICE) not in bench.journal.notes


def test_what_an_earlier_run_of_ours_took_out_is_put_back_all_the_same() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document, to=StepKind.ANNOTATION)
    bench.world.annotations.update(TRACKED)
    bench.plan = planned_anew(bench)
    assert bench.plan.facts["owners"][0]["name"] == OWNER

    assert bench.runner().apply(bench.plan, bench.document, anew=True).exit is Exit.DONE
    bench.world.calls.clear()
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert bench.world.calls[0] == "add-annotation"
    assert bench.world.annotations[ROLE_ARN_ANNOTATION] == ROLE_ARN


@pytest.mark.parametrize("taken", [False, True], ids=["[still there]", "[taken out since]"])
def test_neither_of_the_two_is_drift_of_a_run_that_is_over(taken: bool) -> None:
    bench = moved()
    if taken:
        bench.world.annotations.pop(ROLE_ARN_ANNOTATION)
    assert not drifted(bench.plan, planned_anew(bench), frozenset(step.id for step in bench.plan.forward))


def test_made_anew_by_its_owner_it_is_as_it_was() -> None:
    """A chart that is taken out and put in again: the association goes by the name."""
    bench = moved()
    bench.world.uid = "another"
    assert bench.runner().look(SERVICE).exit is Exit.DONE
    assert not drifted(bench.plan, planned_anew(bench), frozenset(step.id for step in bench.plan.forward))
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert bench.world.annotations[ROLE_ARN_ANNOTATION] == ROLE_ARN


def test_stopped_behind_it_it_says_that_it_stays() -> None:
    bench = owned()
    stopped = bench.runner().apply(bench.plan, bench.document, to=StepKind.ANNOTATION)
    assert "its annotation stays" in stopped.message
