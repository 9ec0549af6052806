"""Free ports of 127.0.0.1 for programs that must be told theirs."""

import socket
from collections.abc import Callable

from migrator.lab.record import LabError

_TAKEN = "address already in use"
_ATTEMPTS = 5


def free_port() -> int:
    """A port that nobody has right now; somebody else may be given it before it is used."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def on_free_ports(start: Callable[[], None], stop: Callable[[], None]) -> None:
    """Starts something that picks ports of its own, again where somebody else was faster.

    Raises:
        LabError: it does not start, for another reason or for ever.
    """
    for left in range(_ATTEMPTS - 1, -1, -1):
        try:
            start()
        except LabError as error:
            stop()
            if _TAKEN not in str(error) or not left:
                raise
        else:
            return
