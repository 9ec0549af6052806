"""Questions put to the server by creating an object: who is this token, who am I, may I."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import access, decoding, errors
from migrator.lab.kubeapi.calls import Call
from migrator.lab.kubeapi.pod_parts import bind
from migrator.lab.kubeapi.tokens import User
from migrator.lab.kubeapi.wire import Response, json_response

if TYPE_CHECKING:
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_CREATED = 201


class Reviews:
    """Answers the kinds that can only be created."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def answer(self, call: Call, warnings: list[str]) -> Response:
        """The review with its status filled in.

        Raises:
            ApiError: 405 for anything but create, 400 and 422 for reviews that ask nothing.
        """
        if call.verb != "create":
            raise errors.method_not_allowed()
        if call.kind.kind == "Binding":
            return json_response(bind(self._cluster, call, warnings), _CREATED)
        obj = decoding.document(call)
        head = {"kind": call.kind.kind, "apiVersion": call.kind.api_version, "metadata": {}}
        spec = obj.get("spec") or {}
        if call.kind.kind == "SelfSubjectReview":
            return json_response({**head, "status": {"userInfo": _user_info(call.user)}}, _CREATED)
        if call.kind.kind == "TokenReview":
            status = self._token_status(spec)
        elif call.kind.kind == "SelfSubjectRulesReview":
            status = self._rules(call.user, spec.get("namespace") or "")
        else:
            status = self._access(call, spec)
        return json_response({**head, "spec": spec, "status": status}, _CREATED)

    def _token_status(self, spec: Json) -> Json:
        audiences = tuple(spec.get("audiences") or (access.AUDIENCE, self._cluster.tokens.issuer))
        user = access.user_of(self._cluster, spec.get("token", ""), audiences)
        if user is None:
            return {"user": {}, "error": "[invalid bearer token, unknown]"}
        return {"authenticated": True, "user": _user_info(user), "audiences": list(audiences)}

    def _access(self, call: Call, spec: Json) -> Json:
        user = call.user
        if not call.kind.kind.startswith("Self"):
            user = User(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()))
        resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
        if (resource is None) == (other is None):
            text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            raise errors.invalid(call.kind, "", [errors.invalid_value("spec.resourceAttributes", resource, text)])
        if resource is None:
            asked = other or {}
            wanted = access.Attributes(asked.get("verb", ""), path=asked.get("path", ""))
        else:
            plural, sub = resource.get("resource", ""), resource.get("subresource", "")
            wanted = access.Attributes(
                resource.get("verb", ""),
                resource.get("group", ""),
                f"{plural}/{sub}" if sub else plural,
                resource.get("namespace", ""),
                resource.get("name", ""),
            )
        if access.allowed(self._cluster, user, wanted):
            return {"allowed": True, "reason": "RBAC: allowed by a rule of this cluster"}
        return {"allowed": False}

    def _rules(self, user: User, namespace: str) -> Json:
        rules = list(access.rules_for(self._cluster, user, namespace))
        return {
            "resourceRules": [r for r in rules if r.get("resources")],
            "nonResourceRules": [r for r in rules if r.get("nonResourceURLs")],
            "incomplete": False,
        }


def _user_info(user: User) -> Json:
    info: Json = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return info
