"""Two patterns at once, and a value of which only the beginning is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.model.trust.conditions import Entry, Request, Sure, judge
from migrator.model.wildcards import matches, overlaps

PATTERNS = st.text("ab:*?", max_size=8)
TEXTS = st.text("ab:", max_size=8)


@given(PATTERNS, PATTERNS, TEXTS)
def test_patterns_that_fit_one_text_overlap(one: str, other: str, text: str) -> None:
    if matches(one, text) and matches(other, text):
        assert overlaps(one, other)


@given(PATTERNS, PATTERNS)
def test_either_way_round(one: str, other: str) -> None:
    assert overlaps(one, other) is overlaps(other, one)


@given(PATTERNS, TEXTS)
def test_a_plain_text_overlaps_with_what_it_fits(pattern: str, text: str) -> None:
    assert overlaps(pattern, text) is matches(pattern, text)


@given(PATTERNS, TEXTS, st.text("ab", max_size=6))
def test_what_a_beginning_tells_is_true_of_every_end(pattern: str, beginning: str, end: str) -> None:
    whole = Request(values={"k": (beginning + end,)})
    begun = Request(values={}, begun={"k": beginning})
    for operator in ("StringLike", "StringNotLike", "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase"):
        entry = Entry(operator=operator, key="k", values=(pattern,))
        said = judge(entry, begun)
        assert said is Sure.MAYBE or said is judge(entry, whole)


SURE = {
    "[never]": ("StringLike", "x*", Sure.NO),
    "[always]": ("StringLike", "id:*", Sure.YES),
    "[always, by any id]": ("StringLike", "*:*", Sure.YES),
    "[perhaps]": ("StringLike", "id:orders", Sure.MAYBE),
    "[it goes on without a colon]": ("StringLike", "id:*:x", Sure.NO),
    "[perhaps this very one]": ("StringEquals", "id:orders", Sure.MAYBE),
    "[another one]": ("StringEquals", "other:orders", Sure.NO),
    "[in any case]": ("StringEqualsIgnoreCase", "ID:orders", Sure.MAYBE),
    "[not]": ("StringNotLike", "id:*", Sure.NO),
    "[with a variable]": ("StringLike", "${aws:username}", Sure.MAYBE),
    "[of another kind]": ("ArnLike", "x", Sure.MAYBE),
    "[it is there]": ("Null", "false", Sure.YES),
}


@pytest.mark.parametrize(("operator", "pattern", "expected"), SURE.values(), ids=SURE.keys())
def test_a_beginning(operator: str, pattern: str, expected: Sure) -> None:
    entry = Entry(operator=operator, key="aws:userid", values=(pattern,))
    assert judge(entry, Request(values={}, begun={"aws:userid": "id:"})) is expected
