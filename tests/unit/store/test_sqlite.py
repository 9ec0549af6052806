"""The SQLite store: what is written is there after a kill, one open run a service, locks and their takeover."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.model.errors import Locked, StoreFault
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run, Standing, Status, StepRecord
from migrator.model.ports.running import Closing
from migrator.store.database import Database
from migrator.store.place import Place, is_alive, is_dead
from migrator.store.sqlite import SqliteJournal
from migrator.store.sqlite_locks import SqliteLocks

SERVICE = ServiceId("prod", "shop", "orders")
RUN = Run(
    id="r1",
    service=SERVICE,
    direction=Direction.FORWARD,
    outcome=Outcome.OPEN,
    plan={"format": 1},
    actor="arn:aws:iam::1:user/ops",
    host="here",
    started="2026-01-01T00:00:00Z",
)


def record(step: str, status: Status, at: str = "2026-01-01T00:00:01Z", run: str = "r1") -> StepRecord:
    return StepRecord(run=run, step=step, status=status, at=at, image={"a": [1]}, result=None, note="n")


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    return SqliteJournal(Database(tmp_path / "state.db"))


def test_round_trip(journal: SqliteJournal) -> None:
    journal.begin(RUN)
    journal.record(record("trust", Status.STARTED))
    journal.record(record("trust", Status.DONE))
    journal.record(record("association", Status.STARTED))

    assert journal.open_run(SERVICE) == RUN
    assert [(r.step, r.status) for r in journal.records("r1").values()] == [
        ("trust", Status.DONE),
        ("association", Status.STARTED),
    ]
    journal.end("r1", Outcome.DONE, "well", "2026-01-01T00:00:09Z")
    assert journal.open_run(SERVICE) is None
    assert journal.states()[SERVICE].standing is Standing.MIGRATED
    assert [line.status for line in journal.history(SERVICE)] == ["begun", "started", "done", "started", "done"]


def test_recent_records_of_a_step_are_those_of_all_services(journal: SqliteJournal) -> None:
    journal.begin(RUN)
    journal.begin(replace(RUN, id="r2", service=ServiceId("prod", "shop", "cart")))
    for second, (run, step) in enumerate([("r1", "trust"), ("r1", "trust"), ("r2", "agent"), ("r2", "trust")]):
        journal.record(record(step, Status.DONE, f"2026-01-01T00:00:0{second}Z", run))

    recent = [(r.run, r.at[-3:-1]) for r in journal.recent("trust", "2026-01-01T00:00:01Z")]
    assert recent == [("r1", "01"), ("r2", "03")]
    assert len(journal.recent("trust", "2025")) == 3
    assert journal.recent("trust", "2027") == []


def test_open_runs_are_those_of_all_services(journal: SqliteJournal) -> None:
    carts = replace(RUN, id="r2", service=ServiceId("prod", "shop", "cart"))
    journal.begin(RUN)
    journal.begin(carts)
    assert journal.open_runs() == [carts, RUN]
    journal.end("r2", Outcome.DONE, "", "2026-01-01T00:00:09Z")
    assert journal.open_runs() == [RUN]


@pytest.mark.parametrize(
    ("status", "note", "standing"),
    [
        pytest.param(Status.STARTED, "", Standing.INTERRUPTED, id="[cut off]"),
        pytest.param(Status.STARTED, "its owner has not replaced them", Standing.WAITING, id="[for somebody]"),
        pytest.param(Status.PENDING, "stopped before it", Standing.WAITING, id="[as asked]"),
        pytest.param(Status.DONE, "well", Standing.INTERRUPTED, id="[between two steps]"),
        pytest.param(Status.FAILED, "refused", Standing.FAILED, id="[failed]"),
    ],
)
def test_where_an_open_run_stands(journal: SqliteJournal, status: Status, note: str, standing: Standing) -> None:
    journal.begin(RUN)
    journal.record(replace(record("restart", status), note=note))
    assert journal.state(SERVICE).standing is standing


def test_never_two_open_runs(journal: SqliteJournal) -> None:
    journal.begin(RUN)
    with pytest.raises(StoreFault):
        journal.begin(replace(RUN, id="r2"))
    journal.begin(replace(RUN, id="r2"), Closing(run="r1", outcome=Outcome.FAILED, note="drift"))
    assert [(run.id, run.outcome) for run in journal.runs(SERVICE)] == [("r1", Outcome.FAILED), ("r2", Outcome.OPEN)]


def test_closing_a_run_that_is_over_changes_nothing(journal: SqliteJournal) -> None:
    journal.begin(RUN)
    journal.end("r1", Outcome.DONE, "", "t")
    with pytest.raises(StoreFault, match="ended by another runner"):
        journal.begin(replace(RUN, id="r2"), Closing(run="r1", outcome=Outcome.FAILED, note=""))
    assert [run.id for run in journal.runs(SERVICE)] == ["r1"]


def test_durability_settings(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    assert database.rows("PRAGMA journal_mode") == [("wal",)]
    assert database.rows("PRAGMA synchronous") == [(2,)]  # FULL


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        pytest.param(
            lambda p: p.write_bytes(b"no database at all, but long enough to be one" * 50),
            "not a database",
            id="[corrupt]",
        ),
        pytest.param(lambda p: p.mkdir(), "is a folder", id="[a folder]"),
        pytest.param(
            lambda p: sqlite3.connect(p).executescript("PRAGMA user_version = 7; CREATE TABLE x (y)").close(),
            "format 7, this program writes format 2",
            id="[newer]",
        ),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, prepare: object, says: str) -> None:
    path = tmp_path / "state.db"
    prepare(path)  # type: ignore[operator]  # a lambda of the table above
    with pytest.raises(StoreFault, match=says) as caught:
        Database(path)
    assert "\n" not in caught.value.sentence()
    assert str(path) in caught.value.sentence()


def test_a_killed_writer_loses_nothing_it_was_told_is_durable(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from tests.unit.store.test_sqlite import RUN, Database, SqliteJournal, Status, record
        journal = SqliteJournal(Database(Path(sys.argv[1])))
        journal.begin(RUN)
        journal.record(record("trust", Status.STARTED))
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    path = tmp_path / "state.db"
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert SqliteJournal(Database(path)).records("r1")["trust"].image == {"a": [1]}


def test_a_living_holder_is_named_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = Database(path)
    mine = SqliteLocks(database, "me")
    with mine.held("service:x", doing="apply"), pytest.raises(Locked) as caught:
        SqliteLocks(Database(path), "other").held("service:x", doing="apply").__enter__()
    assert f"process {os.getpid()}" in caught.value.sentence()
    assert mine.holders() == []

    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from migrator.store.database import Database
        from migrator.store.sqlite_locks import SqliteLocks
        with SqliteLocks(Database(Path(sys.argv[1])), "dead").held("service:x", doing="apply"):
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert database.rows("SELECT count(*) FROM locks") == [(1,)]
    with mine.held("service:x", doing="apply"):
        assert [holder.pid for holder in mine.holders()] == [os.getpid()]
    assert database.rows("SELECT count(*) FROM locks") == [(0,)]


def test_a_lock_of_another_host_holds_until_it_expires(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    locks = SqliteLocks(database, "me")
    columns = "(key, owner, host, pid, born, since, doing, expires)"
    insert = f"INSERT INTO locks {columns} VALUES ('k', 'o', 'far', 1, '', 's', 'd', ?)"  # noqa: S608 - constants only
    for expires, free in (("2999-01-01T00:00:00+00:00", False), ("2020-01-01T00:00:00+00:00", True)):
        with database.transaction() as connection:
            connection.execute("DELETE FROM locks")
            connection.execute(insert, (expires,))
        assert (locks.holders() == []) is free


def test_a_holder_that_surely_runs_holds_whatever_the_time(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = Database(path)
    with SqliteLocks(database, "me").held("service:x", doing="apply"):
        with database.transaction() as connection:
            connection.execute("UPDATE locks SET expires = '2020-01-01T00:00:00+00:00'")
        with pytest.raises(Locked):
            SqliteLocks(Database(path), "other").held("service:x", doing="rollback").__enter__()


def test_a_waiting_runner_renews_its_locks_and_learns_that_it_lost_one(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    locks = SqliteLocks(database, "me")
    with locks.held("service:x", doing="apply"):
        with database.transaction() as connection:
            connection.execute("UPDATE locks SET expires = '2020-01-01T00:00:00+00:00'")
        locks.renew()
        assert database.rows("SELECT expires > '2026' FROM locks") == [(1,)]
        with database.transaction() as connection:
            connection.execute("UPDATE locks SET owner = 'somebody else'")
        with pytest.raises(Locked, match="took over"):
            locks.renew()


def test_every_record_renews_the_locks_and_stops_a_runner_that_lost_one(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    journal, locks = SqliteJournal(database), SqliteLocks(database, "me")
    journal.begin(RUN)
    with locks.held("service:x", doing="apply"):
        with database.transaction() as connection:
            connection.execute("UPDATE locks SET expires = '2020-01-01T00:00:00+00:00'")
        journal.record(record("trust", Status.STARTED))
        assert database.rows("SELECT expires > '2026' FROM locks") == [(1,)]

        with database.transaction() as connection:
            connection.execute("UPDATE locks SET owner = 'somebody else'")
        with pytest.raises(Locked, match="took over"):
            journal.record(record("trust", Status.DONE))
    assert journal.records("r1")["trust"].status is Status.STARTED


@pytest.mark.parametrize(
    ("there", "dead"),
    [
        pytest.param(Place.here(), False, id="[here] this very process"),
        pytest.param(replace(Place.here(), pid=2**22 + 1), True, id="[here] no such process"),
        pytest.param(replace(Place.here(), started="1"), True, id="[here] its number is used again"),
        pytest.param(replace(Place.here(), namespace="pid:[9]", pid=2**22 + 1), False, id="[container] cannot be told"),
        pytest.param(Place("other", "boot", "pid:[9]", 1, "1"), False, id="[far] cannot be told"),
        pytest.param(replace(Place.here(), boot=""), False, id="[unknown] boot"),
        pytest.param(None, False, id="[unknown] written by something else"),
    ],
)
def test_who_is_surely_dead(there: Place | None, dead: bool) -> None:
    assert is_dead(there, Place.here()) is dead
    assert is_alive(there, Place.here()) is (there == Place.here())


def test_a_reboot_kills() -> None:
    before = Place("machine", "boot-1", "pid:[1]", 7, "100")
    assert is_dead(before, replace(before, boot="boot-2"))
    assert not is_dead(replace(before, machine=""), replace(before, machine="", boot="boot-2"))
    assert Place.read(before.written()) == before


def test_a_file_that_was_only_just_made_holds_nothing_yet(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch()

    assert SqliteJournal(Database(path, create=False)).states() == {}
    assert path.stat().st_size == 0
    SqliteJournal(Database(path)).begin(RUN)
    assert list(SqliteJournal(Database(path, create=False)).states()) == [SERVICE]


@pytest.mark.parametrize("damage", ["outcome = 'odd'", "plan = '{'", "service = 'x'", "direction = 'up'"])
def test_a_damaged_row_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "state.db"
    database = Database(path)
    SqliteJournal(database).begin(RUN)
    with database.transaction() as connection:
        connection.execute(f"UPDATE runs SET {damage}")  # noqa: S608 - the table above

    with pytest.raises(StoreFault, match='is damaged: a row of run "r1"') as caught:
        SqliteJournal(database).states()
    assert str(path) in caught.value.sentence()
