"""What is written reads back as the same data, whatever it is."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from migrator.documents.emit import emit

WORDS = st.sampled_from(
    ["yes", "No", "on", "OFF", "null", "~", "true", "1e3", "0x1F", "0o7", "1_000", "2026-11-23", "12:30:45", ".inf"]
)
TEXTS = st.one_of(WORDS, st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=20,
)


@given(DATA)
def test_reads_back_the_same(data: Any) -> None:
    text = emit(data)

    assert yaml.load(text, yaml.CSafeLoader) == data
    assert emit(data) == text


@given(st.dictionaries(TEXTS, SCALARS, max_size=6))
def test_keys_keep_their_order_and_types(data: dict[str, Any]) -> None:
    read = yaml.load(emit(data), yaml.CSafeLoader) or {}

    assert list(read) == list(data)
    assert [type(value) for value in read.values()] == [type(value) for value in data.values()]


@pytest.mark.parametrize("value", [{1: "a"}, {"a": object()}, [float("nan")], [float("inf")], [b"bytes"]])
def test_what_yaml_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        emit(value)
