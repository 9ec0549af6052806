"""The same requests to both servers, ours and a real one; nothing may differ but what is named, with a reason each."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import pytest

from tests.controlplane import hooked, tier
from tests.controlplane.asking import Ask
from tests.controlplane.comparing import Comparison, Ignored
from tests.controlplane.hooked import Hooked, open_hooked
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
Asked = tuple[tuple[Ask, ...], Answers]

_numbers = count(1)
_needed: dict[str, set[Ignored]] = {}
"""By case: the excuses that it needed."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooked]:
    """Both servers, each with a webhook of its kind."""
    with open_pair(tmp_path_factory.mktemp("pair")) as pair, open_hooked(pair, tmp_path_factory.mktemp("hooked")) as it:
        yield it


def namespace(pair: Pair) -> str:
    name = f"case-{next(_numbers)}"
    pair.add_namespace(name)
    return name


def asked(asks: tuple[Ask, ...], both: Hooked) -> Asked:
    return asks, both.pair.ask(asks, namespace(both.pair))


def asked_about_a_forgotten_past(both: Hooked) -> Asked:
    here = namespace(both.pair)
    before = both.pair.ask(aged.BEFORE, here)
    both.pair.age()
    return (*aged.BEFORE, *aged.AFTER), both.pair.ask(aged.AFTER, here, before)


CASES: dict[str, Callable[[Hooked], Asked]] = {
    **{name: partial(asked, asks) for module in MODULES for name, asks in module.CASES.items()},
    "[forgotten] the past": asked_about_a_forgotten_past,
    **{f"[created] {case['name']}": partial(hooked.created, case) for case in hooked.CASES},
    **{f"[reviewed] {case['name']}": partial(hooked.reviewed, case) for case in hooked.CASES},
    "[reviewed] what cannot be read": hooked.misread,
}


def differences(name: str, both: Hooked) -> list[str]:
    asks, answers = CASES[name](both)
    comparison = Comparison(IGNORED, _needed.setdefault(name, set()))
    return [
        f"{number} {ask}\n    {line}"
        for number, (ask, ours, theirs) in enumerate(zip(asks, *answers, strict=True))
        for line in comparison.differences(ask, ours, theirs)
    ]


@pytest.mark.parametrize("name", CASES)
def test_the_answers_are_the_same(both: Hooked, name: str) -> None:
    wrong = differences(name, both)
    assert not wrong, "\n".join(("they differ", *wrong))


def test_every_excuse_is_needed(both: Hooked) -> None:
    for name in CASES.keys() - _needed.keys():
        differences(name, both)
    idle = [one for one in IGNORED if one not in set().union(*_needed.values())]
    assert not idle, "\n".join(("nothing differs here", *map(str, idle)))
