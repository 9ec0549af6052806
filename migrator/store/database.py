"""The SQLite file: WAL and synchronous FULL, so that a transaction is on the disk when it returns; its version."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from uuid import uuid4

from migrator.model.errors import Locked, StoreFault
from migrator.model.facts import Json

VERSION = 1
EXPIRY = timedelta(hours=1)  # of a lock; renewed by every record, and no step waits that long
_BUSY_SECONDS = 30.0


class Database:
    """One connection, used by one thread at a time; foreign errors become `StoreFault` here."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self.owner = uuid4().hex
        self.held: set[str] = set()  # keys of the locks this process believes to hold
        self._lock = threading.RLock()
        with self._mapped():
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
            mode = "rwc" if create else "ro"
            uri = f"{path.resolve().as_uri()}?mode={mode}"
            self._connection = sqlite3.connect(
                uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            if create:
                self._prepare()
            elif self._version() == 0:  # made a moment ago by a first command that has not come further yet
                self._connection.close()
                self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
                self._create()
            self._check_version()

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        if self._version() == 0:
            self._create()

    def _create(self) -> None:
        sql = resources.files("migrator.store").joinpath("schema.sql").read_text(encoding="utf-8")
        with self.transaction() as connection:
            if self._version() == 0:  # another process may have been first
                for statement in sql.split(";\n"):
                    connection.execute(statement)

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _check_version(self) -> None:
        version = self._version()
        if version != VERSION:
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
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[tuple[Json, ...]]:
        """All rows of a query."""
        with self._lock, self._mapped():
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreFault(
                f'the state file "{self.path}" cannot be used: {error}',
                remedy="nothing was changed after this; check the path, its permissions and the free space",
            ) from error

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()


def renew(database: Database, connection: sqlite3.Connection) -> None:
    """Puts off the expiry of the locks held here; part of every record's transaction, so that it fences as well.

    Raises:
        Locked: one of them was taken over by another runner: nothing more may be changed.
    """
    expires = (datetime.now(UTC) + EXPIRY).isoformat(timespec="seconds")
    renewed = connection.execute("UPDATE locks SET expires = ? WHERE owner = ?", (expires, database.owner)).rowcount
    if renewed != len(database.held):
        raise Locked("another runner took over a lock that had expired", remedy="look at migrate status")
