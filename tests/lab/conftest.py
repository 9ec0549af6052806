"""What tests on the practice fleet share: a way into pods, and the check of the invariants after each of them."""

from collections.abc import Callable, Iterator

import pytest

from migrator.lab.inpod import Ran, run_in_pod
from migrator.lab.record import RunningCluster
from tests.lab import harness
from tests.lab.look import check

InPod = Callable[..., Ran]


@pytest.fixture(scope="session", name="run_in_pod")
def run_in_a_pod() -> InPod:
    """Runs a command in a pod, over the exec subresource: (cluster, namespace, pod, *command)."""

    def run(cluster: RunningCluster, namespace: str, pod: str, *command: str) -> Ran:
        return run_in_pod(cluster, namespace, pod, command)

    return run


@pytest.fixture(autouse=True)
def invariants_hold() -> Iterator[None]:
    """Every fleet that runs is judged after every test, whatever the test was about."""
    yield
    for fleet in harness.RUNNING:
        check(fleet)
