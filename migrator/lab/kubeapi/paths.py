"""From a URL to what it means: which resource, in which namespace, and which verb."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.lab.kubeapi.wire import Request

_WATCHED = "watch"
_NAMESPACE_PARTS = {"status", "finalize"}


@dataclass(frozen=True)
class Target:
    """The resource that a URL names."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""
    watched: bool = False

    @property
    def resource(self) -> str:
        """``pods`` or ``pods/exec``: how rules and messages name it."""
        return f"{self.plural}/{self.subresource}" if self.subresource else self.plural


def parse(path: str) -> Target | None:
    """The target of a resource URL; ``None`` for any other path."""
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        return _target("", parts[1], parts[2:])
    if len(parts) >= 4 and parts[0] == "apis":
        return _target(parts[1], parts[2], parts[3:])
    return None


def _target(group: str, version: str, parts: list[str]) -> Target:
    if parts[0] == _WATCHED and len(parts) > 1:
        # an old way to ask for a watch, of one object, too
        return replace(_target(group, version, parts[1:]), watched=True)
    if parts[0] == "namespaces" and len(parts) >= 3 and parts[2] not in _NAMESPACE_PARTS:
        return Target(
            group,
            version,
            parts[2],
            parts[1],
            parts[3] if len(parts) > 3 else "",
            parts[4] if len(parts) > 4 else "",
            "/".join(parts[5:]),
        )
    name = parts[1] if len(parts) > 1 else ""
    return Target(
        group,
        version,
        parts[0],
        name if parts[0] == "namespaces" else "",
        name,
        parts[2] if len(parts) > 2 else "",
        "/".join(parts[3:]),
    )


def verb(request: Request, target: Target) -> str:
    """The verb that access rules know: get, list, watch, create, update, patch, delete, deletecollection."""
    if request.method in ("GET", "HEAD"):
        if target.subresource in ("exec", "attach", "portforward"):
            return "get"
        if target.watched or (request.flag("watch") and not target.name):
            return "watch"
        return "get" if target.name else "list"
    if request.method == "DELETE":
        return "delete" if target.name else "deletecollection"
    return {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(request.method, "")
