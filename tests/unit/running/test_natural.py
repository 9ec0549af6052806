"""`restart: natural`: apply waits for the owner of the pods over as many runs as it takes; and bare pods made anew."""

from dataclasses import replace

import pytest

from migrator.model import identity
from migrator.model.errors import Blocked
from migrator.model.exits import Exit
from migrator.model.journal import Standing
from migrator.model.plan import Acceptance, Edit, Order
from migrator.render.views import status as view
from migrator.render.views.status import Placed
from migrator.running.result import Result
from tests.fakes.parts import deployment, pod
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld

BOTH = pytest.mark.parametrize("order", Order, ids=lambda order: f"[{order}]")


def waiting(order: Order) -> Bench:
    """A run that waits for the owner of two workloads' pods."""
    world = FakeWorld(declared=[deployment("orders"), deployment("worker")])
    bench = Bench(world, edit=Edit(order=order, restart="natural"))
    assert apply(bench).exit is Exit.UNFINISHED
    return bench


def apply(bench: Bench) -> Result:
    return bench.runner().apply(bench.plan, bench.document)


def roll(bench: Bench, *names: str) -> None:
    """The owner replaces the pods of these workloads."""
    for one in bench.world.declared:
        if one.ref.name in names:
            bench.world._roll(one)


@BOTH
def test_apply_waits_for_the_owner_over_several_runs_of_the_same_command(order: Order) -> None:
    bench = waiting(order)
    assert bench.statuses()["restart"] == "started"
    roll(bench, "orders")
    again = apply(bench)
    assert (again.exit, "the same command goes on" in again.message) == (Exit.UNFINISHED, True)
    roll(bench, "worker")

    assert apply(bench).exit is Exit.DONE
    assert not [call for call in bench.world.calls if call.startswith(("restart", "evict"))]
    assert len(bench.journal.all_runs) == 1
    assert bench.world.annotations == {"team": "orders"}


@BOTH
def test_status_says_what_is_waited_for(order: Order) -> None:
    bench = waiting(order)
    state = bench.journal.state(SERVICE)
    assert state.standing is Standing.WAITING

    data = view.document([Placed(service=SERVICE, plan=bench.plan, state=state)], (), ())
    row = data["services"][0]
    assert (row["standing"], row["step"]) == ("waiting", {"id": "restart", "status": "started"})
    assert "their owner has not replaced them" in row["note"]
    assert data["summary"]["waiting"] == 1

    roll(bench, "orders", "worker")
    apply(bench)
    assert bench.journal.state(SERVICE).standing is Standing.MIGRATED


@BOTH
def test_the_way_back_waits_for_nobody(order: Order) -> None:
    bench = waiting(order)
    roll(bench, "orders")

    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert {str(identity.of_pod(one)) for one in bench.world.live.values()} == {"irsa"}


def bare() -> Bench:
    bench = Bench(FakeWorld(declared=[deployment()]))
    bench.world.live["lone"] = pod("irsa", "lone")
    bench.replan()
    return bench


def test_a_bare_pod_blocks_until_somebody_takes_it_on() -> None:
    bench = bare()
    with pytest.raises(Blocked, match="bare-pods") as caught:
        apply(bench)
    assert "--recreate-bare-pods" in caught.value.sentence()
    assert (bench.world.calls, bench.journal.all_runs) == ([], [])


def test_a_bare_pod_is_made_anew_there_and_back_when_that_is_asked_for() -> None:
    bench = bare()
    runner = replace(bench.runner(), recreate_bare_pods=True)

    assert runner.apply(bench.plan, bench.document).exit is Exit.DONE
    assert str(identity.of_pod(bench.world.live["lone"])) == "pod-identity"

    with pytest.raises(Blocked, match="lone"):
        bench.runner().rollback(SERVICE)
    assert runner.rollback(SERVICE).exit is Exit.DONE
    assert str(identity.of_pod(bench.world.live["lone"])) == "irsa"


def test_a_bare_pod_that_a_person_took_on_is_left_alone() -> None:
    bench = bare()
    bench.plan = replace(bench.plan, edit=Edit(accept=(Acceptance(code="bare-pods", reason="made anew by hand"),)))

    assert apply(bench).exit is Exit.DONE
    assert str(identity.of_pod(bench.world.live["lone"])) == "irsa"
