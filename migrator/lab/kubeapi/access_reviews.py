"""Whether somebody may do something, and what he may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors, rbac
from migrator.lab.kubeapi.errors import FieldError, invalid_value
from migrator.lab.kubeapi.tokens import User

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_RESOURCE, _OTHER = "spec.resourceAttributes", "spec.nonResourceAttributes"


def access(cluster: Cluster, call: Call, asked: Json) -> Json:
    """A review of one thing, answered.

    Raises:
        ApiError: 400 or 422, it asks nothing, or too much.
    """
    spec = asked["spec"]
    _check(call, asked)
    user = call.user
    if not call.kind.kind.startswith("Self"):
        user = User(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()))
    allowed, why = rbac.decide(cluster, user, _wanted(spec))
    status: Json = {"allowed": allowed}
    if why:
        status["reason"] = why
    return {**asked, "status": status}


def _check(call: Call, asked: Json) -> None:
    spec = asked["spec"]
    problems = _of_spec(spec, own=call.kind.kind.startswith("Self"))
    metadata = {key: value for key, value in asked["metadata"].items() if key != "managedFields"}
    local = call.kind.kind.startswith("Local")
    if local:
        problems += _of_place(spec, metadata.pop("namespace", ""))
    if metadata:
        text = "must be empty except for namespace" if local else "must be empty"
        problems.append(invalid_value("metadata", asked["metadata"], text))
    if problems:
        raise errors.invalid_review(call.kind, problems)


def _of_spec(spec: Json, *, own: bool) -> list[FieldError]:
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    found = []
    if resource is not None and other is not None:
        shown = {key.capitalize(): other.get(key, "") for key in ("path", "verb")}
        found.append(invalid_value(_OTHER, shown, "cannot be specified in combination with resourceAttributes"))
    if resource is None and other is None:
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        found.append(invalid_value(_RESOURCE, None, text))
    if not own and not spec.get("user") and not spec.get("groups"):
        found.append(invalid_value("spec.user", "", "at least one of user or group must be specified"))
    return found


def _of_place(spec: Json, namespace: str) -> list[FieldError]:
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    found = []
    if resource is not None and resource.get("namespace", "") != namespace:
        text = "must match metadata.namespace"
        found.append(invalid_value(f"{_RESOURCE}.namespace", resource.get("namespace", ""), text))
    if other is not None:
        shown = {key.capitalize(): other.get(key, "") for key in ("path", "verb")}
        found.append(invalid_value(_OTHER, shown, "disallowed on this kind of request"))
    return found


def _wanted(spec: Json) -> rbac.Attributes:
    other = spec.get("nonResourceAttributes")
    if other is not None:
        return rbac.Attributes(other.get("verb", ""), path=other.get("path", ""))
    found = spec["resourceAttributes"]
    plural, part = found.get("resource", ""), found.get("subresource", "")
    return rbac.Attributes(
        found.get("verb", ""),
        found.get("group", ""),
        f"{plural}/{part}" if part else plural,
        found.get("namespace", ""),
        found.get("name", ""),
    )


def rules(cluster: Cluster, call: Call, asked: Json) -> Json:
    """All that somebody may do in a namespace.

    Raises:
        ApiError: 400, it names none.
    """
    namespace = asked["spec"].get("namespace")
    if not namespace:
        raise errors.bad_request("no namespace on request")
    granted = [grant.rule for grant in rbac.grants(cluster, call.user, namespace) if grant.rule is not None]
    return {
        "metadata": {},
        "spec": {},
        "status": {
            "resourceRules": [rule for rule in granted if rule.get("resources")],
            "nonResourceRules": [rule for rule in granted if rule.get("nonResourceURLs")],
            "incomplete": False,
        },
    }
