"""Batch runs that are over, for whoever tells of them."""

from dataclasses import replace
from typing import Any

from migrator.model.batch import ServiceEnded, ServiceLeft, Summary
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId


def ended(name: str, exit_code: Exit = Exit.DONE, message: str = "migrated", seconds: float = 42.0) -> ServiceEnded:
    """One service's turn; `name` is that of its ServiceAccount."""
    return ServiceEnded(service=ServiceId("prod", "shop", name), exit=exit_code, message=message, seconds=seconds)


def left(name: str, why: str, *, cluster_waits: bool = False) -> ServiceLeft:
    """One that waits for a person."""
    return ServiceLeft(service=ServiceId("prod", "shop", name), why=why, cluster_waits=cluster_waits)


def summary(**differs: Any) -> Summary:
    """A night in which most went well."""
    usual = Summary(
        run="b1",
        worker="ops@desk:7",
        began="2026-01-01T22:00:00.000000+00:00",
        ended="2026-01-02T04:00:30.500000+00:00",
        reason="window",
        exit=Exit.UNFINISHED,
        services=(ended("cart"), ended("orders", Exit.ROLLED_BACK, "failed (gate) and rolled back: 2 pods on irsa")),
        left={"later": 40, "breaker": 12},
        for_a_person=(),
        breakers={"stage": "3 failures in a row, the last: gate: gave up"},
        standings={"migrated": 2100, "planned": 52, "rolled-back": 1},
    )
    return replace(usual, **differs)
