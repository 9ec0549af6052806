"""Which locks of the SQLite file the threads of this process hold: every write of theirs proves that they still do."""

import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from migrator.store.holders import taken_over

_EXPIRY = timedelta(hours=1)  # of a lock; renewed by every record, and about every minute while a step waits


def expiry() -> str:
    """When a lock that is renewed now expires."""
    return (datetime.now(UTC) + _EXPIRY).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class _Hold:
    """One taking of a lock; `owner` names it in the file, so that no later taking is mistaken for it."""

    key: str
    owner: str
    thread: int


class Holds:
    """The locks held here, each by the thread that took it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holds: dict[str, _Hold] = {}

    def add(self, key: str, owner: str) -> None:
        """This thread has taken it."""
        with self._guard:
            self._holds[key] = _Hold(key, owner, threading.get_ident())

    def drop(self, key: str) -> None:
        """It is held no longer."""
        with self._guard:
            self._holds.pop(key, None)

    def renew(self, connection: sqlite3.Connection) -> None:
        """Puts off the expiry of all of them; part of every write's transaction, so that it fences as well.

        What another thread takes or releases meanwhile is no matter here: only this one's can stop it.

        Raises:
            Locked: one that this thread holds was taken over by another runner: nothing more may be changed.
        """
        with self._guard:
            holds = list(self._holds.values())
        for hold in holds:
            sql = "UPDATE locks SET expires = ? WHERE key = ? AND owner = ?"
            renewed = connection.execute(sql, (expiry(), hold.key, hold.owner)).rowcount
            if renewed != 1 and hold.thread == threading.get_ident():
                raise taken_over(hold.key)
