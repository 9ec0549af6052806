"""A local copy of one Kubernetes collection, kept fresh by list and watch."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING

import urllib3

from migrator.lab.kubeclient import Json, KubeClient, KubeError, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LOG = logging.getLogger(__name__)
_REMEMBERED_DELETIONS = 5000
_FAILURES = (KubeError, OSError, ValueError, urllib3.exceptions.HTTPError)
Key = tuple[str, str]


def key_of(document: Json) -> Key:
    """Namespace and name; the namespace is empty for what lives outside one."""
    return document["metadata"].get("namespace", ""), document["metadata"]["name"]


def _no_index(_document: Json) -> Iterable[str]:
    return ()


class Informer:
    """Lists a collection, watches it, and lists again when the watch's history is gone.

    `changed(document, gone)` is called after the copy has changed, from the informer's own thread.
    Objects handed out are shared: callers must not change them.
    """

    def __init__(
        self,
        kube: KubeClient,
        path: str,
        changed: Callable[[Json, bool], None] | None = None,
        index: Callable[[Json], Iterable[str]] = _no_index,
        **query: str,
    ) -> None:
        self._kube, self._path, self._query = kube, path, query
        self._changed = changed
        self._index_of = index
        self._objects: dict[Key, Json] = {}
        self._index: dict[str, set[Key]] = defaultdict(set)
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.RLock()
        self._synced = threading.Event()
        self._stopping = threading.Event()
        self._watch: Watch | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"informer {path}")

    def start(self) -> None:
        """Begin to follow the collection."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following it; the copy stays as it is."""
        self._stopping.set()
        watch = self._watch
        if watch is not None:
            watch.close()
        if self._thread.is_alive():
            self._thread.join(5)

    def wait_synced(self, seconds: float = 30.0) -> bool:
        """Wait for the first complete list."""
        return self._synced.wait(seconds)

    def get(self, namespace: str, name: str) -> Json | None:
        """One object, or None."""
        with self._lock:
            return self._objects.get((namespace, name))

    def all(self) -> list[Json]:
        """Every object, in no particular order."""
        with self._lock:
            return list(self._objects.values())

    def having(self, entry: str) -> list[Json]:
        """The objects for which the index function gave this entry."""
        with self._lock:
            return [self._objects[key] for key in sorted(self._index.get(entry, ()))]

    def observe(self, document: Json) -> None:
        """Take over an object as a write just returned it, ahead of the watch."""
        with self._lock:
            known = self._objects.get(key_of(document))
            if document["metadata"]["uid"] not in self._gone and _newer(document, known):
                self._store(document)

    def _run(self) -> None:
        delay = 0.05
        while not self._stopping.is_set():
            try:
                self._follow(self._relist())
                delay = 0.05
            except _FAILURES as error:
                if not self._stopping.is_set():
                    _LOG.debug("watch of %s interrupted: %s", self._path, error)
                self._stopping.wait(delay)
                delay = min(delay * 2, 2.0)

    def _relist(self) -> str:
        page = self._kube.list(self._path, **self._query)
        # items of a list come without their type, events of a watch with it
        typed = {"apiVersion": page["apiVersion"], "kind": page["kind"].removesuffix("List")}
        listed = {key_of(document): {**typed, **document} for document in page["items"]}
        with self._lock:
            missing = [document for key, document in self._objects.items() if key not in listed]
        for document in missing:
            self._remove(document)
        for document in listed.values():
            self._take(document)
        self._synced.set()
        version: str = page["metadata"]["resourceVersion"]
        return version

    def _follow(self, version: str) -> None:
        """Watch until the server says the version is too old, or an error ends it."""
        while not self._stopping.is_set():
            watch = self._kube.watch(self._path, version, **self._query)
            self._watch = watch
            if self._stopping.is_set():
                watch.close()
            for event in watch:
                document = event["object"]
                if event["type"] == "ERROR":
                    return
                version = document["metadata"]["resourceVersion"]
                if event["type"] == "DELETED":
                    self._remove(document)
                elif event["type"] != "BOOKMARK":
                    self._take(document)

    def _take(self, document: Json) -> None:
        with self._lock:
            if _newer(document, self._objects.get(key_of(document))):
                self._store(document)
        # told even when `observe` was first: the change is news to whoever did not make it
        self._tell(document, gone=False)

    def _remove(self, document: Json) -> None:
        with self._lock:
            self._gone[document["metadata"]["uid"]] = None
            if len(self._gone) > _REMEMBERED_DELETIONS:
                self._gone.popitem(last=False)
            known = self._objects.get(key_of(document))
            if known and known["metadata"]["uid"] == document["metadata"]["uid"]:
                self._unindex(known)
                del self._objects[key_of(document)]
        self._tell(document, gone=True)

    def _store(self, document: Json) -> None:
        key = key_of(document)
        if key in self._objects:
            self._unindex(self._objects[key])
        self._objects[key] = document
        for entry in self._index_of(document):
            self._index[entry].add(key)

    def _unindex(self, document: Json) -> None:
        key = key_of(document)
        for entry in self._index_of(document):
            self._index[entry].discard(key)
            if not self._index[entry]:
                del self._index[entry]

    def _tell(self, document: Json, *, gone: bool) -> None:
        if self._changed is not None:
            self._changed(document, gone)


def _newer(document: Json, known: Json | None) -> bool:
    """Whether a version is later than the known one; versions of one server compare as integers."""
    if known is None:
        return True
    return int(document["metadata"]["resourceVersion"]) > int(known["metadata"]["resourceVersion"])
