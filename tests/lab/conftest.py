"""What tests on the practice fleet share."""

from collections.abc import Callable

import pytest

from migrator.lab.inpod import Ran, run_in_pod
from migrator.lab.record import RunningCluster

InPod = Callable[..., Ran]


@pytest.fixture(scope="session", name="run_in_pod")
def run_in_a_pod() -> InPod:
    """Runs a command in a pod, over the exec subresource: (cluster, namespace, pod, *command)."""

    def run(cluster: RunningCluster, namespace: str, pod: str, *command: str) -> Ran:
        return run_in_pod(cluster, namespace, pod, command)

    return run
