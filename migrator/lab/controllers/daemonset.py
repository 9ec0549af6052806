"""DaemonSet: one pod on every node that fits."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers import revisions
from migrator.lab.controllers.objects import FINISHED, available_in, is_leaving, pod_from, share
from migrator.lab.controllers.revisions import HASH
from migrator.lab.placement import fits

if TYPE_CHECKING:
    from migrator.lab.controllers.view import View

Json = dict[str, Any]
_GENERATION = "pod-template-generation"


def reconcile(view: View, owner: Json) -> float | None:
    """Create and delete pods until every fitting node has one of the present template."""
    update = revisions.current(view, owner)
    revision = update["metadata"]["labels"][HASH]
    nodes = {node["metadata"]["name"]: node for node in view.all("nodes")}
    wanted = {name for name, node in nodes.items() if fits(_probe(owner), node)}
    if not is_leaving(owner):
        _place(view, owner, wanted, revision)
        if (owner["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate":
            _roll(view, owner, wanted, revision)
    pods = view.owned("pods", owner)
    _write_status(view, owner, wanted, revision)
    revisions.clean_up(view, owner, {revision, *(pod["metadata"]["labels"].get(HASH, "") for pod in pods)})
    waits = [available_in(pod, owner["spec"].get("minReadySeconds", 0), view.now()) for pod in pods]
    return min((wait for wait in waits if wait), default=None)


def node_of(pod: Json) -> str:
    """The node a pod is bound to, or is meant for by its affinity."""
    if name := pod["spec"].get("nodeName"):
        return str(name)
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or []:
        for field in term.get("matchFields") or []:
            return str(field["values"][0])
    return ""


def _by_node(view: View, owner: Json) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for pod in sorted(view.owned("pods", owner), key=lambda one: one["metadata"]["creationTimestamp"]):
        found.setdefault(node_of(pod), []).append(pod)
    return found


def _place(view: View, owner: Json, wanted: set[str], revision: str) -> None:
    pods = _by_node(view, owner)
    for name, present in pods.items():
        finished = [pod for pod in present if pod.get("status", {}).get("phase") in FINISHED]
        active = [pod for pod in present if pod not in finished]
        surplus = active if name not in wanted else active[1:]
        for pod in [*finished, *surplus]:
            if not is_leaving(pod):
                view.delete("pods", pod)
    for name in sorted(wanted - pods.keys()):
        view.create("pods", _pod(owner, name, revision))


def _roll(view: View, owner: Json, wanted: set[str], revision: str) -> None:
    """Delete pods of older templates, as many as may be unavailable at a time."""
    rolling = (owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    allowed = max(1, share(rolling.get("maxUnavailable", 1), len(wanted), up=True))
    minimum = owner["spec"].get("minReadySeconds", 0)
    pods = _by_node(view, owner)
    old: list[Json] = []
    for name in sorted(wanted):
        usable = [pod for pod in pods.get(name, []) if available_in(pod, minimum, view.now()) == 0]
        usable = [pod for pod in usable if not is_leaving(pod)]
        if not usable:
            allowed -= 1
        for pod in pods.get(name, []):
            if pod["metadata"]["labels"].get(HASH) == revision or is_leaving(pod):
                continue
            if usable:
                old.append(pod)
            else:
                view.delete("pods", pod)
    for pod in old[: max(0, allowed)]:
        view.delete("pods", pod)


def _probe(owner: Json) -> Json:
    """The pod spec with the tolerations that daemon pods are given."""
    spec: Json = deepcopy(owner["spec"]["template"]["spec"])
    pressures = ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"]
    if spec.get("hostNetwork"):
        pressures.append("network-unavailable")
    spec["tolerations"] = [
        *(spec.get("tolerations") or []),
        *(_toleration(name, "NoExecute") for name in ("not-ready", "unreachable")),
        *(_toleration(name, "NoSchedule") for name in pressures),
    ]
    return spec


def _toleration(name: str, effect: str) -> Json:
    return {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect}


def _pod(owner: Json, node: str, revision: str) -> Json:
    generation = str(owner["metadata"].get("generation", 1))
    pod = pod_from(owner["spec"]["template"], owner, {HASH: revision, _GENERATION: generation})
    pod["spec"] = _probe(owner)
    affinity = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
    only = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": [only]}
    return pod


def _write_status(view: View, owner: Json, wanted: set[str], revision: str) -> None:
    minimum = owner["spec"].get("minReadySeconds", 0)
    placed = ready = usable = updated = misplaced = 0
    for name, pods in _by_node(view, owner).items():
        if name not in wanted:
            misplaced += bool(name)
            continue
        placed += 1
        first = pods[-1]
        wait = available_in(first, minimum, view.now())
        ready += wait is not None
        usable += wait == 0 and not is_leaving(first)
        updated += first["metadata"]["labels"].get(HASH) == revision
    view.set_status(
        "daemonsets",
        owner,
        {
            "observedGeneration": owner["metadata"].get("generation", 1),
            "currentNumberScheduled": placed,
            "desiredNumberScheduled": len(wanted),
            "numberMisscheduled": misplaced,
            "numberReady": ready,
            "updatedNumberScheduled": updated,
            "numberAvailable": usable,
            "numberUnavailable": len(wanted) - usable,
        },
    )
