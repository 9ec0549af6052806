"""A loopback server that says exactly what a test tells it to: odd statuses, lost answers, refused tokens."""

import select
import socket
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from migrator.lab.certs import Authority


@dataclass(frozen=True)
class Asked:
    """One request; `port` is the client's, which tells connections apart."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    port: int


@dataclass(frozen=True)
class Said:
    """One answer; `lost` closes the connection instead of sending it."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False


@dataclass
class Server:
    """A running server; `answer` may be replaced at any time."""

    url: str
    ca_pem: str
    answer: Callable[[Asked], Said]
    asked: list[Asked] = field(default_factory=list)


class _Listener(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # who asked has gone: that is how a test wants it
            super().handle_error(request, client_address)


@contextmanager
def serving(answer: Callable[[Asked], Said], *, tls: bool = True) -> Iterator[Server]:
    """A server for the block."""
    authority = Authority("scripted")
    server = Server("", authority.ca_pem, answer)
    listener = _Listener(("127.0.0.1", 0), _handler(server))
    listener.daemon_threads = True
    if tls:
        listener.socket = _context(authority).wrap_socket(listener.socket, server_side=True)
    server.url = f"http{'s' if tls else ''}://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


@dataclass
class Proxy:
    """A running proxy for https; `heads` are the lines of each CONNECT."""

    url: str = ""
    heads: list[list[str]] = field(default_factory=list)


@contextmanager
def tunnelling() -> Iterator[Proxy]:
    """A proxy for the block, which lets one connection after the other through."""
    proxy = Proxy()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=_tunnel, args=(listener, proxy), daemon=True)
        thread.start()
        yield proxy
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _tunnel(listener: socket.socket, proxy: Proxy) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:  # shut down
            return
        with near, near.makefile("rb") as lines:
            head = [line.decode().strip() for line in iter(lines.readline, b"\r\n")]
            proxy.heads.append(head)
            host, _, port = head[0].split()[1].partition(":")
            with socket.create_connection((host, int(port))) as far:
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _pass_on(near, far)


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    other = {near: far, far: near}
    while True:
        readable, _, _ = select.select(list(other), [], [])
        for one in readable:
            data = one.recv(65536)
            if not data:
                return
            other[one].sendall(data)


def _context(authority: Authority) -> ssl.SSLContext:
    issued = authority.issue("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.write_text(issued.cert_pem + issued.key_pem)
        context.load_cert_chain(file)
    return context


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            url = urlsplit(self.path)
            headers = {key.lower(): value for key, value in self.headers.items()}
            asked = Asked(self.command, url.path, dict(parse_qsl(url.query)), headers, body, self.client_address[1])
            server.asked.append(asked)
            said = server.answer(asked)
            if said.lost:
                self.close_connection = True
                return
            self.send_response(said.status)
            for name, value in {"Content-Type": "application/json", **said.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - http.server dictates the names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server dictates the name
            del format, args

    return Handler
