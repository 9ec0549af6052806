"""The SQLite store as a whole: read as of one moment, filled in one transaction."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from migrator.model.errors import StoreFault
from migrator.model.journal import Mark, Run
from migrator.store.database import Database
from migrator.store.sqlite import SqliteJournal, add_mark, add_record, add_run
from migrator.store.transfer import Counts, counted, everything
from migrator.store.transfer_lines import Entry


class SqliteArchive:
    """The Archive of a database."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.journal = SqliteJournal(database)

    def still(self) -> AbstractContextManager[None]:
        """Reads in the block are of one moment."""
        return self._db.snapshot()

    def load(self, entries: Iterable[Entry], counts: Counts, digest: str) -> None:
        """Writes all of it, or nothing.

        Raises:
            StoreFault: the store is not empty, or what is read back is not what was written.
        """
        with self._db.transaction() as connection:
            if counted(everything(self.journal)) != Counts(runs=0, records=0, marks=0):
                raise self._fault("is not empty", "name a new file")
            for entry in entries:
                if isinstance(entry, Run):
                    add_run(connection, entry)
                elif isinstance(entry, Mark):
                    add_mark(connection, entry)
                else:
                    add_record(connection, entry)
            if counted(everything(self.journal)) != counts:
                raise self._fault(f"does not hold what was written (import {digest[:8]})", "nothing was imported")

    def _fault(self, what: str, remedy: str) -> StoreFault:
        return StoreFault(f'the state file "{self._db.path}" {what}', remedy=remedy)
