"""Reading: one object, and lists page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi import errors, paging, tables
from migrator.lab.kubeapi.forms import METADATA, METADATA_LIST, TABLE, Form, form_of, written
from migrator.lab.kubeapi.selectors import Selection
from migrator.lab.kubeapi.wire import Response

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.kinds import Kind
    from migrator.lab.kubeapi.storage import ObjectKey, Record, Snapshot

    Item = tuple[ObjectKey, Record]
    Page = tuple[list[Record], dict[str, Any]]

Json = dict[str, Any]

_USUAL = Form()


def shown(kind: Kind, obj: Json) -> Json:
    """A stored object as this version of its kind; custom kinds may have several."""
    if obj.get("apiVersion") == kind.api_version:
        return obj
    return {**obj, "kind": kind.kind, "apiVersion": kind.api_version}


def partial(obj: Json) -> Json:
    """An object's metadata alone."""
    return {"kind": METADATA, "apiVersion": "meta.k8s.io/v1", "metadata": tables.bare_metadata(obj)}


def object_response(call: Call, obj: Json, status: int = 200) -> Response:
    """One object in the form the caller prefers."""
    form = form_of(call.request)
    if form.name == TABLE:
        table = tables.table(call.kind, [obj], obj["metadata"], call.request.param("includeObject"))
        return written(table, form, status)
    return written(partial(obj) if form.name == METADATA else shown(call.kind, obj), form, status)


class Reader:
    """Answers get and list."""

    def __init__(self, cluster: Cluster) -> None:
        self._store = cluster.store

    def get(self, call: Call) -> Response:
        """GET of one object.

        Raises:
            ApiError: 404.
        """
        paging.check_reached(paging.read_version(call.request.param("resourceVersion")), self._store.version)
        record = self._store.get(call.kind.key, call.namespace if call.kind.namespaced else "", call.name)
        if record is None:
            raise errors.not_found(call.kind, call.name)
        if form_of(call.request) == _USUAL and record.obj.get("apiVersion") == call.kind.api_version:
            return Response(200, record.encoded)
        return object_response(call, record.obj)

    def list(self, call: Call) -> Response:
        """GET of a collection.

        Raises:
            ApiError: 400 for selectors that make no sense, 410 for a page of a list no longer kept.
        """
        form = form_of(call.request)
        return list_response(call, form, *self.page(call))

    def page(self, call: Call) -> Page:
        """What a call selects, up to its limit, and what is said of the list.

        Raises:
            ApiError: 400 for selectors that make no sense, 410 for a page of a list no longer kept.
        """
        request = call.request
        asked = paging.read(call)
        selection = Selection(call.kind, request.param("labelSelector"), request.param("fieldSelector"))
        paging.check_reached(asked.least, self._store.version)
        snapshot = self._store.snapshot(call.kind.key, asked.version)
        if snapshot is None:
            raise paging.expired(asked)
        inside = _inside(call, snapshot, asked.after, selection)
        found, last = _page(inside, selection, asked.limit)
        metadata: Json = {"resourceVersion": str(snapshot.version)}
        if last < len(inside):
            metadata["continue"] = paging.token(snapshot.version, found[-1][0])
            if not selection:
                metadata["remainingItemCount"] = len(inside) - last
        return [record for _, record in found], metadata


def _inside(call: Call, snapshot: Snapshot, after: ObjectKey | None, selection: Selection) -> list[Item]:
    """What of a list is in the namespace, and comes after the last page."""
    items = snapshot.items
    if after is not None:
        items = [pair for pair in items if pair[0] > after]
    namespace = call.namespace if call.kind.namespaced else ""
    namespace = namespace or (selection.namespace if call.kind.namespaced else "")
    if namespace:
        items = [pair for pair in items if pair[0][0] == namespace]
    return items


def _page(items: list[Item], selection: Selection, limit: int) -> tuple[list[Item], int]:
    """What is selected, up to a limit, and how far the list was read: the server does not look for more than that."""
    if not limit:
        return ([pair for pair in items if selection.accepts(pair[1].obj)] if selection else items), len(items)
    found = []
    for number, pair in enumerate(items, start=1):
        if not selection or selection.accepts(pair[1].obj):
            found.append(pair)
        if len(found) == limit:
            return found, number
    return found, len(items)


def list_response(call: Call, form: Form, records: list[Record], metadata: Json) -> Response:
    """A list in the form the caller prefers."""
    kind = call.kind
    if form.name == TABLE:
        objects = [record.obj for record in records]
        return written(tables.table(kind, objects, metadata, call.request.param("includeObject")), form)
    if form.name in (METADATA, METADATA_LIST):
        items = [partial(record.obj) for record in records] or None
        body = {"kind": METADATA_LIST, "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items}
        return written(body, form)
    if kind.custom:
        metadata = {"continue": "", **metadata}
    head = msgspec.json.encode({"kind": kind.collection_kind, "apiVersion": kind.api_version, "metadata": metadata})
    joined = b",".join(_item(kind, record) for record in records)
    whole = head[:-1] + b',"items":[' + joined + b"]}\n"
    return written(msgspec.json.decode(whole), form) if form.yaml else Response(200, whole)


def _item(kind: Kind, record: Record) -> bytes:
    """An element of a list: built-in kinds leave out what the list says already."""
    if kind.custom:
        return msgspec.json.encode(shown(kind, record.obj))
    prefix = f'{{"kind":"{kind.kind}","apiVersion":"{kind.api_version}",'.encode()
    encoded = record.encoded
    return b"{" + encoded[len(prefix) :] if encoded.startswith(prefix) else encoded
