"""``ApiServer``: one cluster's API on one TLS port of 127.0.0.1."""

from __future__ import annotations

import contextlib
import itertools
import logging
import secrets
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from migrator.lab.certs import Authority, server_context
from migrator.lab.kubeapi import errors, forms, wire
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.cluster import Cluster
from migrator.lab.kubeapi.defaults import set_defaults
from migrator.lab.kubeapi.hooks import ConnectionClosedError, Hooks
from migrator.lab.kubeapi.router import Router
from migrator.lab.kubeapi.tokens import ADMIN, OWN, User

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)
_HANDSHAKE_SECONDS = 15.0
_STOP_SECONDS = 5.0
_BACKLOG = 256


class ApiServer:
    """A Kubernetes API server that keeps everything in memory.

    It acts as several instances of one server: each new connection reaches the next, and webhooks are told which.
    """

    def __init__(
        self,
        name: str,
        issuer: str,
        authenticate: Callable[[str], User | None] | None = None,
        *,
        authority: Authority | None = None,
        version: str = "1.33",
        instances: int = 1,
    ) -> None:
        self.name = name
        self.admin_token = secrets.token_urlsafe(24)
        self.own_token = secrets.token_urlsafe(24)
        self._authority = authority or Authority(name)
        self._context = server_context(self._authority.issue("127.0.0.1"))
        tokens = {self.admin_token: ADMIN, self.own_token: OWN}
        self.cluster = Cluster(name, issuer, self.ca_pem, tokens, authenticate)
        self.cluster.version = version
        self._router = Router(self.cluster)
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._port = 0
        self._instances = itertools.cycle(range(instances))

    @property
    def ca_pem(self) -> str:
        """The certificate of the authority that signed this server's, PEM."""
        return self._authority.ca_pem

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def hooks(self) -> Hooks:
        """What is called on every authorised call."""
        return self.cluster.hooks

    def jwks(self) -> dict[str, Any]:
        """The public keys of the ServiceAccount token issuer."""
        return self.cluster.tokens.jwks()

    def place(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Store an object past all checks, for states a server of today lets nobody create any more.

        A webhook with side effects, left from the time of an older server, is one.

        Raises:
            KeyError: the object's kind is not served.
        """
        kind = self.cluster.kinds.by_kind(obj["apiVersion"], obj["kind"])
        if kind is None:
            raise KeyError(obj["kind"])
        placed = copy(obj)
        set_defaults(kind, placed)
        return self.cluster.put_new(kind, placed)

    def forget_history(self) -> None:
        """Do what compaction does: watches and pages from before now are answered 410."""
        self.cluster.store.forget_history()

    def start(self, port: int = 0) -> None:
        """Listen (on a port of the kernel's choice unless one is given) and begin to answer."""
        listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
        self._listener = listener
        self._port = listener.getsockname()[1]
        self.cluster.url = self.url
        self.cluster.start()
        self._acceptor = threading.Thread(
            target=self._accept, args=(listener,), name=f"kubeapi-{self.name}", daemon=True
        )
        self._acceptor.start()

    def stop(self) -> None:
        """Close everything and wait for the threads."""
        self._stopping.set()
        if self._listener is not None:
            # shutdown wakes a thread that waits in accept; close alone does not
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self.cluster.stop()
        if self._acceptor is not None:
            self._acceptor.join(_STOP_SECONDS)
        with self._lock:
            open_connections = list(self._connections.items())
        for connection, _ in open_connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in open_connections:
            thread.join(_STOP_SECONDS)
        self.cluster.admission.close()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(
                target=self._serve, args=(connection,), name=f"kubeapi-{self.name}-connection", daemon=True
            )
            with self._lock:
                self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(_HANDSHAKE_SECONDS)
            secure = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            with self._lock:
                self._connections[secure] = self._connections.pop(connection)
            connection = secure
            secure.do_handshake()
            secure.settimeout(None)
            self._converse(secure)
        except (OSError, wire.MalformedRequestError, ConnectionClosedError) as error:
            # clients go away in the middle of things; that is their right
            _log.debug("connection to %s ended: %s", self.name, error)
        finally:
            with self._lock:
                self._connections.pop(connection, None)
            connection.close()

    def _converse(self, connection: ssl.SSLSocket) -> None:
        with self._lock:
            instance = next(self._instances)
        with connection.makefile("rb", buffering=65_536) as file:
            reader = cast("BinaryIO", file)
            while not self._stopping.is_set():
                request = wire.read_request(reader, connection)
                if request is None:
                    return
                request.instance = instance
                response = self._answer(request, connection)
                if response.takeover is not None:
                    response.takeover(connection)
                    return
                wire.write_response(connection, request, response)
                if request.header("connection").lower() == "close":
                    return

    def _answer(self, request: wire.Request, connection: socket.socket) -> wire.Response:
        try:
            return self._router.answer(request, connection)
        except errors.ApiError as error:
            return forms.refusal(error, request)
        except errors.PageNotFoundError:
            page = wire.text_response("404 page not found\n", 404)
            page.headers.update(errors.NO_SNIFFING)
            return page
        except ConnectionClosedError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
            _log.exception("request failed: %s %s", request.method, request.path)
            problem = errors.ApiError(500, "InternalError", f"Internal error occurred: {error!r}", {})
            return wire.json_response(problem.status(), 500)
