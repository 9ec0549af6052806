"""Opens the store that the fleet file names: a state file, or a table that machines share."""

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.model.fleet import DynamoState, SqliteState, State
from migrator.model.ports.running import Journal, Locks

if TYPE_CHECKING:
    from migrator.adapters.aws.sessions import AwsSessions
    from migrator.store.database import Database
    from migrator.store.dynamo.locks import DynamoLocks
    from migrator.store.dynamo.table import Table
    from migrator.store.transfer import Archive


@dataclass(frozen=True, slots=True)
class Memory:
    """The store in use: what was done, and who is at work."""

    journal: Journal
    locks: Locks


@dataclass(frozen=True, slots=True)
class Stores:
    """The one that `state` names; `sessions` is asked for AWS only where it is a table."""

    state: State
    sessions: "Callable[[], AwsSessions]"

    @contextmanager
    def memory(self) -> Iterator[Memory | None]:
        """The store for reading; None while there is no state file, as nothing has ever been done. Makes none."""
        if self.none_yet:
            yield None
            return
        with self.opened(create=False) as memory:
            yield memory

    @property
    def none_yet(self) -> Path | None:
        """Where the state file will be, as long as nothing was ever done."""
        return self.state.path if isinstance(self.state, SqliteState) and _nothing_at(self.state.path) else None

    def opened(self, *, create: bool) -> AbstractContextManager[Memory]:
        """The store for reading, or, with `create`, for writing; a state file is made then."""
        return self._file(self.state, create=create) if isinstance(self.state, SqliteState) else self._table(self.state)

    @contextmanager
    def archive(self, *, create: bool) -> "Iterator[tuple[Archive, Locks]]":
        """The store as a whole; with `create` also one into which an import was cut off."""
        if isinstance(self.state, SqliteState):
            from migrator.store.sqlite_archive import SqliteArchive
            from migrator.store.sqlite_locks import SqliteLocks

            with _database(self.state, create=create) as database:
                yield SqliteArchive(database), SqliteLocks(database, user())
        else:
            from migrator.store.dynamo.archive import DynamoArchive

            with self._at_table(self.state, whole=not create) as (table, locks):
                yield DynamoArchive(table, locks), locks

    def table(self, state: DynamoState) -> "Table":
        """The table of a DynamoDB store, whatever is in it."""
        from migrator.store.dynamo.table import Table

        sessions = self.sessions()
        return Table(sessions.dynamodb(state.account, state.region), sessions, state)

    @contextmanager
    def _file(self, state: SqliteState, *, create: bool) -> Iterator[Memory]:
        from migrator.store.sqlite import SqliteJournal
        from migrator.store.sqlite_locks import SqliteLocks

        with _database(state, create=create) as database:
            yield Memory(SqliteJournal(database), SqliteLocks(database, user()))

    @contextmanager
    def _table(self, state: DynamoState) -> Iterator[Memory]:
        from migrator.store.dynamo.journal import DynamoJournal

        with self._at_table(state, whole=True) as (table, locks):
            yield Memory(DynamoJournal(table, locks), locks)

    @contextmanager
    def _at_table(self, state: DynamoState, *, whole: bool) -> "Iterator[tuple[Table, DynamoLocks]]":
        from migrator.store.dynamo.locks import DynamoLocks

        table = self.table(state)
        table.check()
        if whole:
            table.check_whole()
        locks = DynamoLocks(table, user(), length=state.lease)
        try:
            yield table, locks
        finally:
            locks.close()


@contextmanager
def _database(state: SqliteState, *, create: bool) -> "Iterator[Database]":
    from migrator.store.database import Database

    database = Database(state.path, create=create)
    try:
        yield database
    finally:
        database.close()


def user() -> str:
    """The local user; in a container without a user table, the number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _nothing_at(path: Path) -> bool:
    """Whether there is surely nothing; whatever else is wrong with the path is told when it is opened."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
