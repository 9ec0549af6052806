"""stdout and stderr as the program has them: writing there never fails, so that no reader of them stops a migration.

What cannot be written is lost, and so is all after it. That a result was lost is told once, when the command ends.
"""

import io
import os
import sys

TYPE_CHECKING = False  # as `typing` has it, whose import would be most of what "migrate --version" takes
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class Outlet:
    """A stream that takes whatever is written, and remembers why it could not be handed on."""

    def __init__(self, stream: "Any", faults: "list[Exception] | None" = None) -> None:
        self._stream = stream
        self._faults: list[Exception] = [] if faults is None else faults
        self._told = False

    def __getattr__(self, name: str) -> "Any":
        """Everything else is the stream's own."""
        return getattr(self._stream, name)

    @property
    def buffer(self) -> "Outlet":
        """The same stream for bytes."""
        return Outlet(self._stream.buffer, self._faults)

    @property
    def lost(self) -> bool:
        """Whether nothing gets through any more."""
        return bool(self._faults)

    def write(self, data: "Any") -> int:
        """Writes text, or bytes if the stream takes those."""
        self._try(self._stream.write, data)
        return len(data)

    def writelines(self, lines: "Iterable[Any]") -> None:
        """One after the other: an error in making a line is nobody's here."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hands over what was kept back."""
        self._try(self._stream.flush)

    def why(self) -> str:
        """What was in the way, told once; nothing where the reader has gone, who wants to hear no more."""
        if self._told or not self._faults or isinstance(self._faults[0], BrokenPipeError):
            return ""
        self._told = True
        return str(getattr(self._faults[0], "strerror", None) or self._faults[0])

    def _try(self, method: "Callable[..., Any]", *given: "Any") -> None:
        if self._faults:
            return
        try:
            method(*given)
        except (OSError, ValueError) as error:  # the latter where it was closed
            self._faults.append(error)
            self._let_go()

    def _let_go(self) -> None:
        """What is still buffered goes nowhere, so that the interpreter's own flush at its end is quiet too."""
        try:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - pathlib is not imported for so little
                os.dup2(nowhere.fileno(), self._stream.fileno())
        except (OSError, ValueError):
            return  # no real file behind it, as in tests


def guard() -> None:
    """Puts outlets in the place of Python's own streams; one that was closed before we began leads nowhere.

    Such a one must be opened: its number would be given to the next file, and what is said would be written there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - open until the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that cannot show an arrow stops no migration
    sys.stdout = Outlet(sys.stdout)
    sys.stderr = Outlet(sys.stderr)


def unwritten() -> str:
    """Why the result did not get to stdout, as a sentence that is said once; empty if it did."""
    sys.stdout.flush()
    why = sys.stdout.why() if isinstance(sys.stdout, Outlet) else ""
    return f"the result could not be written to stdout: {why}" if why else ""


def unseen() -> bool:
    """Whether nothing written to stdout gets anywhere any more."""
    return isinstance(sys.stdout, Outlet) and sys.stdout.lost
