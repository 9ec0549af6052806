"""The switchboard: which faults there are, which are on now, and a log of what they did."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from migrator.lab.faults.agenda import Agenda
from migrator.lab.faults.model import NEVER, Fault, Json
from migrator.lab.faults.often import Often, Turns


class TakenError(Exception):
    """A fault of that name is there already."""


@dataclass
class Active:
    """A fault on the board.

    Attributes:
        fault: what was declared.
        turns: which of its occasions it takes.
        waits: counts the calls that could begin it.
        since: when its beginning was told (monotonic), or None while it waits for its call.
        removed: whether it was taken off the board.
        memory: what its player keeps for it.
    """

    fault: Fault
    turns: Turns
    waits: Turns
    since: float | None = None
    removed: bool = False
    memory: dict[Any, Any] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def begins(self) -> float:
        """When it is on, monotonic."""
        return NEVER if self.since is None else self.since + self.fault.after

    @property
    def ends(self) -> float:
        """When it is over, monotonic."""
        return NEVER if self.fault.lasting is None else self.begins + self.fault.lasting

    def then(self, now: float, late: float) -> float:
        """The moment as of which somebody so late sees things; what was before the fault, everybody sees."""
        return max(now - late, self.begins)

    def is_on(self, now: float) -> bool:
        """Whether it is on at that moment."""
        return not self.removed and self.begins <= now < self.ends

    def state(self, now: float) -> str:
        """`waiting`, `on` or `over`."""
        if now >= self.ends:
            return "over"
        return "on" if now >= self.begins else "waiting"


class Board:
    """All faults of one practice fleet.

    Attributes:
        agenda: what faults do later.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.agenda = Agenda()
        self._active: dict[str, Active] = {}
        self._numbers: Counter[str] = Counter()
        self._log: list[Json] = []
        self._played: Counter[str] = Counter()
        self._order = itertools.count(1)
        self._listeners: list[Callable[[], None]] = []
        self._beginners: dict[str, Callable[[Active], None]] = {}
        self._lock = threading.RLock()

    def listen(self, changed: Callable[[], None]) -> None:
        """Has this called whenever a fault begins, ends, comes or goes."""
        self._listeners.append(changed)

    def begin_with(self, kind: str, begun: Callable[[Active], None]) -> None:
        """Has this called when a fault of that kind begins, before whoever caused it goes on."""
        self._beginners[kind] = begun

    def add(self, faults: Iterable[Fault]) -> list[str]:
        """Puts faults on the board, all or none, and tells their names.

        Raises:
            TakenError: one is called as another is.
        """
        with self._lock:
            added = [self._named(fault) for fault in faults]
            names = [one.fault.name for one in added]
            taken = next((name for name in names if names.count(name) > 1 or name in self._active), None)
            if taken is not None:
                raise TakenError(f'there is a fault "{taken}" already')
            self._active.update(zip(names, added, strict=True))
        for one in added:
            if one.fault.when is None:
                self.trigger(one)
        self.changed()
        return names

    def remove(self, names: Iterable[str]) -> list[str]:
        """Takes faults off the board; the answer names those that were there."""
        with self._lock:
            gone = [self._active.pop(name) for name in names if name in self._active]
        for one in gone:
            one.removed = True
        self.changed()
        return [one.fault.name for one in gone]

    def all(self) -> list[Active]:
        """Every fault, in the order they came."""
        with self._lock:
            return list(self._active.values())

    def on(self, kind: str) -> list[Active]:
        """The faults of a kind that are on now."""
        now = self.now()
        return [one for one in self.all() if one.fault.kind == kind and one.is_on(now)]

    def trigger(self, one: Active) -> None:
        """The fault's moment has come: it begins now, or after its delay."""
        with one.lock:
            if one.since is not None or one.removed:
                return
            one.since = self.now()
        if one.fault.lasting is not None:
            self.agenda.later(one.fault.after + one.fault.lasting, self.changed)
        if one.fault.after:
            self.agenda.later(one.fault.after, lambda: self._begin(one))
        else:
            self._begin(one)

    def took(self, one: Active, what: str, **details: Any) -> None:
        """Writes down what a fault did."""
        with self._lock:
            self._played[one.fault.name] += 1
            time_ = datetime.now(UTC).isoformat()
            entry = {"number": next(self._order), "time": time_, "fault": one.fault.name, "kind": one.fault.kind}
            self._log.append({**entry, "what": what, **details})

    def log(self, after: int = 0) -> list[Json]:
        """What faults did, from that number on; taking a fault off the board keeps its lines."""
        with self._lock:
            return [entry for entry in self._log if entry["number"] > after]

    def shown(self) -> list[Json]:
        """Every fault with its state, and how often it was played."""
        now = self.now()
        with self._lock:
            return [
                {
                    "name": one.fault.name,
                    "kind": one.fault.kind,
                    "state": one.state(now),
                    "played": self._played[one.fault.name],
                    "declared": dict(one.fault.declared),
                }
                for one in self._active.values()
            ]

    def changed(self) -> None:
        """Tells the listeners that what is on may be another set now."""
        for listener in list(self._listeners):
            listener()

    def _begin(self, one: Active) -> None:
        if one.removed:
            return
        begun = self._beginners.get(one.fault.kind)
        if begun is not None:
            begun(one)
        self.changed()

    def _named(self, fault: Fault) -> Active:
        """The fault with a name, its kind and a number if it was given none."""
        named = fault
        if not fault.name:
            self._numbers[fault.kind] += 1
            named = replace(fault, name=f"{fault.kind}-{self._numbers[fault.kind]}")
        skip = fault.when.skip if fault.when else 0
        return Active(named, Turns(fault.often), Turns(Often(skip=skip)))
