"""The socket side: a threaded HTTP/1.1 server on the loopback address that can be stopped for good."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from migrator.lab.aws.wire import HttpAnswer, HttpRequest

Answerer = Callable[[HttpRequest], HttpAnswer]


class _Handler(BaseHTTPRequestHandler):
    """Reads whole requests and writes whole answers; what they mean is the answerer's affair."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: LoopbackServer

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        http = HttpRequest(self.command, path, query, headers, self._body(headers))
        self._send(self.server.answerer(http))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve  # noqa: N815 - http.server dictates the names

    def handle_expect_100(self) -> bool:
        """Tells the client to send its body at once: written through, as answers are buffered here."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        return self.rfile.read(int(headers.get("content-length") or 0))

    def _chunks(self) -> bytes:
        found = []
        while size := int(self.rfile.readline().partition(b";")[0].strip() or b"0", 16):
            found.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return b"".join(found)

    def _send(self, answer: HttpAnswer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        bodiless = answer.status in (204, 304) or self.command == "HEAD"
        if "content-length" not in answer.headers and answer.status not in (204, 304):
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if not bodiless:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Says nothing: the call log is the log."""


class LoopbackServer(ThreadingHTTPServer):
    """One listening socket on 127.0.0.1, and the connections it has open."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = False

    def __init__(self, answerer: Answerer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answerer = answerer
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._serving: set[threading.Thread] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="aws-front", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Begins to answer, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the port and every connection, and waits for their threads."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        with self._guard:
            for connection in self._open:
                _shut(connection)
            serving = list(self._serving)
        for thread in serving:
            thread.join()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serves a connection in a thread of its own, and remembers both, so that `stop` can end them."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._guard:
            self._open.add(request)
            self._serving = {one for one in self._serving if one.is_alive()} | {thread}
            thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Forgets the connection."""
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up mid-request is its own affair; the connection is closed either way."""


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        connection.close()
