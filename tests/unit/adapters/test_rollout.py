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


def daemon_set(*, observed: int = 2, strategy: dict[str, Any] | None = None, **status: int) -> Any:
    return {
        "metadata": {"name": "w", "generation": 2},
        "spec": {"updateStrategy": strategy or {"type": "RollingUpdate"}},
        "status": {"observedGeneration": observed, "desiredNumberScheduled": 3, **status},
    }


def argo(restart_at: str | None, restarted_at: str | None, **status: Any) -> Any:
    """A Rollout of three pods, all of them available."""
    counts = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
    return {
        "metadata": {"name": "w", "generation": 2, "annotations": {STAMP: "run-1"}},
        "spec": {"replicas": 3, "restartAt": restart_at, "strategy": {"canary": {"steps": []}}},
        "status": {"observedGeneration": "2", "restartedAt": restarted_at, **counts, **status},
    }


EARLIER, LATER = "2026-01-01T00:00:00Z", "2026-01-02T03:04:06Z"
LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
REFUSED = {"type": "InvalidSpec", "status": "True", "reason": "InvalidSpec"}
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
    "stateful set: OnDelete, whole, not all deleted": (
        "StatefulSet",
        stateful_set(current="a", strategy=BY_HAND, updatedReplicas=2, readyReplicas=3),
        True,
        1,
        "",
    ),
    "stateful set: OnDelete, one being replaced": (
        "StatefulSet",
        stateful_set(current="a", strategy=BY_HAND, updatedReplicas=1, readyReplicas=2),
        False,
        2,
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
    "daemon set: OnDelete, whole, not all deleted": (
        "DaemonSet",
        daemon_set(strategy=BY_HAND, updatedNumberScheduled=1, numberAvailable=3),
        True,
        2,
        "",
    ),
    "daemon set: OnDelete, one being replaced": (
        "DaemonSet",
        daemon_set(strategy=BY_HAND, updatedNumberScheduled=1, numberAvailable=2),
        False,
        2,
        "",
    ),
    "replica set: through": ("ReplicaSet", deployment(**ALL), True, 0, ""),
    "replica set: one not available": ("ReplicaSet", deployment(**{**ALL, "availableReplicas": 2}), False, 0, ""),
    "replica set: one too many": ("ReplicaSet", deployment(**{**ALL, "replicas": 4}), False, 0, ""),
    "replica set: newest size not seen yet": ("ReplicaSet", deployment(observed=1, **ALL), False, 0, ""),
    "argo: never restarted": ("Rollout", argo(None, None), True, 0, ""),
    "argo: restart not begun": ("Rollout", argo(LATER, None), False, 3, ""),
    "argo: the restart before the last": ("Rollout", argo(LATER, EARLIER), False, 3, ""),
    "argo: restarted": ("Rollout", argo(LATER, LATER), True, 0, ""),
    "argo: restarted, another spelling of the time": ("Rollout", argo(LATER, "2026-01-02T04:04:06+01:00"), True, 0, ""),
    "argo: restarted, the last pod not available": ("Rollout", argo(LATER, LATER, availableReplicas=2), False, 0, ""),
    "argo: newest spec not seen yet": ("Rollout", argo(LATER, LATER, observedGeneration="1"), False, 3, ""),
    "argo: of before v0.10, observes a hash": (
        "Rollout",
        argo(LATER, LATER, observedGeneration="58c975674b"),
        True,
        0,
        "",
    ),
    "argo: no progress": ("Rollout", argo(LATER, None, conditions=[LATE]), False, 3, "ProgressDeadlineExceeded"),
    "argo: a spec that it refuses": ("Rollout", argo(LATER, None, conditions=[REFUSED]), False, 3, "InvalidSpec"),
    "argo: canary given up before": ("Rollout", argo(LATER, LATER, phase="Degraded", updatedReplicas=1), True, 0, ""),
    "argo: canary waits at a step": ("Rollout", argo(LATER, LATER, phase="Paused", updatedReplicas=1), True, 0, ""),
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


def test_stamp_of_argo() -> None:
    """On the Rollout itself: a changed template would be a new canary."""
    assert rollout("Rollout", read(argo(None, None))).stamp == "run-1"
