"""From a request to the part of the server that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.lab.kubeapi import access, errors, paths, rbac, routes
from migrator.lab.kubeapi.calls import Call
from migrator.lab.kubeapi.collection import Collection
from migrator.lab.kubeapi.discovery import Discovery
from migrator.lab.kubeapi.hooks import Asked
from migrator.lab.kubeapi.reads import Reader, object_response
from migrator.lab.kubeapi.reviews import Reviews
from migrator.lab.kubeapi.subresources import Subresources
from migrator.lab.kubeapi.watching import WatchStream
from migrator.lab.kubeapi.wire import Request, Response

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.tokens import User

_CREATED = 201
_OWN_SUBRESOURCES = ("status",)


class Router:
    """Authenticates, authorizes, and hands on."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._reader = Reader(cluster)
        self._collection = Collection(cluster, self._reader)
        self._reviews = Reviews(cluster)
        self._subresources = Subresources(cluster)
        self._discovery = Discovery(cluster)

    def answer(self, request: Request, connection: socket.socket) -> Response:
        """The answer to one request.

        Raises:
            ApiError: any answer but success.
        """
        user = access.authenticate(self._cluster, request.header("authorization"))
        target = paths.parse(request.path)
        if target is None:
            rbac.authorize(self._cluster, user, rbac.Attributes(request.method.lower(), path=request.path))
            asked = _asked(user, request.method.lower(), paths.Target("", "", ""), request)
            return self._hooked(asked, lambda: self._discovery.answer(request))
        verb = paths.verb(request, target)
        wanted = rbac.Attributes(verb, target.group, target.resource, target.namespace, target.name)
        rbac.authorize(self._cluster, user, wanted)
        asked = _asked(user, verb, target, request)
        return self._hooked(asked, lambda: self._served(user, request, target, verb, connection))

    def _hooked(self, asked: Asked, serve: Callable[[], Response]) -> Response:
        hooks = self._cluster.hooks
        hooks.before(asked)
        try:
            response = serve()
        except errors.ApiError as error:
            hooks.after(asked, error.code)
            raise
        hooks.after(asked, response.status)
        return response

    def _served(
        self, user: User, request: Request, target: paths.Target, verb: str, connection: socket.socket
    ) -> Response:
        known = self._cluster.kinds.find(target.group, target.version, target.plural)
        if known is None and not self._cluster.kinds.has_version(target.group, target.version):
            raise errors.PageNotFoundError
        kind = routes.check(request, target, known)
        call = Call(user, request, kind, verb, target.namespace, target.name, target.subresource, target.rest)
        return self._handle(call, connection)

    def _handle(self, call: Call, connection: socket.socket) -> Response:
        warnings = [call.kind.warning] if call.kind.warning else []
        try:
            response = self._answered(call, warnings, connection)
        except errors.ApiError as error:
            error.headers |= _warned(warnings)
            raise
        response.headers |= _warned(warnings)
        return response

    def _answered(self, call: Call, warnings: list[str], connection: socket.socket) -> Response:
        if call.kind.verbs == ("create",):
            return self._reviews.answer(call, warnings)
        if call.subresource and call.subresource not in _OWN_SUBRESOURCES:
            return self._subresources.answer(call, warnings)
        if call.verb == "watch":
            return WatchStream(self._cluster, call, connection).response()
        return self._resource(call, warnings)

    def _resource(self, call: Call, warnings: list[str]) -> Response:
        writer = self._cluster.writer
        answers: dict[tuple[str, bool], Callable[[], Response]] = {
            ("get", True): lambda: self._reader.get(call),
            ("list", False): lambda: self._reader.list(call),
            ("create", False): lambda: object_response(call, writer.create(call, warnings), _CREATED),
            ("update", True): lambda: object_response(call, *writer.replace(call, warnings)),
            ("patch", True): lambda: object_response(call, *writer.patch(call, warnings)),
            ("delete", True): lambda: self._collection.delete(call, warnings),
            ("deletecollection", False): lambda: self._collection.delete_all(call, warnings),
        }
        answer = answers.get((call.verb, bool(call.name)))
        if answer is None:
            raise errors.method_not_allowed()
        return answer()


def _warned(warnings: list[str]) -> dict[str, str]:
    """The header in which a client is warned; of two equal warnings one is enough."""
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in dict.fromkeys(warnings)]
    return {"Warning": ", ".join(f'299 - "{text}"' for text in quoted)} if quoted else {}


def _asked(user: User, verb: str, target: paths.Target, request: Request) -> Asked:
    return Asked(
        user,
        verb,
        target.group,
        target.resource,
        target.namespace,
        target.name,
        path=request.path,
        dry_run="All" in request.query.get("dryRun", []),
        instance=request.instance,
    )
