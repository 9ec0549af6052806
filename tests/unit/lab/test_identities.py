"""The association files are written as late as they were told to be, each API server's on its own, and in order."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrator.lab.identities import Identities

_A = ("n", "a")


@pytest.fixture
def identities(tmp_path: Path) -> Iterator[Identities]:
    made = Identities(tmp_path / "folder" / "c.json", instances=2)
    made.start()
    yield made
    made.stop()


def _names(identities: Identities, instance: int = 0) -> list[str]:
    found = json.loads(identities.paths[instance].read_text("utf-8"))["identities"]
    return [one["serviceAccount"] for one in found]


def _comes(check: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.01)
    return False


def test_without_delay_the_files_say_so_at_once(identities: Identities) -> None:
    assert _names(identities) == []
    identities.changed(frozenset({_A}))
    assert _names(identities) == _names(identities, 1) == ["a"]


def test_a_change_is_seen_its_delay_later(identities: Identities) -> None:
    identities.delay = 600
    identities.changed(frozenset({_A}))
    assert _names(identities) == []

    identities.delay = 0.2
    identities.look_again()
    assert _comes(lambda: _names(identities) == ["a"])
    identities.changed(frozenset())
    assert _comes(lambda: _names(identities) == [])


def test_what_comes_due_while_it_looks_is_not_missed(tmp_path: Path) -> None:
    ticks = itertools.count()
    made = Identities(tmp_path / "c.json", clock=lambda: 0.3 * next(ticks))
    made.start()
    try:
        made.delay = 0.75  # more than two ticks: due only after it was woken, and before a third look at the clock
        made.changed(frozenset({_A}))
        assert _comes(lambda: _names(made) == ["a"])
    finally:
        made.stop()


def test_each_server_sees_it_as_late_as_it_is_told(identities: Identities) -> None:
    identities.lateness = lambda _pair, there, instance, _when: [0.0, float("inf")][instance] if there else 0.0
    identities.changed(frozenset({_A}))
    assert (_names(identities), _names(identities, 1)) == (["a"], [])

    identities.lateness = lambda _pair, _there, _instance, _when: None
    identities.look_again()
    assert _names(identities, 1) == ["a"]


def test_a_deletion_that_is_seen_hides_a_creation_that_is_not_yet(identities: Identities) -> None:
    identities.lateness = lambda _pair, there, _instance, _when: 0.2 if there else 0.0
    identities.changed(frozenset({_A}))
    identities.changed(frozenset())
    time.sleep(0.4)
    assert _names(identities) == []


def test_what_is_settled_has_always_been_there(identities: Identities) -> None:
    identities.changed(frozenset({_A}))
    identities.settle()
    identities.lateness = lambda _pair, _there, _instance, _when: float("inf")
    identities.look_again()
    assert _names(identities) == ["a"]
    identities.changed(frozenset())
    assert _names(identities) == ["a"]


def test_stop_does_not_wait_for_what_is_due(tmp_path: Path) -> None:
    made = Identities(tmp_path / "c.json")
    made.start()
    made.delay = 600
    made.changed(frozenset({_A}))

    began = time.monotonic()
    made.stop()

    assert time.monotonic() - began < 30
