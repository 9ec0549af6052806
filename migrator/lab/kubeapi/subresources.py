"""The parts of an object with a URL of their own: scale, eviction, token, log, exec and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors, rbac, scale, token_requests
from migrator.lab.kubeapi.eviction import evict
from migrator.lab.kubeapi.pod_parts import bind, log
from migrator.lab.kubeapi.reads import object_response
from migrator.lab.kubeapi.tunnel import exec_response
from migrator.lab.kubeapi.wire import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_CREATED = 201
_PARTS = ("ephemeralcontainers", "finalize")
_UPGRADED = ("exec", "attach", "portforward")


class Subresources:
    """Answers every subresource but status."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def answer(self, call: Call, warnings: list[str]) -> Response:
        """The answer to a call of a subresource.

        Raises:
            ApiError: 404, 405 and whatever the subresource refuses.
        """
        if call.subresource in _UPGRADED:
            self._authorize_upgrade(call)
            return exec_response(self._cluster, call, self._object(call))
        if call.subresource in _PARTS:
            return self._part(call, warnings)
        if call.subresource == "scale":
            return scale.answer(self._cluster, call, self._object(call), warnings)
        if call.subresource == "log":
            return log(call, self._object(call))
        creates: dict[str, Callable[[Cluster, Call, list[str]], Json]] = {
            "token": token_requests.answer,
            "eviction": evict,
            "binding": bind,
        }
        return json_response(creates[call.subresource](self._cluster, call, warnings), _CREATED)

    def _authorize_upgrade(self, call: Call) -> None:
        """Since 1.35 a websocket's `get` also wants `create`; the refusal gives the authorizer's reason, RBAC has none.

        Raises:
            ApiError: 403.
        """
        resource = f"{call.kind.plural}/{call.subresource}"
        wanted = rbac.Attributes("create", call.kind.group, resource, call.namespace, call.name)
        allowed, why = rbac.decide(self._cluster, call.user, wanted)
        if not allowed:
            details = {"name": call.name, "kind": call.kind.plural}
            text = f'{call.kind.plural} "{call.name}" is forbidden: {why}'
            raise errors.ApiError(403, "Forbidden", text, details)

    def _object(self, call: Call) -> Json:
        record = self._cluster.store.get(call.kind.key, call.namespace if call.kind.namespaced else "", call.name)
        if record is None:
            raise errors.not_found(call.kind, call.name)
        return record.obj

    def _part(self, call: Call, warnings: list[str]) -> Response:
        if call.verb == "get":
            return object_response(call, self._object(call))
        if call.verb == "patch":
            return object_response(call, *self._cluster.writer.patch(call, warnings))
        return object_response(call, *self._cluster.writer.replace(call, warnings))
