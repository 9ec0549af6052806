"""What may come between while pods are replaced: broken pods, budgets, slow rollouts, deletions, a lost trust."""

from dataclasses import replace

import pytest

from migrator.model.errors import MigrateError, Rejected
from migrator.model.exits import Exit
from migrator.model.facts import Pod, Rollout, WorkloadRef
from migrator.model.plan import Edit
from tests.fakes.parts import IRSA_TRUST, FakeWorkload, deployment, pod
from tests.fakes.running import SERVICE, WAITS, Bench
from tests.fakes.workloads import apply, identities, moves, of_kind
from tests.fakes.world import FakeWorld

NATURAL = Edit(restart="natural")
DB = WorkloadRef(kind="StatefulSet", namespace="shop", name="db")


def on_delete(replicas: int, **differs: object) -> FakeWorkload:
    return of_kind("StatefulSet", "db", replicas, strategy="OnDelete", **differs)


# --- the way back


def test_a_pod_that_a_stateful_sets_controller_waits_for_in_vain_is_evicted_on_the_way_back() -> None:
    sick = of_kind("StatefulSet", "db", 3, ordered=True, crashes_on="pod-identity")
    bench = Bench(FakeWorld(declared=[sick]))
    before = bench.world.snapshot()

    assert apply(bench) is Exit.ROLLED_BACK
    assert moves(bench) == ["restart db", "restart db", "evict db-4"]
    assert {**bench.world.snapshot(), "addon": None} == before


def test_back_a_budget_keeps_neither_the_other_workloads_nor_the_bare_pods() -> None:
    world = FakeWorld(declared=[on_delete(1), deployment("web", 2)])
    world.live["alone"] = pod("irsa", "alone")
    bench = Bench(world)
    there = replace(bench.runner(), recreate_bare_pods=True).apply(bench.plan, bench.document)
    assert there.exit is Exit.DONE, there.message
    evict = world.evict

    def shut(pod: Pod) -> None:
        if pod.owner == DB:
            raise Rejected("would violate the budget of db", reason="budget")
        evict(pod)

    world.evict = shut  # type: ignore[method-assign]
    with pytest.raises(MigrateError, match="would violate the budget of db"):
        replace(bench.runner(), recreate_bare_pods=True).rollback(SERVICE)

    assert identities(bench, "db") == {"pod-identity"}
    assert identities(bench, "web") == {"irsa"}
    assert not world.kept
    assert {one.name for one in world.live.values() if one.owner is None} == {"alone"}


# --- progress


@pytest.mark.parametrize(
    "slow",
    [on_delete(12, looks_until_ready=4), of_kind("StatefulSet", "db", 40, ordered=True)],
    ids=["evicted", "rolled"],
)
def test_the_deadline_is_for_standing_still(slow: FakeWorkload) -> None:
    bench = Bench(FakeWorld(declared=[replace(slow)]))

    assert apply(bench) is Exit.DONE
    assert bench.clock.monotonic() > WAITS.rollout * 2
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert identities(bench) == {"irsa"}


def test_a_rollout_that_goes_up_and_down_is_given_up() -> None:
    bench = Bench(FakeWorld(declared=[deployment(replicas=2)]))
    world, looks = bench.world, [0]

    def wavering(ref: WorkloadRef) -> Rollout:
        looks[0] += 1
        stamp = world.declared[0].stamp
        n = looks[0] % 2
        return Rollout(desired=2, updated=n, ready=n, old=2 - n, complete=not stamp, stamp=stamp)

    world.rollout = wavering  # type: ignore[method-assign]
    result = bench.runner().apply(bench.plan, bench.document)
    assert result.exit is Exit.STRANDED
    assert "gave up" in result.message
    assert bench.clock.monotonic() < WAITS.rollout * 6


# --- what is not there any more, and what is not given


def test_a_workload_that_is_deleted_right_before_its_restart_needs_none() -> None:
    bench = Bench(FakeWorld(declared=[deployment("a"), deployment("b", 2)]))
    world = bench.world

    def delete(call: str) -> None:
        if call == "restart a":
            world.declared = [one for one in world.declared if one.ref.name != "a"]
            world.live = {name: one for name, one in world.live.items() if one.owner and one.owner.name != "a"}

    world.before_call = delete
    assert apply(bench) is Exit.DONE
    assert moves(bench) == ["restart a", "restart b"]


def test_nothing_is_restarted_onto_a_role_that_no_longer_lets_it_in() -> None:
    bench = Bench(FakeWorld(declared=[deployment("a"), deployment("b", 2)]))

    def put_back(call: str) -> None:
        if call == "remove-annotation":
            bench.world.trust = IRSA_TRUST

    bench.world.after_call = put_back
    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert 'no longer lets "prod/shop/orders" in by Pod Identity' in result.message
    assert moves(bench) == []


@pytest.mark.parametrize(("answers", "said"), [("refused", "AccessDenied"), ("other", 'expected role "orders"')])
def test_a_canary_without_credentials_keeps_the_others_from_being_touched(answers: str, said: str) -> None:
    bench = Bench(FakeWorld(declared=[deployment("large", 3), deployment("small")]))

    def poison(call: str) -> None:
        if call == "restart small" and bench.world.made is not None:
            bench.world.answers = answers
        elif call == "delete-association":
            bench.world.answers = "arn"

    bench.world.after_call = poison
    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert said in result.message
    assert moves(bench) == ["restart small", "restart small"]


def test_a_canary_whose_log_tells_of_an_old_sdk_keeps_the_others_from_being_touched() -> None:
    bench = Bench(FakeWorld(declared=[deployment("large", 3), deployment("small")]))
    bench.world.logs = "CredentialsProviderError: 169.254.170.23 is not a valid container metadata service hostname"

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert "by its log, its AWS SDK for JavaScript v3 refuses the agent's address" in result.message
    assert moves(bench) == ["restart small", "restart small"]


def test_a_natural_restart_is_said_to_be_the_owners() -> None:
    bench = Bench(FakeWorld(), edit=NATURAL)
    assert apply(bench) is Exit.UNFINISHED
    bench.world._roll(bench.world.declared[0])

    assert apply(bench) is Exit.DONE
    record = bench.journal.records(bench.journal.all_runs[-1].id)["restart"]
    assert record.note == "1 workload left to the owner, who replaced the pods"
    assert record.result["restarted"] == {"Deployment orders": "natural"}
