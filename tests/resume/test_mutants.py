"""The test of the crash sweep: each of these broken executors must be caught by it."""

from dataclasses import replace
from typing import Any

import pytest

from migrator.model.exits import Exit
from migrator.model.journal import Status
from migrator.model.plan import PlannedStep
from migrator.running import service, walk
from migrator.running.moves import Book
from migrator.steps.step import Context, Step
from tests.resume.test_crash_sweep import back, test_sweep, there


def test_an_intent_recorded_behind_the_call_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(self: walk.Walk, planned: PlannedStep, step: Step, context: Context) -> None:
        reading = step.read(planned, context)
        if reading.position.value == "before":
            self._change(planned, step, context)
            self.book.move(planned.id, Status.STARTED, image=reading.image)
            self._conclude(planned, self._wait(planned, step, context), Status.DONE)
        else:
            self._found(planned, step, context, reading)

    monkeypatch.setattr(walk.Walk, "_one", late)
    with pytest.raises((AssertionError, ValueError)):
        test_sweep(there, False, Exit.DONE)


def test_a_forgotten_before_image_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    move = Book.move

    def forgetful(self: Book, step: str, to: Status, **data: Any) -> None:
        move(self, step, to, **{**data, "image": None})

    monkeypatch.setattr(Book, "move", forgetful)
    with pytest.raises((AssertionError, ValueError)):
        test_sweep(back, False, Exit.DONE)


def test_a_new_stamp_for_a_resumed_run_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    context = service.Runner._context
    serial = iter(range(1000))

    def restless(self: service.Runner, run: Any, plan: Any, step: str) -> Context:
        return replace(context(self, run, plan, step), run=f"{run.id}-{next(serial)}")

    monkeypatch.setattr(service.Runner, "_context", restless)
    with pytest.raises((AssertionError, ValueError)):
        test_sweep(there, False, Exit.DONE)
