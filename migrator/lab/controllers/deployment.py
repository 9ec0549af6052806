"""Deployment: one ReplicaSet per template, moved between by RollingUpdate or Recreate."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers import deployment_status as statuses
from migrator.lab.controllers.objects import is_leaving, owner_reference, safe_hash
from migrator.lab.controllers.replicaset import has_live_pods
from migrator.lab.controllers.rolling import bounds, grown, shrunk, size
from migrator.lab.kubeclient import KubeError

if TYPE_CHECKING:
    from migrator.lab.controllers.view import View

Json = dict[str, Any]
HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MAXIMUM = "deployment.kubernetes.io/max-replicas"
_HISTORY = "deployment.kubernetes.io/revision-history"
_NOT_COPIED = frozenset({"kubectl.kubernetes.io/last-applied-configuration", REVISION, _HISTORY, _DESIRED, _MAXIMUM})


def reconcile(view: View, deployment: Json) -> float | None:
    """Move one step towards the wanted state; the answer is when to look again."""
    everything = sorted(
        view.owned("replicasets", deployment),
        key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]),
    )
    new = _matching(deployment, everything)
    if is_leaving(deployment):
        return statuses.write(view, deployment, new, everything)
    if deployment["spec"].get("paused"):
        _scale_paused(view, deployment, everything)
        return statuses.write(view, deployment, new, view.owned("replicasets", deployment))
    recreate = (deployment["spec"].get("strategy") or {}).get("type") == "Recreate"
    old = [one for one in everything if one is not new]
    if recreate and (_emptied(view, deployment, old) or any(has_live_pods(view, one) for one in old)):
        return statuses.write(view, deployment, new, view.owned("replicasets", deployment))
    new = _new_replicaset(view, deployment, new, everything)
    if new is None:
        return 0.0
    deployment = _annotated(view, deployment, new)
    if recreate:
        _resize(view, deployment, new, bounds(deployment).replicas)
    else:
        _roll(view, deployment, new, old)
    everything = view.owned("replicasets", deployment)
    uid = new["metadata"]["uid"]
    new = next((one for one in everything if one["metadata"]["uid"] == uid), None)
    if new is None:  # deleted meanwhile; the watch that took it out of our copy has queued us again
        return 0.0
    again = statuses.write(view, deployment, new, everything)
    _clean_up(view, deployment, new, everything)
    return again


def _matching(deployment: Json, replicasets: list[Json]) -> Json | None:
    """The oldest ReplicaSet whose template is the deployment's, the hash label aside."""
    wanted = _plain(deployment["spec"]["template"])
    return next((one for one in replicasets if _plain(one["spec"]["template"]) == wanted), None)


def _plain(template: Json) -> Json:
    result = deepcopy(template)
    metadata = result.get("metadata") or {}
    metadata.pop("creationTimestamp", None)
    labels = metadata.get("labels") or {}
    labels.pop(HASH, None)
    return result


def _revision(document: Json) -> int:
    return int((document["metadata"].get("annotations") or {}).get(REVISION, 0))


def _new_replicaset(view: View, deployment: Json, new: Json | None, everything: list[Json]) -> Json | None:
    """The ReplicaSet of the present template, created if need be; None after a clash of names."""
    highest = max((_revision(one) for one in everything if one is not new), default=0)
    annotations = _annotations(deployment)
    if new is not None:
        known = new["metadata"].get("annotations") or {}
        revision = _revision(new)
        if revision <= highest:
            history = [text for text in known.get(_HISTORY, "").split(",") if text]
            if revision:
                annotations[_HISTORY] = ",".join([*history, str(revision)])
            revision = highest + 1
        annotations[REVISION] = str(revision)
        if annotations.items() <= known.items():
            return new
        return view.patch("replicasets", new, {"metadata": {"annotations": annotations}})
    annotations[REVISION] = str(highest + 1)
    document = _replicaset(deployment, annotations, grown_from_nothing(deployment, everything))
    try:
        return view.create("replicasets", document)
    except KubeError as error:
        if error.reason != "AlreadyExists":
            raise
    status = dict(deployment.get("status") or {})
    status["collisionCount"] = status.get("collisionCount", 0) + 1
    view.set_status("deployments", deployment, status)
    return None


def grown_from_nothing(deployment: Json, old: list[Json]) -> int:
    """The size a ReplicaSet is created with."""
    limit = bounds(deployment)
    if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        return limit.replicas
    return grown({"spec": {"replicas": 0}}, old, limit)


def _annotations(deployment: Json) -> dict[str, str]:
    """What a ReplicaSet is annotated with: the deployment's own annotations and the wanted sizes."""
    limit = bounds(deployment)
    own = deployment["metadata"].get("annotations") or {}
    copied = {key: value for key, value in own.items() if key not in _NOT_COPIED}
    return {**copied, _DESIRED: str(limit.replicas), _MAXIMUM: str(limit.replicas + limit.max_surge)}


def _replicaset(deployment: Json, annotations: dict[str, str], replicas: int) -> Json:
    spec, metadata = deployment["spec"], deployment["metadata"]
    name = safe_hash(_plain(spec["template"]), (deployment.get("status") or {}).get("collisionCount", 0))
    template = deepcopy(spec["template"])
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    labels[HASH] = name
    selector = deepcopy(spec["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: name}
    return {
        "metadata": {
            "name": f"{metadata['name']}-{name}",
            "namespace": metadata["namespace"],
            "labels": dict(labels),
            "annotations": annotations,
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": replicas,
            "minReadySeconds": spec.get("minReadySeconds", 0),
            "selector": selector,
            "template": template,
        },
    }


def _annotated(view: View, deployment: Json, new: Json) -> Json:
    """The deployment with the revision of its new ReplicaSet on it."""
    revision = str(_revision(new))
    if (deployment["metadata"].get("annotations") or {}).get(REVISION) == revision:
        return deployment
    return view.patch("deployments", deployment, {"metadata": {"annotations": {REVISION: revision}}})


def _resize(view: View, deployment: Json, replicaset: Json, replicas: int) -> bool:
    if size(replicaset) == replicas:
        return False
    limit = bounds(deployment)
    annotations = {_DESIRED: str(limit.replicas), _MAXIMUM: str(limit.replicas + limit.max_surge)}
    change = {"spec": {"replicas": replicas}, "metadata": {"annotations": annotations}}
    view.patch("replicasets", replicaset, change)
    return True


def _emptied(view: View, deployment: Json, old: list[Json]) -> bool:
    """Scale every old ReplicaSet to nothing; whether any was not."""
    resized = [_resize(view, deployment, one, 0) for one in old]
    return any(resized)


def _roll(view: View, deployment: Json, new: Json, old: list[Json]) -> None:
    limit = bounds(deployment)
    if _resize(view, deployment, new, grown(new, old, limit)):
        return
    sizes = shrunk(new, [one for one in old if size(one)], limit)
    for one in old:
        if one["metadata"]["uid"] in sizes:
            _resize(view, deployment, one, sizes[one["metadata"]["uid"]])


def _scale_paused(view: View, deployment: Json, everything: list[Json]) -> None:
    """While paused only the number of pods follows the spec, on the newest ReplicaSet that has any."""
    active = [one for one in everything if size(one)] or everything[-1:]
    if active:
        rest = sum(map(size, active[:-1]))
        _resize(view, deployment, active[-1], max(0, bounds(deployment).replicas - rest))


def _clean_up(view: View, deployment: Json, new: Json, everything: list[Json]) -> None:
    """Delete the oldest empty ReplicaSets beyond the history limit, once the rollout is complete."""
    if not statuses.complete(deployment, statuses.counts(deployment, new, everything)):
        return
    idle = [
        one
        for one in everything
        if one["metadata"]["uid"] != new["metadata"]["uid"]
        and not size(one)
        and not (one.get("status") or {}).get("replicas")
        and not is_leaving(one)
    ]
    limit = deployment["spec"].get("revisionHistoryLimit", 10)
    for one in sorted(idle, key=_revision)[: max(0, len(idle) - limit)]:
        view.delete("replicasets", one)
