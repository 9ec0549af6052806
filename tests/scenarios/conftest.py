"""Every scenario runs on our control plane and on a real one, from the same definition."""

import pytest

from tests.controlplane import tier
from tests.lab.conftest import invariants_hold, run_in_a_pod

__all__ = ["invariants_hold", "run_in_a_pod"]  # fixtures of these tests too

PLANES = ("practice", pytest.param("real", marks=getattr(pytest.mark, tier.MARK)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`plane` is what the fleet of a module stands on."""
    if "plane" in metafunc.fixturenames:
        metafunc.parametrize("plane", PLANES, scope="session")
