"""The control plane's association files, one for each API server, written as late as the world says.

On EKS nobody can tell when an association has arrived everywhere; here it is a matter of delays.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from migrator.lab.webhook.sources import association_document

_REMEMBERED = 20
Pair = tuple[str, str]
Pairs = frozenset[Pair]
# seconds until instance n sees that the pair has an association, or has none any more, since that (monotonic) moment;
# None: as the rest
Lateness = Callable[[Pair, bool, int, float], float | None]


def _as_the_rest(_pair: Pair, _there: bool, _instance: int, _when: float) -> float | None:
    return None


class Identities:
    """Writes the files the webhooks read, each change its own delay after it was made.

    A later change that is seen already hides an earlier one that is not.
    """

    def __init__(self, path: Path, instances: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.paths = (path, *(path.with_suffix(f".{number}{path.suffix}") for number in range(1, instances)))
        self.delay = 0.0
        self._clock = clock
        self.lateness: Lateness = _as_the_rest
        self._now: Pairs = frozenset()
        self._long_since: Pairs = frozenset()
        self._changes: dict[Pair, list[tuple[float, bool]]] = defaultdict(list)
        self._written: list[Pairs | None] = [None] * instances
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"identities-{path.stem}")

    def start(self) -> None:
        """Writes empty files and begins to follow changes."""
        self.paths[0].parent.mkdir(parents=True, exist_ok=True)
        self._look(self._clock())
        self._thread.start()

    def stop(self) -> None:
        """Stops at once; changes not yet written are dropped."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def changed(self, pairs: Pairs) -> None:
        """The associations are these from now on; the files will say so after the delay, at once if there is none."""
        with self._changed:
            now = self._clock()
            for pair in pairs ^ self._now:
                self._changes[pair].append((now, pair in pairs))
                self._forget_oldest(pair)
            self._now = pairs
        self.look_again()

    def _forget_oldest(self, pair: Pair) -> None:
        """The oldest of many changes of one pair counts as having been seen by everybody."""
        if len(self._changes[pair]) > _REMEMBERED:
            _, there = self._changes[pair].pop(0)
            self._long_since = self._long_since | {pair} if there else self._long_since - {pair}

    def settle(self) -> None:
        """What is there now counts as having always been there."""
        with self._changed:
            self._changes.clear()
            self._long_since = self._now
        self.look_again()

    def look_again(self) -> None:
        """Writes what is due; to be called when the lateness is another."""
        with self._changed:
            self._look(self._clock())
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._stopping:
                now = self._clock()  # one for both: what came due between two would be written by nobody
                self._look(now)
                self._changed.wait(self._next(now))

    def _look(self, now: float) -> None:
        for instance in range(len(self.paths)):
            view = self._view(instance, now)
            if view != self._written[instance]:
                self._write(instance, view)

    def _view(self, instance: int, now: float) -> Pairs:
        changed = {pair: self._seen(pair, changes, instance, now) for pair, changes in self._changes.items()}
        kept = self._long_since - frozenset(changed)
        return kept | frozenset(pair for pair, there in changed.items() if there)

    def _seen(self, pair: Pair, changes: list[tuple[float, bool]], instance: int, now: float) -> bool:
        for when, there in reversed(changes):
            if when + self._late(pair, there, instance, when) <= now:
                return there
        return pair in self._long_since

    def _late(self, pair: Pair, there: bool, instance: int, when: float) -> float:
        late = self.lateness(pair, there, instance, when)
        return self.delay if late is None else late

    def _next(self, now: float) -> float | None:
        """Seconds until a file will say something else, as far as is known now; None if never."""
        due = [
            when + self._late(pair, there, instance, when)
            for pair, changes in self._changes.items()
            for when, there in changes
            for instance in range(len(self.paths))
        ]
        coming = [moment - now for moment in due if moment > now and moment != float("inf")]
        return min(coming, default=None)

    def _write(self, instance: int, pairs: Pairs) -> None:
        self._written[instance] = pairs
        path = self.paths[instance]
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_text(association_document(pairs), encoding="utf-8")
        fresh.replace(path)
