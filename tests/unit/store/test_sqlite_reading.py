"""Whoever only reads the state file needs no right to write, and keeps no writer out; what is forbidden is named."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.model.errors import StoreFault
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run
from migrator.store import sqlite_opening
from migrator.store.database import Database
from migrator.store.sqlite import SqliteJournal

SERVICE = ServiceId("prod", "shop", "orders")
RUN = Run(
    id="r1",
    service=SERVICE,
    direction=Direction.FORWARD,
    outcome=Outcome.OPEN,
    plan={"format": 1},
    actor="ann",
    host="here",
    started="2026-01-01T00:00:00Z",
)
CART = replace(RUN, id="r2", service=ServiceId("prod", "shop", "cart"))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "lab" / "state.db"
    write(path, RUN)
    return path


def write(path: Path, run: Run) -> None:
    database = Database(path)
    SqliteJournal(database).begin(run)
    database.close()


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def forbid(patch: pytest.MonkeyPatch, *paths: Path, right: int = os.W_OK) -> None:
    """This user may not do that with these paths, as far as the system is asked first; root may do all."""
    asked = os.access
    patch.setattr("os.access", lambda path, mode: not (Path(path) in paths and mode & right) and asked(path, mode))


def test_a_reader_of_a_read_only_file_leaves_nothing_that_keeps_a_writer_out(state: Path) -> None:
    state.chmod(0o444)
    database = Database(state, create=False)

    assert SqliteJournal(database).open_run(SERVICE) == RUN
    assert names(state) == ["state.db"]
    database.close()
    state.chmod(0o644)
    write(state, CART)


def test_a_reader_writes_nothing_into_a_read_only_folder(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, state.parent)
    database = Database(state, create=False)

    assert SqliteJournal(database).open_run(SERVICE) == RUN
    assert names(state) == ["state.db"]


def test_a_reader_of_somebody_elses_file_leaves_none_of_its_own(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    (state.parent / "state.db-wal").touch()  # empty, as SQLite leaves it: all is in the file itself

    assert SqliteJournal(Database(state, create=False)).open_run(SERVICE) == RUN
    assert names(state) == ["state.db", "state.db-wal"]


def test_an_empty_file_is_read_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch(0o444)

    assert SqliteJournal(Database(path, create=False)).open_runs() == []
    assert names(path) == ["state.db"]


def test_such_a_reader_sees_what_others_write_meanwhile(state: Path) -> None:
    state.chmod(0o444)
    reading = SqliteJournal(Database(state, create=False))
    assert reading.open_runs() == [RUN]

    state.chmod(0o644)
    writer = Database(state)
    SqliteJournal(writer).begin(CART)
    state.chmod(0o444)
    assert reading.open_runs() == [CART, RUN]
    SqliteJournal(writer).end("r2", Outcome.DONE, "", "2026-01-01T00:00:09Z")
    writer.close()
    assert reading.open_runs() == [RUN]


def test_a_link_is_read_with_what_stands_beside_its_end(state: Path) -> None:
    link = state.parent.parent / "link.db"
    link.symlink_to(state)
    writer = Database(state)
    SqliteJournal(writer).begin(CART)
    state.chmod(0o444)

    assert SqliteJournal(Database(link, create=False)).open_runs() == [CART, RUN]
    writer.close()


def test_what_is_read_as_of_one_moment_stays_so(state: Path) -> None:
    state.chmod(0o444)
    database = Database(state, create=False)
    reading = SqliteJournal(database)
    with database.snapshot():
        state.chmod(0o644)
        write(state, CART)
        state.chmod(0o444)
        assert reading.open_runs() == [RUN]
    assert reading.open_runs() == [CART, RUN]


def test_a_copy_into_which_somebody_wrote_is_made_anew(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied, late = sqlite_opening._copied, [CART]
    state.chmod(0o444)

    def overtaken(uri: str) -> object:
        copy = copied(uri)
        if late:
            write(state, late.pop())
        return copy

    monkeypatch.setattr(sqlite_opening, "_copied", overtaken)
    forbid(monkeypatch, state.parent)

    assert SqliteJournal(Database(state, create=False)).open_runs() == [CART, RUN]


def test_changes_that_were_cut_off_are_never_passed_over(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Database(state)
    SqliteJournal(writer).begin(CART)
    for name in names(state)[::2]:  # with its -wal and without its -shm
        shutil.copy(state.parent / name, state.parent.parent)
    writer.close()
    copy = state.parent.parent / "state.db"
    forbid(monkeypatch, copy.parent)

    with pytest.raises(StoreFault, match=r'changes of a run that was cut off stand in "state\.db-wal"'):
        Database(copy, create=False)


def test_a_writer_that_may_not_write_makes_no_files(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, state)

    with pytest.raises(StoreFault, match=r'state\.db" cannot be used: it may not be written$'):
        Database(state)
    assert names(state) == ["state.db"]


@pytest.mark.parametrize(
    ("name", "right", "writing", "says"),
    [
        pytest.param("state.db", os.R_OK, False, "it may not be read", id="[file]"),
        pytest.param("state.db-shm", os.W_OK, True, '"state.db-shm" beside it may not be written', id="[-shm]"),
        pytest.param("state.db-wal", os.R_OK, False, '"state.db-wal" beside it may not be read', id="[-wal]"),
        pytest.param(".", os.W_OK, True, "its folder may not be written", id="[folder]"),
        pytest.param(".", os.X_OK, False, "its folder may not be entered", id="[folder] closed"),
        pytest.param("state.db-shm", os.W_OK, False, "", id="[-shm] to be read"),
        pytest.param(".", os.W_OK, False, "", id="[folder] to be read"),
    ],
)
def test_what_is_forbidden_is_named(
    state: Path, monkeypatch: pytest.MonkeyPatch, name: str, right: int, says: str, *, writing: bool
) -> None:
    for side in ("-wal", "-shm"):
        (state.parent / f"state.db{side}").touch()
    forbid(monkeypatch, state.parent / name, right=right)

    assert sqlite_opening.forbidden(state, writing=writing) == says


_CONFINED = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)


def as_anybody(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs Python as a user for whom permissions hold; root has to give up its rights first."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("permissions do not hold for root, and there is no setpriv")
    before = _CONFINED if os.geteuid() == 0 else ()
    return subprocess.run(
        [*before, sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )


_OPEN = """
import sys
from pathlib import Path
from migrator.store.database import Database
from migrator.store.sqlite import SqliteJournal
database = Database(Path(sys.argv[1]), create=sys.argv[2] == "writing")
print(len(SqliteJournal(database).open_runs()))
"""


@pytest.mark.parametrize(
    ("file", "folder", "how", "says"),
    [
        pytest.param(0o444, 0o555, "reading", "1\n", id="[reading] all read-only"),
        pytest.param(0o644, 0o555, "reading", "1\n", id="[reading] the folder read-only"),
        pytest.param(0o444, 0o755, "reading", "1\n", id="[reading] the file read-only"),
        pytest.param(0o000, 0o755, "reading", "cannot be used: it may not be read", id="[reading] closed"),
        pytest.param(
            0o644, 0o600, "reading", "cannot be used: its folder may not be entered", id="[reading] in closed"
        ),
        pytest.param(
            0o444, 0o755, "writing", "cannot be used: it may not be written", id="[writing] the file read-only"
        ),
        pytest.param(0o644, 0o555, "writing", "its folder may not be written", id="[writing] the folder read-only"),
    ],
)
def test_permissions_as_the_system_holds_them(state: Path, file: int, folder: int, how: str, says: str) -> None:
    state.chmod(file)
    state.parent.chmod(folder)
    ended = as_anybody("-c", _OPEN, str(state), how)
    state.parent.chmod(0o755)

    assert says in ended.stdout + ended.stderr
    assert names(state) == ["state.db"]
