"""A Deployment's status: counts and the conditions that `kubectl rollout status` reads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers.objects import condition, moment_of, text_of
from migrator.lab.controllers.rolling import available, bounds, size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from migrator.lab.controllers.view import View

Json = dict[str, Any]
_NO_DEADLINE = 2**31 - 1


def write(view: View, deployment: Json, new: Json | None, everything: Sequence[Json]) -> float | None:
    """Bring the status up to date; the answer is when the progress deadline has to be looked at."""
    status = counts(deployment, new, everything)
    status["conditions"] = conditions(deployment, status, new, everything, view.now())
    if collisions := (deployment.get("status") or {}).get("collisionCount"):
        status["collisionCount"] = collisions
    view.set_status("deployments", deployment, status)
    return _again(deployment, status, view.now())


def counts(deployment: Json, new: Json | None, everything: Sequence[Json]) -> Json:
    """The numbers of the status."""
    ready = sum((one.get("status") or {}).get("readyReplicas", 0) for one in everything)
    usable = sum(map(available, everything))
    return {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": sum((one.get("status") or {}).get("replicas", 0) for one in everything),
        "updatedReplicas": (new.get("status") or {}).get("replicas", 0) if new else 0,
        "readyReplicas": ready,
        "availableReplicas": usable,
        "unavailableReplicas": max(0, sum(map(size, everything)) - usable),
    }


def complete(deployment: Json, status: Json) -> bool:
    """Whether every wanted pod is of the new template and available, and no other is left."""
    wanted = deployment["spec"].get("replicas", 1)
    names = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(name, 0) == wanted for name in names)


def conditions(
    deployment: Json, status: Json, new: Json | None, everything: Sequence[Json], now: datetime
) -> list[Json]:
    """The Available and Progressing conditions, and ReplicaFailure while pods cannot be created."""
    limit = bounds(deployment)
    enough = status["availableReplicas"] >= limit.replicas - limit.max_unavailable
    state = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    if enough:
        state = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    found = [_set(deployment, "Available", state, now)]
    if deployment["spec"].get("progressDeadlineSeconds", _NO_DEADLINE) != _NO_DEADLINE:
        found.append(_progressing(deployment, status, new, now))
    failures = [failure for one in everything if (failure := condition(one, "ReplicaFailure"))]
    if failures:
        state = (failures[0]["status"], failures[0]["reason"], failures[0]["message"])
        found.append(_set(deployment, "ReplicaFailure", state, now))
    return found


def _progressing(deployment: Json, status: Json, new: Json | None, now: datetime) -> Json:
    known = condition(deployment, "Progressing")
    if deployment["spec"].get("paused"):
        return _set(deployment, "Progressing", ("Unknown", "DeploymentPaused", "Deployment is paused"), now)
    name = new["metadata"]["name"] if new else ""
    if known is None:
        state = ("True", "NewReplicaSetCreated", f'Created new replica set "{name}"')
    elif known["reason"] == "DeploymentPaused":
        state = ("True", "DeploymentResumed", "Deployment is resumed")
    elif complete(deployment, status):
        state = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    elif known["reason"] == "NewReplicaSetAvailable" and status["replicas"] == status["updatedReplicas"]:
        return known  # pods of a finished rollout come and go without making it a rollout again
    elif known["reason"] == "NewReplicaSetAvailable" or _moved(deployment.get("status") or {}, status):
        state = ("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
        return {**_set(deployment, "Progressing", state, now), "lastUpdateTime": text_of(now)}
    elif _deadline(deployment, known) <= now:
        state = ("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    else:
        return known
    return _set(deployment, "Progressing", state, now)


def _moved(before: Json, after: Json) -> bool:
    """Whether pods were added, retired or became usable since the last status."""
    before_old = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    after_old = after.get("replicas", 0) - after.get("updatedReplicas", 0)
    names = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return after_old < before_old or any(after.get(name, 0) > before.get(name, 0) for name in names)


def _deadline(deployment: Json, known: Json) -> datetime:
    seconds = deployment["spec"].get("progressDeadlineSeconds", 600)
    return moment_of(known["lastUpdateTime"]) + timedelta(seconds=seconds)


def _set(deployment: Json, kind: str, state: tuple[str, str, str], now: datetime) -> Json:
    """A condition of status, reason and message; its times change only when what they stand for changes."""
    known = condition(deployment, kind) or {}
    if (known.get("status"), known.get("reason"), known.get("message")) == state:
        return known
    changed = known.get("lastTransitionTime") if known.get("status") == state[0] else None
    return {
        "type": kind,
        "status": state[0],
        "reason": state[1],
        "message": state[2],
        "lastUpdateTime": text_of(now),
        "lastTransitionTime": changed or text_of(now),
    }


def _again(deployment: Json, status: Json, now: datetime) -> float | None:
    known = next((one for one in status["conditions"] if one["type"] == "Progressing"), None)
    if known is None or known["status"] != "True" or known["reason"] == "NewReplicaSetAvailable":
        return None
    if known["reason"] in ("NewReplicaSetCreated", "DeploymentResumed") and complete(deployment, status):
        return 0.0
    return max(0.0, (_deadline(deployment, known) - now).total_seconds()) + 0.1
