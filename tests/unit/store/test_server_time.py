"""The time at DynamoDB, told from its answers: never later than it is, never taken for earlier than it may be."""

from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.model.errors import StoreFault
from migrator.store.dynamo.time import ServerTime

delays = st.floats(min_value=0, max_value=20)
answers = st.lists(st.tuples(delays, delays, delays), min_size=1, max_size=90)


@given(began=st.floats(min_value=1e9, max_value=2e9), local=st.floats(min_value=-1e6, max_value=1e6), answers=answers)
def test_the_bounds_hold_whatever_the_network_does(
    began: float, local: float, answers: list[tuple[float, float, float]]
) -> None:
    """`began` is the server's time at the beginning, `local` what the machine's clock says then."""
    passed = 0.0
    time = ServerTime(lambda: local + passed)
    for pause, there, back in answers:
        passed += pause
        sent = time.clock()
        passed += there
        date = formatdate(int(began + passed), usegmt=True)
        passed += back
        time.heard(date, sent)
        now = began + passed
        assert time.earliest() <= now + 1e-3
        assert time.passes(now) <= time.clock() + 1e-3  # by its holder's reckoning a lease is never longer


def test_quick_answers_make_it_exact() -> None:
    passed = 0.0
    time = ServerTime(lambda: passed)
    for tick in range(40):
        passed = tick * 0.1
        time.heard(formatdate(int(1000.05 + passed), usegmt=True), time.clock())
    assert 0 <= 1000.05 + passed - time.earliest() < 0.11


def test_it_follows_a_clock_that_drifts() -> None:
    passed = 0.0
    time = ServerTime(lambda: passed * 0.999)
    for tick in range(20_000):
        passed = tick * 15.0
        time.heard(formatdate(int(1e9 + passed), usegmt=True), time.clock())
    assert abs(1e9 + passed - time.earliest()) < 2.5


@pytest.mark.parametrize("date", ["", "soon"])
def test_an_answer_without_a_date_is_one_sentence(date: str) -> None:
    with pytest.raises(StoreFault, match='no usable "Date"'):
        ServerTime().heard(date, 0.0)


def test_the_table_s_store_never_asks_the_local_wall_clock() -> None:
    folder = Path(__file__).parents[3] / "migrator" / "store" / "dynamo"
    asked = [
        path.name
        for path in folder.glob("*.py")
        for word in ("datetime.now", "time.time(", "utcnow", "today(")
        if word in path.read_text(encoding="utf-8")
    ]
    assert asked == []
