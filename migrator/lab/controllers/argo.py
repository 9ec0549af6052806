"""Argo Rollout: a Deployment's rolling update under another name, and restarts by `spec.restartAt`.

Canary steps, services and analysis are left out: a new template is rolled out at once, whatever the strategy.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers import deployment_status as statuses
from migrator.lab.controllers.objects import is_leaving, moment_of, owner_reference, safe_hash
from migrator.lab.controllers.rolling import available, bounds, grown, shrunk, size
from migrator.lab.kubeclient import KubeError

if TYPE_CHECKING:
    from migrator.lab.controllers.view import View

Json = dict[str, Any]
HASH = "rollouts-pod-template-hash"
_LOOK_AGAIN = 1.0
_DEADLINE = 600
_TOO_MANY = 429


def reconcile(view: View, rollout: Json) -> float | None:
    """Move one step towards the wanted state; the answer is when to look again."""
    if is_leaving(rollout):
        return None
    template = _template(view, rollout)
    if template is None:
        _write(view, rollout, [], None, None)
        return _LOOK_AGAIN
    plain = _as_deployment(rollout, template)
    sets = _owned(view, rollout)
    new = _of_template(sets, template)
    if new is None:
        new = view.create("replicasets", _replicaset(plain, grown({"spec": {"replicas": 0}}, sets, bounds(plain))))
    _roll(view, plain, new, [one for one in sets if one is not new])
    restarted = _restart(view, rollout, _owned(view, rollout))
    through = _write(view, rollout, _owned(view, rollout), plain, restarted)
    return None if through else _LOOK_AGAIN


def waiting_for(view: View, document: Json) -> list[Json]:
    """The Rollouts that borrow their template from this Deployment."""
    name, namespace = document["metadata"]["name"], document["metadata"]["namespace"]
    return [
        one
        for one in view.all("rollouts")
        if one["metadata"]["namespace"] == namespace and (one["spec"].get("workloadRef") or {}).get("name") == name
    ]


def _owned(view: View, rollout: Json) -> list[Json]:
    """Its ReplicaSets, oldest first."""
    found = view.owned("replicasets", rollout)
    return sorted(found, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))


def _template(view: View, rollout: Json) -> Json | None:
    reference = rollout["spec"].get("workloadRef")
    if reference is None:
        own: Json = rollout["spec"]["template"]
        return own
    lender = view.get("deployments", rollout["metadata"]["namespace"], reference["name"])
    return None if lender is None else lender["spec"]["template"]


def _as_deployment(rollout: Json, template: Json) -> Json:
    """The same wish in a Deployment's words, for the arithmetic of a rolling update."""
    spec = rollout["spec"]
    canary = (spec.get("strategy") or {}).get("canary") or {}
    rolling = {"maxSurge": canary.get("maxSurge", "25%"), "maxUnavailable": canary.get("maxUnavailable", "25%")}
    wish = {
        "replicas": spec.get("replicas", 1),
        "selector": spec.get("selector") or {"matchLabels": (template.get("metadata") or {}).get("labels") or {}},
        "template": template,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "progressDeadlineSeconds": spec.get("progressDeadlineSeconds", _DEADLINE),
    }
    return {**rollout, "spec": wish}


def _hash(template: Json) -> str:
    """Not a Deployment's: one of the same name and template has a ReplicaSet of that name already."""
    return safe_hash({HASH: template})


def _of_template(sets: list[Json], template: Json) -> Json | None:
    """The ReplicaSet made from this template; told by its hash, since the API server fills in a ReplicaSet's own."""
    name = _hash(template)
    return next((one for one in sets if one["metadata"]["labels"].get(HASH) == name), None)


def _replicaset(plain: Json, replicas: int) -> Json:
    template = deepcopy(plain["spec"]["template"])
    name = _hash(template)
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    labels[HASH] = name
    selector = deepcopy(plain["spec"]["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: name}
    return {
        "metadata": {
            "name": f"{plain['metadata']['name']}-{name}",
            "namespace": plain["metadata"]["namespace"],
            "labels": dict(labels),
            "ownerReferences": [owner_reference(plain)],
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    }


def _roll(view: View, plain: Json, new: Json, old: list[Json]) -> None:
    limit = bounds(plain)
    target = grown(new, old, limit)
    if target != size(new):
        view.patch("replicasets", new, {"spec": {"replicas": target}})
        return
    sizes = shrunk(new, [one for one in old if size(one)], limit)
    for one in old:
        if one["metadata"]["uid"] in sizes:
            view.patch("replicasets", one, {"spec": {"replicas": sizes[one["metadata"]["uid"]]}})


def _restart(view: View, rollout: Json, sets: list[Json]) -> str | None:
    """Evict pods older than `spec.restartAt`, as many at a time as may be missing; the new `status.restartedAt`."""
    wanted = rollout["spec"].get("restartAt")
    done: str | None = (rollout.get("status") or {}).get("restartedAt")
    if wanted is None or wanted == done or view.now() < moment_of(wanted):
        return done
    pods = [pod for one in sets for pod in view.owned("pods", one)]
    old = [pod for pod in pods if moment_of(pod["metadata"]["creationTimestamp"]) < moment_of(wanted)]
    if not old:
        return str(wanted)
    if any(available(one) != size(one) for one in sets) or any(is_leaving(pod) for pod in pods):
        return done
    for pod in old[: max(1, _room(rollout))]:
        _evict(view, pod)
    return done


def _evict(view: View, pod: Json) -> None:
    """Have a pod deleted, unless its budget does not allow it now."""
    try:
        view.evict(pod)
    except KubeError as error:
        if error.status != _TOO_MANY:
            raise


def _room(rollout: Json) -> int:
    """How many pods may be missing during a restart."""
    canary = (rollout["spec"].get("strategy") or {}).get("canary") or {}
    strategy = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": canary.get("maxUnavailable", "25%")}}
    return bounds({"spec": {"replicas": rollout["spec"].get("replicas", 1), "strategy": strategy}}).max_unavailable


def _write(view: View, rollout: Json, sets: list[Json], plain: Json | None, restarted: str | None) -> bool:
    """Bring the status up to date; whether everything is as wanted."""
    generation = str(rollout["metadata"].get("generation", 1))
    if plain is None:
        invalid = {"type": "InvalidSpec", "status": "True", "reason": "InvalidSpec", "message": "no such workloadRef"}
        refused = {"observedGeneration": generation, "phase": "Degraded", "conditions": [invalid]}
        view.set_status("rollouts", rollout, refused)
        return False
    new = _of_template(sets, plain["spec"]["template"])
    status = statuses.counts(plain, new, sets)
    status["conditions"] = statuses.conditions(plain, status, new, sets, view.now())
    restarting = rollout["spec"].get("restartAt") != restarted and rollout["spec"].get("restartAt") is not None
    through = statuses.complete(plain, status) and not restarting
    late = any(one.get("reason") == "ProgressDeadlineExceeded" for one in status["conditions"])
    status |= {
        "observedGeneration": generation,
        "HPAReplicas": status["replicas"],
        "currentPodHash": (new or {}).get("metadata", {}).get("labels", {}).get(HASH, ""),
        "phase": "Degraded" if late else "Healthy" if through else "Progressing",
        "restartedAt": restarted,
    }
    view.set_status("rollouts", rollout, status)
    return through
