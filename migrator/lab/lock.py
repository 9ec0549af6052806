"""One fleet per directory: a lock that the running process holds, with its pid in it.

The lock, not the pid, says whether a fleet runs: it goes with the process however that ends, so a pid left over from a
crash, or meanwhile given to another program, misleads nobody.
"""

import fcntl
import os
import time
from pathlib import Path

LOCK = "lab.pid"
_ATTEMPTS = 3
_PAUSE = 0.03


class DirectoryLock:
    """The lock of one lab directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Takes the lock and writes our pid into it; False if another process holds it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not any(_locked(descriptor, attempt) for attempt in range(_ATTEMPTS)):
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Lets go of the lock; the file stays, empty, so that nobody locks a file that another one removes."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> int | None:
        """The pid of the process that holds the lock now, or None."""
        try:
            descriptor = os.open(self._path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            if any(_locked(descriptor, attempt) for attempt in range(_ATTEMPTS)):
                return None
            text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            return int(text) if text.isdigit() else None
        finally:
            os.close(descriptor)


def _locked(descriptor: int, attempt: int) -> bool:
    """Whether the lock could be had; a second attempt lets somebody pass who only looked."""
    if attempt:
        time.sleep(_PAUSE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
