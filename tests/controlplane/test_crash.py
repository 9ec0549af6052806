"""The API server is killed in the middle of a run, again and again: the run goes on as soon as it is back."""

import gc
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import urllib3

from migrator.lab.kubeclient import KubeError
from tests.lab import harness, scenes
from tests.lab.harness import Fleet

# Python's ssl itself forgets to close a socket whose peer resets it between connect and handshake: SSLSocket._create
LEAK = r"ignore:unclosed <ssl\.SSLSocket:ResourceWarning"
pytestmark = [pytest.mark.controlplane, pytest.mark.filterwarnings(LEAK)]
BREATHER = 6.0  # seconds for which it is left alone: its own controllers take some to find it again,
SLOWER = 3.0  # and more, so many times as long as it took to come back, where the machine is busy


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("crash")
    world = scenes.write(folder, [scenes.service("orders", replicas=2)], addons=["eks-pod-identity-agent"])
    with harness.fleet(world, folder, "real") as running:
        scenes.waits(running, **scenes.BRISK)
        running.migrate("plan").ok()
        yield running
    gc.collect()  # such a socket hangs on a chain of errors, and would come up in a later test


class Vandal(threading.Thread):
    """Kills the fleet's API server, lets it come back for a moment, and kills it again."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self._mine = f"kube-apiserver .*{fleet.folder}/"
        self._kube = fleet.kube("main")
        self.stopping = threading.Event()
        self.kills = 0

    def run(self) -> None:
        breather = BREATHER
        while not self.stopping.wait(breather):
            self.kills += subprocess.run(["pkill", "-9", "-f", self._mine], check=False).returncode == 0
            killed = time.monotonic()
            harness.wait_for("the API server", self._is_back, limit=60)
            breather = BREATHER + SLOWER * (time.monotonic() - killed)

    def _is_back(self) -> bool:
        try:
            return self._kube.find("/api/v1/namespaces/shop") is not None
        except (KubeError, OSError, urllib3.exceptions.HTTPError):
            return False


@contextmanager
def killing(fleet: Fleet) -> Iterator[Vandal]:
    """It is killed over and over for the block."""
    vandal = Vandal(fleet)
    vandal.start()
    try:
        yield vandal
    finally:
        vandal.stopping.set()
        vandal.join()


def test_there_and_back_while_the_api_server_is_killed(fleet: Fleet) -> None:
    with killing(fleet) as vandal:
        there = fleet.migrate("apply", "--service", "main/shop/orders", "--yes").ok()
        back = fleet.migrate("rollback", "--service", "main/shop/orders", "--yes").ok()
    assert vandal.kills >= 1
    assert "credentials answered" in there.out
    assert "credentials answered" in back.out
