"""Eviction: deleting a pod only if the disruption budgets let it go."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.deletion import Options
from migrator.lab.kubeapi.kinds import BUDGET, POD
from migrator.lab.kubeapi.selectors import accepts_labels, from_selector

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_ENDED = ("Succeeded", "Failed")


def evict(cluster: Cluster, call: Call, eviction: Json) -> Json:
    """Delete a pod unless that would break a budget.

    Raises:
        ApiError: 404, or 429 if a budget forbids it.
    """
    body = eviction.get("deleteOptions") or {}
    conditions = body.get("preconditions") or {}
    options = Options(
        body.get("gracePeriodSeconds"), "", conditions.get("uid") or "", conditions.get("resourceVersion") or ""
    )
    dry_run = call.dry_run or "All" in (body.get("dryRun") or [])
    with cluster.store.lock:
        record = cluster.store.get(POD.key, call.namespace, call.name)
        if record is None:
            raise errors.not_found(POD, call.name)
        status = record.obj.get("status") or {}
        if status.get("phase") not in (*_ENDED, "Pending") and "deletionTimestamp" not in record.obj["metadata"]:
            _ask_budgets(cluster, record.obj)
        cluster.deleter.delete(POD, (call.namespace, call.name), options, dry_run=dry_run)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _ask_budgets(cluster: Cluster, pod: Json) -> None:
    namespace = pod["metadata"]["namespace"]
    labels = pod["metadata"].get("labels")
    for record in list(cluster.store.records(BUDGET.key, namespace)):
        spec = record.obj.get("spec") or {}
        if "selector" not in spec or not accepts_labels(from_selector(spec["selector"]), labels):
            continue
        pods = [
            p.obj
            for p in cluster.store.records(POD.key, namespace)
            if accepts_labels(from_selector(spec["selector"]), p.obj["metadata"].get("labels"))
            and (p.obj.get("status") or {}).get("phase") not in _ENDED
        ]
        healthy = sum(1 for p in pods if is_ready(p) and "deletionTimestamp" not in p["metadata"])
        needed = needed_pods(spec, len(pods))
        if healthy - 1 < needed and is_ready(pod):
            raise _too_many(record.obj["metadata"]["name"], needed, healthy)


def needed_pods(spec: Json, expected: int) -> int:
    """How many healthy pods a budget wants to keep."""
    if "minAvailable" in spec:
        return _amount(spec["minAvailable"], expected)
    return expected - _amount(spec.get("maxUnavailable", 0), expected)


def _amount(value: Any, total: int) -> int:
    if isinstance(value, str) and value.endswith("%"):
        return math.ceil(int(value[:-1]) * total / 100)
    return int(value)


def is_ready(pod: Json) -> bool:
    """Whether a pod's Ready condition is true."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _too_many(budget: str, needed: int, healthy: int) -> errors.ApiError:
    message = f"The disruption budget {budget} needs {needed} healthy pods and has {healthy} currently"
    causes = [{"reason": "DisruptionBudget", "message": message}]
    return errors.ApiError(
        429,
        "TooManyRequests",
        "Cannot evict pod as it would violate the pod's disruption budget.",
        {"causes": causes},
    )
