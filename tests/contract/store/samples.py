"""Runs and records to write."""

from dataclasses import replace

from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run, Status, StepRecord

SERVICE = ServiceId("prod", "shop", "orders")
CART = ServiceId("prod", "shop", "cart")
LOCK = f"service:{SERVICE}"
RUN = Run(
    id="r1",
    service=SERVICE,
    direction=Direction.FORWARD,
    outcome=Outcome.OPEN,
    plan={"format": 1, "ü": [1, None, {"b": "\u2028", "a": 2.5}]},
    actor="arn:aws:iam::1:user/ops",
    host="here",
    started="2026-01-01T00:00:00.000000+00:00",
)


def at(second: int) -> str:
    """A moment of the first minute."""
    return f"2026-01-01T00:00:{second:02d}.000000+00:00"


def run(name: str, service: ServiceId = SERVICE, second: int = 0) -> Run:
    """Another one."""
    return replace(RUN, id=name, service=service, started=at(second))


def record(step: str, status: Status = Status.STARTED, *, run: str = "r1", second: int = 1) -> StepRecord:
    """One with something in each field."""
    return StepRecord(run=run, step=step, status=status, at=at(second), image={"a": [1]}, result=None, note="n")
