"""Pods that the webhook misses while others come and go, and which pod may be evicted next."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from migrator.model.exits import Exit
from migrator.model.facts import Pod, WorkloadRef
from migrator.model.identity import Identity
from migrator.model.plan import Edit
from migrator.steps.crowds.crowd import Crowd, crowds
from migrator.steps.crowds.missed import evict_next
from migrator.steps.step import Context
from tests.fakes.parts import FakeWorkload, deployment, pod
from tests.fakes.running import SERVICE, WAITS, Bench
from tests.fakes.workloads import apply, identities, moves, of_kind
from tests.fakes.world import FakeWorld

NATURAL = Edit(restart="natural")
DB = WorkloadRef(kind="StatefulSet", namespace="shop", name="db")


def on_delete(replicas: int, **differs: object) -> FakeWorkload:
    return of_kind("StatefulSet", "db", replicas, strategy="OnDelete", **differs)


def ticking(bench: Bench, deed: Callable[[], bool]) -> None:
    """Calls `deed` at each pause while the restart is under way, until it says that it is done."""
    done: list[bool] = []

    def tick(seconds: float) -> None:
        type(bench.clock).sleep(bench.clock, seconds)
        if not done and bench.statuses().get("restart") == "started" and deed():
            done.append(True)

    bench.clock.sleep = tick  # type: ignore[method-assign]


def test_pods_of_a_rollout_that_completes_between_two_reads_are_not_taken_for_missed() -> None:
    class Slow(FakeWorld):
        """Its controller rolls in the moment after the pods were listed."""

        stamped: str = ""

        def restart(self, ref: WorkloadRef, stamp: str) -> None:
            self._change(f"restart {ref.name}")
            self.declared[0].stamp, self.declared[0].held, self.stamped = stamp, True, "just now"

        def pods_of(self, namespace: str, service_account: str) -> Sequence[Pod]:
            seen = super().pods_of(namespace, service_account)
            if self.declared[0].held and self.stamped == "a look ago":
                self.resume(self.declared[0])
            self.stamped = self.stamped and "a look ago"
            return seen

    bench = Bench(Slow(declared=[deployment(replicas=2)]))

    assert apply(bench) is Exit.DONE
    assert moves(bench) == ["restart orders"]
    assert bench.journal.records(bench.journal.all_runs[-1].id)["restart"].result["missed"] == 0


def scaled_up_and_missed(bench: Bench) -> bool:
    workload = bench.world.declared[0]
    workload.replicas += 1
    bench.world.misses = 1
    bench.world._admit(workload, bench.world.injected())
    return True


@pytest.mark.parametrize("kind", [on_delete(3, looks_until_ready=3), on_delete(3)], ids=["slow", "not allowed yet"])
def test_a_pod_that_is_scaled_up_and_missed_while_others_are_evicted_is_made_anew(kind: FakeWorkload) -> None:
    bench = Bench(FakeWorld(declared=[replace(kind)], budget_refusals=0 if kind.looks_until_ready else 6))
    ticking(bench, lambda: bool(bench.world.budget_refusals < 4) and scaled_up_and_missed(bench))

    assert apply(bench) is Exit.DONE
    assert identities(bench) == {"pod-identity"}
    assert len(moves(bench)) == 4


def test_a_pod_that_is_scaled_up_and_missed_before_its_owner_replaced_any_is_made_anew() -> None:
    bench = Bench(FakeWorld(declared=[deployment(replicas=2)]), edit=NATURAL)
    assert apply(bench) is Exit.UNFINISHED
    scaled_up_and_missed(bench)

    assert apply(bench) is Exit.UNFINISHED
    assert moves(bench) == ["evict orders-3"]
    assert "none" not in identities(bench)


def test_a_place_that_is_missed_twice_is_a_failure_however_many_others_there_are() -> None:
    bench = Bench(FakeWorld(declared=[on_delete(9)]))

    def miss(call: str) -> None:
        if call == "evict db-5":
            bench.world.misses = 2

    bench.world.before_call = miss
    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.ROLLED_BACK
    assert "db-15/main has none again, made anew once already" in result.message
    assert "takes its node's role from instance metadata" in result.message
    assert moves(bench)[4:6] == ["evict db-5", "evict db-14"]
    assert identities(bench) == {"irsa"}


def test_each_place_may_be_missed_once() -> None:
    bench = Bench(FakeWorld(declared=[on_delete(4)]))
    evicted: list[str] = []

    def miss_every_other(call: str) -> None:
        if call.startswith("evict"):
            evicted.append(call)
            bench.world.misses = len(evicted) % 2

    bench.world.before_call = miss_every_other
    assert apply(bench) is Exit.DONE
    assert len(evicted) == 8
    assert identities(bench) == {"pod-identity"}


# --- who may be evicted


def crowd_of(*pods: Pod, replicas: int = 3) -> tuple[FakeWorld, Crowd]:
    world = FakeWorld(declared=[on_delete(replicas)])
    world.live = {one.name: replace(one, owner=DB) for one in pods}
    context = Context(service=SERVICE, run="r", cluster=world, trust=world, waits=WAITS)
    plan = Bench(world).plan
    world.calls.clear()
    (found,) = crowds(next(step for step in plan.forward if step.id == "restart"), context, Identity.POD_IDENTITY)
    return world, found


OLD = pod("irsa", "old")
IDLE = replace(pod("irsa", "idle"), ready=False)
LOOPING = replace(pod("irsa", "looping"), ready=False, trouble="CrashLoopBackOff")
NEW = pod("pod-identity", "new")
STARTING = replace(pod("pod-identity", "starting"), ready=False)


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param([OLD, NEW, replace(OLD, name="a", uid="a")], ["evict a"], id="[whole] a ready one goes"),
        pytest.param([OLD, NEW, STARTING], [], id="[starting] another is not ready yet"),
        pytest.param([OLD, NEW], [], id="[missing] another is still to come"),
        pytest.param([OLD, IDLE, STARTING], [], id="[flicker] nor does one that is not ready for a moment"),
        pytest.param([OLD, IDLE], [], id="[flicker] nor beside a missing one"),
        pytest.param([OLD, NEW, IDLE], ["evict idle"], id="[idle] it serves nobody, and no other is to come"),
        pytest.param([OLD, LOOPING, STARTING], ["evict looping"], id="[trouble] it will not serve anybody"),
    ],
)
def test_which_pod_is_evicted_next(pods: list[Pod], expected: list[str]) -> None:
    world, crowd = crowd_of(*pods)

    evict_next(world, crowd, frozenset(one.uid for one in pods))

    assert world.calls == expected
