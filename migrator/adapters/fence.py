"""What stands before every attempt of a change: whether the locks under which it is made are still held.

A step writes its intent down, which renews the locks, and then changes; but a process may be stopped between the two,
between two changes of one step, or while it waits to try one again. Woken after another runner has taken over, it must
change nothing more. So each attempt asks, in the thread that makes it, as locks belong to threads.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from migrator.model.ports.running import Locks


class Fence:
    """Open until it is given locks: a command that holds none, such as a plan's, changes nothing that they guard."""

    def __init__(self) -> None:
        self._locks: Locks | None = None

    @contextmanager
    def by(self, locks: Locks) -> Iterator[None]:
        """These locks are asked for the block."""
        self._locks = locks
        try:
            yield
        finally:
            self._locks = None

    def check(self) -> None:
        """Renews the locks that this thread holds.

        Raises:
            Locked: another runner took one over: nothing more may be changed.
        """
        if self._locks is not None:
            self._locks.renew()
