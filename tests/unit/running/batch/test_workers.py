"""Several workers, or a person beside a batch: who does what, and who waits for whom."""

from contextlib import ExitStack
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from migrator.model.batch import Limits
from migrator.model.exits import Exit
from migrator.running.batch.agenda import Errand, Left, Task
from migrator.running.batch.batch import Batch
from migrator.running.batch.brakes import Brakes
from tests.fakes.nights import (
    FAILS,
    HANGS_BACK,
    OPEN,
    POSTPONED,
    Night,
    code,
    exits,
    left,
    many,
    plan,
    short,
)
from tests.fakes.running import FakeClock


def test_what_another_runner_is_at_work_on_is_left_to_it() -> None:
    night = Night([plan("a", wave=0), plan("b", wave=1)], OPEN)
    night.locks.others.add("service:c/shop/a")

    batch = night.run()

    assert (exits(batch), left(batch)) == ({"b": Exit.DONE}, {"a": Left.LOCKED})
    assert code(batch) is Exit.UNFINISHED


def test_a_worker_waits_for_it_and_takes_over_what_a_dead_one_left() -> None:
    night = Night([plan("a", wave=0), plan("b", wave=1)], OPEN)
    night.locks.others.add("service:c/shop/a")
    batch = night.batch(worker=True)
    seen: list[str] = []
    real = night.locks.holders

    def holders() -> Any:
        seen.append("looked")
        if len(seen) == 3:
            night.locks.others.clear()
        night.clock.time += 3
        return real()

    night.locks.holders = holders  # type: ignore[method-assign] # others come and go

    batch.run()

    assert [short(one) for one in night.script.over] == ["a", "b"]


class Late(Batch):
    """What it knows is old."""

    def look(self) -> None:
        if not self.states and not self.agenda.tasks:
            super().look()


class Noted(Batch):
    """It remembers what it has started."""

    started: ClassVar[list[Errand]] = []

    def _start(self, task: Task, shares: ExitStack) -> None:
        self.started.append(task.errand)
        super()._start(task, shares)


def test_another_worker_was_faster() -> None:
    """Between this one's look at the journal and its lock, another migrated one service and failed with the other."""
    night = Night([plan("a"), plan("b")], OPEN)
    night.ends(FAILS, "b")
    late = night.batch(kind=Late)
    late.look()
    night.run()
    night.script.began.clear()

    late.run()

    assert night.script.began == []
    assert (late.ended, left(late)) == ([], {"b": Left.FAILED})


def test_a_worker_that_may_begin_no_more_waits_for_no_wave() -> None:
    night = Night([plan("a", wave=1), plan("b", wave=1), plan("z", wave=2)], OPEN)

    batch = night.run(worker=True, max_services=1)

    assert (len(batch.ended), batch.stopped, set(left(batch).values())) == (1, "max-services", {Left.LATER})


def test_looks_are_one_at_a_time_while_something_is_to_be_begun_and_no_worker_repeats_them() -> None:
    soaked = [plan(f"old{number}") for number in range(4)]
    night = Night(soaked, replace(OPEN, soak=9999))
    night.run()
    night.plans = [*soaked, *many(4)]
    night.policy = replace(OPEN, soak=9999, limits=Limits(services=3, per_cluster=3))
    other = night.batch(kind=Late, worker=True)
    other.look()
    night.script.errands.clear()

    first = night.batch(kind=Noted)
    first.run()
    assert Noted.started[:4].count(Errand.LOOK) <= 2  # as it started them: threads come to it in any order
    assert sum(errand == "look" for errand, _ in night.script.errands) == 4
    night.script.errands.clear()

    other.run()
    assert not any(service.name.startswith("old") for _errand, service in night.script.errands)


@pytest.mark.parametrize("worker", [False, True])
def test_a_first_service_that_waits_keeps_its_cluster_waiting_and_no_worker(worker: bool) -> None:
    night = Night([*many(3, "one"), *many(2, "two")], replace(OPEN, canary=1))
    night.ends(POSTPONED, "one/s0")

    batch = night.run(worker=worker)

    assert [short(one) for one in night.script.began if one.cluster == "one"] == ["one/s0"]
    assert left(batch) == {"one/s1": Left.CANARY, "one/s2": Left.CANARY}
    assert code(batch) is Exit.UNFINISHED


def test_what_one_worker_tried_in_vain_the_others_do_not_try_again() -> None:
    night = Night([plan("a")], OPEN)
    night.ends(HANGS_BACK, "a")
    night.run()
    late = night.batch(kind=Late, worker=True)
    late.look()
    night.script.errands.clear()
    night.run()
    assert [errand for errand, _ in night.script.errands] == ["back"]

    late.run()

    assert [errand for errand, _ in night.script.errands] == ["back"]
    assert left(late) == {"a": Left.LATER}


def test_a_worker_whose_clock_is_fast_sees_what_others_end() -> None:
    night = Night(many(4), replace(OPEN, breaker=2, limits=Limits(services=1)))
    fast = FakeClock()
    fast.time = 1800.0
    brakes = Brakes(journal=night.journal, policy=night.policy, clock=fast)
    brakes.look()
    night.ends(FAILS, "s0", "s1")
    night.run()

    assert len(brakes.look()) == 2
    assert list(brakes.open()) == ["c"]


def test_where_others_hold_all_shares_that_is_the_reason() -> None:
    night = Night(many(2), OPEN)
    night.locks.others |= {f"slot:cluster:c:{number}" for number in range(8)}

    batch = night.run()

    assert (batch.ended, batch.stopped, code(batch)) == ([], "limits", Exit.UNFINISHED)
