"""How each kind of workload is moved, there and back: by whom, in which order, and when it is given up."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from migrator.model import identity
from migrator.model.errors import MigrateError
from migrator.model.exits import Exit
from migrator.model.facts import Association, WorkloadRef
from migrator.model.journal import Standing
from migrator.model.plan import Acceptance, Edit
from tests.fakes.parts import ROLE_ARN, FakeWorkload, deployment, pod
from tests.fakes.running import SERVICE, Bench
from tests.fakes.workloads import apply, identities, moves, of_kind
from tests.fakes.world import FakeWorld

BUDGET = "would violate the pod's disruption budget"


KINDS = {
    "[deployment]": (deployment(replicas=2), ["restart orders"]),
    "[recreate]": (of_kind("Deployment", "orders", strategy="Recreate"), ["restart orders"]),
    "[rollout] of Argo": (of_kind("Rollout", "orders"), ["restart orders"]),
    "[on delete] stateful set": (of_kind("StatefulSet", "db", strategy="OnDelete"), ["evict db-1", "evict db-2"]),
    "[partition]": (of_kind("StatefulSet", "db", partition=1), ["evict db-1", "evict db-2"]),
    "[on delete] daemon set": (of_kind("DaemonSet", "node", strategy="OnDelete"), ["evict node-1", "evict node-2"]),
    "[replica set]": (of_kind("ReplicaSet", "rs"), ["evict rs-1", "evict rs-2"]),
}


@pytest.mark.parametrize(("kind", "expected"), KINDS.values(), ids=KINDS.keys())
def test_each_kind_there_and_back(kind: FakeWorkload, expected: list[str]) -> None:
    bench = Bench(FakeWorld(declared=[replace(kind)]))
    before = bench.world.snapshot()

    assert apply(bench) is Exit.DONE
    assert moves(bench) == expected
    assert identities(bench) == {"pod-identity"}

    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert len(moves(bench)) == 2 * len(expected)
    assert {**bench.world.snapshot(), "addon": None} == before


def test_the_smallest_goes_first_and_the_next_only_when_it_is_through() -> None:
    slow = replace(deployment("small", 1), looks_until_complete=0)
    bench = Bench(FakeWorld(declared=[deployment("large", 3), slow, of_kind("StatefulSet", "db", strategy="OnDelete")]))
    seen = {}

    def look(call: str) -> None:
        if call.startswith(("restart", "evict")):
            seen[call] = {str(one.owner): str(identity.of_pod(one)) for one in bench.world.live.values()}

    bench.world.before_call = look
    assert apply(bench) is Exit.DONE

    assert moves(bench) == ["restart small", "evict db-5", "evict db-6", "restart large"]
    assert seen["evict db-5"]["Deployment small"] == "pod-identity"
    assert seen["restart large"]["StatefulSet db"] == "pod-identity"


def test_a_canary_that_fails_keeps_the_others_from_being_touched() -> None:
    bench = Bench(FakeWorld(declared=[deployment("large", 3), deployment("small")], reality="none"))
    before = bench.world.snapshot()

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert "restart large" not in moves(bench)
    assert moves(bench) == ["restart small", "evict small-5", "restart small"]
    assert {**bench.world.snapshot(), "addon": None} == before


def test_back_the_trouble_of_one_does_not_keep_the_others() -> None:
    bench = Bench(FakeWorld(declared=[deployment("a"), deployment("b")]))
    apply(bench)
    bench.world.declared[0].failure = "ProgressDeadlineExceeded"

    with pytest.raises(MigrateError, match="Deployment a: ProgressDeadlineExceeded"):
        bench.runner().rollback(SERVICE)

    b = [one for one in bench.world.live.values() if one.owner and one.owner.name == "b"]
    assert {str(identity.of_pod(one)) for one in b} == {"irsa"}


def test_the_next_pod_is_evicted_only_when_the_one_before_is_ready_again() -> None:
    slow = of_kind("StatefulSet", "db", 3, strategy="OnDelete", looks_until_ready=4)
    bench = Bench(FakeWorld(declared=[slow]))
    ready = []

    def look(call: str) -> None:
        if call.startswith("evict"):
            ready.append(len(bench.world._starting))

    bench.world.before_call = look
    assert apply(bench) is Exit.DONE
    assert ready == [0, 0, 0]


def test_a_budget_is_waited_for() -> None:
    bench = Bench(FakeWorld(declared=[of_kind("StatefulSet", "db", strategy="OnDelete")], budget_refusals=3))

    assert apply(bench) is Exit.DONE
    assert moves(bench) == ["evict db-1", "evict db-2"]
    assert any(BUDGET in getattr(event, "reason", "") for event in bench.reporter.events)


def test_a_budget_that_never_allows_it_ends_in_the_way_back_and_is_named() -> None:
    bench = Bench(FakeWorld(declared=[of_kind("StatefulSet", "db", strategy="OnDelete")], budget_refusals=1000))
    before = bench.world.snapshot()

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert BUDGET in result.message
    assert moves(bench) == []
    assert {**bench.world.snapshot(), "addon": None} == before


MISSED = {
    "[one of three]": ([deployment(replicas=3)], 1),
    "[all of the first try]": ([deployment(replicas=3)], 3),
    "[on delete]": ([of_kind("StatefulSet", "db", 3, strategy="OnDelete")], 1),
    "[crash-looping without it]": ([of_kind("Deployment", "orders", 1, fragile=True)], 1),
}


@pytest.mark.parametrize(("declared", "misses"), MISSED.values(), ids=MISSED.keys())
def test_missed_pods_are_made_anew_once(declared: list[FakeWorkload], misses: int) -> None:
    bench = Bench(FakeWorld(declared=[replace(one) for one in declared]))
    armed: list[str] = []

    def miss(call: str) -> None:
        if call.startswith(("restart", "evict")) and not armed:
            armed.append(call)
            bench.world.misses = misses

    bench.world.before_call = miss
    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.DONE, result.message
    assert identities(bench) == {"pod-identity"}
    note = bench.journal.records(bench.journal.all_runs[-1].id)["restart"].note
    assert "that the webhook had missed" in note


@pytest.mark.parametrize("declared", [deployment(replicas=2), of_kind("ReplicaSet", "rs")], ids=["rolled", "evicted"])
def test_pods_that_are_missed_again_end_in_the_way_back(declared: FakeWorkload) -> None:
    bench = Bench(FakeWorld(declared=[replace(declared)], reality="none"))
    before = bench.world.snapshot()

    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert "made anew once already" in result.message
    assert {**bench.world.snapshot(), "addon": None} == before


def test_a_pod_that_is_scaled_up_and_missed_while_verify_holds_is_made_anew() -> None:
    bench = Bench(FakeWorld(declared=[deployment(replicas=2)]))
    world = bench.world
    looks: list[float] = []

    def tick(seconds: float) -> None:
        type(bench.clock).sleep(bench.clock, seconds)
        if bench.statuses().get("verify") == "started" and not looks:
            looks.append(seconds)
            world.declared[0].replicas, world.misses = 3, 1
            world._admit(world.declared[0], world.injected())

    bench.clock.sleep = tick  # type: ignore[method-assign]
    assert apply(bench) is Exit.DONE
    assert looks
    assert identities(bench) == {"pod-identity"}
    assert moves(bench) == ["restart orders", "evict orders-5"]


def test_a_restart_that_is_always_taken_out_again_is_given_up() -> None:
    bench = Bench(FakeWorld())
    world = bench.world

    def put_back(call: str) -> None:
        if call == "restart orders" and world.made is not None:
            world.declared[0].stamp = ""
            world.live = {"old": pod("irsa", "old", world.declared[0].ref)}

    world.after_call = put_back
    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert "something puts the old one back" in result.message
    assert moves(bench) == ["restart orders"] * 3


def test_pods_that_have_the_identity_already_are_left_alone() -> None:
    there = Association(id="a-1", namespace="shop", service_account="orders", role_arn=ROLE_ARN)
    bench = Bench(FakeWorld(declared=[deployment("a"), deployment("b")], made=there))
    bench.world.live.pop("b-2")
    bench.world.live["b-2"] = pod("irsa", "b-2", bench.world.declared[1].ref)

    assert apply(bench) is Exit.DONE
    assert moves(bench) == ["restart b"]


NATURAL = Edit(restart="natural")


def test_natural_restarts_wait_for_the_owner_over_as_many_runs_as_it_takes() -> None:
    bench = Bench(FakeWorld(declared=[deployment(replicas=2)]), edit=NATURAL)

    first = bench.runner().apply(bench.plan, bench.document)
    assert first.exit is Exit.UNFINISHED
    assert "2 of 2 pods of Deployment orders do not have pod-identity yet" in first.message
    old = next(iter(bench.world.live.values()))
    bench.world.live.pop(old.name)
    bench.world._replace(old)
    assert "1 of 2 pods" in bench.runner().apply(bench.plan, bench.document).message
    bench.world._roll(bench.world.declared[0])

    assert apply(bench) is Exit.DONE
    assert moves(bench) == []
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert moves(bench) == ["restart orders"]


def test_a_pod_missed_in_a_natural_restart_is_evicted() -> None:
    bench = Bench(FakeWorld(), edit=NATURAL)
    assert apply(bench) is Exit.UNFINISHED
    bench.world.misses = 1
    bench.world._roll(bench.world.declared[0])

    assert apply(bench) is Exit.DONE
    assert moves(bench) == ["evict orders-2"]


def test_pods_of_an_unknown_controller_are_waited_for_in_a_later_run() -> None:
    unknown = WorkloadRef(kind="Database", namespace="shop", name="db")
    world = FakeWorld()
    world.live["db-0"] = pod("none", "db-0", unknown)
    bench = Bench(world, edit=Edit(accept=(Acceptance(code="workload-kind", reason="we delete the pod"),)))

    result = bench.runner().apply(bench.plan, bench.document)
    assert result.exit is Exit.UNFINISHED
    assert "db-0" in result.message
    assert bench.journal.state(SERVICE).standing is Standing.WAITING

    world.live["db-0"] = pod("pod-identity", "db-0", unknown)
    assert apply(bench) is Exit.DONE


def scaled_to_zero(world: FakeWorld) -> None:
    world.declared[0].replicas = 0
    world.live.clear()


def scaled_up(world: FakeWorld) -> None:
    world.declared[0].replicas += 2
    for _ in range(2):
        world._admit(world.declared[0], world.injected())


@pytest.mark.parametrize(("change", "ends"), [(scaled_to_zero, Exit.UNFINISHED), (scaled_up, Exit.DONE)])
@pytest.mark.parametrize("strategy", ["RollingUpdate", "OnDelete"])
def test_replicas_may_change_meanwhile(change: Callable[[FakeWorld], None], ends: Exit, strategy: str) -> None:
    bench = Bench(FakeWorld(declared=[of_kind("StatefulSet", "db", strategy=strategy)]))
    done: list[str] = []

    def scale(call: str) -> None:
        if call.startswith(("restart", "evict")) and not done:
            done.append(call)
            change(bench.world)

    bench.world.after_call = scale
    assert apply(bench) is ends
    assert identities(bench) <= {"pod-identity"}
