"""The defaults of each kind; filling them in twice changes nothing.

What is not a pointer on a real server is empty until it is set, and an empty text counts as unset there as here.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import defaults_others as others
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.defaults_others import fill
from migrator.lab.kubeapi.defaults_pod import set_pod, set_pod_spec

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""An annotation in which a DaemonSet counts its templates."""

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]


def set_defaults(kind: Kind, obj: Json) -> None:
    """Fill in what an object of this kind leaves open."""
    setter = _SETTERS.get(kind.qualified)
    if setter is not None:
        setter(obj)


def _pod(obj: Json) -> None:
    set_pod(obj.setdefault("spec", {}))


def _template(spec: Json) -> None:
    template = spec.get("template")
    if isinstance(template, dict):
        set_pod_spec(template.setdefault("spec", {}))


def _pod_template(obj: Json) -> None:
    _template(obj)


def _deployment(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    _template(spec)
    strategy = spec.setdefault("strategy", {})
    fill(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def _replica_set(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    _template(spec)


def _replication_controller(obj: Json) -> None:
    _replica_set(obj)
    labels = _template_labels(obj)
    if labels and not obj["spec"].get("selector"):
        obj["spec"]["selector"] = dict(labels)
    _take_labels(obj)


def _template_labels(obj: Json) -> Json:
    template = obj["spec"].get("template") or {}
    return (template.get("metadata") or {}).get("labels") or {}


def _take_labels(obj: Json) -> None:
    """An object without labels has those of its template."""
    labels = _template_labels(obj)
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def _stateful_set(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    _template(spec)
    fill(spec, "podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    fill(retention, "whenDeleted", "Retain")
    fill(retention, "whenScaled", "Retain")
    for claim in spec.get("volumeClaimTemplates") or ():
        fill(claim, "kind", "PersistentVolumeClaim")
        fill(claim, "apiVersion", "v1")
        others.claim(claim)


def _daemon_set(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    obj["metadata"].setdefault("annotations", {}).setdefault(TEMPLATE_GENERATION, "0")
    _template(spec)
    strategy = spec.setdefault("updateStrategy", {})
    fill(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)


def _job(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 2**31 - 1 if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    spec.setdefault("manualSelector", False)
    _template(spec)
    _take_labels(obj)


def _cron_job(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    fill(spec, "concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    _template(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))


def _namespace(obj: Json) -> None:
    metadata = obj["metadata"]
    if metadata.get("name"):
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]
    fill(obj.setdefault("status", {}), "phase", "Active")


def _secret(obj: Json) -> None:
    fill(obj, "type", "Opaque")
    plain = obj.pop("stringData", None) or {}
    for key, text in plain.items():
        obj.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


def _node(obj: Json) -> None:
    status = obj.setdefault("status", {})
    if "capacity" in status and "allocatable" not in status:
        status["allocatable"] = copy(status["capacity"])


_SETTERS: dict[str, Callable[[Json], None]] = {
    "pods": _pod,
    "podtemplates": _pod_template,
    "replicationcontrollers": _replication_controller,
    "namespaces": _namespace,
    "nodes": _node,
    "secrets": _secret,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    **others.SETTERS,
}
