"""Which columns each kind has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import table_cells as cells
from migrator.lab.kubeapi.ages import age

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_SEEN = ("+First Seen", "+Count", "+Name")
_WORKLOAD = ("+Containers", "+Images")
_LAYOUTS: dict[tuple[str, str], tuple[tuple[str, ...], Callable[[Json], list[Any]]]] = {
    ("", "pods"): (
        ("Name", "Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates"),
        cells.pod,
    ),
    ("apps", "deployments"): (
        ("Name", "Ready", "Up-to-date", "Available", "Age", *_WORKLOAD, "+Selector"),
        cells.deployment,
    ),
    ("apps", "replicasets"): (
        ("Name", "Desired", "Current", "Ready", "Age", *_WORKLOAD, "+Selector"),
        cells.replica_set,
    ),
    ("apps", "statefulsets"): (("Name", "Ready", "Age", *_WORKLOAD), cells.stateful_set),
    ("apps", "daemonsets"): (
        (
            "Name",
            "Desired",
            "Current",
            "Ready",
            "Up-to-date",
            "Available",
            "Node Selector",
            "Age",
            *_WORKLOAD,
            "+Selector",
        ),
        cells.daemon_set,
    ),
    ("batch", "jobs"): (("Name", "Status", "Completions", "Duration", "Age", *_WORKLOAD, "+Selector"), cells.job),
    ("batch", "cronjobs"): (
        ("Name", "Schedule", "Timezone", "Suspend", "Active", "Last Schedule", "Age", *_WORKLOAD, "+Selector"),
        cells.cron_job,
    ),
    ("", "nodes"): (
        (
            "Name",
            "Status",
            "Roles",
            "Age",
            "Version",
            "+Internal-IP",
            "+External-IP",
            "+OS-Image",
            "+Kernel-Version",
            "+Container-Runtime",
        ),
        cells.node,
    ),
    ("", "services"): (
        ("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"),
        cells.service,
    ),
    ("", "events"): (
        ("Last Seen", "Type", "Reason", "Object", "+Subobject", "+Source", "Message", *_SEEN),
        cells.event,
    ),
    ("", "namespaces"): (
        ("Name", "Status", "Age"),
        lambda o: [cells.name_of(o), cells.at(o, "status.phase", "Active"), cells.age_of(o)],
    ),
    ("", "configmaps"): (
        ("Name", "Data", "Age"),
        lambda o: [cells.name_of(o), len(o.get("data") or {}) + len(o.get("binaryData") or {}), cells.age_of(o)],
    ),
    ("", "secrets"): (
        ("Name", "Type", "Data", "Age"),
        lambda o: [cells.name_of(o), o.get("type", ""), len(o.get("data") or {}), cells.age_of(o)],
    ),
    ("coordination.k8s.io", "leases"): (
        ("Name", "Holder", "Age"),
        lambda o: [cells.name_of(o), cells.at(o, "spec.holderIdentity", ""), cells.age_of(o)],
    ),
    ("policy", "poddisruptionbudgets"): (
        ("Name", "Min Available", "Max Unavailable", "Allowed Disruptions", "Age"),
        cells.budget,
    ),
    ("rbac.authorization.k8s.io", "rolebindings"): (("Name", "Role", "Age"), cells.role_binding),
    ("rbac.authorization.k8s.io", "clusterrolebindings"): (("Name", "Role", "Age"), cells.role_binding),
    ("rbac.authorization.k8s.io", "roles"): (("Name", "Created At"), cells.stamped),
    ("rbac.authorization.k8s.io", "clusterroles"): (("Name", "Created At"), cells.stamped),
    ("apiextensions.k8s.io", "customresourcedefinitions"): (("Name", "Created At"), cells.stamped),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): (
        ("Name", "Webhooks", "Age"),
        lambda o: [cells.name_of(o), len(o.get("webhooks") or []), cells.age_of(o)],
    ),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): (
        ("Name", "Webhooks", "Age"),
        lambda o: [cells.name_of(o), len(o.get("webhooks") or []), cells.age_of(o)],
    ),
}


def layout(kind: Kind) -> tuple[tuple[str, ...], Callable[[Json], list[Any]]]:
    """The column names of a kind (``+`` before those of ``-o wide``) and the function that fills a row."""
    if kind.key in _LAYOUTS:
        return _LAYOUTS[kind.key]
    if kind.columns:
        names = ("Name", *(name for name, _, _ in kind.columns))
        return names, lambda obj: [cells.name_of(obj), *(_printed(obj, *column[1:]) for column in kind.columns)]
    return ("Name", "Age"), lambda obj: [cells.name_of(obj), cells.age_of(obj)]


def _printed(obj: Json, type_name: str, path: str) -> Any:
    steps = re.findall(r"[^.\[\]]+", path)
    found: Any = obj
    for step in steps:
        if isinstance(found, list):
            found = found[int(step)] if step.isdigit() and int(step) < len(found) else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    if type_name == "date":
        return age(found) if found else None
    return found
