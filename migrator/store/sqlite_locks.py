"""Locks in the SQLite file: who, where, since when, doing what.

A holder that is surely dead holds nothing any more, one that surely runs holds whatever the time. Where neither can be
told (another host, another pid namespace), its lock holds until it expires; every record that a runner writes puts that
off, and so does `renew`, which it calls while it waits.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

from migrator.model.facts import Json
from migrator.model.journal import Holder
from migrator.store.database import Database, all_text
from migrator.store.holders import held_by
from migrator.store.place import Place, is_alive, is_dead
from migrator.store.sqlite_holds import expiry

_COLUMNS = "key, owner, host, pid, since, doing, expires, born"


class SqliteLocks:
    """The Locks port over a database."""

    def __init__(self, database: Database, who: str) -> None:
        self._db = database
        self._who = who
        self._here = Place.here()

    @contextmanager
    def held(self, key: str, *, doing: str) -> Iterator[None]:
        """Holds `key` for the block; a dead runner's lock is taken over.

        Raises:
            Locked: a living runner has it, this one included.
        """
        owner = self._take(key, doing)
        self._db.holds.add(key, owner)
        try:
            yield
        finally:
            self._db.holds.drop(key)
            with self._db.transaction() as connection:
                connection.execute("DELETE FROM locks WHERE key = ? AND owner = ?", (key, owner))

    def renew(self) -> None:
        """Puts off the expiry of every lock held here.

        Raises:
            Locked: another runner took over one of this thread's.
        """
        with self._db.transaction() as connection:
            self._db.holds.renew(connection)

    def holders(self) -> Sequence[Holder]:
        """Every lock that still holds."""
        sql = f"SELECT {_COLUMNS} FROM locks ORDER BY key"  # noqa: S608 - constants only
        return [_holder(row) for row in self._db.rows(sql) if self._holds(row)]

    def _take(self, key: str, doing: str) -> str:
        owner = uuid4().hex
        values = (
            key,
            owner,
            socket.gethostname(),
            os.getpid(),
            datetime.now(UTC).isoformat(timespec="seconds"),
            f"{doing}, {self._who}",
            expiry(),
            self._here.written(),
        )
        with self._db.transaction() as connection:
            sql = f"SELECT {_COLUMNS} FROM locks WHERE key = ?"  # noqa: S608 - constants only
            row = connection.execute(sql, (key,)).fetchone()
            if row is not None and self._holds(row):
                raise held_by(_holder(row))
            connection.execute(
                f"INSERT OR REPLACE INTO locks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
                values,
            )
        return owner

    def _holds(self, row: tuple[Json, ...]) -> bool:
        key, owner, host, _pid, since, doing, expires, born = row
        try:
            all_text((key, owner, host, since, doing, expires, born))
            there = Place.read(born)
            if is_dead(there, self._here):
                return False
            return datetime.fromisoformat(expires) > datetime.now(UTC) or is_alive(there, self._here)
        except (ValueError, TypeError) as error:  # no time, or one of no time zone
            raise self._db.damaged(f'lock "{row[0]}" cannot be read: {error}') from error


def _holder(row: tuple[Json, ...]) -> Holder:
    key, owner, host, pid, since, doing, expires, _born = row
    return Holder(key=key, owner=owner, host=host, pid=pid, since=since, doing=doing, expires=expires)
