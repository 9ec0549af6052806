"""Rollouts by the rules of `kubectl rollout status`: one reading of the object, one verdict."""

import json
from typing import Any

import msgspec
import pytest

from migrator.adapters.kube.rollout import STAMP, rollout
from migrator.adapters.kube.workload_structs import WorkloadObject


def deployment(wanted: int = 3, *, observed: int = 2, paused: bool = False, late: bool = False, **status: int) -> Any:
    reason = "ProgressDeadlineExceeded" if late else "ReplicaSetUpdated"
    conditions = [{"type": "Progressing", "status": "False" if late else "True", "reason": reason}]
    return {
        "metadata": {"name": "w", "generation": 2},
        "spec": {"replicas": wanted, "paused": paused},
        "status": {"observedGeneration": observed, "conditions": conditions, **status},
    }


def stateful_set(
    replicas: int = 3, *, current: str = "b", update: str = "b", strategy: dict[str, Any] | None = None, **status: int
) -> Any:
    return {
        "metadata": {"name": "w", "generation": 2},
        "spec": {"replicas": replicas, "updateStrategy": strategy or {"type": "RollingUpdate"}},
        "status": {
            "observedGeneration": 2,
            "currentRevision": current,
            "updateRevision": update,
            "replicas": replicas,
            **status,
        },
    }


def daemon_set(*, observed: int = 2, **status: int) -> Any:
    return {
        "metadata": {"name": "w", "generation": 2},
        "status": {"observedGeneration": observed, "desiredNumberScheduled": 3, **status},
    }


ALL: Any = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
PARTITIONED = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
BY_HAND = {"type": "OnDelete"}

# name: kind, object, complete, old, failure
CASES: dict[str, tuple[str, Any, bool, int, str]] = {
    "deployment: through": ("Deployment", deployment(**ALL), True, 0, ""),
    "deployment: newest spec not seen yet": ("Deployment", deployment(observed=1, **ALL), False, 3, ""),
    "deployment: old pods still there": ("Deployment", deployment(**{**ALL, "replicas": 4}), False, 1, ""),
    "deployment: not all updated": ("Deployment", deployment(**{**ALL, "updatedReplicas": 1}), False, 2, ""),
    "deployment: not all available": ("Deployment", deployment(**{**ALL, "availableReplicas": 2}), False, 0, ""),
    "deployment: scaled down, surplus not gone yet": (
        "Deployment",
        deployment(2, replicas=3, updatedReplicas=3, availableReplicas=3),
        False,
        0,
        "",
    ),
    "deployment: deadline exceeded": (
        "Deployment",
        deployment(late=True, updatedReplicas=1, availableReplicas=2),
        False,
        0,
        "ProgressDeadlineExceeded",
    ),
    "deployment: deadline of the spec before": ("Deployment", deployment(late=True, observed=1), False, 0, ""),
    "deployment: paused half-way": ("Deployment", deployment(paused=True, updatedReplicas=0), False, 0, "Paused"),
    "deployment: paused and through": ("Deployment", deployment(paused=True, **ALL), True, 0, ""),
    "deployment: scaled to zero": ("Deployment", deployment(0), True, 0, ""),
    "stateful set: through": ("StatefulSet", stateful_set(updatedReplicas=3, readyReplicas=3), True, 0, ""),
    "stateful set: two revisions": (
        "StatefulSet",
        stateful_set(current="a", updatedReplicas=1, readyReplicas=3),
        False,
        2,
        "",
    ),
    "stateful set: one not ready": ("StatefulSet", stateful_set(updatedReplicas=3, readyReplicas=2), False, 0, ""),
    "stateful set: partition reached": (
        "StatefulSet",
        stateful_set(current="a", strategy=PARTITIONED, updatedReplicas=1, readyReplicas=3),
        True,
        2,
        "",
    ),
    "stateful set: partition not reached": (
        "StatefulSet",
        stateful_set(current="a", strategy=PARTITIONED, updatedReplicas=0, readyReplicas=3),
        False,
        3,
        "",
    ),
    "stateful set: OnDelete, not all deleted": (
        "StatefulSet",
        stateful_set(current="a", strategy=BY_HAND, updatedReplicas=2, readyReplicas=3),
        False,
        1,
        "",
    ),
    "stateful set: OnDelete, all deleted": (
        "StatefulSet",
        stateful_set(current="a", strategy=BY_HAND, updatedReplicas=3, readyReplicas=3),
        True,
        0,
        "",
    ),
    "daemon set: through": ("DaemonSet", daemon_set(updatedNumberScheduled=3, numberAvailable=3), True, 0, ""),
    "daemon set: not all updated": ("DaemonSet", daemon_set(updatedNumberScheduled=2, numberAvailable=3), False, 1, ""),
    "daemon set: not all available": (
        "DaemonSet",
        daemon_set(updatedNumberScheduled=3, numberAvailable=2),
        False,
        0,
        "",
    ),
    "daemon set: newest spec not seen yet": (
        "DaemonSet",
        daemon_set(observed=1, updatedNumberScheduled=3, numberAvailable=3),
        False,
        3,
        "",
    ),
}


def read(document: Any) -> WorkloadObject:
    return msgspec.json.decode(json.dumps(document), type=WorkloadObject)


@pytest.mark.parametrize("name", CASES)
def test_rollout(name: str) -> None:
    kind, document, complete, old, failure = CASES[name]
    found = rollout(kind, read(document))
    assert (found.complete, found.old, found.failure) == (complete, old, failure)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_stamp(kind: str) -> None:
    template = {"metadata": {"annotations": {STAMP: "run-1", "other": "x"}}}
    document = {"metadata": {"name": "w", "generation": 1}, "spec": {"template": template}}
    assert rollout(kind, read(document)).stamp == "run-1"
    assert rollout(kind, read({"metadata": {"name": "w"}})).stamp == ""
