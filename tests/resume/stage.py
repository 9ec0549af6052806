"""The stage of the property test: processes that come and go over one world, one journal and one table of locks.

A point is before or after each change and at each write of the journal. At a point a runner is killed, a call fails
before or after it had its effect, somebody else edits something, or a second runner comes along.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from migrator.model.errors import EnvironmentFault, Locked, StoreFault
from migrator.model.journal import Holder
from tests.fakes.running import Bench
from tests.resume.model import ModelWorld
from tests.resume.others import Others

Happenings = Mapping[int | str, str]  # what happens at the n-th point of a command, or at the one of that name


class Killed(BaseException):
    """SIGKILL: nothing after it runs, and no lock is given back."""


@dataclass
class Process:
    """One runner's life."""

    alive: bool = True


@dataclass
class SharedLocks:
    """Locks between runners: a living one's hold, a dead one's are taken over; nothing is given back by the dead."""

    process: Process
    table: dict[str, Process]

    @contextmanager
    def held(self, key: str, *, doing: str) -> Iterator[None]:
        assert doing
        holder = self.table.get(key)
        if holder is not None and holder.alive:
            raise Locked(f'"{key}" is held')
        self.table[key] = self.process
        try:
            yield
        except Killed:
            self.process.alive = False
            raise
        finally:
            if self.process.alive:
                del self.table[key]

    def renew(self) -> None:
        """A living one's locks stay its own."""

    def holders(self) -> Sequence[Holder]:
        return []


@dataclass
class Stage:
    """A bench on which runners come and go."""

    world: ModelWorld
    bench: Bench
    others: Others = field(init=False)
    table: dict[str, Process] = field(default_factory=dict)
    passed: int = 0
    due: dict[int | str, str] = field(default_factory=dict)
    second: Callable[[], None] = lambda: None
    happened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.others = Others(self.world)
        self.world.before_call = self._before
        self.world.after_call = self._after
        self.bench.journal.on_write = lambda what: self.point(f"journal {what}", "journal")

    def begin(self, happenings: Happenings) -> None:
        """The next command, to which these things happen at these points; it runs as a process of its own."""
        self.passed, self.due = 0, dict(happenings)
        self.bench.locks = SharedLocks(Process(), self.table)  # type: ignore[assignment]

    def _before(self, name: str) -> None:
        self.point(f"before {name}", "call")
        self.world.before(name)

    def _after(self, name: str) -> None:
        self.world.effects[name.partition(" ")[0]] += 1
        self.world.after(name)
        self.point(f"after {name}", "answer")

    def point(self, where: str, kind: str) -> None:
        """One point is passed."""
        self.passed += 1
        self.world.look_for_gaps(where)
        what = self.due.pop(self.passed, "") or self.due.pop(where, "")
        if not what:
            return
        self.happened.append(f"{what} at {where}")
        if what == "kill":
            raise Killed
        if what == "fault":
            raise StoreFault("disk full") if kind == "journal" else EnvironmentFault("no answer")
        if what == "second":
            self.second()
        else:
            self.others.do(what)
