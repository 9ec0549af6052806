"""Eviction: deleting a pod only if its disruption budget lets it go.

As on a real server, the budget's status decides, which a controller keeps; what is let go is counted there at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import decoding, errors
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.delete_options import read_options
from migrator.lab.kubeapi.deletion import check_conditions
from migrator.lab.kubeapi.kinds import BUDGET, POD, Kind
from migrator.lab.kubeapi.labels import accepts_labels, from_selector
from migrator.lab.kubeapi.managed_fields import record_update
from migrator.lab.kubeapi.metadata import now

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_EVICTION = Kind("policy", "v1", "Eviction", "evictions", namespaced=True)
_OLDER = "policy/v1beta1"
_ALLOWED = "DisruptionAllowed"
_TARGET = {
    "type": "DisruptionTarget",
    "status": "True",
    "lastProbeTime": None,
    "lastTransitionTime": None,
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
_ENDED = ("Succeeded", "Failed")
_RETRY_AFTER = 10


def evict(cluster: Cluster, call: Call, warnings: list[str]) -> Json:
    """Delete a pod unless that would break a budget.

    Raises:
        ApiError: 404, 409 if it is another pod by now, 429 if a budget forbids it, 500 if it has several budgets.
    """
    given = _given(call, warnings)
    with cluster.store.lock:
        record = cluster.store.get(POD.key, call.namespace, call.name)
        if record is None:
            raise errors.not_found(POD, call.name)
        status = record.obj.get("status") or {}
        dry = bool(given.get("dryRun"))
        if status.get("phase") not in (*_ENDED, "Pending") and "deletionTimestamp" not in record.obj["metadata"]:
            _ask_budget(cluster, record.obj, dry_run=dry)
        if not dry:
            _mark(cluster, record.obj, given.get("preconditions") or {})
        cluster.deleter.delete(POD, (call.namespace, call.name), read_options(POD, _without_version(given, dry=dry)))
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _given(call: Call, warnings: list[str]) -> Json:
    """The options of the deletion that is asked for."""
    asked = replace(call, kind=_EVICTION)
    sent = decoding.document(asked)
    if sent.get("apiVersion") == _OLDER:
        sent["apiVersion"] = _EVICTION.api_version
    eviction = decoding.of_kind(asked, sent, warnings)
    if (eviction.get("metadata") or {}).get("name", "") != call.name:
        raise errors.bad_request("name in URL does not match name in Eviction object")
    options: Json = eviction.get("deleteOptions") or {}
    inside, outside = options.get("dryRun") or [], call.request.query.get("dryRun") or []
    if inside and outside and inside != outside:
        text = f"Non-matching dry-run options in request and content: [{' '.join(outside)}] and [{' '.join(inside)}]"
        raise errors.failed(text)
    return {**options, "dryRun": inside or outside}


def _mark(cluster: Cluster, pod: Json, conditions: Json) -> None:
    """Say in the pod why it goes."""
    check_conditions(POD, pod, conditions.get("uid") or None, conditions.get("resourceVersion") or None)
    changed = copy(pod)
    status = changed.setdefault("status", {})
    if any(one["type"] == _TARGET["type"] for one in status.get("conditions") or ()):
        return
    status["conditions"] = [*(status.get("conditions") or ()), {**_TARGET, "lastTransitionTime": now()}]
    cluster.store.put(POD.key, changed)


def _without_version(given: Json, *, dry: bool) -> Json:
    """A condition on the version has been checked; the version has changed since."""
    conditions = given.get("preconditions")
    if dry or not conditions:
        return given
    return {**given, "preconditions": {k: v for k, v in conditions.items() if k != "resourceVersion"}}


def _ask_budget(cluster: Cluster, pod: Json, *, dry_run: bool) -> None:
    budgets = _budgets_of(cluster, pod)
    if len(budgets) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise errors.failed(text)
    for budget in budgets:
        if is_ready(pod) or not _lets_unhealthy_go(budget):
            _count(cluster, budget, pod["metadata"]["name"], dry_run=dry_run)


def _budgets_of(cluster: Cluster, pod: Json) -> list[Json]:
    """The budgets that select a pod; one without any selector selects none."""
    labels = pod["metadata"].get("labels")
    found = [record.obj for record in cluster.store.records(BUDGET.key, pod["metadata"]["namespace"])]
    selectors = [(one, (one.get("spec") or {}).get("selector")) for one in found]
    return [
        one for one, selector in selectors if selector is not None and accepts_labels(from_selector(selector), labels)
    ]


def _lets_unhealthy_go(budget: Json) -> bool:
    """Whether a pod that is not ready may go without being counted."""
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    wanted = status.get("desiredHealthy", 0)
    return bool(wanted > 0 and status.get("currentHealthy", 0) >= wanted)


def _count(cluster: Cluster, budget: Json, pod: str, *, dry_run: bool) -> None:
    """Take one disruption off the budget."""
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 1):
        raise _too_many(f"The disruption budget {name} is still being processed by the server.", _RETRY_AFTER)
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        raise _too_many(_refusal(name, status))
    if dry_run:
        return
    changed = copy(budget)
    disrupted = {**(status.get("disruptedPods") or {}), pod: now()}
    changed["status"] = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
    if allowed == 1:
        _say_exhausted(changed["status"])
    record_update(BUDGET, budget, changed, manager="kube-apiserver", subresource="status")
    cluster.store.put(BUDGET.key, changed)


def _refusal(name: str, status: Json) -> str:
    wanted, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    said = next((one for one in status.get("conditions") or () if one["type"] == _ALLOWED), None)
    reason = said["reason"] if said and said["status"] == "False" and said.get("message") else ""
    text = f"The disruption budget {name} does not allow evicting pods currently"
    if said and reason == "SyncFailed":
        return f"{text} because it failed sync: {said['message']}"
    if healthy <= wanted:
        return f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently"
    return f"{text} ({reason}): {said['message']}" if said and reason else text


def _say_exhausted(status: Json) -> None:
    """The condition that a controller would write when nothing is left."""
    found = {
        "type": _ALLOWED,
        "status": "False",
        "observedGeneration": status.get("observedGeneration", 0),
        "lastTransitionTime": now(),
        "reason": "InsufficientPods",
        "message": "",
    }
    before = next((one for one in status.get("conditions") or () if one["type"] == _ALLOWED), None)
    if before is not None and before["status"] == "False":
        found["lastTransitionTime"] = before["lastTransitionTime"]
    status["conditions"] = [one for one in status.get("conditions") or () if one is not before] + [found]


def is_ready(pod: Json) -> bool:
    """Whether a pod's Ready condition is true."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _too_many(why: str, seconds: int = 0) -> errors.ApiError:
    text = "Cannot evict pod as it would violate the pod's disruption budget."
    return errors.too_many(text, [{"reason": "DisruptionBudget", "message": why}], seconds)
