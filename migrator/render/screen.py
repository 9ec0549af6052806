"""Draws blocks: with colour and width on a terminal, as plain full text everywhere else.

rich is imported for a terminal only: a pipe, a file and cron pay nothing for it.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from migrator.render.blocks import Block, Diff, Line, Table, Tone
from migrator.render.stacked import across, stacked, widths

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

_GAP = re.compile(r"^ +| {2,}")
_READABLE = 30  # columns in which running text can still be read
MOST_ROWS = 1000  # a longer table is written as plain lines: laying it out costs more than it shows

STYLES: Mapping[Tone, str] = {
    Tone.PLAIN: "",
    Tone.HEAD: "bold",
    Tone.GOOD: "green",
    Tone.WARN: "yellow",
    Tone.BAD: "bold red",
    Tone.FAINT: "dim",
}


def lively(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether colour and a live display are welcome: a terminal that is not dumb, and no NO_COLOR."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def draw(blocks: Iterable[Block], stream: TextIO, *, colour: bool, width: int | None = None) -> None:
    """Writes `blocks` to `stream`.

    Args:
        blocks: what to draw, in order.
        stream: where to.
        colour: draw for a terminal; else plain lines, nothing cut, nothing folded.
        width: columns of the terminal, when it is not to be asked.
    """
    if not colour:
        stream.writelines(f"{line}\n" for line in plain(blocks))
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it

    console = Console(file=stream, force_terminal=True, width=width, highlight=False, emoji=False, markup=False)
    for block in blocks:
        _draw_one(console, block)


def plain(blocks: Iterable[Block]) -> Iterator[str]:
    """The blocks as lines of text without colour, boxes or truncation."""
    for block in blocks:
        if isinstance(block, Line):
            yield block.text
        elif isinstance(block, Diff):
            yield from block.lines
        else:
            yield from _columns(block)


def _columns(table: Table) -> Iterator[str]:
    rows = [tuple(column.title.upper() for column in table.columns), *table.rows]
    widths = [max(len(row[position]) for row in rows) for position in range(len(table.columns))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _draw_one(console: "Console", block: Block) -> None:
    from rich.text import Text  # noqa: PLC0415 - only a terminal pays for it

    if isinstance(block, Line):
        lines = [block.text] if block.whole else folded(block.text, console.width)
        for line in lines:
            console.print(Text(line, style=STYLES[block.tone]), soft_wrap=True)
    elif isinstance(block, Diff):
        for line in block.lines:
            console.print(Text(line, style=STYLES[_diff_tone(line)]), soft_wrap=True)
    elif len(block.rows) > MOST_ROWS:
        for text in _columns(block):
            console.file.write(f"{text}\n")
    else:
        _draw_table(console, block)


def _draw_table(console: "Console", table: Table) -> None:
    """As a table if it fits, with its widest column folded if need be; else each row on several lines."""
    from rich.text import Text  # noqa: PLC0415 - only a terminal pays for it

    needed = widths(table)
    widest = needed.index(max(needed))
    rest = [*needed[:widest], min(needed[widest], _READABLE), *needed[widest + 1 :]]
    if across(rest, gap=3) + 2 <= console.width:  # with the margins of a table
        console.print(_rich_table(table, folded=widest))
        return
    console.print()
    for line in stacked(table, console.width):
        console.print(Text.assemble(*((text, STYLES[tone]) for text, tone in line)), soft_wrap=True)
    console.print()


def folded(text: str, width: int) -> list[str]:
    """The text as lines of at most `width` columns, broken between words, under the column that its words began in.

    A word longer than that is left whole: a terminal folds it, and a copy of it is still one word.
    """
    if len(text) <= width:
        return [text]
    indent = " " * min(_begins(text), width // 2)
    return textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


def _begins(text: str) -> int:
    """Where the running text of a line begins: behind its indentation, or behind the last gap of two spaces or more."""
    gaps = [found.end() for found in _GAP.finditer(text)]
    return gaps[-1] if gaps else 0


def _rich_table(table: Table, folded: int) -> "RichTable":
    from rich import box  # noqa: PLC0415 - only a terminal pays for it
    from rich.table import Table as RichTable  # noqa: PLC0415 - only a terminal pays for it
    from rich.text import Text  # noqa: PLC0415 - only a terminal pays for it

    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style=STYLES[Tone.HEAD])
    for position, column in enumerate(table.columns):
        drawn.add_column(column.title, overflow="fold", no_wrap=position != folded)
    for row in table.rows:
        pairs = zip(row, table.columns, strict=True)
        cells: list[Any] = [Text(cell, style=STYLES[column.tones.get(cell, Tone.PLAIN)]) for cell, column in pairs]
        drawn.add_row(*cells)
    return drawn


def _diff_tone(line: str) -> Tone:
    if line.startswith(("---", "+++")):
        return Tone.HEAD
    return {"+": Tone.GOOD, "-": Tone.BAD, "@": Tone.FAINT}.get(line[:1], Tone.PLAIN)
