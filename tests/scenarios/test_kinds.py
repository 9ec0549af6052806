"""Every kind of workload, moved over the wire there and back by real processes."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.lab import scenes
from tests.lab.harness import Fleet
from tests.scenarios.workloads import ON_DELETE, moving, named, pods, verified

AT_ONCE = 4
SIDECARS = {
    "initContainers": [{"name": "setup"}, {"name": "mesh"}],
    "containers": [{"name": "app"}, {"name": "proxy"}],
    "podAnnotations": {"eks.amazonaws.com/skip-containers": "mesh"},
}
KINDS: Mapping[str, Mapping[str, Any]] = {
    "deployment": {"replicas": 2},
    "recreate": {"strategy": {"type": "Recreate"}},
    "stateful": {"kind": "StatefulSet", "replicas": 2},
    "partition": {
        "kind": "StatefulSet",
        "replicas": 2,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}},
    },
    "on-delete": {"kind": "StatefulSet", "replicas": 2, "strategy": ON_DELETE},
    "daemon": {"kind": "DaemonSet"},
    "daemon-on-delete": {"kind": "DaemonSet", "strategy": ON_DELETE},
    "replica-set": {"kind": "ReplicaSet", "replicas": 2},
    "argo": {"kind": "Rollout", "replicas": 2},
    "sidecars": {**SIDECARS},
}


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    services = [scenes.service(name, **workload) for name, workload in KINDS.items()]
    with moving(plane, tmp_path_factory.mktemp("kinds"), services) as running:
        yield running


@pytest.fixture(scope="module")
def walks(fleet: Fleet) -> Mapping[str, Future[None]]:
    """How each kind fared; all have been moved at once, as they are strangers to each other."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {name: pool.submit(there_and_back, fleet, name) for name in KINDS}


def there_and_back(fleet: Fleet, name: str) -> None:
    before = {pod["metadata"]["uid"] for pod in pods(fleet, name)}

    there = fleet.migrate("apply", *named(name)).ok()
    assert "credentials answered" in there.out
    verified(fleet, name, "pod-identity")
    moved = {pod["metadata"]["uid"] for pod in pods(fleet, name)}
    assert before
    assert before & moved == set()

    fleet.migrate("rollback", *named(name)).ok()
    verified(fleet, name, "irsa")
    assert moved & {pod["metadata"]["uid"] for pod in pods(fleet, name)} == set()


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_there_and_back(walks: Mapping[str, Future[None]], name: str) -> None:
    walks[name].result()
