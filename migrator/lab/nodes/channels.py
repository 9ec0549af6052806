"""The server's side of a Kubernetes exec websocket: channels of bytes in both directions.

One lock guards the TLS socket, because two threads may not read and write one at the same time.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import queue
import select
import ssl
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from migrator.lab.listener import Exchange

_LOG = logging.getLogger(__name__)
STDIN, STDOUT, STDERR, ERROR = 0, 1, 2, 3
_CLOSE_CHANNEL = 255
_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _CLOSE, _PING, _PONG, _BINARY = 0, 8, 9, 10, 2
_PIECE = 32_768
_WRITE_SECONDS = 30.0


def choose_protocol(exchange: Exchange) -> str | None:
    """The subprotocol to speak; None when the request is no websocket we can serve."""
    if exchange.headers.get("Upgrade", "").lower() != "websocket" or not exchange.headers.get("Sec-WebSocket-Key"):
        return None
    offered = exchange.headers.get("Sec-WebSocket-Protocol", "")
    names = [name.strip() for name in offered.split(",") if name.strip()]
    return next((name for name in _PROTOCOLS if name in names), None if names else _PROTOCOLS[1])


class Channels:
    """An upgraded connection; input arrives in a thread of its own."""

    def __init__(self, exchange: Exchange, protocol: str) -> None:
        self._socket: socket.socket = exchange.connection
        self._lock = threading.Lock()
        self._stdin: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._buffer = b""
        self._finished = False
        self.gone = threading.Event()
        digest = hashlib.sha1((exchange.headers["Sec-WebSocket-Key"] + _MAGIC).encode(), usedforsecurity=False)
        accept = base64.b64encode(digest.digest()).decode()
        self._write(
            (
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
            ).encode()
        )
        exchange.close_connection = True
        self._reader = threading.Thread(target=self._receive, daemon=True, name="exec input")
        self._reader.start()

    def send(self, channel: int, data: bytes) -> None:
        """Send bytes on a channel; nothing happens once the peer is gone."""
        for start in range(0, len(data), _PIECE):
            self._frame(_BINARY, bytes([channel]) + data[start : start + _PIECE])

    def stdin(self) -> bytes:
        """The next piece of standard input, once there is one; empty at its end."""
        piece = self._stdin.get()
        if not piece:
            self._stdin.put(b"")
        return piece

    def finish(self) -> None:
        """Say goodbye, give the peer a moment to do so too, and stop reading."""
        self._frame(_CLOSE, struct.pack(">H", 1000))
        self.gone.wait(1)
        self._finished = True
        self._reader.join(2)

    def _receive(self) -> None:
        try:
            while not self._finished and (piece := self._read()) != b"":
                self._buffer += piece or b""
                while (frame := self._next_frame()) is not None:
                    self._take(*frame)
        except (OSError, EOFError) as error:
            _LOG.debug("exec input ended: %s", error)
        self._stdin.put(b"")
        self.gone.set()

    def _read(self) -> bytes | None:
        """Whatever has arrived; None if nothing has, empty at the end."""
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
        if not pending and not select.select([self._socket], [], [], 0.2)[0]:
            return None
        with self._lock:
            self._socket.settimeout(0)
            try:
                return self._socket.recv(65_536)
            except (ssl.SSLWantReadError, BlockingIOError):
                return None

    def _next_frame(self) -> tuple[int, bytes] | None:
        """The next complete frame, taken off the buffer."""
        if len(self._buffer) < 2:
            return None
        length, start = self._buffer[1] & 127, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(self._buffer) < start:
                return None
            length = int.from_bytes(self._buffer[2:start], "big")
        mask = b"\0\0\0\0"
        if self._buffer[1] & 128:
            mask, start = self._buffer[start : start + 4], start + 4
        if len(self._buffer) < start + length or len(mask) < 4:
            return None
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self._buffer[start : start + length]))
        opcode, self._buffer = self._buffer[0] & 15, self._buffer[start + length :]
        return opcode, payload

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _CLOSE:
            raise EOFError("closed by the peer")
        if opcode == _PING:
            self._frame(_PONG, payload)
        elif opcode not in (_PONG, _CONTINUATION) and payload:
            if payload[0] == STDIN and len(payload) > 1:
                self._stdin.put(payload[1:])
            elif payload[0] == _CLOSE_CHANNEL and payload[1:2] == bytes([STDIN]):
                self._stdin.put(b"")

    def _frame(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = struct.pack(">BB", 0x80 | opcode, size)
        elif size < 65_536:
            head = struct.pack(">BBH", 0x80 | opcode, 126, size)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 127, size)
        if not self.gone.is_set():
            self._write(head + payload)

    def _write(self, data: bytes) -> None:
        with self._lock:
            self._socket.settimeout(_WRITE_SECONDS)
            self._socket.sendall(data)
