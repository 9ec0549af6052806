"""What a result looks like before anybody decides where it goes: lines, tables, a diff. Plain frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Tone(StrEnum):
    """What a piece of text means; a terminal turns it into colour, everything else ignores it."""

    PLAIN = "plain"
    HEAD = "head"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    FAINT = "faint"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; empty text is an empty line. `whole` is never folded by us: a command to be copied."""

    text: str = ""
    tone: Tone = Tone.PLAIN
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title, and the tones of the cells that hold certain texts."""

    title: str
    tones: Mapping[str, Tone] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text, one cell per column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """The lines of a unified diff, without newlines."""

    lines: tuple[str, ...]


Block = Line | Table | Diff

VERDICT_TONES: Mapping[str, Tone] = {
    "ready": Tone.GOOD,
    "attention": Tone.WARN,
    "hold": Tone.WARN,
    "blocked": Tone.BAD,
    "unreadable": Tone.BAD,
}
SEVERITY_TONES: Mapping[str, Tone] = {"block": Tone.BAD, "warn": Tone.WARN, "info": Tone.FAINT}
STANDING_TONES: Mapping[str, Tone] = {
    "planned": Tone.PLAIN,
    "running": Tone.WARN,
    "interrupted": Tone.WARN,
    "waiting": Tone.WARN,
    "migrated": Tone.GOOD,
    "rolled-back": Tone.WARN,
    "failed": Tone.BAD,
    "stranded": Tone.BAD,
}
IDENTITY_TONES: Mapping[str, Tone] = {
    "pod-identity": Tone.GOOD,
    "irsa": Tone.GOOD,
    "both": Tone.WARN,
    "mixed": Tone.WARN,
    "none": Tone.BAD,
    "no-pods": Tone.WARN,
}


def head(text: str) -> tuple[Line, Line]:
    """A heading with the empty line before it."""
    return Line(), Line(text, Tone.HEAD)
