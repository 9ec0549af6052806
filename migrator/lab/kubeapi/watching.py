"""Watching: a stream of changes, filtered by selectors, with bookmarks and an end."""

from __future__ import annotations

import math
import queue
import random
import select
import time
from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi import errors, list_options, paging, reads, schema, tables
from migrator.lab.kubeapi.calls import copy, number
from migrator.lab.kubeapi.defaults import TEMPLATE_GENERATION
from migrator.lab.kubeapi.forms import METADATA, METADATA_LIST, TABLE, form_of
from migrator.lab.kubeapi.selectors import Selection
from migrator.lab.kubeapi.storage import Record
from migrator.lab.kubeapi.wire import Response

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.storage import Event

Json = dict[str, Any]

_DEFAULT_SECONDS = 1800
_BOOKMARK_SECONDS = 60.0
_LAST_BOOKMARK_BEFORE = 2.0
_LOOK_SECONDS = 1.0
_INITIAL_END = {"k8s.io/initial-events-end": "true"}


# what an object has of which nothing is said on a real server, where fields are no pointers inside
_ZEROS: dict[str, Json] = {
    "deployments.apps": {"spec.replicas": 0},
    "replicasets.apps": {"spec.replicas": 0},
    "statefulsets.apps": {"spec.replicas": 0},
    "daemonsets.apps": {"metadata.annotations": {TEMPLATE_GENERATION: "0"}},
    "controllerrevisions.apps": {"data": None},
}


class WatchStream:
    """One watch, as an iterator of JSON lines."""

    def __init__(self, cluster: Cluster, call: Call, connection: socket.socket) -> None:
        request = call.request
        list_options.check(request, watch=True)
        self._store = cluster.store
        self._call = call
        self._connection = connection
        self._form = form_of(request).name
        fields = request.param("fieldSelector")
        if call.name and not fields:
            fields = f"metadata.name={call.name}"
        self._selection = Selection(call.kind, request.param("labelSelector"), fields)
        self._bookmarks = request.flag("allowWatchBookmarks")
        self._initial = request.flag("sendInitialEvents") if "sendInitialEvents" in request.query else None
        self._since = paging.read_version(request.param("resourceVersion"))
        seconds = number(request.param("timeoutSeconds")) or random.randint(_DEFAULT_SECONDS, 2 * _DEFAULT_SECONDS)
        self._ends = time.monotonic() + seconds
        self._first_table = True

    def response(self) -> Response:
        """The answer that streams it."""
        return Response(stream=self._lines())

    def _lines(self) -> Iterator[bytes]:
        kind = self._call.kind.key
        if self._form == METADATA_LIST:
            return  # it is taken for a watch, and then there is nothing to write in it
        since = None if self._initial else self._since
        if since is None and self._initial is False:
            since = self._store.version
        try:
            past, watcher, version = self._store.watch(kind, since)
        except LookupError as error:
            yield _line("ERROR", errors.gone(str(error.args[0])).status())
            return
        try:
            for event in past:
                yield from self._event(event)
            if self._initial and self._bookmarks:
                yield self._bookmark(version, _INITIAL_END)
            yield from self._follow(watcher, version)
        finally:
            self._store.unwatch(kind, watcher)

    def _follow(self, watcher: Any, version: int) -> Iterator[bytes]:
        begun, last = time.monotonic(), self._ends - _LAST_BOOKMARK_BEFORE
        # a watch that is shorter than that gets none
        next_bookmark = min(begun + _BOOKMARK_SECONDS, last) if last > begun else math.inf
        while (now := time.monotonic()) < self._ends:
            try:
                event = watcher.next(min(_LOOK_SECONDS, self._ends - now))
            except queue.Empty:
                if self._client_left():
                    return
                if self._bookmarks and time.monotonic() >= next_bookmark:
                    # between changes the store's version may have moved on; all up to it has been seen
                    yield self._bookmark(version, None)
                    next_bookmark = time.monotonic() + _BOOKMARK_SECONDS
                continue
            if event is None:
                return
            version = max(version, event.version)
            yield from self._event(event)

    def _client_left(self) -> bool:
        """A client that watches has nothing more to say: readable means closed."""
        readable, _, _ = select.select([self._connection], [], [], 0)
        return bool(readable)

    def _event(self, event: Event) -> Iterator[bytes]:
        namespace = self._call.namespace if self._call.kind.namespaced else ""
        if namespace and event.key[0] != namespace:
            return
        if not self._selection:
            yield self._rendered(event.type, event.record)
            return
        now = event.type != "DELETED" and self._selection.accepts(event.record.obj)
        before = event.before is not None and self._selection.accepts(event.before.obj)
        if now:
            yield self._rendered("MODIFIED" if before else "ADDED", event.record)
        elif before and event.before is not None:
            yield self._rendered("DELETED", event.record if event.type == "DELETED" else _left(event.before, event))

    def _rendered(self, change: str, record: Record) -> bytes:
        plain = not self._form and record.obj.get("apiVersion") == self._call.kind.api_version
        if plain:
            return b'{"type":"%b","object":%b}\n' % (change.encode(), record.encoded)
        return _line(change, self._formed(record.obj))

    def _formed(self, obj: Json) -> Json:
        if self._form == METADATA:
            return reads.partial(obj)
        if self._form != TABLE:
            return reads.shown(self._call.kind, obj)
        body = tables.table(self._call.kind, [obj], obj["metadata"], self._call.request.param("includeObject"))
        body["rows"][0].setdefault("object", None)
        if not self._first_table:
            body["columnDefinitions"] = None
        self._first_table = False
        return body

    def _bookmark(self, version: int, annotations: Json | None) -> bytes:
        """An object of which nothing is said but a version."""
        kind = self._call.kind
        metadata: Json = {"resourceVersion": str(version)}
        obj = {"kind": kind.kind, "apiVersion": kind.api_version, **schema.unset(kind)}
        for place, zero in _ZEROS.get(kind.qualified, {}).items():
            above, _, name = place.rpartition(".")
            (obj[above] if above else obj)[name] = copy({"": zero})[""]
        metadata["annotations"] = {**obj["metadata"].get("annotations", {}), **(annotations or {})}
        obj["metadata"] = {key: value for key, value in metadata.items() if value}
        return _line("BOOKMARK", self._formed(obj))


def _left(before: Record, event: Event) -> Record:
    """What is no longer selected, as it was while it was."""
    metadata = {**before.obj["metadata"], "resourceVersion": str(event.version)}
    return Record({**before.obj, "metadata": metadata}, event.version)


def _line(change: str, body: Json) -> bytes:
    return msgspec.json.encode({"type": change, "object": body}) + b"\n"
