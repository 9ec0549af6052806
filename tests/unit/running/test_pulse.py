"""Locks while a step waits: renewed, and asked for before each further try; and what a deadline leaves behind."""

from collections.abc import Callable

import pytest

from migrator.model.errors import Blocked, Locked
from migrator.model.exits import Exit
from migrator.model.facts import WorkloadRef
from migrator.running.pulse import Pulse
from tests.fakes.parts import FakeWorkload
from tests.fakes.running import Bench, FakeClock, NoLocks
from tests.fakes.world import FakeWorld


def on_delete(**world: int) -> Bench:
    ref = WorkloadRef(kind="StatefulSet", namespace="shop", name="db")
    return Bench(FakeWorld(declared=[FakeWorkload(ref=ref, replicas=2, strategy="OnDelete")], **world))  # type: ignore[arg-type]  # ints of the fake


def test_the_locks_are_renewed_about_every_minute_of_a_wait() -> None:
    clock, locks, renewed = FakeClock(), NoLocks(), list[float]()
    locks.on_renew = lambda: renewed.append(clock.monotonic())
    pulse = Pulse(locks, clock)

    for _second in range(200):
        pulse.beat()
        clock.sleep(1)

    assert renewed == [0, 60, 120, 180]


def lost() -> None:
    raise Locked("another runner took over a lock that had expired")


def test_a_runner_that_lost_its_lock_while_it_waited_makes_no_further_try() -> None:
    bench = on_delete(budget_refusals=5)
    tries: list[str] = []

    def refused(name: str) -> None:
        if name.startswith("evict"):
            tries.append(name)
            bench.locks.on_renew = lost

    bench.world.before_call = refused
    with pytest.raises(Locked):
        bench.runner().apply(bench.plan, bench.document)

    assert len(tries) == 1


def test_a_long_wait_renews_the_locks() -> None:
    bench = Bench(FakeWorld(looks_until_agent=8))
    times: list[str] = []
    bench.locks.on_renew = lambda: times.append(bench.clock.now())
    sleep: Callable[[float], None] = bench.clock.sleep
    bench.clock.sleep = lambda seconds: sleep(seconds * 61)  # type: ignore[method-assign]  # a slow machine

    with pytest.raises(Blocked):
        bench.runner().apply(bench.plan, bench.document, auto_rollback=False)

    assert len(times) >= 2


def test_a_deadline_keeps_what_the_step_asked_to_be_remembered() -> None:
    bench = on_delete(budget_refusals=10**6)

    with pytest.raises(Blocked, match="gave up after"):
        bench.runner().apply(bench.plan, bench.document, auto_rollback=False)

    record = bench.journal.records(bench.journal.all_runs[-1].id)["restart"]
    assert (record.status, sorted(record.result["before"])) == ("failed", ["StatefulSet db"])
    bench.world.budget_refusals = 0
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
