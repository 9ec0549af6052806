"""What the server itself says about a new or changed object before it is checked: its status, and a little more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import schema, validation_pod
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.defaults import TEMPLATE_GENERATION
from migrator.lab.kubeapi.metadata import now

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

PROTECTION = {
    "persistentvolumes": "kubernetes.io/pv-protection",
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
}
"""Finalizers that a volume and a claim are given; they go when these are deleted, in use or not."""


def prepare_new(kind: Kind, obj: Json) -> None:
    """Complete a new object; its status is not the caller's to give."""
    if kind.custom and kind.has_status:
        obj.pop("status", None)
    elif kind.has_status and kind.key != ("", "nodes"):
        obj["status"] = schema.unset(kind).get("status", {})
    special = _NEW.get(kind.qualified)
    if special is not None:
        special(obj)


_GATED = {
    "type": "PodScheduled",
    "status": "False",
    "lastProbeTime": None,
    "lastTransitionTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


def _pod(pod: Json) -> None:
    spec = pod.get("spec") or {}
    pod["status"] = {"phase": "Pending", "qosClass": validation_pod.qos_class(spec)}
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    if spec.get("schedulingGates"):
        pod["status"]["conditions"] = [{**_GATED, "lastTransitionTime": now()}]


def _namespace(namespace: Json) -> None:
    namespace["spec"] = {**(namespace.get("spec") or {}), "finalizers": ["kubernetes"]}
    namespace["status"] = {"phase": "Active"}


def _volume(volume: Json) -> None:
    volume["status"] = {"phase": "Pending", "lastPhaseTransitionTime": now()}
    _protect(volume, PROTECTION["persistentvolumes"])


def _claim(claim: Json) -> None:
    claim["status"] = {"phase": "Pending"}
    _protect(claim, PROTECTION["persistentvolumeclaims"])


def _protect(obj: Json, finalizer: str) -> None:
    held = obj["metadata"].setdefault("finalizers", [])
    if finalizer not in held:
        held.append(finalizer)


def _service(service: Json) -> None:
    """A headless service has no address, and says so twice; others get none here, either."""
    spec = service["spec"]
    if spec.get("clusterIP"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    if spec["type"] != "ExternalName":
        anywhere = spec.get("clusterIP") == "None" and not spec.get("selector")
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if anywhere else ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "RequireDualStack" if anywhere else "SingleStack")


def _daemon_set(daemon_set: Json) -> None:
    annotations = daemon_set["metadata"]["annotations"]
    if annotations[TEMPLATE_GENERATION] == "0":
        annotations[TEMPLATE_GENERATION] = "1"


def _job(job: Json) -> None:
    """A Job's selector is made from its uid, unless its author wants to do that."""
    spec = job["spec"]
    if spec.get("manualSelector"):
        return
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]
    own = spec.setdefault("template", {}).setdefault("metadata", {}).setdefault("labels", {})
    # labels that came from the template go on to be the same
    shared = bool(own) and job["metadata"].get("labels") == own
    for key, value in (("controller-uid", uid), ("job-name", name)):
        own.setdefault(key, value)
        own.setdefault(f"batch.kubernetes.io/{key}", value)
    if shared:
        job["metadata"]["labels"] = dict(own)
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    labels.setdefault("batch.kubernetes.io/controller-uid", uid)
    spec["selector"] = {**(spec.get("selector") or {}), "matchLabels": labels}


def _definition(definition: Json) -> None:
    versions = definition["spec"].get("versions") or ()
    definition["status"]["storedVersions"] = [one["name"] for one in versions if one.get("storage")][:1]


_NEW: dict[str, Callable[[Json], None]] = {
    "pods": _pod,
    "namespaces": _namespace,
    "persistentvolumes": _volume,
    "persistentvolumeclaims": _claim,
    "services": _service,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}


def prepare_change(kind: Kind, old: Json, new: Json, subresource: str) -> None:
    """Keep the parts that this way of writing may not touch."""
    special = _CHANGED.get(kind.qualified)
    if special is not None and subresource != "finalize":
        special(old, new)
    if subresource == "ephemeralcontainers":
        _keep_all_but_ephemeral(old, new)
    if not kind.has_status:
        return
    if subresource == "status":
        _keep_all_but_status(kind, old, new)
    elif "status" in old:
        new["status"] = old["status"]
    else:
        new.pop("status", None)


def _count_templates(old: Json, new: Json) -> None:
    before = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1")
    changed = (old.get("spec") or {}).get("template") != (new.get("spec") or {}).get("template")
    new["metadata"]["annotations"][TEMPLATE_GENERATION] = str(int(before) + 1) if changed else before


def _keep_addresses(old: Json, new: Json) -> None:
    """A service keeps the addresses that whoever replaces it does not mention."""
    if old["spec"]["type"] == new["spec"]["type"]:
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if name in old["spec"]:
                new["spec"].setdefault(name, copy({"v": old["spec"][name]})["v"])


def _keep_ends(old: Json, new: Json) -> None:
    """The finalizers in a namespace's spec are not changed with the rest."""
    new["spec"] = {**new["spec"], "finalizers": old["spec"].get("finalizers")}
    if new["spec"]["finalizers"] is None:
        del new["spec"]["finalizers"]


_CHANGED: dict[str, Callable[[Json, Json], None]] = {
    "daemonsets.apps": _count_templates,
    "services": _keep_addresses,
    "namespaces": _keep_ends,
}


def _keep_all_but_ephemeral(old: Json, new: Json) -> None:
    added = new["spec"].get("ephemeralContainers")
    new["spec"] = {**copy(old["spec"]), "ephemeralContainers": added}
    if not added:
        del new["spec"]["ephemeralContainers"]


def _keep_all_but_status(kind: Kind, old: Json, new: Json) -> None:
    status, metadata = new.get("status"), new["metadata"]
    for key in [key for key in new if key not in old]:
        del new[key]
    new.update(copy({key: value for key, value in old.items() if key != "metadata"}))
    if status is not None:
        new["status"] = status
    else:
        new.pop("status", None)
    if kind.custom:
        account = {"managedFields": metadata["managedFields"]} if "managedFields" in metadata else {}
        new["metadata"] = copy(old["metadata"]) | account
    if kind.key == ("apps", "deployments"):
        _keep_labels(old["metadata"], metadata)


def _keep_labels(before: Json, after: Json) -> None:
    after.pop("labels", None)
    if "labels" in before:
        after["labels"] = dict(before["labels"])
