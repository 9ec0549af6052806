"""A state file of an older version: brought up to date with nothing lost, or read as it is; never left in between."""

import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from migrator.model.errors import Locked, StoreFault
from migrator.model.ids import ServiceId
from migrator.model.journal import Outcome
from migrator.store.database import VERSION, Database
from migrator.store.sqlite import SqliteJournal
from migrator.store.sqlite_locks import SqliteLocks
from tests.resume.powercut import Disk, mounted

OLD = Path(__file__).parents[2] / "cases" / "state-v1.sql"
ORDERS = ServiceId("prod", "shop", "orders")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of version 1 with runs, records and a lock in it."""
    folder = tmp_path / "old"
    folder.mkdir()
    connection = sqlite3.connect(folder / "state.db")
    connection.executescript("PRAGMA journal_mode = WAL;\n" + OLD.read_text(encoding="utf-8"))
    connection.close()
    return folder / "state.db"


def rows(path: Path) -> dict[str, list[Any]]:
    """All that was ever written."""
    connection = sqlite3.connect(path)
    found = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("runs", "records", "locks")}  # noqa: S608
    connection.close()
    assert all(found.values())
    return found


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    connection.close()
    return found


def test_opened_for_writing_it_is_brought_up_to_date_and_nothing_is_lost(path: Path) -> None:
    before = rows(path)
    database = Database(path)
    journal = SqliteJournal(database)

    assert (version(path), rows(path)) == (VERSION, before)
    assert [run.id for run in journal.runs(ORDERS)] == ["r1", "r2"]
    assert journal.runs(ORDERS)[0].plan == {"format": 1, "ü": [1, 2]}
    assert [run.id for run in journal.ended("2026-01-01T00:02:00")] == ["r3", "r1"]
    with pytest.raises(Locked, match='process 7 on "far"'):
        SqliteLocks(database, "me").held(f"service:{ORDERS}", doing="apply").__enter__()
    journal.mark("proven:prod", {"by": "r3"}, "2026-01-02")
    journal.end("r2", Outcome.DONE, "", "2026-01-02T00:00:00.000000+00:00")
    assert [run.id for run in journal.ended("2026-01-01T00:02:01")] == ["r1", "r2"]


def test_an_updated_file_is_like_a_new_one(path: Path, tmp_path: Path) -> None:
    schemas = [
        Database(one).rows("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name")
        for one in (path, tmp_path / "new.db")
    ]

    assert schemas[0] == schemas[1]


def test_opened_for_reading_it_is_read_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    database = Database(path, create=False)
    journal = SqliteJournal(database)

    assert [run.id for run in journal.ended("2026")] == ["r3", "r1"]
    assert [record.run for record in journal.recent("trust", "2026-01-01T00:00:02")] == ["r1", "r3"]
    assert [holder.key for holder in SqliteLocks(database, "me").holders()] == [f"service:{ORDERS}"]
    assert journal.marks("") == {}
    database.close()
    assert (path.read_bytes(), version(path)) == (before, 1)


def test_a_reader_sees_what_a_writer_brings_up_to_date_meanwhile(path: Path) -> None:
    reader = SqliteJournal(Database(path, create=False))
    assert reader.marks("") == {}
    SqliteJournal(Database(path)).mark("a", 1, "2026")
    assert [mark.data for mark in reader.marks("").values()] == [1]


@pytest.mark.parametrize("left", [Disk.after_kill, Disk.after_power_cut], ids=["[killed]", "[unplugged]"])
def test_cut_off_at_any_sync_it_is_of_the_old_version_or_the_new(path: Path, tmp_path: Path, left: Any) -> None:
    before = rows(path)
    copies: list[Path] = []
    disk = Disk(path.parent, synced={path.name: path.read_bytes()})

    def cut() -> None:
        copies.append(left(disk, tmp_path / f"cut-{len(copies)}"))

    with mounted(disk):
        disk.on_sync = cut
        Database(path).close()
    cut()

    versions = [version(copy / path.name) for copy in copies]
    assert sorted(versions) == versions
    assert set(versions) == {1, VERSION}
    for copy in copies:
        assert rows(copy / path.name) == before
        Database(copy / path.name).close()
        assert (version(copy / path.name), rows(copy / path.name)) == (VERSION, before)


def test_killed_between_two_statements_it_is_as_it_was(path: Path) -> None:
    before = rows(path)
    script = textwrap.dedent(
        """
        import os, signal, sqlite3, sys
        from pathlib import Path
        from migrator.store.database import Database

        class Deadly(Database):
            def _connected(self, uri):
                connection = super()._connected(uri)
                connection.set_trace_callback(
                    lambda sql: os.kill(os.getpid(), signal.SIGKILL) if "records_of_step" in sql else None
                )
                return connection

        Deadly(Path(sys.argv[1]))
        """
    )
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert (version(path), rows(path)) == (1, before)
    Database(path).close()
    assert (version(path), rows(path)) == (VERSION, before)


def test_two_that_open_it_at_once_both_find_it_up_to_date(path: Path) -> None:
    before = rows(path)
    script = (
        "import sys; from pathlib import Path; from migrator.store import database as d; d.Database(Path(sys.argv[1]))"
    )
    both = [subprocess.Popen([sys.executable, "-c", script, str(path)]) for _ in range(2)]

    assert [one.wait() for one in both] == [0, 0]
    assert (version(path), rows(path)) == (VERSION, before)


def test_a_newer_one_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    for create in (True, False):
        with pytest.raises(StoreFault, match=f"has format 9, this program writes format {VERSION}"):
            Database(path, create=create)
    assert version(path) == 9


def test_one_that_may_not_be_written_stays_of_its_version(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[18] = 3  # of the file's header: to SQLite it is read-only, whoever we are
    path.write_bytes(content)
    with pytest.raises(StoreFault, match="readonly") as caught:
        Database(path)
    assert "\n" not in caught.value.sentence()
    assert path.read_bytes() == content
    assert [run.id for run in SqliteJournal(Database(path, create=False)).runs(ORDERS)] == ["r1", "r2"]
