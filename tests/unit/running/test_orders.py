"""Both orders: the annotation before the restart or behind the proof; and a run that is asked to stop midway."""

from dataclasses import replace

import pytest

from migrator.model.errors import Blocked, Drift, Interrupted
from migrator.model.exits import Exit
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.journal import Standing
from migrator.model.plan import Acceptance, Check, Edit, Order, StepKind, in_order
from migrator.store.plan_document import document_of, plan_of
from tests.fakes.parts import ROLE_ARN
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld

FIRST = ["install-agent", "write-trust", "create-association", "remove-annotation", "restart orders"]
LAST = ["install-agent", "write-trust", "create-association", "restart orders", "remove-annotation"]
BACK = ["add-annotation", "delete-association", "restart orders", "write-trust"]
CALLS = {Order.ANNOTATION_FIRST: FIRST, Order.ANNOTATION_LAST: LAST}
BOTH = pytest.mark.parametrize("order", Order, ids=lambda order: f"[{order}]")


def last_bench(world: FakeWorld | None = None) -> Bench:
    return Bench(world or FakeWorld(), edit=Edit(order=Order.ANNOTATION_LAST))


def put_back_forever(world: FakeWorld) -> None:
    """A reconciler of annotations."""
    world.after_call = lambda name: (
        world.annotations.update({ROLE_ARN_ANNOTATION: ROLE_ARN}) if name == "remove-annotation" else None
    )


@BOTH
def test_there_and_back(order: Order) -> None:
    bench = Bench(FakeWorld(probes_until_visible=2), edit=Edit(order=order))
    before = bench.world.snapshot()

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    assert bench.world.calls == CALLS[order]
    assert "already migrated" in bench.runner().apply(bench.plan, bench.document).message
    assert bench.world.calls == CALLS[order]

    bench.world.calls.clear()
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert bench.world.calls == BACK
    assert {**bench.world.snapshot(), "addon": None} == before


def test_the_order_is_that_of_the_edit_however_the_file_was_sealed() -> None:
    bench = Bench(FakeWorld())
    edited = plan_of({**document_of(bench.plan), "edit": {"order": "annotation-last"}})

    assert [step.id for step in edited.forward][-1] == "verify"
    assert [step.id for step in edited.way_there][-1] == "annotation"
    assert [step["id"] for step in document_of(edited)["forward"]][-1] == "annotation"
    assert in_order(edited.way_there, Order.ANNOTATION_FIRST) == bench.plan.forward
    assert edited.back == bench.plan.back


def test_last_keeps_the_annotation_until_the_pods_are_proven() -> None:
    bench = last_bench(FakeWorld(reality="none"))

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.ROLLED_BACK

    assert "remove-annotation" not in bench.world.calls
    assert bench.world.annotations[ROLE_ARN_ANNOTATION] == ROLE_ARN


def test_first_goes_back_when_something_reconciles_the_annotation() -> None:
    bench = Bench(FakeWorld())
    put_back_forever(bench.world)

    result = bench.runner().apply(bench.plan, bench.document)

    assert (result.exit, "something reconciles it" in result.message) == (Exit.ROLLED_BACK, True)
    assert "restart orders" not in bench.world.calls


def test_last_stays_on_pod_identity_when_something_reconciles_the_annotation() -> None:
    bench = last_bench()
    put_back_forever(bench.world)

    with pytest.raises(Blocked) as caught:
        bench.runner().apply(bench.plan, bench.document)

    said = caught.value.sentence()
    assert "something reconciles it; the pods are proven on Pod Identity" in said
    assert said.endswith("take it out at its source, then run the same command again")
    assert "delete-association" not in bench.world.calls
    assert bench.journal.state(SERVICE).standing is Standing.FAILED

    bench.world.after_call = lambda _name: None
    del bench.world.annotations[ROLE_ARN_ANNOTATION]
    bench.world.calls.clear()
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    assert bench.world.calls == []
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert bench.world.annotations[ROLE_ARN_ANNOTATION] == ROLE_ARN


@BOTH
def test_without_auto_rollback_the_same_command_goes_on(order: Order) -> None:
    bench = Bench(FakeWorld(check_exit=1), edit=Edit(order=order, verify=Check(command=("true",))))
    with pytest.raises(Blocked, match="own check failed"):
        bench.runner().apply(bench.plan, bench.document, auto_rollback=False)
    bench.world.check_exit = 0

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    assert sorted(bench.world.calls) == sorted(CALLS[order])


@BOTH
def test_without_auto_rollback_rollback_goes_back(order: Order) -> None:
    bench = Bench(FakeWorld(check_exit=1), edit=Edit(order=order, verify=Check(command=("true",))))
    before = bench.world.snapshot()
    with pytest.raises(Blocked):
        bench.runner().apply(bench.plan, bench.document, auto_rollback=False)

    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert {**bench.world.snapshot(), "addon": None} == before


@BOTH
@pytest.mark.parametrize("at", ["create-association", "restart orders"])
def test_the_order_may_change_while_a_run_is_open(order: Order, at: str) -> None:
    bench = Bench(FakeWorld(), edit=Edit(order=order))
    bench.world.after_call = lambda name: setattr(bench, "signal", 15 if name == at else None)
    with pytest.raises(Interrupted):
        bench.runner().apply(bench.plan, bench.document)
    bench.signal, bench.world.after_call = None, lambda _name: None
    other = next(one for one in Order if one is not order)
    edited = replace(bench.plan, edit=Edit(order=other))

    assert bench.runner().apply(edited, document_of(edited)).exit is Exit.DONE
    assert sorted(bench.world.calls) == sorted(FIRST)
    assert len(bench.journal.all_runs) == 1
    assert "already migrated" in bench.runner().apply(edited, document_of(edited)).message


@BOTH
def test_stopping_after_every_step_in_turn_ends_as_one_run(order: Order) -> None:
    bench = Bench(FakeWorld(), edit=Edit(order=order))
    kinds = [step.kind for step in bench.plan.way_there]

    for number, kind in enumerate(kinds[:-1], 1):
        result = bench.runner().apply(bench.plan, bench.document, to=kind)
        assert result.exit is Exit.UNFINISHED
        assert f'stopped after step "{kind}", as asked' in result.message
        assert list(bench.statuses().values()) == ["done"] * number + ["pending"]
        assert bench.journal.state(SERVICE).standing is Standing.WAITING
        assert bench.locks.open == []
    assert bench.runner().apply(bench.plan, bench.document, to=kinds[-1]).exit is Exit.DONE
    assert (bench.world.calls, len(bench.journal.all_runs)) == (CALLS[order], 1)
    assert bench.journal.state(SERVICE).standing is Standing.MIGRATED


@BOTH
@pytest.mark.parametrize("kind", [StepKind.AGENT, StepKind.TRUST, StepKind.ASSOCIATION, StepKind.RESTART])
def test_from_a_stop_the_way_back_is_open(order: Order, kind: StepKind) -> None:
    bench = Bench(FakeWorld(), edit=Edit(order=order))
    before = bench.world.snapshot()
    bench.runner().apply(bench.plan, bench.document, to=kind)

    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert {**bench.world.snapshot(), "addon": None} == before
    assert bench.journal.open_run(SERVICE) is None


@pytest.mark.parametrize(
    ("stopped", "says"),
    [
        pytest.param(StepKind.TRUST, 'step "trust" was over already, nothing was changed', id="[there] already"),
        pytest.param(StepKind.ASSOCIATION, 'past step "trust" already, at "annotation" (pending)', id="[past] it"),
    ],
)
def test_a_stop_that_lies_behind_changes_nothing_and_says_so(stopped: StepKind, says: str) -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document, to=stopped)
    bench.world.calls.clear()

    result = bench.runner().apply(bench.plan, bench.document, to=StepKind.TRUST)

    assert (result.exit, bench.world.calls) == (Exit.UNFINISHED, [])
    assert says in result.message
    assert result.message.endswith('the same command without "--to" goes on')


def test_drift_in_an_open_run_names_the_command_that_goes_on() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document, to=StepKind.ASSOCIATION)
    bench.world.annotations[ROLE_ARN_ANNOTATION] = "arn:aws:iam::111111111111:role/theirs"

    with pytest.raises(Drift, match="planned was") as caught:
        bench.runner().apply(bench.plan, bench.document)

    assert f"migrate apply --service {SERVICE} --from-drift" in caught.value.sentence()


@BOTH
def test_keys_that_no_plan_has_seen_take_the_service_back(order: Order) -> None:
    """They were there before the move as well, so that the way back has nothing against them."""
    bench = Bench(FakeWorld(answers="user"), edit=Edit(order=order))

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert "is user/ci of account 111111111111, by keys of its own" in result.message


@BOTH
def test_keys_that_a_person_has_taken_on_are_told_of(order: Order) -> None:
    accepted = (Acceptance(code="static-keys", reason="the program does not use them"),)
    bench = Bench(FakeWorld(answers="user"), edit=Edit(order=order, accept=accepted))

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.DONE
    assert "credentials not proven everywhere: user/ci of account 111111111111" in result.message
