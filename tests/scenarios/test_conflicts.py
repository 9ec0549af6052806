"""Somebody else writes to the same objects all the time: we go through, and nothing of theirs is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from migrator.lab.kubeclient import KubeClient, KubeError
from tests.lab import harness, scenes
from tests.lab.harness import Fleet, Ran

PAUSE = 0.03  # between two writes; reading and writing an object takes us a third of that
SHOP = "namespaces/shop"
MARK = "theirs/count"


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("conflicts")
    services = [scenes.service("busy", replicas=2), scenes.service("stateful", kind="StatefulSet")]
    with harness.fleet(scenes.write(folder, services, addons=["eks-pod-identity-agent"]), folder, plane) as running:
        scenes.waits(running, **scenes.BRISK)
        running.migrate("plan").ok()
        yield running


@dataclass
class Writer:
    """Counts up a mark of its own on each of the objects, as fast as others do who have nothing better to do.

    It reads an object and writes it back whole, with the version it read: that is what conflicts, theirs and ours.
    """

    kube: KubeClient
    paths: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Writes until told to stop."""
        while not self._stopping.wait(PAUSE):
            for path in self.paths:
                self._write(path)

    def stop(self) -> None:
        """No write is under way when the thread has ended."""
        self._stopping.set()

    def _write(self, path: str) -> None:
        found = self.kube.get(path)
        count = self.counts.get(path, 0) + 1
        # no annotation: each would be a new spec of the Deployment, and its controller never done
        found["metadata"].setdefault("labels", {})[MARK] = str(count)
        try:
            self.kube.replace(path, found)
        except KubeError as error:
            if error.status != 409:
                raise
            self.refused += 1
        else:
            self.counts[path] = count


@contextmanager
def writing(fleet: Fleet, *paths: str) -> Iterator[Writer]:
    """Somebody writes for the block."""
    writer = Writer(fleet.kube("main"), paths)
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        yield writer
    finally:
        writer.stop()
        thread.join()


def mark(fleet: Fleet, path: str) -> Any:
    return fleet.kube("main").get(path)["metadata"]["labels"].get(MARK)


def carry(fleet: Fleet, command: str, name: str) -> Ran:
    return fleet.migrate(command, "--service", f"main/shop/{name}", "--yes")


@pytest.mark.parametrize(("name", "plural"), [("busy", "deployments"), ("stateful", "statefulsets")])
def test_there_and_back_beside_somebody_who_writes_all_the_time(fleet: Fleet, name: str, plural: str) -> None:
    account, workload = f"/api/v1/{SHOP}/serviceaccounts/{name}", f"/apis/apps/v1/{SHOP}/{plural}/{name}"
    with writing(fleet, account, workload) as writer:
        carry(fleet, "apply", name).ok()
        carry(fleet, "rollback", name).ok()
    assert min(writer.counts.values()) > 20
    assert {path: mark(fleet, path) for path in writer.counts} == {path: str(n) for path, n in writer.counts.items()}
