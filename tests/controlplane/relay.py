"""A way to a server that counts the connections made through it, and passes everything on."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_PIECE = 65536
_HERE = "127.0.0.1"


@dataclass
class Relay:
    """A port of 127.0.0.1; `connections` were made to it until now."""

    port: int
    connections: int = 0
    open: dict[socket.socket, threading.Thread] = field(default_factory=dict)


@contextmanager
def relayed(port: int) -> Iterator[Relay]:
    """A relay to a port of 127.0.0.1 for the block; what is still connected then is cut off."""
    with socket.create_server((_HERE, 0)) as listener:
        relay = Relay(listener.getsockname()[1])
        accepting = threading.Thread(target=_accept, args=(listener, relay, port))
        accepting.start()
        yield relay
        _shut(listener)
        accepting.join()
    for near, thread in relay.open.items():
        _shut(near)
        thread.join()


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it was closed meanwhile, which is what is wanted
        one.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, relay: Relay, port: int) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:  # shut down
            return
        relay.connections += 1
        thread = threading.Thread(target=_serve, args=(near, port))
        relay.open[near] = thread
        thread.start()


def _serve(near: socket.socket, port: int) -> None:
    with near, socket.create_connection((_HERE, port)) as far:
        other = {near: far, far: near}
        with contextlib.suppress(ConnectionError):  # either side was reset
            while True:
                readable, _, _ = select.select(list(other), [], [])
                for one in readable:
                    data = one.recv(_PIECE)
                    if not data:
                        return
                    other[one].sendall(data)
