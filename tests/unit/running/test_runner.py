"""One service there and back over the fake world: what happens, in which order, and what the exit code says."""

import pytest

from migrator.model.errors import (
    Blocked,
    Drift,
    Interrupted,
)
from migrator.model.exits import Exit
from migrator.model.facts import Addon, Association
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.journal import Standing
from migrator.model.plan import Check, Edit, Finding, Severity, StepKind
from tests.fakes.parts import ROLE_ARN, deployment
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld

THERE = ["install-agent", "write-trust", "create-association", "remove-annotation", "restart orders"]
BACK = ["add-annotation", "delete-association", "restart orders", "write-trust"]


def test_there_in_the_default_order() -> None:
    bench = Bench(FakeWorld(probes_until_visible=3))

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.DONE, result.message
    assert bench.world.calls == THERE
    assert bench.world.injected() == "pod-identity"
    assert set(bench.statuses().values()) == {"done"}
    assert bench.world.annotations == {"team": "orders"}
    assert bench.locks.open == []


def test_back_brings_everything_but_the_agent_back() -> None:
    bench = Bench(FakeWorld(probes_until_visible=2))
    before = bench.world.snapshot()
    bench.runner().apply(bench.plan, bench.document)
    bench.world.calls.clear()

    result = bench.runner().rollback(SERVICE)

    assert result.exit is Exit.DONE, result.message
    assert bench.world.calls == BACK
    assert {**bench.world.snapshot(), "addon": None} == before
    assert bench.journal.state(SERVICE).standing is Standing.ROLLED_BACK


def test_again_after_the_way_back() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    bench.runner().rollback(SERVICE)
    bench.world.calls.clear()

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.DONE, result.message
    assert bench.world.calls == THERE[1:]


def test_twice_is_once() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    bench.world.calls.clear()

    result = bench.runner().apply(bench.plan, bench.document)

    assert (result.exit, bench.world.calls) == (Exit.DONE, [])
    assert "already migrated" in result.message


def test_twice_looks_again() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    bench.world.made = None

    with pytest.raises(Drift) as caught:
        bench.runner().apply(bench.plan, bench.document)

    assert 'step "association"' in caught.value.sentence()


def test_twice_proves_what_was_pending() -> None:
    bench = Bench(FakeWorld(declared=[deployment(replicas=0)]))
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.UNFINISHED
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.UNFINISHED
    bench.world.declared[0].replicas = 1
    bench.world._roll(bench.world.declared[0])

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE


@pytest.mark.parametrize(
    ("world", "left_out"),
    [
        pytest.param(FakeWorld(daemonset=True), "install-agent", id="[found] a self-managed agent"),
        pytest.param(
            FakeWorld(made=Association(id="a-9", namespace="shop", service_account="orders", role_arn=ROLE_ARN)),
            "create-association",
            id="[found] an association with the same role",
        ),
    ],
)
def test_what_was_there_is_found_and_stays(world: FakeWorld, left_out: str) -> None:
    bench = Bench(world)
    bench.runner().apply(bench.plan, bench.document)
    assert left_out not in world.calls

    bench.runner().rollback(SERVICE)

    assert "delete-association" not in world.calls or left_out != "create-association"
    assert (world.made is not None) == (left_out == "create-association")


def test_a_way_back_without_proof_says_what_it_undid() -> None:
    """The association was there before us, and no pod was restarted: there is nothing to prove."""
    foreign = Association(id="a-9", namespace="shop", service_account="orders", role_arn=ROLE_ARN)
    bench = Bench(FakeWorld(made=foreign))
    bench.runner().apply(bench.plan, bench.document, to=StepKind.ANNOTATION)
    bench.world.calls.clear()

    result = bench.runner().rollback(SERVICE)

    assert bench.world.calls == ["add-annotation", "write-trust"]
    assert (result.exit, result.message) == (Exit.DONE, 'rolled back: "annotation", "trust" were undone')


@pytest.mark.parametrize(
    ("world", "calls_there"),
    [
        pytest.param(FakeWorld(reality="none"), THERE, id="[verify] pods come up without credentials"),
        pytest.param(FakeWorld(reality="irsa"), THERE, id="[verify] pods come up on IRSA after all"),
        pytest.param(FakeWorld(probes_until_visible=1000), THERE[:3], id="[gate] the association never shows"),
        pytest.param(FakeWorld(trust_accepted_after=1000), THERE[:2], id="[association] EKS never takes the trust"),
    ],
)
def test_a_failure_walks_the_way_back_by_itself(world: FakeWorld, calls_there: list[str]) -> None:
    bench = Bench(world)
    before = world.snapshot()

    def visible_again(name: str) -> None:
        if name == "delete-association":
            world.probes_until_visible = world._lag = 0

    world.after_call = visible_again
    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK, result.message
    assert world.calls[: len(calls_there)] == calls_there
    assert {**world.snapshot(), "addon": None} == before
    assert bench.journal.state(SERVICE).standing is Standing.ROLLED_BACK


def test_no_pod_is_restarted_on_the_way_back_when_none_was_there() -> None:
    bench = Bench(FakeWorld(trust_accepted_after=1000))

    bench.runner().apply(bench.plan, bench.document)

    assert "restart orders" not in bench.world.calls


def test_a_failing_own_check_walks_back() -> None:
    bench = Bench(FakeWorld(check_exit=3), edit=Edit(verify=Check(command=("aws", "dynamodb", "scan"))))
    bench.world.after_call = lambda name: (
        setattr(bench.world, "check_exit", 0) if name == "delete-association" else None
    )

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert "exit 3" in result.message


def test_the_way_back_fails_too() -> None:
    bench = Bench(FakeWorld(reality="none"))
    bench.world.after_call = lambda name: (
        setattr(bench.world.declared[0], "failure", "ProgressDeadlineExceeded")
        if name == "delete-association"
        else None
    )

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.STRANDED
    assert "migrate rollback --service prod/shop/orders" in result.message
    assert bench.journal.state(SERVICE).standing is Standing.STRANDED

    bench.world.declared[0].failure = ""
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert bench.journal.state(SERVICE).standing is Standing.ROLLED_BACK


def test_without_auto_rollback_the_run_stays_open_and_resumes() -> None:
    bench = Bench(FakeWorld(check_exit=1), edit=Edit(verify=Check(command=("true",))))
    with pytest.raises(Blocked, match="own check failed"):
        bench.runner().apply(bench.plan, bench.document, auto_rollback=False)
    bench.world.calls.clear()
    bench.world.check_exit = 0

    result = bench.runner().apply(bench.plan, bench.document)

    assert (result.exit, bench.world.calls) == (Exit.DONE, [])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"role_exists": False}, "does not exist any more", id="[drift] role deleted"),
        pytest.param({"role_id": "AROANEW"}, "was made anew", id="[drift] role made anew"),
        pytest.param({"uid": "other"}, "was made anew", id="[drift] ServiceAccount made anew"),
        pytest.param({"annotations": {ROLE_ARN_ANNOTATION: "arn:x"}}, "planned was", id="[drift] other annotation"),
        pytest.param(
            {"declared": [deployment(), deployment("new")]}, "Deployment new is new", id="[drift] new workload"
        ),
        pytest.param({"declared": [deployment("other")]}, "Deployment orders is gone", id="[drift] workload gone"),
        pytest.param(
            {"difference": 'facts.cluster.arn: "A" is not "B"'}, "another cluster", id="[drift] other cluster"
        ),
        pytest.param(
            {"made": Association(id="a-2", namespace="shop", service_account="orders", role_arn="arn:other")},
            "another role",
            id="[drift] association with another role",
        ),
        pytest.param(
            {"addon": Addon(name="eks-pod-identity-agent", status="CREATE_FAILED", version="v1")},
            "CREATE_FAILED",
            id="[drift] broken add-on",
        ),
    ],
)
def test_drift_is_met_before_anything_is_changed(change: dict[str, object], says: str) -> None:
    bench = Bench(FakeWorld())
    for name, value in change.items():
        setattr(bench.world, name, value)

    with pytest.raises(Drift) as caught:
        bench.runner().apply(bench.plan, bench.document)

    assert says in caught.value.sentence()
    assert bench.world.calls == []
    assert bench.journal.all_runs == []


def test_hold_and_blocks_are_refused() -> None:
    held = Bench(FakeWorld(), edit=Edit(hold=True))
    with pytest.raises(Blocked, match="on hold"):
        held.runner().apply(held.plan, held.document)

    blocked = Bench(FakeWorld())
    finding = Finding(code="role-missing", severity=Severity.BLOCK, object="role x")
    plan = type(blocked.plan)(
        service=SERVICE, edit=Edit(), verdict=blocked.plan.verdict, findings=(finding,), facts=blocked.plan.facts
    )
    with pytest.raises(Blocked, match="role-missing"):
        blocked.runner().apply(plan, {})
    assert held.world.calls + blocked.world.calls == []


def test_interrupted_at_a_checkpoint_and_resumed() -> None:
    bench = Bench(FakeWorld())
    bench.world.after_call = lambda name: setattr(bench, "signal", 15 if name == "create-association" else None)

    with pytest.raises(Interrupted) as caught:
        bench.runner().apply(bench.plan, bench.document)
    assert caught.value.code_of_exit is Exit.TERMINATED

    bench.signal, bench.world.after_call = None, lambda _name: None
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    assert bench.world.calls == THERE


def test_a_service_without_pods_is_migrated_but_not_proven() -> None:
    bench = Bench(FakeWorld(declared=[deployment(replicas=0)]))

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.UNFINISHED
    assert "no pod yet" in result.message


def test_a_newer_plan_replaces_a_run_that_met_drift_and_what_was_made_stays_ours() -> None:
    bench = Bench(FakeWorld())
    before = bench.world.snapshot()
    theirs = "arn:aws:iam::111111111111:role/other"
    bench.world.after_call = lambda name: (
        bench.world.annotations.update({ROLE_ARN_ANNOTATION: theirs}) if name == "create-association" else None
    )
    with pytest.raises(Drift, match="planned was"):
        bench.runner().apply(bench.plan, bench.document)

    bench.world.after_call = lambda _name: None
    bench.world.annotations[ROLE_ARN_ANNOTATION] = ROLE_ARN
    bench.replan()
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE

    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert {**bench.world.snapshot(), "addon": None} == before


def test_a_foreign_trust_edit_in_between_stays() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    bench.world.trust = bench.world.trust.replace('"Version":"2012-10-17"', '"Version":"2012-10-17","Id":"theirs"')

    bench.runner().rollback(SERVICE)

    assert '"Id":"theirs"' in bench.world.trust
    assert "pods.eks.amazonaws.com" not in bench.world.trust
