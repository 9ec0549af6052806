"""The versioned store and its watchers: what etcd and the watch cache are to a real API server.

Stored objects are never changed in place: a write puts a new object there, so a reader needs no copy and
a list stays as it was while it is being read page by page.
"""

from __future__ import annotations

import queue
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]
KindKey = tuple[str, str]
ObjectKey = tuple[str, str]

_HISTORY = 20_000


class Record:
    """One version of one object, with its JSON text made once."""

    __slots__ = ("_encoded", "obj", "version")

    def __init__(self, obj: Json, version: int) -> None:
        self.obj = obj
        self.version = version
        self._encoded: bytes | None = None

    @property
    def encoded(self) -> bytes:
        """The object as JSON."""
        if self._encoded is None:
            self._encoded = msgspec.json.encode(self.obj)
        return self._encoded


@dataclass(frozen=True)
class Event:
    """One change: the record after it (for a deletion: the last one) and the record before."""

    type: str
    version: int
    key: ObjectKey
    record: Record
    before: Record | None


class Watcher:
    """A subscription to the changes of one kind."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    def put(self, event: Event | None) -> None:
        """Hand over one change; ``None`` ends the watch."""
        self._queue.put(event)

    def next(self, seconds: float) -> Event | None:
        """The next change, or ``None`` at the end of the watch.

        Raises:
            queue.Empty: nothing happened in that time.
        """
        return self._queue.get(timeout=seconds)


@dataclass(frozen=True)
class Snapshot:
    """A list as it was at one version."""

    version: int
    items: list[tuple[ObjectKey, Record]]


class Store:
    """All objects of one cluster."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._version = 1
        self._objects: dict[KindKey, dict[ObjectKey, Record]] = defaultdict(dict)
        self._sorted: dict[KindKey, list[tuple[ObjectKey, Record]]] = {}
        self._history: dict[KindKey, deque[Event]] = defaultdict(lambda: deque(maxlen=_HISTORY))
        self._forgotten: dict[KindKey, int] = {}
        self._watchers: dict[KindKey, list[Watcher]] = defaultdict(list)
        self._listeners: list[Callable[[KindKey, Event], None]] = []
        self._closed = False

    @property
    def version(self) -> int:
        """The version of the newest write."""
        return self._version

    def listen(self, callback: Callable[[KindKey, Event], None]) -> None:
        """Call back on each change, under the lock; the callback must be quick and write nothing."""
        self._listeners.append(callback)

    def get(self, kind: KindKey, namespace: str, name: str) -> Record | None:
        """The object of that name, if there."""
        return self._objects[kind].get((namespace, name))

    def snapshot(self, kind: KindKey, version: int | None = None) -> Snapshot | None:
        """The list of a kind in key order: now, or as it was at a version; nothing if that is forgotten."""
        with self.lock:
            if version is not None and version < self._forgotten.get(kind, 0):
                return None
            items = self._sorted.get(kind)
            if items is None:
                items = self._sorted[kind] = sorted(self._objects[kind].items(), key=lambda pair: pair[0])
            if version is None or version >= self._version:
                return Snapshot(self._version, items)
            return Snapshot(version, self._undone(kind, version, items))

    def _undone(
        self, kind: KindKey, version: int, items: list[tuple[ObjectKey, Record]]
    ) -> list[tuple[ObjectKey, Record]]:
        """The list without what happened after a version."""
        found = dict(items)
        for event in reversed(self._history[kind]):
            if event.version <= version:
                break
            if event.before is None:
                del found[event.key]
            else:
                found[event.key] = event.before
        return sorted(found.items(), key=lambda pair: pair[0])

    def records(self, kind: KindKey, namespace: str = "") -> Iterator[Record]:
        """All objects of a kind, or those of one namespace."""
        snapshot = self.snapshot(kind)
        for (found, _), record in snapshot.items if snapshot else ():
            if not namespace or found == namespace:
                yield record

    def put(self, kind: KindKey, obj: Json) -> Record:
        """Store an object, new or changed; gives it its ``resourceVersion``. Call with the lock held."""
        metadata = obj["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        with self.lock:
            before = self._objects[kind].get(key)
            self._version += 1
            metadata["resourceVersion"] = str(self._version)
            record = Record(obj, self._version)
            self._objects[kind][key] = record
            change = "ADDED" if before is None else "MODIFIED"
            self._publish(kind, Event(change, self._version, key, record, before))
            return record

    def remove(self, kind: KindKey, key: ObjectKey) -> Record:
        """Take an object out; answers its last state, which carries the version of the deletion.

        Raises:
            KeyError: it is not there.
        """
        with self.lock:
            before = self._objects[kind].pop(key)
            self._version += 1
            last = {**before.obj, "metadata": {**before.obj["metadata"], "resourceVersion": str(self._version)}}
            record = Record(last, self._version)
            self._publish(kind, Event("DELETED", self._version, key, record, before))
            return record

    def watch(self, kind: KindKey, since: int | None) -> tuple[list[Event], Watcher, int]:
        """Subscribe: what happened after a version (or what is there now), and the changes to come.

        Raises:
            LookupError: the version is older than the history kept.
        """
        with self.lock:
            if since is None:
                snapshot = self.snapshot(kind)
                items = snapshot.items if snapshot else []
                past = [Event("ADDED", record.version, key, record, None) for key, record in items]
            else:
                oldest = self._forgotten.get(kind, 0)
                if since < oldest:
                    raise LookupError(f"too old resource version: {since} ({oldest})")
                past = [event for event in self._history[kind] if event.version > since]
            watcher = Watcher()
            if self._closed:
                watcher.put(None)
            self._watchers[kind].append(watcher)
            return past, watcher, self._version

    def unwatch(self, kind: KindKey, watcher: Watcher) -> None:
        """End a subscription."""
        with self.lock:
            if watcher in self._watchers[kind]:
                self._watchers[kind].remove(watcher)

    def forget_history(self) -> None:
        """Drop the history, as compaction does: watches from before now get 410, old pages too."""
        with self.lock:
            self._version += 1
            for kind in list(self._objects):
                self._history[kind].clear()
                self._forgotten[kind] = self._version

    def close(self) -> None:
        """End all watches."""
        with self.lock:
            self._closed = True
            for watchers in self._watchers.values():
                for watcher in watchers:
                    watcher.put(None)

    def _publish(self, kind: KindKey, event: Event) -> None:
        self._sorted.pop(kind, None)
        history = self._history[kind]
        if len(history) == _HISTORY:
            self._forgotten[kind] = history[0].version
        history.append(event)
        for watcher in self._watchers[kind]:
            watcher.put(event)
        for listener in self._listeners:
            listener(kind, event)
