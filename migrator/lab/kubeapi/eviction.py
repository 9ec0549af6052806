"""Eviction: deleting a pod only if its disruption budget lets it go.

As on a real server, the budget's status decides, which a controller keeps; what is let go is counted there at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.delete_options import read_options
from migrator.lab.kubeapi.kinds import BUDGET, POD
from migrator.lab.kubeapi.labels import accepts_labels, from_selector
from migrator.lab.kubeapi.metadata import now

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_ENDED = ("Succeeded", "Failed")
_RETRY_AFTER = 10


def evict(cluster: Cluster, call: Call, eviction: Json) -> Json:
    """Delete a pod unless that would break a budget.

    Raises:
        ApiError: 404, 409 if it is another pod by now, 429 if a budget forbids it, 500 if it has several budgets.
    """
    name = (eviction.get("metadata") or {}).get("name", "")
    if name != call.name:
        raise errors.bad_request("name in URL does not match name in Eviction object")
    given = eviction.get("deleteOptions") or {}
    options = read_options(POD, {"dryRun": call.request.query.get("dryRun"), **given})
    with cluster.store.lock:
        record = cluster.store.get(POD.key, call.namespace, call.name)
        if record is None:
            raise errors.not_found(POD, call.name)
        status = record.obj.get("status") or {}
        if status.get("phase") not in (*_ENDED, "Pending") and "deletionTimestamp" not in record.obj["metadata"]:
            _ask_budget(cluster, record.obj, dry_run=options.dry_run)
        cluster.deleter.delete(POD, (call.namespace, call.name), options)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _ask_budget(cluster: Cluster, pod: Json, *, dry_run: bool) -> None:
    budgets = _budgets_of(cluster, pod)
    if len(budgets) > 1:
        message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise errors.ApiError(500, "InternalError", message)
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
        raise _too_many(f"The disruption budget {name} is still being processed by the server.")
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        wanted, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise _too_many(f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently")
    changed = copy(budget)
    disrupted = {**(status.get("disruptedPods") or {}), pod: now()}
    changed["status"] = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
    if not dry_run:
        cluster.store.put(BUDGET.key, changed)


def is_ready(pod: Json) -> bool:
    """Whether a pod's Ready condition is true."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _too_many(why: str) -> errors.ApiError:
    causes = [{"reason": "DisruptionBudget", "message": why}]
    return errors.ApiError(
        429,
        "TooManyRequests",
        "Cannot evict pod as it would violate the pod's disruption budget.",
        {"causes": causes, "retryAfterSeconds": _RETRY_AFTER},
    )
