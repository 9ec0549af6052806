"""Watching: a stream of changes, filtered by selectors, with bookmarks and an end."""

from __future__ import annotations

import queue
import random
import select
import time
from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi import errors, reads, tables
from migrator.lab.kubeapi.forms import METADATA, TABLE, form_of
from migrator.lab.kubeapi.selectors import Selection
from migrator.lab.kubeapi.wire import Response

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.storage import Event, Record

Json = dict[str, Any]

_DEFAULT_SECONDS = 1800
_BOOKMARK_SECONDS = 60.0
_LAST_BOOKMARK_BEFORE = 2.0
_LOOK_SECONDS = 1.0
_INITIAL_END = {"k8s.io/initial-events-end": "true"}


class WatchStream:
    """One watch, as an iterator of JSON lines."""

    def __init__(self, cluster: Cluster, call: Call, connection: socket.socket) -> None:
        request = call.request
        self._store = cluster.store
        self._call = call
        self._connection = connection
        self._form = form_of(request).name
        fields = request.param("fieldSelector")
        if call.name and not fields:
            fields = f"metadata.name={call.name}"
        self._selection = Selection(call.kind, request.param("labelSelector"), fields)
        self._bookmarks = request.flag("allowWatchBookmarks")
        self._initial = request.flag("sendInitialEvents")
        self._since = _version(request.param("resourceVersion"))
        wanted = request.param("timeoutSeconds")
        seconds = (
            int(wanted) if wanted.isdigit() and int(wanted) else random.randint(_DEFAULT_SECONDS, 2 * _DEFAULT_SECONDS)
        )
        self._ends = time.monotonic() + seconds
        self._first_table = True

    def response(self) -> Response:
        """The answer that streams it."""
        return Response(stream=self._lines())

    def _lines(self) -> Iterator[bytes]:
        kind = self._call.kind.key
        since = None if self._initial or not self._since else self._since
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
        next_bookmark = min(time.monotonic() + _BOOKMARK_SECONDS, self._ends - _LAST_BOOKMARK_BEFORE)
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
        elif before:
            yield self._rendered("DELETED", event.record)

    def _rendered(self, change: str, record: Record) -> bytes:
        kind = self._call.kind
        if self._form == TABLE:
            body = tables.table(kind, [record.obj], {}, self._call.request.param("includeObject"))
            if not self._first_table:
                body["columnDefinitions"] = None
            self._first_table = False
            return _line(change, body)
        if self._form == METADATA:
            return _line(change, reads.partial(record.obj))
        if record.obj.get("apiVersion") != kind.api_version:
            return _line(change, reads.shown(kind, record.obj))
        return b'{"type":"%b","object":%b}\n' % (change.encode(), record.encoded)

    def _bookmark(self, version: int, annotations: Json | None) -> bytes:
        kind = self._call.kind
        metadata: Json = {"resourceVersion": str(version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        return _line("BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata})


def _version(text: str) -> int | None:
    if text in ("", "0"):
        return None
    if not text.isdigit():
        raise errors.ApiError(
            400, "BadRequest", f'invalid resource version "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        )
    return int(text)


def _line(change: str, body: Json) -> bytes:
    return msgspec.json.encode({"type": change, "object": body}) + b"\n"
