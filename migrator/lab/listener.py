"""A small threaded HTTP or HTTPS server on 127.0.0.1 that can be stopped while connections are open.

The webhook, the kubelet port and the pod identity agents listen through it; the port comes from the kernel.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

Respond = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One HTTP connection; every request on it is handed to the server's `respond`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Hand the request on, whatever its method."""
        self.server.respond(self)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET  # noqa: N815  http.server's names

    def read_body(self) -> bytes:
        """The whole request body."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def refuse(self, status: int, text: str) -> None:
        """Refuse as the servers do that stand behind this in earnest, all of them written in Go: as plain text."""
        self.reply(status, f"{text}\n", **{"X-Content-Type-Options": "nosniff"})

    def reply(
        self, status: int, body: bytes | str, content_type: str = "text/plain; charset=utf-8", **headers: str
    ) -> None:
        """Answer at once with a complete body."""
        data = body.encode() if isinstance(body, str) else body
        self.send_response_only(status)
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Stay silent: callers keep their own records."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, respond: Respond, tls: ssl.SSLContext | None) -> None:
        self.respond = respond
        self._tls = tls
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Exchange)

    def finish_request(self, request: socket.socket | tuple[bytes, socket.socket], client: object) -> None:
        """Serve one connection in its own thread; the TLS handshake happens here, not in the accept loop."""
        if not isinstance(request, socket.socket):
            raise TypeError("a stream server was handed a datagram")
        connection = request
        with self._lock:
            self._open[request] = threading.current_thread()
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
                with self._lock:
                    self._open[connection] = self._open.pop(request)
                connection.do_handshake()
            Exchange(connection, client, self)
        except OSError:
            return  # the peer went away, or `close_all` did its work
        finally:
            with self._lock:
                self._open.pop(request, None)
                self._open.pop(connection, None)
            connection.close()

    def close_all(self) -> None:
        """Break every open connection and wait for its thread."""
        with self._lock:
            connections = dict(self._open)
        for connection, thread in connections.items():
            try:
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                continue  # closed by its own thread meanwhile
            finally:
                if thread is not threading.current_thread():
                    thread.join(2)


class Listener:
    """Listens from `start()` to `stop()`; the port is known from the beginning."""

    def __init__(self, respond: Respond, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server(respond, tls)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and break open connections; harmless when never started or called twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.close_all()
