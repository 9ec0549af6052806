"""One process inside a container, as the commands see it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]


@dataclass
class Process:
    """What a command may use.

    Attributes:
        pod: the pod.
        container: its container.
        env: the environment, a copy of the process's own.
        read: reads a file of the container.
        names: lists a folder of the container.
        aws: runs the `aws` command.
        stdin: the next piece of standard input; empty at its end.
        out: writes to standard output.
        err: writes to standard error.
        cancelled: set when the caller has gone away.
    """

    pod: Json
    container: Json
    env: dict[str, str]
    read: Callable[[str], bytes]
    names: Callable[[str], list[str]]
    aws: Callable[[Process, list[str]], int]
    stdin: Callable[[], bytes]
    out: Callable[[bytes], None]
    err: Callable[[bytes], None]
    cancelled: threading.Event = field(default_factory=threading.Event)

    def print(self, text: str) -> None:
        """Write a line to standard output."""
        self.out(text.encode() + b"\n")

    def complain(self, text: str) -> None:
        """Write a line to standard error."""
        self.err(text.encode() + b"\n")

    def child(self, **changes: Any) -> Process:
        """A process started by this one, with an environment of its own."""
        return replace(self, **{"env": dict(self.env), **changes})
