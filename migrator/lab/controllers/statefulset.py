"""StatefulSet: numbered pods, made and replaced in order."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers import revisions
from migrator.lab.controllers.objects import FINISHED, available_in, is_leaving, pod_from
from migrator.lab.controllers.revisions import HASH

if TYPE_CHECKING:
    from migrator.lab.controllers.view import View

Json = dict[str, Any]


def reconcile(view: View, owner: Json) -> float | None:
    """Make the next move that the order allows; the answer is when to look again."""
    update = revisions.current(view, owner)
    history = {one["metadata"]["name"]: one for one in revisions.ordered(view, owner)}
    old = history.get((owner.get("status") or {}).get("currentRevision", ""), update)
    if not is_leaving(owner):
        _advance(view, owner, old, update)
    pods = view.owned("pods", owner)
    _write_status(view, owner, pods, old, update)
    used = {pod["metadata"]["labels"].get(HASH, "") for pod in pods}
    revisions.clean_up(view, owner, used | {old["metadata"]["name"], update["metadata"]["name"]})
    waits = [available_in(pod, owner["spec"].get("minReadySeconds", 0), view.now()) for pod in pods]
    return min((wait for wait in waits if wait), default=None)


def ordinal(pod: Json) -> int:
    """A pod's number, from its name; -1 if it has none."""
    tail = pod["metadata"]["name"].rpartition("-")[2]
    return int(tail) if tail.isdigit() else -1


def _advance(view: View, owner: Json, old: Json, update: Json) -> None:
    spec = owner["spec"]
    start = (spec.get("ordinals") or {}).get("start", 0)
    wanted = range(start, start + spec.get("replicas", 1))
    pods = {ordinal(pod): pod for pod in view.owned("pods", owner)}
    parallel = spec.get("podManagementPolicy") == "Parallel"
    settled = _fill(view, owner, wanted, pods, (old, update), parallel=parallel)
    if not settled and not parallel:
        return
    surplus = sorted((number for number in pods if number not in wanted), reverse=True)
    for number in surplus:
        if not is_leaving(pods[number]):
            view.delete("pods", pods[number])
        if not parallel:
            return
    if (spec.get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate":
        _replace(view, owner, wanted, update)


def _fill(
    view: View,
    owner: Json,
    wanted: range,
    pods: dict[int, Json],
    revision_pair: tuple[Json, Json],
    *,
    parallel: bool,
) -> bool:
    """Create missing pods, in order; whether every wanted pod is there and available."""
    settled = True
    for number in wanted:
        pod = pods.get(number)
        if pod is None:
            _create(view, owner, number, _revision_for(owner, number, *revision_pair))
            settled = False
        elif pod.get("status", {}).get("phase") in FINISHED and not is_leaving(pod):
            view.delete("pods", pod)
            settled = False
        elif not _healthy(view, owner, pod):
            settled = False
        if not settled and not parallel:
            return False
    return settled


def _healthy(view: View, owner: Json, pod: Json) -> bool:
    minimum = owner["spec"].get("minReadySeconds", 0)
    return not is_leaving(pod) and available_in(pod, minimum, view.now()) == 0


def _partition(owner: Json) -> int:
    strategy = owner["spec"].get("updateStrategy") or {}
    return int((strategy.get("rollingUpdate") or {}).get("partition") or 0)


def _revision_for(owner: Json, number: int, old: Json, update: Json) -> Json:
    start = (owner["spec"].get("ordinals") or {}).get("start", 0)
    return old if number < start + _partition(owner) else update


def _replace(view: View, owner: Json, wanted: range, update: Json) -> None:
    """Delete the highest pod that is not of the update revision, if all above it are well."""
    pods = {ordinal(pod): pod for pod in view.owned("pods", owner)}
    for number in reversed(wanted):
        if number < wanted.start + _partition(owner):
            return
        pod = pods.get(number)
        if pod is None or is_leaving(pod):
            return
        if pod["metadata"]["labels"].get(HASH) != update["metadata"]["name"]:
            view.delete("pods", pod)
            return
        if not _healthy(view, owner, pod):
            return


def _create(view: View, owner: Json, number: int, revision: Json) -> None:
    name = f"{owner['metadata']['name']}-{number}"
    labels = {
        HASH: revision["metadata"]["name"],
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(number),
    }
    pod = pod_from(revisions.template_of(revision), owner, labels)
    del pod["metadata"]["generateName"]
    pod["metadata"]["name"] = name
    pod["spec"]["hostname"] = name
    if owner["spec"].get("serviceName"):
        pod["spec"]["subdomain"] = owner["spec"]["serviceName"]
    for template in owner["spec"].get("volumeClaimTemplates") or []:
        _claim(view, owner, template, pod)
    view.create("pods", pod)


def _claim(view: View, owner: Json, template: Json, pod: Json) -> None:
    """Create the pod's own volume claim and have the pod use it."""
    volume = template["metadata"]["name"]
    claim = f"{volume}-{pod['metadata']['name']}"
    labels = {
        **(template["metadata"].get("labels") or {}),
        **(owner["spec"]["selector"].get("matchLabels") or {}),
    }
    view.create_claim(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": claim,
                "namespace": owner["metadata"]["namespace"],
                "labels": labels,
            },
            "spec": deepcopy(template["spec"]),
        }
    )
    others = [one for one in pod["spec"].get("volumes") or [] if one["name"] != volume]
    pod["spec"]["volumes"] = [*others, {"name": volume, "persistentVolumeClaim": {"claimName": claim}}]


def _write_status(view: View, owner: Json, pods: list[Json], old: Json, update: Json) -> None:
    minimum = owner["spec"].get("minReadySeconds", 0)
    waits = [available_in(pod, minimum, view.now()) for pod in pods]
    replicas = owner["spec"].get("replicas", 1)
    live = [pod for pod in pods if not is_leaving(pod)]
    ready = sum(wait is not None for wait in waits)
    updated = _of_revision(live, update)
    present = _of_revision(live, old)
    rolling = (owner["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate"
    if rolling and updated == len(pods) == replicas and ready == replicas:
        old, present = update, updated
    view.set_status(
        "statefulsets",
        owner,
        {
            "observedGeneration": owner["metadata"].get("generation", 1),
            "replicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": sum(wait == 0 for wait in waits),
            "currentReplicas": present,
            "updatedReplicas": updated,
            "currentRevision": old["metadata"]["name"],
            "updateRevision": update["metadata"]["name"],
        },
    )


def _of_revision(pods: list[Json], revision: Json) -> int:
    return sum(pod["metadata"]["labels"].get(HASH) == revision["metadata"]["name"] for pod in pods)
