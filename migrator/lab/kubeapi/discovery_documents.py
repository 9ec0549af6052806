"""The documents of discovery: which groups, versions and resources there are, in its old form and its new one."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_VERSION = re.compile(r"^v(\d+)(?:(alpha|beta)(\d+))?$")
_STABILITY = ("other", "alpha", "beta", "")
Groups = dict[str, list["Kind"]]

_ORDER = (
    "apps", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "networking.k8s.io", "policy",
    "rbac.authorization.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io",
    "scheduling.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
)  # fmt: skip
_SUB_VERBS = {
    "attach": ("create", "get"),
    "exec": ("create", "get"),
    "portforward": ("create", "get"),
    "log": ("get",),
    "eviction": ("create",),
    "binding": ("create",),
    "token": ("create",),
    "finalize": ("update",),
}
_SUB_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
    "binding": ("", "", "Binding"),
    "exec": ("", "", "PodExecOptions"),
    "attach": ("", "", "PodAttachOptions"),
    "portforward": ("", "", "PodPortForwardOptions"),
}


def grouped(kinds: list[Kind]) -> Groups:
    """Kinds by their groups, in the order of a real server: those of custom kinds behind its own."""
    found: Groups = {}
    for kind in kinds:
        found.setdefault(kind.group, []).append(kind)
    ranks = {name: rank for rank, name in enumerate(("", *_ORDER))}
    return dict(sorted(found.items(), key=lambda item: (ranks.get(item[0], len(ranks)), item[0])))


def group_list(groups: Groups) -> Json:
    """What `/apis` says."""
    listed = [_group(name, kinds) for name, kinds in groups.items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def group(name: str, kinds: list[Kind]) -> Json:
    """What `/apis/<group>` says."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, kinds)}


def _group(name: str, kinds: list[Kind]) -> Json:
    versions = [{"groupVersion": f"{name}/{v}", "version": v} for v in _versions(kinds)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _versions(kinds: list[Kind]) -> list[str]:
    """The versions, the preferred one first: of a group that definitions add, the stable and newer ones."""
    versions = list(dict.fromkeys(kind.version for kind in kinds))
    return sorted(versions, key=_preference, reverse=True) if any(kind.custom for kind in kinds) else versions


def _preference(version: str) -> tuple[int, int, int]:
    """Version `v2` before `v1`, `v1` before `v1beta2`, `v1beta2` before `v1alpha1`, and others behind."""
    found = _VERSION.match(version)
    if found is None:
        return (0, 0, 0)
    return (_STABILITY.index(found[2] or ""), int(found[1]), int(found[3] or 0))


def resources(group_name: str, version: str, kinds: list[Kind]) -> Json | None:
    """What `/apis/<group>/<version>` says; nothing of a version that there is not."""
    found = [kind for kind in kinds if kind.version == version]
    listed: list[Json] = []
    for kind in found:
        listed += [_resource(kind), *(_subresource(kind, name) for name in kind.subresources)]
    head = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if group_name else {})
    group_version = f"{group_name}/{version}" if group_name else version
    return {**head, "groupVersion": group_version, "resources": listed} if found else None


def _resource(kind: Kind) -> Json:
    entry: Json = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
        **_nicknames(kind),
    }
    if "list" in kind.verbs:
        entry["storageVersionHash"] = _storage_hash(kind)
    return entry


def _nicknames(kind: Kind) -> Json:
    named = {"shortNames": list(kind.short), "categories": list(kind.categories)}
    return {name: words for name, words in named.items() if words}


def _storage_hash(kind: Kind) -> str:
    """Tells of a change of the version in which objects are stored."""
    stored = f"{kind.group}/{kind.storage_version or kind.version}/{kind.kind}"
    return base64.b64encode(hashlib.sha256(stored.encode()).digest()[:8]).decode()


def _subresource(kind: Kind, name: str) -> Json:
    entry: Json = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
    spoken_group, version, spoken = _SUB_KINDS.get(name, ("", "", kind.kind))
    if version:
        entry |= {"group": spoken_group, "version": version}
    return {**entry, "kind": spoken, "verbs": _sub_verbs(name)}


def _sub_verbs(name: str) -> list[str]:
    return list(_SUB_VERBS.get(name, ("get", "patch", "update")))


def aggregated(groups: Groups) -> Json:
    """Everything at once, as newer clients ask for it."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_aggregated_group(name, kinds) for name, kinds in groups.items()],
    }


def _aggregated_group(name: str, kinds: list[Kind]) -> Json:
    versions = [
        {
            "version": version,
            "resources": [_aggregated_resource(kind) for kind in kinds if kind.version == version],
            "freshness": "Current",
        }
        for version in _versions(kinds)
    ]
    return {"metadata": {"name": name} if name else {}, "versions": versions}


def _aggregated_resource(kind: Kind) -> Json:
    entry: Json = {
        "resource": kind.plural,
        "responseKind": _response_kind(kind, "", "", kind.kind),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
        **_nicknames(kind),
    }
    if kind.subresources:
        entry["subresources"] = [_aggregated_subresource(kind, name) for name in kind.subresources]
    return entry


def _aggregated_subresource(kind: Kind, name: str) -> Json:
    spoken = _SUB_KINDS.get(name, ("", "", kind.kind))
    return {"subresource": name, "responseKind": _response_kind(kind, *spoken), "verbs": _sub_verbs(name)}


def _response_kind(kind: Kind, group_name: str, version: str, spoken: str) -> Json:
    """A real server leaves out the group and version of its own kinds, and names those of custom ones."""
    if kind.custom and not version:
        group_name, version = kind.group, kind.version
    return {"group": group_name, "version": version, "kind": spoken}
