"""Several threads over one database, each with its own locks: none is stopped by what another takes or gives back."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.model.errors import Locked
from migrator.model.ids import ServiceId
from migrator.model.journal import Outcome, Status
from migrator.store.database import VERSION, Database
from migrator.store.sqlite import SqliteJournal
from migrator.store.sqlite_locks import SqliteLocks
from tests.unit.store.test_sqlite import RUN, record


def test_a_key_of_another_thread_is_locked(tmp_path: Path) -> None:
    locks = SqliteLocks(Database(tmp_path / "state.db"), "me")
    with locks.held("service:x", doing="apply"), ThreadPoolExecutor(1) as pool:
        with pytest.raises(Locked, match='"service:x" is held by process'):
            pool.submit(locks.held("service:x", doing="apply").__enter__).result()
        with locks.held("service:y", doing="apply"):
            assert [holder.key for holder in locks.holders()] == ["service:x", "service:y"]
    assert locks.holders() == []


def test_who_lost_a_lock_is_stopped_and_nobody_else(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    journal, locks = SqliteJournal(database), SqliteLocks(database, "me")
    journal.begin(RUN)
    taken, lost, done, looked = (threading.Event() for _ in range(4))

    def loser() -> None:
        with locks.held("service:x", doing="apply"):
            taken.set()
            lost.wait()
            try:
                journal.record(record("trust", Status.STARTED))
            finally:
                done.set()
                looked.wait()

    with ThreadPoolExecutor(1) as pool, locks.held("service:y", doing="apply"):
        losing = pool.submit(loser)
        taken.wait()
        with database.transaction() as connection:
            connection.execute("UPDATE locks SET owner = 'somebody else' WHERE key = 'service:x'")
        lost.set()
        done.wait()
        try:
            locks.renew()
            journal.record(record("agent", Status.STARTED))
        finally:
            looked.set()
        with pytest.raises(Locked, match='took over "service:x"'):
            losing.result()
    assert list(journal.records("r1")) == ["agent"]
    assert database.rows("SELECT key, owner FROM locks") == [("service:x", "somebody else")]


def test_many_threads_that_take_renew_record_and_release(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    journal, locks = SqliteJournal(database), SqliteLocks(database, "me")

    def work(number: int) -> None:
        service = ServiceId("prod", "shop", f"s{number}")
        for turn in range(6):
            run = replace(RUN, id=f"{number}-{turn}", service=service)
            with locks.held(f"service:{service}", doing="apply"):
                journal.begin(run)
                with locks.held(f"role:{number}", doing="trust"):
                    journal.record(record("trust", Status.STARTED, run=run.id))
                    locks.renew()
                journal.end(run.id, Outcome.DONE, "", f"2026-01-01T00:00:0{turn}Z")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert len(journal.ended("2026")) == 36
    assert locks.holders() == []


def test_whoever_is_making_the_file_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself waits for no writer when a file's journal first becomes a WAL."""
    path = tmp_path / "state.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    gone = threading.Timer(0.3, other.rollback)
    gone.start()
    Database(path).close()
    gone.join()
    other.close()


def test_many_that_make_the_file_together_all_have_it(tmp_path: Path) -> None:
    for turn in range(20):
        together = threading.Barrier(8)

        def make(path: Path, start: threading.Barrier) -> int:
            start.wait()
            database = Database(path)
            found = database.version()
            database.close()
            return found

        with ThreadPoolExecutor(8) as pool:
            made = [pool.submit(make, tmp_path / f"{turn}.db", together) for _ in range(8)]
        assert {one.result() for one in made} == {VERSION}
