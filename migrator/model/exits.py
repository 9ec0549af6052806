"""The one table of exit codes; the docs page is generated from it."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Self


class Exit(IntEnum):
    """What the process says to cron when it ends; `meaning` is the sentence for people."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Builds the member and hangs its sentence on it."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    @property
    def label(self) -> str:
        """Its name as results, logs and metrics have it."""
        return self.name.lower().replace("_", "-")

    DONE = 0, "done; nothing left of what was asked"
    ERROR = 1, "an error of the environment or of ours; nothing half-recorded"
    USAGE = 2, "wrong usage, unreadable fleet or plan file"
    UNFINISHED = 3, "not finished: more to do in a later run (window or budget ended, verification pending)"
    BLOCKED = 4, "blocked: a finding or a failed gate needs a person"
    LOCKED = 5, "locked by another runner (who, since when)"
    DRIFT = 6, "drift: the live state is neither before nor after; plan again"
    ROLLED_BACK = 7, "failed, and rolled back"
    STRANDED = 8, "failed, and the way back failed too: a person, now"
    INTERRUPTED = 130, "interrupted at a checkpoint by Ctrl-C; the same command resumes"
    TERMINATED = 143, "interrupted at a checkpoint by SIGTERM; the same command resumes"


_GRAVITY = (
    Exit.STRANDED,
    Exit.TERMINATED,
    Exit.INTERRUPTED,
    Exit.ROLLED_BACK,
    Exit.DRIFT,
    Exit.BLOCKED,
    Exit.LOCKED,
    Exit.ERROR,
    Exit.USAGE,
    Exit.UNFINISHED,
)  # the gravest first


def worst(exits: Iterable[Exit]) -> Exit:
    """The code that a command over several services ends with: the gravest of theirs, DONE when there are none."""
    seen = set(exits)
    return next((code for code in _GRAVITY if code in seen), Exit.DONE)
