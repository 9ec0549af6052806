"""Plans that are looked at again and again: what was touched is read anew, and only that."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.documents.errors import DocumentError
from migrator.model.plan import Edit
from migrator.store.plan_file import PlanFiles
from migrator.store.plan_watch import WatchedPlans
from tests.fakes.samples import ORDERS, sample_plan


@pytest.fixture
def written(tmp_path: Path) -> PlanFiles:
    files = PlanFiles(tmp_path)
    files.write(sample_plan())
    return files


def test_what_nobody_touched_is_not_read_again(written: PlanFiles) -> None:
    watched = WatchedPlans(written.folder)

    assert watched.read(ORDERS) is watched.read(ORDERS)
    assert watched.read(ORDERS) == written.read(ORDERS)


def test_what_was_replaced_is(written: PlanFiles) -> None:
    watched = WatchedPlans(written.folder)
    assert not watched.read(ORDERS).edit.hold
    path = written.path(ORDERS)
    path.unlink()
    written.write(replace(sample_plan(), edit=Edit(hold=True)))

    assert watched.read(ORDERS).edit.hold


def test_what_was_edited_in_place_is_even_within_one_tick_of_its_time(written: PlanFiles) -> None:
    watched, path = WatchedPlans(written.folder), written.path(ORDERS)
    watched.read(ORDERS)
    before = path.stat()
    path.write_text(path.read_text().replace("hold: false", "hold: true "))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert watched.read(ORDERS).edit.hold


def test_what_cannot_be_read_says_so_each_time_and_gone_is_gone(written: PlanFiles) -> None:
    watched, path = WatchedPlans(written.folder), written.path(ORDERS)
    watched.read(ORDERS)
    path.write_text("nonsense: [")
    for _ in range(2):
        with pytest.raises(DocumentError):
            watched.read(ORDERS)
    path.unlink()
    with pytest.raises(DocumentError, match="there is no plan"):
        watched.read(ORDERS)
