"""Locks in the SQLite file: who, where, since when, doing what.

A holder on this host whose process is gone holds nothing any more; one on another host holds until its lock expires.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from migrator.model.errors import Locked
from migrator.model.facts import Json
from migrator.model.journal import Holder
from migrator.store.sqlite import Database

_EXPIRY = timedelta(hours=1)
_COLUMNS = "key, owner, host, pid, since, doing, expires, born"


class SqliteLocks:
    """The Locks port over a database."""

    def __init__(self, database: Database, who: str) -> None:
        self._db = database
        self._who = who
        self._host = socket.gethostname()
        self._owner = uuid4().hex

    @contextmanager
    def held(self, key: str, *, doing: str) -> Iterator[None]:
        """Holds `key` for the block; a dead runner's lock is taken over.

        Raises:
            Locked: a living runner has it.
        """
        self._take(key, doing)
        try:
            yield
        finally:
            with self._db.transaction() as connection:
                connection.execute("DELETE FROM locks WHERE key = ? AND owner = ?", (key, self._mark(key)))

    def holders(self) -> Sequence[Holder]:
        """Every lock that still holds."""
        sql = f"SELECT {_COLUMNS} FROM locks ORDER BY key"  # noqa: S608 - constants only
        return [_holder(row) for row in self._db.rows(sql) if self._holds(row)]

    def _take(self, key: str, doing: str) -> None:
        now = datetime.now(UTC)
        values = (
            key,
            self._mark(key),
            self._host,
            os.getpid(),
            now.isoformat(timespec="seconds"),
            f"{doing}, {self._who}",
            (now + _EXPIRY).isoformat(timespec="seconds"),
            _born(os.getpid()),
        )
        with self._db.transaction() as connection:
            sql = f"SELECT {_COLUMNS} FROM locks WHERE key = ?"  # noqa: S608 - constants only
            row = connection.execute(sql, (key,)).fetchone()
            if row is not None and self._holds(row):
                raise _locked(_holder(row))
            connection.execute(
                f"INSERT OR REPLACE INTO locks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
                values,
            )

    def _mark(self, key: str) -> str:
        return f"{self._owner}:{key}"

    def _holds(self, row: tuple[Json, ...]) -> bool:
        _key, _owner, host, pid, _since, _doing, expires, born = row
        if host == self._host:
            return bool(_born(pid) == born)
        return datetime.fromisoformat(expires) > datetime.now(UTC)


def _holder(row: tuple[Json, ...]) -> Holder:
    key, owner, host, pid, since, doing, expires, _born_at = row
    return Holder(key=key, owner=owner, host=host, pid=pid, since=since, doing=doing, expires=expires)


def _locked(holder: Holder) -> Locked:
    return Locked(
        f'"{holder.key}" is held by process {holder.pid} on "{holder.host}" since {holder.since} ({holder.doing})',
        remedy="wait for it, or stop it; a dead runner's lock is taken over by itself",
    )


def _born(pid: int) -> str:
    """When the process was started, so that a reused number is not taken for its predecessor; empty if it is gone.

    Linux tells the start in field 22 of /proc/PID/stat (proc(5)); elsewhere only the process's existence is known.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] == "Z" else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "alive"
    return "alive"
