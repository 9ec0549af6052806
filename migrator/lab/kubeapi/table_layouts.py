"""Which columns each kind has, and what fills them.

The columns of the built-in kinds are those of a real server; ``scripts/kube_schemas.py`` writes them into
``columns.json``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi import table_others as others
from migrator.lab.kubeapi import table_pods as pods
from migrator.lab.kubeapi import table_workloads as workloads
from migrator.lab.kubeapi.ages import age
from migrator.lab.kubeapi.table_cells import age_of, at, labels, name_of, selector

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]
Cells = Callable[[Json], list[Any]]

_FILE = Path(__file__).with_name("columns.json")
_ADMISSION, _RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"


def _counted(*fields: str) -> Cells:
    """Name, how many there are in these fields, age."""
    return lambda obj: [name_of(obj), sum(len(at(obj, field, ())) for field in fields), age_of(obj)]


_CELLS: dict[str, Cells] = {
    "pods": pods.pod,
    "deployments.apps": workloads.deployment,
    "scales.autoscaling": workloads.scale,
    "replicasets.apps": workloads.replicas(selector),
    "replicationcontrollers": workloads.replicas(labels),
    "statefulsets.apps": workloads.stateful_set,
    "daemonsets.apps": workloads.daemon_set,
    "controllerrevisions.apps": workloads.revision,
    "jobs.batch": workloads.job,
    "cronjobs.batch": workloads.cron_job,
    "podtemplates": workloads.pod_template,
    "poddisruptionbudgets.policy": workloads.budget,
    "horizontalpodautoscalers.autoscaling": workloads.autoscaler,
    "nodes": pods.node,
    "services": others.service,
    "endpoints": others.endpoints,
    "endpointslices.discovery.k8s.io": others.endpoint_slice,
    "ingresses.networking.k8s.io": others.ingress,
    "ingressclasses.networking.k8s.io": others.ingress_class,
    "networkpolicies.networking.k8s.io": others.network_policy,
    "persistentvolumes": others.volume,
    "persistentvolumeclaims": others.claim,
    "storageclasses.storage.k8s.io": others.storage_class,
    "csidrivers.storage.k8s.io": others.driver,
    "csinodes.storage.k8s.io": _counted("spec.drivers"),
    "resourcequotas": others.quota,
    "priorityclasses.scheduling.k8s.io": others.priority,
    "events": others.event,
    f"rolebindings.{_RBAC}": others.binding,
    f"clusterrolebindings.{_RBAC}": others.binding,
    f"roles.{_RBAC}": others.stamped,
    f"clusterroles.{_RBAC}": others.stamped,
    "limitranges": others.stamped,
    "customresourcedefinitions.apiextensions.k8s.io": others.stamped,
    "namespaces": lambda obj: [name_of(obj), at(obj, "status.phase", ""), age_of(obj)],
    "serviceaccounts": lambda obj: [name_of(obj), age_of(obj)],
    "configmaps": _counted("data", "binaryData"),
    "secrets": lambda obj: [name_of(obj), obj.get("type", ""), len(obj.get("data") or {}), age_of(obj)],
    "leases.coordination.k8s.io": lambda obj: [name_of(obj), at(obj, "spec.holderIdentity", ""), age_of(obj)],
    f"mutatingwebhookconfigurations.{_ADMISSION}": _counted("webhooks"),
    f"validatingwebhookconfigurations.{_ADMISSION}": _counted("webhooks"),
}


@cache
def _columns() -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = msgspec.json.decode(_FILE.read_bytes())
    return found


def layout(kind: Kind) -> tuple[list[Json], Cells]:
    """The columns of a kind, and the function that fills a row."""
    if not kind.custom:
        return _columns()[kind.qualified], _CELLS[kind.qualified]
    name, *_, grown_old = _columns()["serviceaccounts"]
    columns = [name, *(_of_definition(one) for one in kind.columns or ())]
    if not kind.columns:
        columns.append({**grown_old, "type": "date"})
        return columns, lambda obj: [name_of(obj), age_of(obj)]
    return columns, lambda obj: [name_of(obj), *(_printed(obj, one["type"], one["jsonPath"]) for one in kind.columns)]


def _of_definition(column: Json) -> Json:
    text = f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"
    return {
        "name": column["name"],
        "type": column["type"],
        "format": column.get("format", ""),
        "description": column.get("description") or text,
        "priority": column.get("priority", 0),
    }


def _printed(obj: Json, type_name: str, path: str) -> Any:
    steps = re.findall(r"[^.\[\]]+", path)
    found: Any = obj
    for step in steps:
        if isinstance(found, list):
            found = found[int(step)] if step.isdigit() and int(step) < len(found) else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    if found is None:
        return None
    if type_name == "date":
        return age(found)
    return str(found) if type_name == "string" else found
