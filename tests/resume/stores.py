"""Where a sweep keeps its journal, and what is left of it when the process, or the whole machine, goes down."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from migrator.model.journal import Outcome, Run, StepRecord
from migrator.model.ports.running import Closing, Journal
from migrator.store.database import Database
from migrator.store.sqlite import SqliteJournal
from tests.fakes.running import MemoryJournal
from tests.resume.powercut import Disk, mounted

Point = Callable[[str], None]


class Killed(BaseException):
    """SIGKILL, or a power cut, as far as Python can play it: nothing after it runs."""


def nothing(_name: str) -> None:
    """Not armed."""


class Store(Protocol):
    """A journal that can be lost."""

    @property
    def journal(self) -> Journal:
        """The journal as the living process has it."""
        ...

    def arm(self, point: Point) -> None:
        """`point` is told of every moment in which the store might be cut off; it raises Killed."""
        ...

    def lose(self) -> None:
        """The process is gone; the journal is from now on what the next one finds."""
        ...


@dataclass
class Memory:
    """No store at all: every write is kept at once."""

    journal: MemoryJournal = field(default_factory=MemoryJournal)

    def arm(self, point: Point) -> None:
        self.journal.on_write = lambda what: point(f"journal {what}")

    def lose(self) -> None:
        self.arm(nothing)


class _Noisy(SqliteJournal):
    """The real one, which can also die before and after each write, and, by `cut`, in the middle of a commit."""

    point: Point = staticmethod(nothing)
    dead: Callable[[], bool] = staticmethod(lambda: False)

    def begin(self, run: Run, closing: Closing | None = None) -> None:
        self._write(f"begin {run.direction}", lambda: SqliteJournal.begin(self, run, closing))

    def record(self, record: StepRecord) -> None:
        self._write(f"{record.step} {record.status}", lambda: SqliteJournal.record(self, record))

    def end(self, run: str, outcome: Outcome, note: str, at: str) -> None:
        self._write(f"end {outcome}", lambda: SqliteJournal.end(self, run, outcome, note, at))

    def _write(self, what: str, write: Callable[[], Any]) -> None:
        self.point(f"before journal {what}")
        write()
        if self.dead():
            raise Killed
        self.point(f"after journal {what}")


class OnDisk:
    """SQLite's own file, through a disk that can be cut off. `left` says what of it the next process finds."""

    def __init__(self, folder: Path, left: Callable[[Disk, Path], Path]) -> None:
        self._folder, self._left = folder, left
        self._serial = 0
        self._point: Point = nothing
        self._frozen: Path | None = None
        (folder / "0").mkdir()
        self._open(folder / "0")

    def arm(self, point: Point) -> None:
        self._point = self.journal.point = point
        self.disk.on_sync = self._sync

    def lose(self) -> None:
        self.arm(nothing)
        left = self._frozen or self._cut()
        self._frozen = None
        self.close()
        self._open(left)

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()
        self._mount.close()

    def _open(self, folder: Path) -> None:
        self._mount = ExitStack()
        self.disk = self._mount.enter_context(mounted(Disk(folder, synced=_content(folder))))
        self._database = Database(folder / "state.db")
        self.journal = _Noisy(self._database)
        self.journal.dead = lambda: self._frozen is not None

    def _sync(self) -> None:
        """Nothing can be raised through SQLite: what is left is put aside, and the journal's write dies of it."""
        if self._frozen is None:
            try:
                self._point("sync")
            except Killed:
                self._frozen = self._cut()

    def _cut(self) -> Path:
        self._serial += 1
        return self._left(self.disk, self._folder / str(self._serial))


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextmanager
def memory() -> Iterator[Store]:
    """A journal in memory, of which nothing is ever lost."""
    yield Memory()


@contextmanager
def killed() -> Iterator[Store]:
    """SQLite; the process is killed, what it wrote is there."""
    yield from _on_disk(Disk.after_kill)


@contextmanager
def unplugged() -> Iterator[Store]:
    """SQLite; the machine goes down, what was synced is there."""
    yield from _on_disk(Disk.after_power_cut)


def _on_disk(left: Callable[[Disk, Path], Path]) -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store = OnDisk(Path(folder), left)
        try:
            yield store
        finally:
            store.close()
