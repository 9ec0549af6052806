"""Which occasions a fault takes is a matter of counting, never of chance."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.lab.faults.often import Often, Turns


@pytest.mark.parametrize(
    ("often", "wanted"),
    [
        (Often(), "XXXXXX"),
        (Often(first=2), "XX...."),
        (Often(first=2, skip=3), "...XX."),
        (Often(every=2), ".X.X.X"),
        (Often(every=1), "XXXXXX"),
        (Often(share=0.0), "......"),
        (Often(share=0.5), ".X.X.X"),
        (Often(share=1.0), "XXXXXX"),
        (Often(share=1 / 3), "..X..X"),
        (Often(share=0.5, skip=1), "..X.X."),
    ],
)
def test_occasions(often: Often, wanted: str) -> None:
    turns = Turns(often)
    assert "".join("X" if turns.take() else "." for _ in wanted) == wanted


@given(st.fractions(0, 1, max_denominator=20), st.integers(1, 200))
def test_a_share_is_spread_evenly(share: Fraction, occasions: int) -> None:
    often = Often(share=float(share))
    taken = sum(often.takes(number) for number in range(1, occasions + 1))
    assert taken == int(share * occasions)
