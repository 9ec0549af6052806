"""Ctrl-C and SIGTERM: the first asks the run to stop at its next checkpoint, a Ctrl-C after that stops it at once."""

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

from migrator.cli.options import Common, LogFormat
from migrator.cli.run import hint
from migrator.render.writing import write_line

_WATCHED = (signal.SIGINT, signal.SIGTERM)


def say_on_stderr(text: str) -> None:
    """Writes past Python's buffers: a signal handler may run in the middle of another write."""
    with suppress(OSError):  # nobody reads it; the stop is asked for all the same
        os.write(2, f"\n{text}\n".encode())


def say_as_json(text: str) -> None:
    """The same as a line of the JSON log, which must not come into another one: it waits for its turn, in a thread.

    A bare thread: the handler may have come while the locks are held that `threading` starts its own ones under.
    """
    line = hint(text, json_lines=True, event="signal").rstrip("\n")
    with suppress(RuntimeError):  # no thread is to be had; the stop is asked for all the same
        _thread.start_new_thread(write_line, (sys.stderr, line))


def saying(common: Common) -> Callable[[str], None]:
    """How a signal is told in the form of log that was asked for."""
    return say_as_json if common.log_format is LogFormat.JSON else say_on_stderr


class Signals:
    """A context manager that is also the `Interrupt` port: calling it gives the signal asked for, or None.

    Handlers are put in on entry and the former ones put back on exit. Use it from the main thread.
    """

    def __init__(self, wake: threading.Event, say: Callable[[str], None]) -> None:
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
