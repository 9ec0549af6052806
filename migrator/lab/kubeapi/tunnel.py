"""Handing an exec over to the node: the upgraded connection is piped both ways and not understood here."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.kinds import NODE, POD
from migrator.lab.kubeapi.pod_parts import container_of
from migrator.lab.kubeapi.wire import Response

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_CONNECT_SECONDS = 10.0
_LOOK_SECONDS = 1.0
_CHUNK = 65_536
_STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
_OWN_HEADERS = {"host", "authorization", "content-length", "accept-encoding"}


def exec_response(cluster: Cluster, call: Call, pod: Json) -> Response:
    """The answer that turns this connection into one to the pod's node.

    Raises:
        ApiError: 400 for a container that is not there or a request that is no upgrade, 409/500 without a node.
    """
    container = container_of(call, pod)
    host, port = _kubelet(cluster, pod)
    if "upgrade" not in call.request.header("connection").lower():
        raise errors.bad_request("Upgrade request required")
    path = _path(call, container)
    try:
        node = _connect(host, port)
    except OSError as error:
        text = f"error dialing backend: dial tcp {host}:{port}: {error}"
        raise errors.ApiError(500, "", text) from error

    def takeover(client: socket.socket) -> None:
        with node:
            node.sendall(_head(call, path, f"{host}:{port}"))
            _pipe(client, node)

    return Response(takeover=takeover)


def _kubelet(cluster: Cluster, pod: Json) -> tuple[str, int]:
    name = (pod.get("spec") or {}).get("nodeName")
    if not name:
        raise errors.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    record = cluster.store.get(NODE.key, "", name)
    if record is None:
        raise errors.not_found(POD, name)  # sic: a real server says so of a node
    status = record.obj.get("status") or {}
    addresses = {a["type"]: a["address"] for a in status.get("addresses") or ()}
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port")
    if "InternalIP" not in addresses or not port:
        raise errors.ApiError(500, "InternalError", f"Internal error occurred: node {name} has no kubelet address")
    return addresses["InternalIP"], int(port)


def _path(call: Call, container: str) -> str:
    query = call.request.query
    asked = [("command", command) for command in query.get("command", [])]
    asked += [(theirs, "1") for ours, theirs in _STREAMS.items() if call.request.flag(ours)]
    asked += [("port", port) for port in query.get("ports", [])]
    verb = {"portforward": "portForward"}.get(call.subresource, call.subresource)
    place = f"/{verb}/{call.namespace}/{call.name}"
    if verb != "portForward":
        place += f"/{container}"
    return f"{place}?{urlencode(asked)}"


def _connect(host: str, port: int) -> ssl.SSLSocket:
    # as on a real server by default, a node's serving certificate is not checked
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    raw = socket.create_connection((host, port), timeout=_CONNECT_SECONDS)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    secure = context.wrap_socket(raw, server_hostname=host)
    secure.settimeout(None)
    return secure


def _head(call: Call, path: str, host: str) -> bytes:
    lines = [f"{call.request.method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in call.request.headers.items() if name not in _OWN_HEADERS]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def _pipe(client: socket.socket, node: ssl.SSLSocket) -> None:
    """Carry bytes both ways until one side closes."""
    pairs: dict[socket.socket, socket.socket] = {client: node, node: client}
    while True:
        waiting: list[socket.socket] = [s for s in pairs if isinstance(s, ssl.SSLSocket) and s.pending()]
        if not waiting:
            waiting, _, _ = select.select(list(pairs), [], [], _LOOK_SECONDS)
        for source in waiting:
            try:
                data = source.recv(_CHUNK)
            except OSError:
                data = b""
            if not data:
                with contextlib.suppress(OSError):
                    pairs[source].shutdown(socket.SHUT_RDWR)
                return
            pairs[source].sendall(data)
