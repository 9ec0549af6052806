"""HTTP/1.1 as an API server needs it: requests in, answers out, streams, and connections handed over.

``http.server`` parses headers with the mail parser, which costs more than the rest of a read. This reader is
small, keeps connections alive, and lets an upgrade take the raw socket.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

_MAX_LINE = 65_536
_MAX_HEADERS = 200
_GZIP_FROM = 128 * 1024
_FALSE = {"0", "false"}


class MalformedRequestError(Exception):
    """The bytes on the wire are no HTTP request."""


@dataclass
class Request:
    """One HTTP request, read whole."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    path: str = ""
    query: dict[str, list[str]] = field(default_factory=dict)
    raw_head: bytes = b""
    instance: int = 0

    def param(self, name: str, default: str = "") -> str:
        """A query parameter's first value."""
        return self.query.get(name, [default])[0]

    def flag(self, name: str) -> bool:
        """Whether a query parameter is switched on: all but two spellings say so."""
        return name in self.query and self.param(name).lower() not in _FALSE

    def header(self, name: str, default: str = "") -> str:
        """A header by its lower-case name."""
        return self.headers.get(name, default)


@dataclass
class Response:
    """One answer: a body, or a stream of chunks, or a function that takes over the connection."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None
    takeover: Callable[[socket.socket], None] | None = None


def json_response(body: Any, status: int = 200) -> Response:
    """An answer with a JSON body."""
    return Response(status, msgspec.json.encode(body) + b"\n")


def text_response(text: str, status: int = 200) -> Response:
    """An answer in plain text."""
    return Response(status, text.encode(), "text/plain; charset=utf-8")


def read_request(reader: BinaryIO, writer: socket.socket) -> Request | None:
    """The next request of a connection, or ``None`` when the client has closed it.

    Raises:
        MalformedRequestError: it is not HTTP.
    """
    line = reader.readline(_MAX_LINE)
    if not line.strip():
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3:
        raise MalformedRequestError("malformed request line")
    headers, raw = _read_headers(reader)
    if headers.get("expect", "").lower() == "100-continue":
        writer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    url = urlsplit(parts[1])
    return Request(
        parts[0],
        parts[1],
        headers,
        _read_body(reader, headers),
        unquote(url.path),
        parse_qs(url.query, keep_blank_values=True) if url.query else {},
        line + raw,
    )


def _read_headers(reader: BinaryIO) -> tuple[dict[str, str], bytes]:
    headers: dict[str, str] = {}
    raw = []
    for _ in range(_MAX_HEADERS):
        line = reader.readline(_MAX_LINE)
        raw.append(line)
        if line in (b"\r\n", b"\n", b""):
            return headers, b"".join(raw)
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise MalformedRequestError("malformed header")
        key = name.strip().lower()
        value = value.strip()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    raise MalformedRequestError("too many headers")


def _read_body(reader: BinaryIO, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return b"".join(_read_chunks(reader))
    try:
        length = int(headers.get("content-length") or 0)
    except ValueError as error:
        raise MalformedRequestError("malformed Content-Length") from error
    body = reader.read(length) if length else b""
    if headers.get("content-encoding", "").lower() == "gzip":
        return gzip.decompress(body)
    return body


def _read_chunks(reader: BinaryIO) -> Iterator[bytes]:
    while True:
        try:
            size = int(reader.readline(_MAX_LINE).split(b";")[0], 16)
        except ValueError as error:
            raise MalformedRequestError("malformed chunk") from error
        chunk = reader.read(size)
        reader.readline(_MAX_LINE)
        if not size:
            return
        yield chunk


def write_response(writer: socket.socket, request: Request, response: Response) -> None:
    """Send an answer that is not a takeover; a stream goes out in chunks as it comes."""
    named = {"Cache-Control": "no-cache, private", "Content-Type": response.content_type, **response.headers}
    head = [
        f"HTTP/1.1 {response.status} {_phrase(response.status)}",
        *(f"{name}: {value}" for name, value in named.items() if value),
    ]
    if response.stream is None:
        body = response.body
        if len(body) >= _GZIP_FROM and "gzip" in request.header("accept-encoding"):
            body = gzip.compress(body, compresslevel=1)
            head.append("Content-Encoding: gzip")
        head.append(f"Content-Length: {len(body)}")
        sent = b"" if request.method == "HEAD" else body
        writer.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + sent)
        return
    head.append("Transfer-Encoding: chunked")
    writer.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n")
    for chunk in response.stream:
        writer.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    writer.sendall(b"0\r\n\r\n")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
