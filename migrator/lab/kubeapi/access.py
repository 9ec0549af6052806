"""Who is calling: the users behind bearer tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.kinds import NODE, POD, SECRET, SERVICE_ACCOUNT
from migrator.lab.kubeapi.tokens import User

if TYPE_CHECKING:
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

AUDIENCE = "https://kubernetes.default.svc"
ANYBODY = User("system:anonymous", "", ("system:unauthenticated",))


def authenticate(cluster: Cluster, header: str) -> User:
    """The user behind an ``Authorization`` header; without a token that is anybody.

    Raises:
        ApiError: 401, a token of nobody.
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return ANYBODY
    user, _ = user_of(cluster, token.strip(), (AUDIENCE, cluster.tokens.issuer))
    if user is None:
        raise errors.unauthorized()
    return user


def user_of(cluster: Cluster, token: str, audiences: tuple[str, ...]) -> tuple[User | None, tuple[str, ...]]:
    """The user a token stands for, if it is good for one of these audiences; and those for which it is good."""
    if token in cluster.static_tokens:
        return cluster.static_tokens[token], audiences
    claims = cluster.tokens.verify(token) if token.count(".") == 2 else None
    if claims is not None:
        shared = tuple(one for one in audiences if one in claims["aud"])
        return (_account(cluster, claims), shared) if shared else (None, tuple(claims["aud"]))
    return (cluster.authenticate(token), audiences) if cluster.authenticate is not None else (None, ())


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
