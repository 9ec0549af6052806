"""Opens the SQLite file, for somebody who only reads it so that no writer is hindered; and says who may not do what.

A reader makes the files "-wal" and "-shm" as well, where there are none: with the mode of the state file and, unless it
is root, as its own. Those of a file that may not be written, or of somebody else, would keep the writer out. Whoever
would make such files reads a copy in memory instead; as long as there is no "-wal", or an empty one, the file is whole.
"""

import os
import sqlite3
import stat
from pathlib import Path

from migrator.model.errors import StoreFault

BUSY_SECONDS = 30.0
Mark = tuple[int, int, int, int]
_PRIMARY = 0xFF  # the part of an extended result code that tells its kind
_DENIED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})
PERMIT = "give the permission, or run it as a user who has it"


def connected(uri: str) -> sqlite3.Connection:
    """A connection that begins no transaction by itself."""
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def kind(error: sqlite3.Error) -> int:
    """Its result code, without what only tells more; 0 for those of the module itself, which have none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY


def reader(path: Path) -> tuple[sqlite3.Connection, Mark | None]:
    """A connection that changes nothing; for a copy, also the mark of what was copied.

    Raises:
        StoreFault: changes of a run that was cut off can be read only by whoever may make files there.
        sqlite3.Error, OSError: it cannot be opened.
    """
    uri = path.absolute().as_uri()
    while not _side_files_harmless(path):
        if _size(_wal(path)):
            _require_index(path)
            return connected(f"{uri}?mode=ro&readonly_shm=1"), None
        before, copy = mark(path), _copied(uri)
        if mark(path) == before:
            return copy, before
        copy.close()  # a writer came meanwhile
    return connected(f"{uri}?mode=ro"), None


def mark(path: Path) -> Mark:
    """What is another once the database is."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, _size(_wal(path))


def barred(path: Path, error: sqlite3.Error | OSError, *, writing: bool) -> str:
    """What lies behind the error, if it is that this user may not read, or write, one of the files; else empty."""
    if not isinstance(error, PermissionError) and not (isinstance(error, sqlite3.Error) and kind(error) in _DENIED):
        return ""
    return forbidden(path, writing=writing)


def forbidden(path: Path, *, writing: bool) -> str:
    """Which of the files this user may not read, or write, as a sentence about the state file goes on; else empty."""
    verb, needed = ("written", os.R_OK | os.W_OK) if writing else ("read", os.R_OK)
    folder = _beside(path, "").parent
    if _refused(folder, os.X_OK):
        return "its folder may not be entered"
    for one, name in ((path, "it"), *((side(path), f'"{side(path).name}" beside it') for side in (_wal, _shm))):
        if _refused(one, needed):
            return f"{name} may not be {verb}"
    return "its folder may not be written" if writing and _refused(folder, os.W_OK) else ""


def _refused(path: Path, right: int) -> bool:
    return os.access(path, os.F_OK) and not os.access(path, right)


def _side_files_harmless(path: Path) -> bool:
    """Whether those that we would make could be written by whoever may write the state file."""
    found, we = path.stat(), os.geteuid()
    ours = we in {found.st_uid, 0} and bool(found.st_mode & stat.S_IWUSR)  # root's are given to the file's owner
    return ours and os.access(path, os.W_OK) and os.access(_beside(path, "").parent, os.W_OK)


def _require_index(path: Path) -> None:
    if not _shm(path).exists():
        raise StoreFault(
            f'the state file "{path}" cannot be read: changes of a run that was cut off stand in "{_wal(path).name}", '
            "and nothing may be written beside it",
            remedy="read copies of both, or run it as the owner of the state file",
        )


def _copied(uri: str) -> sqlite3.Connection:
    copy, source = connected(":memory:"), connected(f"{uri}?mode=ro&immutable=1")
    try:
        source.backup(copy)
    finally:
        source.close()
    return copy


def _wal(path: Path) -> Path:
    return _beside(path, "-wal")


def _shm(path: Path) -> Path:
    return _beside(path, "-shm")


def _beside(path: Path, suffix: str) -> Path:
    """SQLite puts its files beside what a link leads to."""
    return Path(os.path.realpath(path) + suffix)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
