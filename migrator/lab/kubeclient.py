"""A thin raw-JSON client of the public Kubernetes API, for the lab's own parts only.

It knows nothing of our fake server, so everything built on it also works against a real kube-apiserver.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlencode, urlsplit

import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

Json = dict[str, Any]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"

_PLURALS = {
    "Endpoints": "endpoints",
    "NetworkPolicy": "networkpolicies",
    "Ingress": "ingresses",
    "IngressClass": "ingressclasses",
    "PriorityClass": "priorityclasses",
    "RuntimeClass": "runtimeclasses",
    "StorageClass": "storageclasses",
}


class KubeError(Exception):
    """An answer of the API server that is not a success.

    Attributes:
        status: HTTP status.
        reason: reason of the Status object, such as `NotFound` or `AlreadyExists`.
        message: its text.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


def resource_path(
    api_version: str,
    plural: str,
    namespace: str | None = None,
    name: str | None = None,
    subresource: str | None = None,
) -> str:
    """The URL path of a collection, an object or one of its subresources."""
    parts = ["/api" if "/" not in api_version else "/apis", api_version]
    if namespace is not None:
        parts += ["namespaces", quote(namespace, safe="")]
    parts.append(plural)
    parts += [quote(part, safe="") for part in (name, subresource) if part is not None]
    return "/".join(parts)


def plural_of(kind: str) -> str:
    """The resource name of a built-in kind: `Deployment` is `deployments`."""
    return _PLURALS.get(kind, kind.lower() + "s")


def collection_of(document: Mapping[str, Any]) -> str:
    """The path to which a manifest of a built-in kind is posted."""
    return resource_path(document["apiVersion"], plural_of(document["kind"]), document["metadata"].get("namespace"))


def path_of(document: Mapping[str, Any]) -> str:
    """The path of the object that a manifest of a built-in kind describes."""
    return collection_of(document) + "/" + quote(document["metadata"]["name"], safe="")


class Watch:
    """One open watch: iterate over its events; `close()` from any thread ends the iteration."""

    def __init__(self, connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> None:
        self._connection = connection
        try:
            connection.request("GET", path, headers=dict(headers))
            self._socket: socket.socket = connection.sock
            self._response = connection.getresponse()
        except BaseException:
            connection.close()  # a server that went down in between
            raise
        self.closed = False
        if self._response.status != 200:
            error = _error(self._response.status, self._response.read())
            connection.close()
            raise error

    def __iter__(self) -> Iterator[Json]:
        """Yield events until the server or `close()` ends the stream."""
        try:
            while line := self._response.readline():
                if line.strip():
                    yield json.loads(line)
        except (OSError, ValueError, http.client.HTTPException):
            if not self.closed:
                raise
        finally:
            self._response.close()
            self._connection.close()

    def close(self) -> None:
        """End the stream; a reader blocked in it wakes up."""
        self.closed = True
        try:
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            return  # already gone, which is what was asked for


class KubeClient:
    """Calls one API server with one bearer token; safe to share between threads."""

    def __init__(self, url: str, ca_pem: str, token: str, *, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._timeout = timeout
        parts = urlsplit(self.url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._tls: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._tls = ssl.create_default_context(cadata=ca_pem or None)
        self._pool = urllib3.PoolManager(
            num_pools=2, maxsize=16, retries=False, ssl_context=self._tls, timeout=urllib3.Timeout(timeout)
        )
        self._watches: set[Watch] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every pooled connection and every watch."""
        with self._lock:
            watches = list(self._watches)
        for watch in watches:
            watch.close()
        self._pool.clear()

    def get(self, path: str, **query: Any) -> Json:
        """Read one object, or one page of a list."""
        return self.request("GET", path, query=query)

    def find(self, path: str) -> Json | None:
        """Read one object; None when it does not exist."""
        try:
            return self.get(path)
        except KubeError as error:
            if error.status != 404:
                raise
            return None

    def list(self, path: str, **query: Any) -> Json:
        """Read a whole collection, following `continue`; the answer is the list document."""
        query.setdefault("limit", 500)
        page = self.get(path, **query)
        items = list(page.get("items") or [])
        while token := page["metadata"].get("continue"):
            page = self.get(path, **{**query, "continue": token})
            items += page.get("items") or []
        return {**page, "items": items}

    def create(self, path: str, body: Mapping[str, Any], **query: Any) -> Json:
        """POST an object to its collection (or a body to a subresource)."""
        return self.request("POST", path, body, query=query)

    def create_object(self, document: Mapping[str, Any], **query: Any) -> Json:
        """Create a manifest of a built-in kind where it says it belongs."""
        return self.create(collection_of(document), document, **query)

    def replace(self, path: str, body: Mapping[str, Any], **query: Any) -> Json:
        """PUT an object; its resourceVersion, if given, must be the current one."""
        return self.request("PUT", path, body, query=query)

    def patch(self, path: str, body: Any, content_type: str = MERGE, **query: Any) -> Json:
        """PATCH an object; a merge patch unless told otherwise."""
        return self.request("PATCH", path, body, query=query, content_type=content_type)

    def delete(self, path: str, options: Mapping[str, Any] | None = None, **query: Any) -> Json:
        """DELETE an object, optionally with DeleteOptions."""
        return self.request("DELETE", path, options, query=query)

    def watch(self, path: str, resource_version: str, **query: Any) -> Watch:
        """Open a watch on a collection from a version on; the caller iterates and closes it."""
        query = {"watch": "true", "resourceVersion": resource_version, "allowWatchBookmarks": "true", **query}
        watch = Watch(self._connection(), path + _query(query), self._headers)
        with self._lock:
            self._watches = {known for known in self._watches if not known.closed} | {watch}
        return watch

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """Make one call; raise `KubeError` unless it succeeds."""
        headers = dict(self._headers)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = content_type
        for attempt in (1, 2):
            try:
                answer = self._pool.request(method, self.url + path + _query(query or {}), body=data, headers=headers)
                break
            except (urllib3.exceptions.ProtocolError, urllib3.exceptions.SSLError):
                # a keep-alive connection that the server had closed; a read can simply be made again
                if method != "GET" or attempt == 2:
                    raise
        if answer.status >= 400:
            raise _error(answer.status, answer.data)
        document: Json = json.loads(answer.data) if answer.data else {}
        return document

    def _connection(self) -> http.client.HTTPConnection:
        """A connection of its own for one watch: no read timeout, closed with the watch."""
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port)
        else:
            connection = http.client.HTTPSConnection(self._host, self._port, context=self._tls)
        connection.timeout = self._timeout
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        connection.sock.settimeout(None)
        return connection


def _query(query: Mapping[str, Any]) -> str:
    pairs = {key: _text(value) for key, value in query.items() if value is not None}
    return "?" + urlencode(pairs) if pairs else ""


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error(status: int, data: bytes) -> KubeError:
    try:
        document = json.loads(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return KubeError(status, "Unknown", data.decode(errors="replace")[:300])
    return KubeError(status, document.get("reason") or "Unknown", document.get("message") or "")
