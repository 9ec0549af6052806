"""What the tests of workloads share: a fleet whose pods go at once, and how a service is moved and looked at."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab import harness, scenes
from tests.lab.harness import Fleet

ON_DELETE = {"type": "OnDelete"}


@contextmanager
def moving(plane: str, folder: Path, services: list[dict[str, Any]], *prepared: Mapping[str, Any]) -> Iterator[Fleet]:
    """A fleet of these services, planned once the prepared objects are there, for the block."""
    for workload in (one for service in services for one in service["workloads"]):
        workload["podSpec"] = {**workload.get("podSpec", {}), "terminationGracePeriodSeconds": 0}
    world = scenes.write(folder, services, addons=["eks-pod-identity-agent"])
    with harness.fleet(world, folder, plane) as running:
        scenes.waits(running, **scenes.BRISK, rollout=30)
        for document in prepared:
            running.kube("main").create_object(document)
        running.migrate("plan").ok()
        yield running


def named(name: str) -> tuple[str, str, str]:
    return "--service", f"main/shop/{name}", "--yes"


def pods(fleet: Fleet, name: str) -> list[dict[str, Any]]:
    found = fleet.kube("main").list("/api/v1/namespaces/shop/pods", fieldSelector=f"spec.serviceAccountName={name}")
    return [pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]


def verified(fleet: Fleet, name: str, expected: str) -> None:
    fleet.migrate("verify", "--service", f"main/shop/{name}", "--expect", expected).ok()
