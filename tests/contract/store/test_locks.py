"""What the Locks port promises, of both stores: one holder, threads and processes, takeover, and the fence."""

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from migrator.model.errors import Locked
from migrator.model.fleet import SqliteState
from migrator.model.ids import ServiceId
from migrator.model.journal import Outcome, Status
from tests.contract.store.samples import CART, LOCK, RUN, SERVICE, at, record, run
from tests.contract.store.stores import Opened, Side


def take(store: Opened, key: str) -> None:
    """Takes and gives back."""
    with store.locks.held(key, doing="rollback"):
        pass


def test_the_holder_is_named(side: Side) -> None:
    with side.opened() as store, side.opened() as other:
        with store.locks.held("role:x", doing="apply"):
            with pytest.raises(Locked) as caught:
                take(other, "role:x")
            (holder,) = other.locks.holders()
        assert caught.value.sentence().startswith(f'"role:x" is held by process {holder.pid} on "{holder.host}" since')
        assert (holder.key, holder.doing) == ("role:x", "apply, tester")
        assert other.locks.holders() == []
        take(other, "role:x")


def test_what_was_given_back_can_be_had_again_and_the_block_s_error_comes_through(side: Side) -> None:
    with side.opened() as store:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError), store.locks.held("k", doing="apply"):
                raise ZeroDivisionError
        assert store.locks.holders() == []


def test_a_key_of_another_thread_is_locked_and_other_keys_are_not(side: Side) -> None:
    with side.opened() as store, ThreadPoolExecutor(1) as pool, store.locks.held("a", doing="apply"):
        with pytest.raises(Locked, match='"a" is held by'):
            pool.submit(take, store, "a").result()
        pool.submit(take, store, "b").result()
        with store.locks.held("b", doing="apply"):
            assert [holder.key for holder in store.locks.holders()] == ["a", "b"]


def test_threads_that_race_for_one_key(side: Side) -> None:
    inside: list[int] = []
    most: list[int] = []
    until = time.monotonic() + 60.0

    def work(number: int) -> int:
        won = 0
        while won < 3 and time.monotonic() < until:
            with suppress(Locked), store.locks.held("k", doing="apply"):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)
                won += 1
        return won

    with side.opened() as store, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [3, 3, 3, 3]
    assert max(most) == 1


def test_processes_that_race_for_one_service_begin_one_run(side: Side) -> None:
    with side.opened():
        pass
    body = """
        from contextlib import suppress
        from migrator.model.errors import Locked
        sys.stdin.readline()
        with suppress(Locked), locks.held(LOCK, doing="apply"):
            if not journal.runs(SERVICE):
                journal.begin(run(arguments[0]))
                print("begun", flush=True)
    """
    racing = [side.process(body, name) for name in ("a", "b", "c")]
    for one in racing:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    assert sorted(one.communicate()[0] for one in racing) == ["", "", "begun\n"]
    with side.opened() as store:
        assert len(store.journal.runs(SERVICE)) == 1


def test_who_lost_a_lock_can_write_nothing_any_more(side: Side) -> None:
    with side.opened() as store:
        with store.locks.held(LOCK, doing="apply"):
            store.journal.begin(RUN)
            side.steal(LOCK)
            with pytest.raises(Locked, match=f'took over "{LOCK}"'):
                store.journal.record(record("trust"))
            with pytest.raises(Locked):
                store.locks.renew()
            with pytest.raises(Locked):
                store.journal.end("r1", Outcome.DONE, "", at(1))
        assert (store.journal.records("r1"), store.journal.open_run(SERVICE)) == ({}, RUN)


@pytest.mark.parametrize("last", ["record", "end", "begin", "renew"])
def test_whatever_comes_next_tells_of_the_loss(side: Side, last: str) -> None:
    with side.opened() as store, store.locks.held(LOCK, doing="apply"):
        if last != "begin":
            store.journal.begin(RUN)
        side.steal(LOCK)
        with pytest.raises(Locked, match="took over"):
            {
                "record": lambda: store.journal.record(record("trust")),
                "end": lambda: store.journal.end("r1", Outcome.DONE, "", at(1)),
                "begin": lambda: store.journal.begin(RUN),
                "renew": store.locks.renew,
            }[last]()
        assert store.journal.ended("") == []


def test_a_lost_lock_of_another_kind_stops_its_holder_too(side: Side) -> None:
    with side.opened() as store, store.at_work(RUN):
        store.journal.begin(RUN)
        with store.locks.held("role:x", doing="trust"):
            side.steal("role:x")
            with pytest.raises(Locked, match='"role:x"'):
                store.journal.record(record("trust"))
        store.journal.record(record("agent"))
        assert list(store.journal.records("r1")) == ["agent"]


def test_losing_a_lock_stops_nobody_else(side: Side) -> None:
    lost, stopped, looked = threading.Event(), threading.Event(), threading.Event()

    def loser() -> None:
        with store.locks.held(f"service:{CART}", doing="apply"):
            store.journal.begin(run("r2", CART))
            taken.set()
            lost.wait()
            try:
                store.journal.record(record("trust", run="r2"))
            finally:
                stopped.set()
                looked.wait()  # the lost lock is still one that this process thinks it has

    taken = threading.Event()
    with side.opened() as store, ThreadPoolExecutor(1) as pool, store.at_work(RUN):
        store.journal.begin(RUN)
        losing = pool.submit(loser)
        taken.wait()
        side.steal(f"service:{CART}")
        lost.set()
        stopped.wait()
        try:
            store.locks.renew()
            store.journal.record(record("trust", Status.DONE))
        finally:
            looked.set()
        with pytest.raises(Locked):
            losing.result()
        assert (list(store.journal.records("r1")), store.journal.records("r2")) == (["trust"], {})


def test_a_thief_s_lock_is_not_given_back_by_whoever_lost_it(side: Side) -> None:
    with side.opened() as store:
        with store.locks.held("k", doing="apply"):
            side.steal("k")
        assert [holder.owner for holder in store.locks.holders()] == ["somebody else"]


def test_many_threads_that_take_renew_record_and_release(side: Side) -> None:
    def work(number: int) -> None:
        service = ServiceId("prod", "shop", f"s{number}")
        for turn in range(4):
            one = run(f"{number}-{turn}", service)
            with store.at_work(one):
                store.journal.begin(one)
                with store.locks.held(f"role:{number}", doing="trust"):
                    store.journal.record(record("trust", run=one.id))
                    store.locks.renew()
                store.journal.end(one.id, Outcome.DONE, "", at(turn))

    with side.opened() as store, ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
        assert len(store.journal.ended("")) == 16
        assert store.locks.holders() == []


HOLD = """
    with locks.held(LOCK, doing="apply"):
        if not journal.runs(SERVICE):
            journal.begin(RUN)
        print(os.getpid(), flush=True)
        sys.stdin.readline()
        journal.record(record("trust"))
        print("recorded", flush=True)
"""


def test_the_lock_of_a_killed_process_is_taken_over(request: pytest.FixtureRequest, side: Side) -> None:
    if side.leases:
        side = request.getfixturevalue("table")(2.0)
    holding = side.process(HOLD)
    assert holding.stdout is not None
    holding.stdout.readline()
    with side.opened() as store:
        with pytest.raises(Locked):
            take(store, LOCK)
        killed = time.monotonic()
        holding.kill()
        holding.communicate()
        while True:
            try:
                with store.locks.held(LOCK, doing="apply"):
                    store.journal.record(record("trust"))
                break
            except Locked:
                assert side.leases, "a holder that is surely dead holds nothing"
                assert time.monotonic() - killed < 10
                time.sleep(0.1)
        assert store.journal.open_run(SERVICE) == RUN
        assert list(store.journal.records("r1")) == ["trust"]


def test_a_process_that_was_stopped_for_longer_than_its_lease_records_nothing(table: Callable[..., Side]) -> None:
    side = table(2.0)
    holding = side.process(HOLD)
    assert holding.stdout is not None
    assert holding.stdin is not None
    holding.stdout.readline()
    holding.send_signal(signal.SIGSTOP)
    with side.opened() as store:
        while True:
            with suppress(Locked), store.locks.held(LOCK, doing="rollback"):
                break
            time.sleep(0.1)
        holding.send_signal(signal.SIGCONT)
        holding.stdin.write("go\n")
        holding.stdin.flush()
        assert holding.communicate()[0] == ""
        assert holding.returncode == 1
        assert store.journal.records("r1") == {}


def test_a_lease_is_kept_alive_while_its_holder_is_busy(table: Callable[..., Side]) -> None:
    side = table(2.0)
    with side.opened() as store, side.opened() as other, store.locks.held("k", doing="apply"):
        deadline = time.monotonic() + 3.5
        while time.monotonic() < deadline:
            with pytest.raises(Locked):
                take(other, "k")
            time.sleep(0.5)


def test_a_stopped_process_keeps_its_locks_in_a_file(tmp_path: Path) -> None:
    """It surely runs on this machine: that counts, and not the time."""
    side = Side(SqliteState(tmp_path / "state.db"))
    holding = side.process(HOLD)
    assert holding.stdout is not None
    holding.stdout.readline()
    holding.send_signal(signal.SIGSTOP)
    with side.opened() as store, pytest.raises(Locked):
        take(store, LOCK)
    holding.send_signal(signal.SIGCONT)
    assert holding.communicate("go\n")[0] == "recorded\n"
