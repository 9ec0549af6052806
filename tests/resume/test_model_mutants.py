"""The test of the property test: broken executors whose stories it must not let pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from migrator.model.ids import ServiceId
from migrator.model.journal import Status
from migrator.model.plan import PlannedStep
from migrator.running import service, walk
from migrator.running.ledger import way_back
from migrator.steps.association import AssociationStep
from migrator.steps.step import Context, NotYet, Position, Settled, Settling, Step
from tests.resume.play import Script, play
from tests.resume.test_model import scripts


@settings(
    max_examples=300,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
@given(scripts)
def any_story(script: Script) -> None:
    play(script)


def test_an_intent_recorded_behind_the_call_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(self: walk.Walk, planned: PlannedStep, step: Step, context: Context) -> None:
        reading = step.read(planned, context)
        if reading.position is Position.BEFORE:
            self._change(planned, step, context)
            self.book.move(planned.id, Status.STARTED, image=reading.image)
            self._conclude(planned, self._wait(planned, step, context), Status.DONE)
        else:
            self._found(planned, step, context, reading)

    monkeypatch.setattr(walk.Walk, "_one", late)
    with pytest.raises((AssertionError, ValueError)):
        any_story()


def test_runners_without_locks_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def unlocked(self: service.Runner, name: ServiceId, doing: str) -> Iterator[None]:
        yield

    monkeypatch.setattr(service.Runner, "_service", unlocked)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        any_story()


def test_a_gate_that_always_opens_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(self: AssociationStep, step: PlannedStep, context: Context) -> Settling:
        found = context.cluster.association(step.on["namespace"], step.on["service_account"])
        if (found is None) is not (step.after["role_arn"] is None):
            return NotYet(reason="not listed yet", again=True)
        return Settled(result={"association": found.id if found else None})

    monkeypatch.setattr(AssociationStep, "settled", at_once)
    with pytest.raises(AssertionError, match=r"no identity|has irsa again"):
        any_story()


def test_a_way_back_that_takes_the_trust_first_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def reversed_way(*args: Any, **kwargs: Any) -> tuple[PlannedStep, ...]:
        return tuple(reversed(way_back(*args, **kwargs)))

    monkeypatch.setattr(service, "way_back", reversed_way)
    with pytest.raises(AssertionError, match=r"no identity|the role does not trust it"):
        play(Script(commands=(("apply", {}), ("rollback", {}))))


def test_drift_that_is_overwritten_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    one = walk.Walk._one

    def blind(self: walk.Walk, planned: PlannedStep, step: Step, context: Context) -> None:
        if step.read(planned, context).position is Position.OTHER:
            self.book.move(planned.id, Status.STARTED, image={})
            context.cluster.service_account("shop", "orders")
            self.book.move(planned.id, Status.DONE)
            return
        one(self, planned, step, context)

    monkeypatch.setattr(walk.Walk, "_one", blind)
    with pytest.raises((AssertionError, ValueError)):
        any_story()
