"""Reading: one object, a list page by page, and the forms an answer may take (object, metadata only, table)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi import errors, tables
from migrator.lab.kubeapi.selectors import Selection
from migrator.lab.kubeapi.wire import Response, json_response

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.kinds import Kind
    from migrator.lab.kubeapi.storage import ObjectKey, Record, Snapshot

Json = dict[str, Any]

PLAIN = ""
TABLE = "Table"
METADATA = "PartialObjectMetadata"
METADATA_LIST = "PartialObjectMetadataList"
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter."
)


def form_of(call: Call) -> str:
    """The form of answer that the caller prefers among those spoken here.

    Raises:
        ApiError: 406, none of them is.
    """
    accept = call.request.header("accept")
    if not accept:
        return PLAIN
    for part in accept.split(","):
        media, *parameters = [p.strip() for p in part.split(";")]
        form = next((p[3:] for p in parameters if p.startswith("as=")), PLAIN)
        if media in ("application/json", "*/*", "application/*") and form in (PLAIN, TABLE, METADATA, METADATA_LIST):
            return form
    if any(media in accept for media in ("yaml", "text/html", "octet-stream", "text/plain")):
        return PLAIN
    raise errors.ApiError(
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json",
        {},
    )


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
    form = form_of(call)
    if form == TABLE:
        return json_response(
            tables.table(call.kind, [obj], obj["metadata"], call.request.param("includeObject")), status
        )
    if form == METADATA:
        return json_response(partial(obj), status)
    return json_response(shown(call.kind, obj), status)


class Reader:
    """Answers get and list."""

    def __init__(self, cluster: Cluster) -> None:
        self._store = cluster.store

    def get(self, call: Call) -> Response:
        """GET of one object.

        Raises:
            ApiError: 404.
        """
        record = self._store.get(call.kind.key, call.namespace if call.kind.namespaced else "", call.name)
        if record is None:
            raise errors.not_found(call.kind, call.name)
        if form_of(call) == PLAIN and record.obj.get("apiVersion") == call.kind.api_version:
            return Response(200, record.encoded)
        return object_response(call, record.obj)

    def list(self, call: Call) -> Response:
        """GET of a collection.

        Raises:
            ApiError: 400 for selectors that make no sense, 410 for a page of a list no longer kept.
        """
        request = call.request
        form = form_of(call)
        selection = Selection(call.kind, request.param("labelSelector"), request.param("fieldSelector"))
        snapshot, start = self._snapshot(call)
        found = _selected(call, snapshot, start, selection)
        limit = _number(request.param("limit"))
        metadata: Json = {"resourceVersion": str(snapshot.version)}
        if limit and len(found) > limit:
            rest = len(found) - limit
            found = found[:limit]
            self._store.keep(call.kind.key, snapshot)
            metadata["continue"] = _continue_token(snapshot.version, found[-1][0])
            if not selection:
                metadata["remainingItemCount"] = rest
        return _list_response(call, form, [record for _, record in found], metadata)

    def _snapshot(self, call: Call) -> tuple[Snapshot, ObjectKey | None]:
        token = call.request.param("continue")
        if not token:
            snapshot = self._store.snapshot(call.kind.key)
            start = None
        else:
            version, start = _read_token(token)
            snapshot = self._store.snapshot(call.kind.key, version)
        if snapshot is None:
            raise errors.gone(_TOO_OLD)
        return snapshot, start


def _selected(
    call: Call, snapshot: Snapshot, start: ObjectKey | None, selection: Selection
) -> list[tuple[ObjectKey, Record]]:
    items = snapshot.items
    if start is not None:
        items = [pair for pair in items if pair[0] > start]
    namespace = call.namespace if call.kind.namespaced else ""
    namespace = namespace or (selection.namespace if call.kind.namespaced else "")
    if namespace:
        items = [pair for pair in items if pair[0][0] == namespace]
    if call.name:
        items = [pair for pair in items if pair[0][1] == call.name]
    if selection:
        items = [pair for pair in items if selection.accepts(pair[1].obj)]
    return items


def _list_response(call: Call, form: str, records: list[Record], metadata: Json) -> Response:
    kind = call.kind
    if form == TABLE:
        objects = [record.obj for record in records]
        return json_response(tables.table(kind, objects, metadata, call.request.param("includeObject")))
    if form in (METADATA, METADATA_LIST):
        items = [partial(record.obj) for record in records]
        body = {"kind": METADATA_LIST, "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items}
        return json_response(body)
    head = msgspec.json.encode({"kind": kind.collection_kind, "apiVersion": kind.api_version, "metadata": metadata})
    joined = b",".join(_item(kind, record) for record in records)
    return Response(200, head[:-1] + b',"items":[' + joined + b"]}\n")


def _item(kind: Kind, record: Record) -> bytes:
    """An element of a list: built-in kinds leave out what the list says already."""
    if kind.custom:
        return msgspec.json.encode(shown(kind, record.obj))
    prefix = f'{{"kind":"{kind.kind}","apiVersion":"{kind.api_version}",'.encode()
    encoded = record.encoded
    return b"{" + encoded[len(prefix) :] if encoded.startswith(prefix) else encoded


def _continue_token(version: int, key: ObjectKey) -> str:
    content = {"v": "meta.k8s.io/v1", "rv": version, "start": "/".join(key) + "\x00"}
    return base64.urlsafe_b64encode(msgspec.json.encode(content)).rstrip(b"=").decode()


def _read_token(token: str) -> tuple[int, ObjectKey]:
    try:
        content = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = content["start"].rstrip("\x00").partition("/")
        return int(content["rv"]), (namespace, name)
    except (ValueError, KeyError, TypeError, AttributeError, msgspec.DecodeError) as error:
        raise errors.bad_request(f"continue key is not valid: {error}") from error


def _number(text: str) -> int:
    try:
        return int(text or 0)
    except ValueError as error:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error
