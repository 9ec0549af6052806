"""Tables that are wider than the terminal: columns that do not fit go on below their row, whole and indented."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from migrator.render.blocks import Table, Tone

Cells = list[tuple[str, Tone]]
_GAP, _INDENT = 2, 4
_NOTHING = frozenset({"", "-"})


def widths(table: Table) -> list[int]:
    """What each column needs not to be folded."""
    return [
        max(len(column.title), *(len(row[position]) for row in table.rows))
        for position, column in enumerate(table.columns)
    ]


def across(needed: Sequence[int], gap: int = _GAP) -> int:
    """What columns so wide need beside each other."""
    return sum(needed) + gap * (len(needed) - 1)


def stacked(table: Table, width: int) -> Iterator[Cells]:
    """The lines of the table, each as texts with their tones; what says nothing has no line below its row."""
    needed = widths(table)
    shares = list(_shares(needed, width))
    titles = [column.title for column in table.columns]
    for share in shares:
        yield from _lines([(titles[position], Tone.HEAD) for position in share], share, needed, width)
    yield [("─" * width, Tone.HEAD)]
    for row in table.rows:
        cells = [(cell, column.tones.get(cell, Tone.PLAIN)) for cell, column in zip(row, table.columns, strict=True)]
        for share in shares:
            told = [cells[position] for position in share]
            if 0 in share or any(text not in _NOTHING for text, _ in told):
                yield from _lines(told, share, needed, width)


def _shares(needed: Sequence[int], width: int) -> Iterator[list[int]]:
    """Which columns go on which line."""
    share: list[int] = []
    for position in range(len(needed)):
        room = width - (0 if 0 in share or position == 0 else _INDENT)
        if share and across([needed[one] for one in (*share, position)]) > room:
            yield share
            share = []
        share.append(position)
    yield share


def _lines(told: Cells, share: Sequence[int], needed: Sequence[int], width: int) -> Iterator[Cells]:
    indent = "" if 0 in share else " " * _INDENT
    if len(told) == 1:
        ((text, tone),) = told
        for line in _folded(text, width - len(indent)):
            yield [(indent + line, tone)]
        return
    padded = [text.ljust(needed[position] + _GAP) for (text, _), position in zip(told, share, strict=True)]
    padded[-1] = padded[-1].rstrip()
    yield [(indent, Tone.PLAIN), *((text, tone) for text, (_, tone) in zip(padded, told, strict=True))]


def _folded(text: str, width: int) -> Iterable[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
