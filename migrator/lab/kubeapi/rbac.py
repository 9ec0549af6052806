"""What callers may do: the RBAC rules stored in the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.tokens import User

Json = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io"
_MASTERS = "system:masters"
_ROLES = {"Role": "roles", "ClusterRole": "clusterroles"}


@dataclass(frozen=True)
class Attributes:
    """What a caller wants to do: to a resource, or to a path that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True)
class Grant:
    """A rule, and where it comes from; a role that is not there has none."""

    rule: Json | None
    binding: Json
    subject: str
    namespace: str = ""

    @property
    def source(self) -> str:
        """Who gave it to whom, or what is missing."""
        word, name = self.binding["roleRef"]["kind"], self.binding["roleRef"]["name"]
        if self.rule is None:
            return f'{word.lower()}.{_RBAC} "{name}" not found'
        bound, whole = "ClusterRoleBinding", self.binding["metadata"]["name"]
        if self.namespace:
            bound, whole = "RoleBinding", f"{whole}/{self.namespace}"
        return f'{bound} "{whole}" of {word} "{name}" to {self.subject}'


def authorize(cluster: Cluster, user: User, wanted: Attributes) -> None:
    """Check that a caller may do this.

    Raises:
        ApiError: 403.
    """
    allowed, why = decide(cluster, user, wanted)
    if not allowed:
        raise refusal(user, wanted, why)


def decide(cluster: Cluster, user: User, wanted: Attributes) -> tuple[bool, str]:
    """Whether the stored rules let this user do this, and by which of them, or what could not be looked up."""
    if _MASTERS in user.groups:
        return True, ""
    missing = []
    for grant in grants(cluster, user, wanted.namespace):
        if grant.rule is None:
            missing.append(grant.source)
        elif _permits(grant.rule, wanted):
            return True, f"RBAC: allowed by {grant.source}"
    joined = missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]"
    return False, f"RBAC: {joined}" if missing else ""


def grants(cluster: Cluster, user: User, namespace: str) -> Iterator[Grant]:
    """All rules that apply to a user: cluster-wide, and in a namespace."""
    for record in cluster.store.records((_RBAC, "clusterrolebindings")):
        yield from _granted(cluster, record.obj, user, "")
    if namespace:
        for record in cluster.store.records((_RBAC, "rolebindings"), namespace):
            yield from _granted(cluster, record.obj, user, namespace)


def _granted(cluster: Cluster, binding: Json, user: User, namespace: str) -> Iterator[Grant]:
    subject = _subject(binding, user, namespace)
    if not subject:
        return
    word, name = binding["roleRef"]["kind"], binding["roleRef"]["name"]
    record = cluster.store.get((_RBAC, _ROLES[word]), namespace if word == "Role" else "", name)
    rules = [None] if record is None else record.obj.get("rules") or ()
    yield from (Grant(rule, binding, subject, namespace) for rule in rules)


def _subject(binding: Json, user: User, namespace: str) -> str:
    """What of a binding means this user, as messages name it; nothing if nothing does."""
    for subject in binding.get("subjects") or ():
        word, name = subject["kind"], subject.get("name", "")
        where = subject.get("namespace") or namespace
        if word == "ServiceAccount" and user.name == f"system:serviceaccount:{where}:{name}":
            return f'{word} "{name}/{where}"'
        if (word == "User" and name == user.name) or (word == "Group" and name in user.groups):
            return f'{word} "{name}"'
    return ""


def _permits(rule: Json, wanted: Attributes) -> bool:
    verbs = rule.get("verbs") or ()
    if wanted.verb not in verbs and "*" not in verbs:
        return False
    if wanted.path:
        paths = rule.get("nonResourceURLs") or ()
        return any(p in ("*", wanted.path) or (p.endswith("*") and wanted.path.startswith(p[:-1])) for p in paths)
    groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
    names = rule.get("resourceNames") or ()
    _, _, subresource = wanted.resource.partition("/")
    resource = wanted.resource in resources or "*" in resources or (subresource and f"*/{subresource}" in resources)
    return bool((wanted.group in groups or "*" in groups) and resource and (not names or wanted.name in names))


def refusal(user: User, wanted: Attributes, why: str = "") -> errors.ApiError:
    """The 403 of a caller who may not do it."""
    because = f": {why}" if why else ""
    if wanted.path:
        message = f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"{because}'
        return errors.ApiError(403, "Forbidden", message, {}, errors.NO_SNIFFING)
    plural = wanted.resource.partition("/")[0]
    qualified = f"{plural}.{wanted.group}" if wanted.group else plural
    subject = f'{qualified} "{wanted.name}"' if wanted.name else qualified
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    message = (
        f'{subject} is forbidden: User "{user.name}" cannot {wanted.verb} resource "{wanted.resource}" '
        f'in API group "{wanted.group}" {where}{because}'
    )
    details: Json = {"name": wanted.name} if wanted.name else {}
    if wanted.group:
        details["group"] = wanted.group
    details["kind"] = plural
    return errors.ApiError(403, "Forbidden", message, details, errors.NO_SNIFFING)
