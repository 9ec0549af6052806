"""The association file is written as late as it was told to be, and in order."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.lab.identities import Identities


@pytest.fixture
def identities(tmp_path: Path) -> Iterator[Identities]:
    made = Identities(tmp_path / "folder" / "c.json")
    made.start()
    yield made
    made.stop()


def _names(identities: Identities) -> list[str]:
    found = json.loads(identities.path.read_text("utf-8"))["identities"]
    return [one["serviceAccount"] for one in found]


def test_without_delay_the_file_says_so_at_once(identities: Identities) -> None:
    assert _names(identities) == []
    identities.changed(frozenset({("n", "a")}))
    assert _names(identities) == ["a"]


def test_each_change_is_seen_its_delay_later(identities: Identities) -> None:
    identities.delay = 0.3
    identities.changed(frozenset({("n", "a")}))
    assert _names(identities) == []
    time.sleep(0.15)
    identities.changed(frozenset())
    time.sleep(0.2)
    assert _names(identities) == ["a"]
    time.sleep(0.2)
    assert _names(identities) == []


def test_stop_does_not_wait_for_what_is_due(tmp_path: Path) -> None:
    made = Identities(tmp_path / "c.json")
    made.start()
    made.delay = 600
    made.changed(frozenset({("n", "a")}))

    began = time.monotonic()
    made.stop()

    assert time.monotonic() - began < 5
