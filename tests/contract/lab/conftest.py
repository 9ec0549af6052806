"""One practice fleet for the checks of a module; only one can be alive at a time, and starting one costs seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.documents.emit import emit
from migrator.lab.fleet import Practice
from migrator.lab.world.load import load_world
from tests.contract.lab.looks import set_trust, trust_of
from tests.contract.lab.support import Json, Lab, world

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("faults")
    path = folder / "world.yaml"
    path.write_text(emit(world()), encoding="utf-8")
    practice = Practice(load_world(path), folder / "identities")
    practice.start()
    yield Lab(practice)
    practice.stop()


@pytest.fixture
def trust(lab: Lab) -> Iterator[Json]:
    """The trust policy of Fresh, which is put back afterwards."""
    before = trust_of(lab, "Fresh")
    yield before
    set_trust(lab, "Fresh", before)
