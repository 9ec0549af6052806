"""Every scenario runs on our control plane and on a real one, from the same definition."""

import pytest

from tests.controlplane import tier
from tests.lab.conftest import invariants_hold, run_in_a_pod
from tests.scenarios.faulty import Scenario

__all__ = ["invariants_hold", "run_in_a_pod"]  # fixtures of these tests too

AT_ONCE = ("test_exercise", "test_verify", "test_conflicts")
"""What is tried on a real control plane in the quick run too; the rest there takes minutes."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`plane` is what the fleet of a module stands on."""
    if "plane" in metafunc.fixturenames:
        marks = [getattr(pytest.mark, tier.MARK)]
        if metafunc.module.__name__.rpartition(".")[2] not in AT_ONCE:
            marks.append(pytest.mark.slow)
        metafunc.parametrize("plane", ("practice", pytest.param("real", marks=marks)), scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A real API server refuses nobody and is one instance; what needs another, or none, is not tried on it.

    All else is, and on ours only in the slow run then: each fault is played once in the gate.
    """
    planes = {item: _plane_of_fault(item) for item in items}
    beyond = [item for item, (plane, for_ours_only) in planes.items() if plane == "real" and for_ours_only]
    for item, (plane, for_ours_only) in planes.items():
        if plane == "practice" and not for_ours_only:
            item.add_marker(pytest.mark.slow)
    if beyond:
        config.hook.pytest_deselected(items=beyond)
        items[:] = [item for item in items if item not in beyond]


def _plane_of_fault(item: pytest.Item) -> tuple[str, bool]:
    """The plane a fault is played on, and whether a real one is no place for it; for all other tests no plane."""
    given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    scenario = given.get("scenario")
    return (str(given.get("plane", "")), scenario.for_ours_only) if isinstance(scenario, Scenario) else ("", False)
