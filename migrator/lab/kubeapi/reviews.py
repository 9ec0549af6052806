"""Questions put to the server by creating an object: who is this token, who am I, may I."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import access, access_reviews, decoding, errors
from migrator.lab.kubeapi.forms import form_of, unspoken, written
from migrator.lab.kubeapi.managed_fields import record_update
from migrator.lab.kubeapi.metadata import now
from migrator.lab.kubeapi.pod_parts import bind
from migrator.lab.kubeapi.wire import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.tokens import User

Json = dict[str, Any]

_CREATED = 201
_UNKNOWN = "invalid bearer token"


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
        form = form_of(call.request)
        if form.name:
            raise unspoken()
        asked = decoding.of_kind(call, decoding.document(call), warnings)
        metadata = asked.setdefault("metadata", {})
        metadata.pop("namespace", None)
        if call.kind.namespaced:
            metadata["namespace"] = call.namespace
        record_update(call.kind, None, asked, manager=call.manager)
        answers: dict[str, Callable[[Cluster, Call, Json], Json]] = {
            "SelfSubjectReview": _myself,
            "TokenReview": _token,
            "SelfSubjectRulesReview": access_reviews.rules,
        }
        answer = answers.get(call.kind.kind, access_reviews.access)
        head = {"kind": call.kind.kind, "apiVersion": call.kind.api_version}
        return written({**head, **answer(self._cluster, call, asked)}, form, _CREATED)


def _myself(_cluster: Cluster, call: Call, _asked: Json) -> Json:
    return {"metadata": {"creationTimestamp": now()}, "status": {"userInfo": _user_info(call.user)}}


def _token(cluster: Cluster, _call: Call, asked: Json) -> Json:
    spec = asked["spec"]
    token = spec.get("token")
    if not token:
        raise errors.bad_request("token is required for TokenReview in authentication")
    wanted = tuple(spec.get("audiences") or (access.AUDIENCE,))
    user, audiences = access.user_of(cluster, token, wanted)
    if user is not None:
        return {**asked, "status": {"authenticated": True, "user": _user_info(user), "audiences": list(audiences)}}
    why = _UNKNOWN
    if audiences:
        given, goal = (" ".join(f'"{one}"' for one in many) for many in (audiences, wanted))
        why = f"[{_UNKNOWN}, token audiences [{given}] is invalid for the target audiences [{goal}]]"
    return {**asked, "status": {"user": {}, "error": why}}


def _user_info(user: User) -> Json:
    info: Json = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    info["extra"] = {key: list(values) for key, values in sorted(user.extra.items())}
    return {key: value for key, value in info.items() if value}
