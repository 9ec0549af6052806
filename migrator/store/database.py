"""The SQLite file: WAL and synchronous FULL, so that a transaction is on the disk when it returns; its version."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from migrator.model.errors import StoreFault
from migrator.model.facts import Json
from migrator.store.sqlite_holds import Holds
from migrator.store.sqlite_opening import BUSY_SECONDS, PERMIT, Mark, barred, connected, kind, mark, reader

VERSION = 2  # its schema is schema/1.sql, and after it what each later version added
_NAP = 0.02  # seconds
_SMALLEST = 512  # bytes of a SQLite page, and so of a database


class Database:
    """One connection, used by one thread at a time; foreign errors become `StoreFault` here.

    A file of an older version is brought up to date, in one transaction, when it is opened for writing, and read as it
    is otherwise.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self.holds = Holds()
        self._lock = threading.RLock()
        self._writes = create
        self._copied: Mark | None = None
        with self._mapped():
            if path.is_dir():
                raise StoreFault(f'the state file "{path}" is a folder', remedy="move it away, or name another file")
            if create:
                self._prepare()
            else:
                self._look()
            self._check_version()

    def _look(self) -> None:
        """Opens the file for reading."""
        self._connection, self._copied = reader(self.path)
        if self._unborn():
            self._connection.close()
            self._connection = self._connected(":memory:")
            self._create()

    def _look_again(self) -> None:
        """Copies the file anew, where what is read is a copy of what it no longer is."""
        if self._copied is None or self._connection.in_transaction or self._copied == mark(self.path):
            return
        before = self._connection
        self._look()
        before.close()
        self._check_version()

    def _prepare(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and not os.access(self.path, os.W_OK):  # SQLite would open it all the same, for reading
            raise self._barred("it may not be written")
        self._connection = self._connected(f"{self.path.absolute().as_uri()}?mode=rwc")
        unborn = self._unborn()
        if not unborn:
            self._check_version()  # first of all: the journal's mode is written into the file
        self._use_wal()
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        if unborn or self.version() < VERSION:
            self._create()

    def _connected(self, uri: str) -> sqlite3.Connection:
        return connected(uri)

    def _use_wal(self) -> None:
        """Changes the journal's mode, which stays with the file.

        The first change wants the file for itself, and for that SQLite waits for no writer, whatever its time-out says:
        of two commands that make the file together, one would be told that it is locked.
        """
        give_up = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if kind(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(_NAP)
            else:
                return

    def _unborn(self) -> bool:
        """Whether the file is empty: made a moment ago by a first command that has not come further yet.

        Raises:
            StoreFault: it is not empty: a piece of a database, which SQLite takes for nothing, or another program's.
        """
        if self.version() != 0:
            return False
        if 0 < self.path.stat().st_size < _SMALLEST:
            raise self.damaged(f"it has only {self.path.stat().st_size} bytes")
        if self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] and self.version() == 0:
            raise StoreFault(
                f'the state file "{self.path}" is a database of another program', remedy="name another state file"
            )
        return self.version() == 0

    def _create(self) -> None:
        folder = resources.files("migrator.store").joinpath("schema")
        with self.transaction() as connection:
            for version in range(self.version(), VERSION):  # none, when another process was first
                sql = folder.joinpath(f"{version + 1}.sql").read_text(encoding="utf-8")
                for statement in sql.split(";\n"):
                    connection.execute(statement)

    def version(self) -> int:
        """The file's own: an older one is possible only where it was opened for reading."""
        with self._lock:
            return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _check_version(self) -> None:
        version = self.version()
        if not 0 < version <= VERSION:
            raise StoreFault(
                f'the state file "{self.path}" has format {version}, this program writes format {VERSION}',
                remedy="use the version of migrate that made it, or another state file",
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction, durable when the block ends."""
        with self._lock, self._mapped():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # a full disk has ended it already
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read in the block is of one moment."""
        with self._lock, self._mapped():
            self._look_again()
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    def rows(self, sql: str, *values: object) -> list[tuple[Json, ...]]:
        """All rows of a query."""
        with self._lock, self._mapped():
            self._look_again()
            return self._connection.execute(sql, values).fetchall()

    def damaged(self, what: str) -> StoreFault:
        """The error that says what is wrong inside the file; the caller raises it."""
        return StoreFault(
            f'the state file "{self.path}" is damaged: {what}',
            remedy="nothing was changed; restore the file from a backup",
        )

    def _barred(self, said: str) -> StoreFault:
        return StoreFault(
            f'the state file "{self.path}" cannot be used: {said}', remedy=f"nothing was changed after this; {PERMIT}"
        )

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:  # SQLite's own message quotes the rubbish it found
            raise self.damaged(error.object.decode("utf-8", "backslashreplace")) from error
        except (sqlite3.Error, OSError) as error:
            said = barred(self.path, error, writing=self._writes)
            if said:
                raise self._barred(said) from error
            raise StoreFault(
                f'the state file "{self.path}" cannot be used: {getattr(error, "strerror", None) or error}',
                remedy="nothing was changed after this; check the path, its permissions and the free space",
            ) from error

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()


def all_text(values: Iterable[Json]) -> None:
    """Checks columns that the schema declares as text: SQLite hands over whatever a damaged page holds.

    Raises:
        ValueError: one of them is something else.
    """
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} stands where a text belongs")  # noqa: TRY004 - a damaged row, not our mistake
