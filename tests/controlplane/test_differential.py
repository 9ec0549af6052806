"""The same requests to both servers, ours and a real one; nothing may differ but what is named, with a reason each."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.controlplane import tier
from tests.controlplane.asking import Ask
from tests.controlplane.comparing import Comparison, Ignored
from tests.controlplane.ignored import IGNORED
from tests.controlplane.pair import Answers, Pair, open_pair
from tests.controlplane.requests import (
    aged,
    applies,
    custom,
    deletes,
    denied,
    discovery,
    errors,
    kinds,
    leaving,
    lists,
    parts,
    patches,
    pods,
    refused,
    reviews,
    watches,
)

pytestmark = getattr(pytest.mark, tier.MARK)

MODULES = (
    applies, deletes, denied, discovery, errors, kinds, leaving, lists, parts, patches, pods, refused, reviews, watches,
    custom,
)  # fmt: skip
CASES: dict[str, tuple[Ask, ...]] = {name: asks for module in MODULES for name, asks in module.CASES.items()}

_numbers = count(1)
_needed: set[Ignored] = set()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with open_pair(tmp_path_factory.mktemp("pair")) as pair:
        yield pair


def compare(asks: tuple[Ask, ...], answers: Answers) -> None:
    """Fails with every difference that is not excused."""
    comparison = Comparison(IGNORED, _needed)
    wrong = [
        f"{number} {ask}\n    {line}"
        for number, (ask, ours, theirs) in enumerate(zip(asks, *answers, strict=True))
        for line in comparison.differences(ask, ours, theirs)
    ]
    assert not wrong, "\n".join(("they differ", *wrong))


def namespace(pair: Pair) -> str:
    name = f"case-{next(_numbers)}"
    pair.add_namespace(name)
    return name


@pytest.mark.parametrize("name", CASES)
def test_the_answers_are_the_same(pair: Pair, name: str) -> None:
    compare(CASES[name], pair.ask(CASES[name], namespace(pair)))


def test_the_answers_about_a_forgotten_past_are_the_same(pair: Pair) -> None:
    here = namespace(pair)
    before = pair.ask(aged.BEFORE, here)
    pair.age()
    compare((*aged.BEFORE, *aged.AFTER), pair.ask(aged.AFTER, here, before))
