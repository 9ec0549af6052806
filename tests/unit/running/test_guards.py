"""What a run does not do: go on after a fault, overwrite others, begin what cannot end, claim what is not proven."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from migrator.model import identity
from migrator.model.errors import (
    Blocked,
    CredentialsExpired,
    Drift,
    EnvironmentFault,
    Interrupted,
    MigrateError,
    NotPermitted,
    Rejected,
)
from migrator.model.exits import Exit
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.journal import Standing
from migrator.model.plan import Check, Edit
from migrator.store.plan_document import document_of
from tests.fakes.parts import ROLE_ARN, deployment, pod
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld

THERE = ["install-agent", "write-trust", "create-association", "remove-annotation", "restart orders"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(EnvironmentFault("connection refused"), Exit.ERROR, id="[network]"),
        pytest.param(CredentialsExpired("the token has expired"), Exit.UNFINISHED, id="[credentials]"),
        pytest.param(NotPermitted("eks:CreatePodIdentityAssociation"), Exit.ERROR, id="[permission]"),
    ],
)
def test_a_fault_of_the_environment_stops_at_a_checkpoint_and_resumes(fault: MigrateError, code: Exit) -> None:
    bench = Bench(FakeWorld())

    def fail(name: str) -> None:
        if name == "create-association":
            raise fault

    bench.world.before_call = fail
    with pytest.raises(type(fault)) as caught:
        bench.runner().apply(bench.plan, bench.document)
    assert caught.value.exit is code
    assert bench.statuses()["association"] == "started"

    bench.world.before_call = lambda _name: None
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    assert bench.world.calls == THERE


def test_a_refused_change_walks_back() -> None:
    bench = Bench(FakeWorld())

    def refuse(name: str) -> None:
        if name == "create-association":
            raise Rejected("too many associations", reason="limit")

    bench.world.before_call = refuse
    before = bench.world.snapshot()

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert "too many associations" in result.message
    assert {**bench.world.snapshot(), "addon": None} == before


def test_a_foreign_edit_between_look_and_change_is_not_overwritten() -> None:
    bench = Bench(FakeWorld())
    theirs = "arn:aws:iam::111111111111:role/theirs"
    bench.world.before_call = lambda name: (
        bench.world.annotations.update({ROLE_ARN_ANNOTATION: theirs}) if name == "remove-annotation" else None
    )

    with pytest.raises(Drift, match="changed"):
        bench.runner().apply(bench.plan, bench.document)

    assert bench.world.annotations[ROLE_ARN_ANNOTATION] == theirs


def test_the_value_that_was_read_is_the_value_that_is_taken_off() -> None:
    """Somebody else's value, set between the look and the change, is neither removed nor lost."""
    bench = Bench(FakeWorld())
    theirs = "arn:aws:iam::111111111111:role/theirs"
    bench.journal.on_write = lambda what: (
        bench.world.annotations.update({ROLE_ARN_ANNOTATION: theirs}) if what == "annotation started" else None
    )

    with pytest.raises(Drift, match="changed a moment ago"):
        bench.runner().apply(bench.plan, bench.document)

    assert bench.world.annotations[ROLE_ARN_ANNOTATION] == theirs


def test_what_is_as_wanted_by_the_time_of_the_change_is_done() -> None:
    """A write of a runner that lost its lease may arrive that late: it is no drift, and the way back undoes it."""
    bench = Bench(FakeWorld())
    bench.journal.on_write = lambda what: (
        bench.world.annotations.pop(ROLE_ARN_ANNOTATION, None) if what == "annotation started" else None
    )

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    assert "remove-annotation" not in bench.world.calls

    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert bench.world.annotations[ROLE_ARN_ANNOTATION] == ROLE_ARN


def comes(world: FakeWorld) -> None:
    world.declared.append(deployment("new"))
    world._roll(world.declared[-1])


def goes(world: FakeWorld) -> None:
    world.declared.clear()
    world.live.clear()


def scales(world: FakeWorld) -> None:
    world.declared[0].replicas = 3
    world._roll(world.declared[0])


@pytest.mark.parametrize("change", [comes, goes, scales])
def test_back_takes_the_workloads_as_they_are_then(change: Callable[[FakeWorld], None]) -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    change(bench.world)

    assert bench.runner().rollback(SERVICE).exit is Exit.DONE

    assert {str(identity.of_pod(one)) for one in bench.world.live.values()} <= {"irsa"}
    assert bench.world.made is None


def test_back_is_refused_while_it_would_strand_a_pod() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    bench.world.live["bare"] = pod("pod-identity", "bare")
    bench.world.calls.clear()

    with pytest.raises(Blocked, match="no restart replaces: bare"):
        bench.runner().rollback(SERVICE)

    assert bench.world.calls == []
    assert bench.journal.state(SERVICE).standing is Standing.MIGRATED


@pytest.mark.parametrize("way", ["there", "back"])
def test_no_walk_begins_while_irsa_would_not_take_the_pods_back(way: str) -> None:
    bench = Bench(FakeWorld())
    if way == "back":
        bench.runner().apply(bench.plan, bench.document)
    bench.world.calls.clear()
    bench.world.trust = bench.world.trust.replace("system:serviceaccount:shop:orders", "system:serviceaccount:shop:x")

    with pytest.raises(Drift, match="no longer trusts"):
        _ = bench.runner().rollback(SERVICE) if way == "back" else bench.runner().apply(bench.plan, bench.document)

    assert bench.world.calls == []


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(lambda w: setattr(w.declared[0], "looks_until_complete", 9), "not well", id="[rollout] under way"),
        pytest.param(lambda w: setattr(w.declared[0], "looks_until_seen", 9), "has not seen", id="[rollout] unseen"),
        pytest.param(lambda w: setattr(w, "refusal", "exceeded quota"), "exceeded quota", id="[gate] refused"),
        pytest.param(lambda w: setattr(w, "blind", True), "not be on irsa", id="[webhook] injects nothing"),
    ],
)
def test_what_would_fail_later_is_found_before_anything_is_changed(
    spoil: Callable[[FakeWorld], None], says: str
) -> None:
    bench = Bench(FakeWorld())
    spoil(bench.world)

    with pytest.raises(Blocked, match=says):
        bench.runner().apply(bench.plan, bench.document)

    assert (bench.world.calls, bench.journal.all_runs) == ([], [])


def test_a_controller_that_is_behind_is_given_a_few_looks() -> None:
    bench = Bench(FakeWorld())
    bench.world.declared[0].looks_until_seen = 4

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE


def test_an_agent_that_never_gets_ready_leaves_the_service_alone() -> None:
    bench = Bench(FakeWorld(looks_until_agent=1000))

    result = bench.runner().apply(bench.plan, bench.document)

    assert (result.exit, bench.world.calls) == (Exit.ROLLED_BACK, ["install-agent"])
    assert len(bench.journal.all_runs) == 1


def test_a_plan_about_another_role_waits_for_the_way_back_of_the_first() -> None:
    bench = Bench(FakeWorld(trust_accepted_after=1))
    bench.world.before_call = lambda name: setattr(bench, "signal", 15 if name == "write-trust" else None)
    with pytest.raises(Interrupted):
        bench.runner().apply(bench.plan, bench.document)
    bench.signal, bench.world.before_call = None, lambda _name: None
    bench.world.role_id = "AROANEW"
    bench.replan()

    with pytest.raises(Blocked, match="another trust"):
        bench.runner().apply(bench.plan, bench.document)


def test_a_pod_that_goes_away_during_the_own_check_is_no_failure() -> None:
    bench = Bench(FakeWorld(checks_that_miss=1), edit=Edit(verify=Check(command=("true",))))

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE


def test_an_own_check_does_not_decide_over_the_way_back() -> None:
    bench = Bench(FakeWorld(check_exit=1), edit=Edit(verify=Check(command=("false",))))
    before = bench.world.snapshot()

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.ROLLED_BACK
    assert {**bench.world.snapshot(), "addon": None} == before


def test_back_is_refused_while_a_deployment_is_paused() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    bench.world.calls.clear()
    bench.world.declared[0].paused = True

    with pytest.raises(Blocked, match="is paused"):
        bench.runner().rollback(SERVICE)

    assert (bench.world.calls, bench.journal.open_run(SERVICE)) == ([], None)


def test_a_run_goes_on_with_what_was_edited_meanwhile() -> None:
    bench = Bench(FakeWorld(check_exit=1), edit=Edit(verify=Check(command=("wrong",))))
    with pytest.raises(Blocked):
        bench.runner().apply(bench.plan, bench.document, auto_rollback=False)
    bench.world.calls.clear()
    edited = replace(bench.plan, edit=Edit(wave=3))

    assert bench.runner().apply(edited, document_of(edited)).exit is Exit.DONE
    assert (bench.world.calls, len(bench.journal.all_runs)) == ([], 1)

    edited = replace(bench.plan, edit=Edit(wave=4))
    assert "already migrated" in bench.runner().apply(edited, document_of(edited)).message


def test_pods_without_an_association_prove_nothing() -> None:
    bench = Bench(FakeWorld())
    bench.world.after_call = lambda name: setattr(bench.world, "made", None) if name == "restart orders" else None

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.ROLLED_BACK


def test_an_association_that_was_given_another_role_is_not_deleted() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    assert bench.world.made is not None
    bench.world.made = replace(bench.world.made, role_arn="arn:aws:iam::111111111111:role/theirs")
    bench.world.calls.clear()

    with pytest.raises(Drift, match="changed by somebody else"):
        bench.runner().rollback(SERVICE)

    assert (bench.world.calls, bench.journal.open_run(SERVICE)) == ([], None)
    assert bench.world.made is not None


def test_an_account_made_anew_goes_back_once_its_owner_annotated_it() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    bench.world.uid = "anew"

    with pytest.raises(Drift, match="was made anew"):
        bench.runner().rollback(SERVICE)
    assert bench.journal.open_run(SERVICE) is None

    bench.world.annotations[ROLE_ARN_ANNOTATION] = ROLE_ARN
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE


def test_a_role_that_denies_pod_identity_is_not_written_to() -> None:
    bench = Bench(FakeWorld())
    deny = '{"Effect":"Deny","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":"sts:TagSession"},'
    bench.world.trust = bench.world.trust.replace('"Statement":[', f'"Statement":[{deny}')

    result = bench.runner().apply(bench.plan, bench.document)

    assert (result.exit, bench.world.calls) == (Exit.ROLLED_BACK, ["install-agent"])
    assert "denies Pod Identity" in result.message


def test_a_workload_that_no_longer_rolls_by_itself_is_drift() -> None:
    bench = Bench(FakeWorld())
    bench.world.declared[0].strategy = "OnDelete"

    with pytest.raises(Drift, match="no longer rolls by itself"):
        bench.runner().apply(bench.plan, bench.document)

    assert bench.world.calls == []
