"""Which methods there are at which paths, and in which languages they answer: what a real server's routing says.

A request is turned away here before anybody looks at its body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.lab.kubeapi import errors

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind
    from migrator.lab.kubeapi.paths import Target
    from migrator.lab.kubeapi.wire import Request

_OBJECT = ("DELETE", "GET", "PATCH", "PUT")
_COLLECTION = ("DELETE", "GET", "POST")
_CHANGED = ("GET", "PATCH", "PUT")
_CONNECTED = ("GET", "POST")
_SUBRESOURCES = {
    "attach": _CONNECTED,
    "binding": ("POST",),
    "ephemeralcontainers": _CHANGED,
    "eviction": ("POST",),
    "exec": _CONNECTED,
    "finalize": ("PUT",),
    "log": ("GET",),
    "portforward": _CONNECTED,
    "scale": _CHANGED,
    "status": _CHANGED,
    "token": ("POST",),
}
_UNNEGOTIATED = ("attach", "exec", "log", "portforward")
PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/apply-patch+cbor",
)
MEDIA = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_STREAMED = ("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")


def check(request: Request, target: Target, kind: Kind | None) -> Kind:
    """The kind behind a path, if it may be asked in this way.

    Raises:
        ApiError: 404, 405, 406 or 415.
    """
    if kind is None:
        raise errors.unknown_path()
    methods = _methods(target, kind)
    if not methods and kind.custom:
        if target.subresource:
            raise errors.not_found(kind, target.name)
        raise errors.PageNotFoundError
    if not methods:
        raise errors.unknown_path()
    if request.method not in methods:
        raise errors.method_not_allowed()
    if request.method == "PATCH" and _media(request.header("content-type")) not in PATCHES:
        raise errors.ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    if target.subresource not in _UNNEGOTIATED:
        check_accept(request, streams=request.method == "GET" and not target.name)
    return kind


def _methods(target: Target, kind: Kind) -> tuple[str, ...]:
    inside = bool(target.namespace) or not kind.namespaced
    if not kind.namespaced and target.namespace and kind.plural != "namespaces":
        return ()
    if kind.verbs == ("create",):
        return ("POST",) if inside and not target.name else ()
    if target.subresource:
        known = (
            target.subresource in kind.subresources and inside and not (target.rest and target.subresource != "proxy")
        )
        return _SUBRESOURCES[target.subresource] if known else ()
    if target.name:
        return _OBJECT if inside else ()
    if not inside:
        return ("GET",)
    return _COLLECTION if "deletecollection" in kind.verbs else ("GET", "POST")


def check_accept(request: Request, spoken: tuple[str, ...] = MEDIA, *, streams: bool = False) -> None:
    """Refuse a caller who takes none of the languages spoken here.

    Raises:
        ApiError: 406.
    """
    accept = request.header("accept")
    if not accept or any(_media(part) in (*spoken, "*/*") for part in accept.split(",")):
        return
    listed = ", ".join((*spoken, *(_STREAMED if streams else ())))
    raise errors.ApiError(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {listed}", {})


def _media(text: str) -> str:
    return text.split(";", maxsplit=1)[0].strip().lower()
