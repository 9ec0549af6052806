"""Ctrl-C and SIGTERM: the first asks the run to stop at its next checkpoint, a Ctrl-C after that stops it at once."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

_WATCHED = (signal.SIGINT, signal.SIGTERM)


def say_on_stderr(text: str) -> None:
    """Writes past Python's buffers: a signal handler may run in the middle of another write."""
    with suppress(OSError):  # nobody reads it; the stop is asked for all the same
        os.write(2, f"\n{text}\n".encode())


class Signals:
    """A context manager that is also the `Interrupt` port: calling it gives the signal asked for, or None.

    Handlers are put in on entry and the former ones put back on exit. Use it from the main thread.
    """

    def __init__(self, wake: threading.Event, say: Callable[[str], None] = say_on_stderr) -> None:
        self._wake = wake
        self._say = say
        self._asked: int | None = None
        self._former: dict[int, Any] = {}

    def __call__(self) -> int | None:
        """The first signal that came, or None."""
        return self._asked

    def __enter__(self) -> Self:
        for number in _WATCHED:
            self._former[number] = signal.signal(number, self.handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """The handler.

        Raises:
            KeyboardInterrupt: Ctrl-C, after a stop was asked for already.
        """
        if self._asked is not None:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        self._asked = number
        self._wake.set()
        name = signal.Signals(number).name
        self._say(f"{name}: stopping at the next checkpoint; Ctrl-C stops at once, and the same command resumes")
