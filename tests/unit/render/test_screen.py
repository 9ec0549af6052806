"""Drawing: plain text in full where nobody looks, colour and width where somebody does."""

import io
import re

import pytest

from migrator.render.blocks import VERDICT_TONES, Block, Column, Diff, Line, Table, Tone
from migrator.render.screen import MOST_ROWS, draw, folded, lively

ARN = "arn:aws:iam::111122223333:role/teams/payments/a-rather-long-role-name-that-does-not-fit-anywhere"
BLOCKS: list[Block] = [
    Line("services", Tone.HEAD),
    Table(
        (Column("service"), Column("verdict", VERDICT_TONES), Column("role")),
        (("prod/shop/orders", "ready", ARN), ("prod/shop/checkout-api", "blocked", "[red]x[/red]")),
    ),
    Diff(("--- before", "+++ after", "@@ -1 +1 @@", "-old", "+new", " same")),
]
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def drawn(blocks: list[Block], *, colour: bool, width: int | None = None) -> str:
    out = io.StringIO()
    draw(blocks, out, colour=colour, width=width)
    return out.getvalue()


def test_plain_has_everything_in_columns() -> None:
    assert drawn(BLOCKS, colour=False) == (
        "services\n"
        "SERVICE                 VERDICT  ROLE\n"
        f"prod/shop/orders        ready    {ARN}\n"
        "prod/shop/checkout-api  blocked  [red]x[/red]\n"
        "--- before\n+++ after\n@@ -1 +1 @@\n-old\n+new\n same\n"
    )


@pytest.mark.parametrize("width", [80, 160])
def test_a_terminal_gets_colour_and_its_own_width(width: int) -> None:
    text = drawn(BLOCKS, colour=True, width=width)
    bare = _ESCAPES.sub("", text)

    assert text != bare
    assert max(map(len, bare.splitlines())) <= width
    assert "[red]x[/red]" in bare  # nobody's name is taken for markup


@pytest.mark.parametrize("width", [40, 80, 160])
def test_nothing_is_cut_however_narrow(width: int) -> None:
    table = Table((Column("role"),), ((ARN,),))
    letters = "".join(_ESCAPES.sub("", drawn([table], colour=True, width=width)).split())

    assert ARN in letters


@pytest.mark.parametrize("width", [30, 60])
def test_no_cell_is_folded_but_those_of_the_widest_column(width: int) -> None:
    table = Table((Column("service"), Column("role")), (("prod/shop/orders-api", ARN),))

    assert "prod/shop/orders-api" in drawn([table], colour=True, width=width)


def test_columns_that_do_not_fit_go_on_below_their_row() -> None:
    columns = (Column("service"), Column("standing"), Column("since"), Column("by"), Column("note"))
    rows = (
        (
            "prod/shop/orders",
            "rolled-back",
            "2026-01-01 10:00:00",
            "ann",
            "failed (gate) and rolled back: 2 pods on irsa",
        ),
        ("prod/shop/a", "planned", "-", "-", ""),
    )
    text = _ESCAPES.sub("", drawn([Table(columns, rows)], colour=True, width=34))

    assert text.splitlines() == [
        "",
        "service           standing",
        "    since                by",
        "    note",
        "─" * 34,
        "prod/shop/orders  rolled-back",
        "    2026-01-01 10:00:00  ann",
        "    failed (gate) and rolled back:",
        "    2 pods on irsa",
        "prod/shop/a       planned",
        "",
    ]


@pytest.mark.parametrize(("rows", "boxed"), [(MOST_ROWS, True), (MOST_ROWS + 1, False)])
def test_a_long_table_becomes_plain_lines(rows: int, *, boxed: bool) -> None:
    table = Table((Column("number"), Column("word")), tuple((str(number), "word") for number in range(rows)))
    text = drawn([table], colour=True, width=80)

    assert ("─" in text) is boxed
    assert text.count("word") >= rows


LIVELY = {
    "[terminal]": (True, {}, True),
    "[pipe]": (False, {}, False),
    "[NO_COLOR]": (True, {"NO_COLOR": "1"}, False),
    "[NO_COLOR] empty does not count": (True, {"NO_COLOR": ""}, True),
    "[dumb]": (True, {"TERM": "dumb"}, False),
}


class Stream(io.StringIO):
    """A stream that is a terminal or not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(("terminal", "environment", "expected"), LIVELY.values(), ids=LIVELY.keys())
def test_lively(environment: dict[str, str], *, terminal: bool, expected: bool) -> None:
    assert lively(Stream(terminal=terminal), environment) is expected


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("  short", ["  short"], id="[fits]"),
        pytest.param("one two three four", ["one two", "three four"], id="[between words]"),
        pytest.param("  2. x  aa bb cc", ["  2. x  aa", "     bb cc"], id="[under its column, half the width at most]"),
        pytest.param(f"to {ARN}", ["to", ARN], id="[a long word whole]"),
    ],
)
def test_a_long_line_is_folded_between_words(text: str, lines: list[str]) -> None:
    assert folded(text, 10) == lines


def test_a_command_is_never_folded() -> None:
    command = "  migrate rollback --service prod/shop/a-service-with-a-rather-long-name"
    assert drawn([Line(command, whole=True)], colour=True, width=40).splitlines() == [command]
