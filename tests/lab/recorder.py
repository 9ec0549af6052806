"""A terminal of a given size, in memory: what somebody who runs `migrate` by hand has before their eyes at the end."""

import codecs
import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte

from tests.lab.harness import LIMIT, Fleet, command

_ROWS = 50
_KEPT = 1000  # lines scrolled out at the top


@dataclass(frozen=True)
class Recording:
    """A finished command: its exit code, every byte it wrote, and the screen with all that scrolled away above it."""

    exit: int
    raw: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The screen, without the emptiness at its end."""
        return "\n".join(self.lines).rstrip() + "\n"


def record(fleet: Fleet, width: int, arguments: Sequence[str], extra: Mapping[str, str] | None = None) -> Recording:
    """Runs `migrate` on a terminal that is `width` columns wide."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, width, 0, 0))
    environment = {**fleet.environment, "TERM": "xterm-256color", **(extra or {})}
    process = subprocess.Popen(
        command(arguments), env=environment, cwd=fleet.folder, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    raw = _everything(mine)
    return Recording(process.wait(LIMIT), raw, _shown(raw, width))


def _everything(terminal: int) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    parts: list[str] = []
    try:
        while data := os.read(terminal, 65536):
            parts.append(decoder.decode(data))
    except OSError:
        pass  # how Linux says that the last writer has closed a terminal
    finally:
        os.close(terminal)
    return "".join(parts)


def _shown(raw: str, width: int) -> tuple[str, ...]:
    screen = pyte.HistoryScreen(width, _ROWS, history=_KEPT)
    pyte.Stream(screen).feed(raw)
    above = ["".join(line[column].data for column in range(width)).rstrip() for line in screen.history.top]
    return (*above, *(line.rstrip() for line in screen.display))


def page(path: Path) -> str:
    """A kept recording."""
    return path.read_text(encoding="utf-8")
