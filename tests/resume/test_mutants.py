"""The test of the crash sweep: it must catch each of these broken executors, and a store that does not sync."""

from dataclasses import replace
from typing import Any

import pytest

from migrator.model.errors import MigrateError
from migrator.model.journal import Status
from migrator.running import service
from migrator.running.moves import Book
from migrator.steps.step import Context
from migrator.store.database import Database
from tests.fakes.running import MemoryJournal
from tests.resume.stores import memory, unplugged
from tests.resume.test_crash_sweep import CASES, Case, Open, smooth, sweep

THERE, BACK = CASES["[annotation-first] there"], CASES["[annotation-first] back"]


def assert_caught(case: Case, opened: Open) -> None:
    """While nobody kills it, the mutant does its work well; the sweep shows what it is worth."""
    assert smooth(case, opened)
    with pytest.raises((AssertionError, ValueError, MigrateError)):
        sweep(case, opened)


def test_an_intent_recorded_behind_the_call_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """STARTED stays in memory until the call was made and the step is done."""
    move = Book.move

    def late(self: Book, step: str, to: Status, **data: Any) -> None:
        if to is not Status.STARTED:
            move(self, step, to, **data)
            return
        forgotten = replace(self, journal=MemoryJournal())
        move(forgotten, step, to, **data)

    monkeypatch.setattr(Book, "move", late)
    assert_caught(THERE, memory)


def test_a_forgotten_before_image_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    move = Book.move

    def forgetful(self: Book, step: str, to: Status, **data: Any) -> None:
        move(self, step, to, **{**data, "image": None})

    monkeypatch.setattr(Book, "move", forgetful)
    assert_caught(BACK, memory)


def test_a_new_stamp_for_a_resumed_run_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    context = service.Runner._context
    serial = iter(range(1000))

    def restless(self: service.Runner, run: Any, plan: Any, step: str) -> Context:
        return replace(context(self, run, plan, step), run=f"{run.id}-{next(serial)}")

    monkeypatch.setattr(service.Runner, "_context", restless)
    assert_caught(THERE, memory)


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_dropped_fsync_is_caught(synchronous: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NORMAL, SQLite syncs its write-ahead log only now and then (sqlite.org/pragma.html#pragma_synchronous)."""
    prepare = Database._prepare

    def careless(self: Database) -> None:
        prepare(self)
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")

    monkeypatch.setattr(Database, "_prepare", careless)
    assert_caught(THERE, unplugged)
