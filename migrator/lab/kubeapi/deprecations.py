"""What a caller is warned of in the pods and templates that he makes: labels of nodes that have got other names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_LABELS = {
    "beta.kubernetes.io/arch": ("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/os": ("v1.14", "kubernetes.io/os"),
    "failure-domain.beta.kubernetes.io/region": ("v1.17", "topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": ("v1.17", "topology.kubernetes.io/zone"),
    "beta.kubernetes.io/instance-type": ("v1.17", "node.kubernetes.io/instance-type"),
}
_SPECS = {
    "Pod": "spec",
    "PodTemplate": "template.spec",
    "CronJob": "spec.jobTemplate.spec.template.spec",
    **dict.fromkeys(("DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"), "spec.template.spec"),
}


def warnings(kind: Kind, obj: Json) -> Iterator[str]:
    """A warning for each of them, as a real server words it."""
    where = _SPECS.get(kind.kind, "") if not kind.custom else ""
    found: Any = obj
    for step in where.split("."):
        found = (found or {}).get(step)
    for label in sorted((found or {}).get("nodeSelector") or {}):
        if label in _LABELS:
            since, now = _LABELS[label]
            yield f'{where}.nodeSelector[{label}]: deprecated since {since}; use "{now}" instead'
