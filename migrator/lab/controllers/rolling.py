"""The arithmetic of a Deployment's rolling update. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers.objects import share

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]


@dataclass(frozen=True)
class Bounds:
    """How far a rolling update may stray from the wanted number of pods."""

    replicas: int
    max_surge: int
    max_unavailable: int


def bounds(deployment: Json) -> Bounds:
    """The deployment's bounds; if both would be zero, one pod may be unavailable."""
    spec = deployment["spec"]
    replicas = spec.get("replicas", 1)
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Bounds(replicas, 0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if not surge and not unavailable:
        unavailable = 1
    return Bounds(replicas, surge, min(unavailable, replicas))


def size(replicaset: Json) -> int:
    """The pods a ReplicaSet is asked to have."""
    return int(replicaset["spec"].get("replicas", 1))


def available(replicaset: Json) -> int:
    """The pods of a ReplicaSet that are available."""
    return int(replicaset.get("status", {}).get("availableReplicas", 0))


def grown(new: Json, old: Sequence[Json], limit: Bounds) -> int:
    """The size the new ReplicaSet may have now."""
    if size(new) > limit.replicas:
        return limit.replicas
    room = limit.replicas + limit.max_surge - size(new) - sum(map(size, old))
    return size(new) + max(0, min(room, limit.replicas - size(new)))


def shrunk(new: Json, old: Sequence[Json], limit: Bounds) -> dict[str, int]:
    """New sizes of old ReplicaSets (oldest first) by uid: first pods that do not work, then as many as may go."""
    everything = [new, *old]
    minimum = limit.replicas - limit.max_unavailable
    unavailable = max(0, size(new) - available(new))
    spare = sum(map(size, everything)) - minimum - unavailable
    sizes = {one["metadata"]["uid"]: size(one) for one in old}
    if spare <= 0:
        return {}
    for one in old:
        broken = max(0, min(spare, size(one) - available(one)))
        sizes[one["metadata"]["uid"]] -= broken
        spare -= broken
    healthy = sum(map(available, everything)) - minimum
    for one in old:
        taken = max(0, min(healthy, sizes[one["metadata"]["uid"]]))
        sizes[one["metadata"]["uid"]] -= taken
        healthy -= taken
    return {one["metadata"]["uid"]: sizes[one["metadata"]["uid"]] for one in old if _differs(one, sizes)}


def _differs(replicaset: Json, sizes: dict[str, int]) -> bool:
    return sizes[replicaset["metadata"]["uid"]] != size(replicaset)
