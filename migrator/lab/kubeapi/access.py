"""Who is calling, and may they: bearer tokens, and the RBAC rules stored in the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.kinds import NODE, POD, SECRET, SERVICE_ACCOUNT
from migrator.lab.kubeapi.tokens import User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

AUDIENCE = "https://kubernetes.default.svc"
ANYBODY = User("system:anonymous", "", ("system:unauthenticated",))
_RBAC = "rbac.authorization.k8s.io"
_MASTERS = "system:masters"


@dataclass(frozen=True)
class Attributes:
    """What a caller wants to do: to a resource, or to a path that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


def authenticate(cluster: Cluster, header: str) -> User:
    """The caller behind an Authorization header; without a token it may be anybody.

    Raises:
        ApiError: 401, a token of nobody.
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return ANYBODY
    user = user_of(cluster, token.strip(), (AUDIENCE, cluster.tokens.issuer))
    if user is None:
        raise errors.unauthorized()
    return user


def user_of(cluster: Cluster, token: str, audiences: tuple[str, ...]) -> User | None:
    """The user a token stands for, if it is good for one of these audiences."""
    if token in cluster.static_tokens:
        return cluster.static_tokens[token]
    claims = cluster.tokens.verify(token) if token.count(".") == 2 else None
    if claims is not None:
        return _account(cluster, claims) if set(audiences) & set(claims["aud"]) else None
    return cluster.authenticate(token) if cluster.authenticate is not None else None


def _account(cluster: Cluster, claims: Json) -> User | None:
    bound = claims["kubernetes.io"]
    namespace, account = bound["namespace"], bound["serviceaccount"]
    record = cluster.store.get(SERVICE_ACCOUNT.key, namespace, account["name"])
    if record is None or record.obj["metadata"]["uid"] != account["uid"]:
        return None
    extra: dict[str, list[str]] = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
    pod = bound.get("pod")
    if pod is not None:
        found = cluster.store.get(POD.key, namespace, pod["name"])
        if found is None or found.obj["metadata"]["uid"] != pod["uid"]:
            return None
        node = bound.get("node") or {}
        extra |= {f"authentication.kubernetes.io/node-{word}": [text] for word, text in node.items()}
        extra["authentication.kubernetes.io/pod-name"] = [pod["name"]]
        extra["authentication.kubernetes.io/pod-uid"] = [pod["uid"]]
    for kind in (SECRET, NODE) if pod is None else ():
        other = bound.get(kind.singular)
        place = namespace if kind.namespaced else ""
        found = cluster.store.get(kind.key, place, other["name"]) if other else None
        if other and (found is None or found.obj["metadata"]["uid"] != other["uid"]):
            return None
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(claims["sub"], account["uid"], groups, extra)


def authorize(cluster: Cluster, user: User, wanted: Attributes) -> None:
    """Check that a caller may do this.

    Raises:
        ApiError: 403.
    """
    if not allowed(cluster, user, wanted):
        raise _refusal(user, wanted)


def allowed(cluster: Cluster, user: User, wanted: Attributes) -> bool:
    """Whether the stored rules let this user do this."""
    if _MASTERS in user.groups:
        return True
    return any(_permits(rule, wanted) for rule in rules_for(cluster, user, wanted.namespace))


def rules_for(cluster: Cluster, user: User, namespace: str) -> Iterator[Json]:
    """All rules that apply to a user: cluster-wide, and in a namespace."""
    for record in cluster.store.records((_RBAC, "clusterrolebindings")):
        if _binds(record.obj, user):
            yield from _rules(cluster, record.obj["roleRef"], "")
    if not namespace:
        return
    for record in cluster.store.records((_RBAC, "rolebindings"), namespace):
        if _binds(record.obj, user, namespace):
            yield from _rules(cluster, record.obj["roleRef"], namespace)


def _rules(cluster: Cluster, reference: Json, namespace: str) -> list[Json]:
    if reference["kind"] == "ClusterRole":
        record = cluster.store.get((_RBAC, "clusterroles"), "", reference["name"])
    else:
        record = cluster.store.get((_RBAC, "roles"), namespace, reference["name"])
    return (record.obj.get("rules") or []) if record is not None else []


def _binds(binding: Json, user: User, namespace: str = "") -> bool:
    for subject in binding.get("subjects") or ():
        name = subject.get("name", "")
        if subject["kind"] == "User" and name == user.name:
            return True
        if subject["kind"] == "Group" and name in user.groups:
            return True
        where = subject.get("namespace") or namespace
        if subject["kind"] == "ServiceAccount" and user.name == f"system:serviceaccount:{where}:{name}":
            return True
    return False


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


def _refusal(user: User, wanted: Attributes) -> errors.ApiError:
    if wanted.path:
        message = f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"'
        return errors.ApiError(403, "Forbidden", message, {}, errors.NO_SNIFFING)
    plural = wanted.resource.partition("/")[0]
    qualified = f"{plural}.{wanted.group}" if wanted.group else plural
    subject = f'{qualified} "{wanted.name}"' if wanted.name else qualified
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    message = (
        f'{subject} is forbidden: User "{user.name}" cannot {wanted.verb} resource "{wanted.resource}" '
        f'in API group "{wanted.group}" {where}'
    )
    details: Json = {"name": wanted.name} if wanted.name else {}
    if wanted.group:
        details["group"] = wanted.group
    details["kind"] = plural
    return errors.ApiError(403, "Forbidden", message, details, errors.NO_SNIFFING)
