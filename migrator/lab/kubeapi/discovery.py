"""Discovery: which groups, versions and resources there are, the server's version and its health."""

from __future__ import annotations

import hashlib
import platform
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import discovery_documents as documents
from migrator.lab.kubeapi import errors, forms, openapi, routes
from migrator.lab.kubeapi.wire import Request, Response, json_response, text_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_KEYS = "application/jwk-set+json"
_JSON = "application/json"
_CHECK = "ping"
_PATHS = (
    "/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/", "/healthz", "/healthz/ping", "/livez",
    "/livez/ping", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/openid/v1/jwks", "/readyz", "/readyz/ping",
    "/version",
)  # fmt: skip
_HEALTH = ("healthz", "livez", "readyz")
_KEPT = {"Cache-Control": "public, max-age=3600"}
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
VERSION = {
    "major": "1",
    "minor": "33",
    "gitVersion": "v1.33.5-eks-lab",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "CPython",
    "platform": f"linux/{_MACHINES.get(platform.machine(), platform.machine())}",
}


def version_info(version: str) -> Json:
    """What `/version` says of a server of this minor version, such as `1.33`."""
    major, _, minor = version.partition(".")
    return {
        **VERSION,
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": f"v{version}.5-eks-lab",
    }


class Discovery:
    """Answers every path that is no resource."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def answer(self, request: Request) -> Response:
        """The answer to a path that is no resource.

        Raises:
            ApiError: 404, 405 or 406.
        """
        path = request.path.rstrip("/") or "/"
        parts = path.strip("/").split("/")
        if parts[0] in _HEALTH:
            return _health(parts, request)
        if path.startswith("/openapi/"):
            return openapi.answer(self._cluster.kinds, self._cluster.definitions, request)
        plain = self._plain(path)
        if plain is None and self._document(parts) is None:
            raise self._nothing(path)
        if request.method != "GET":
            raise errors.method_not_allowed()
        return plain(request) if plain is not None else self._discovered(parts, request)

    def _plain(self, path: str) -> Callable[[Request], Response] | None:
        """What answers at the paths that are not about resources."""
        return {
            "/": lambda _request: json_response(self._root()),
            "/version": self._version,
            "/.well-known/openid-configuration": self._openid,
            "/openid/v1/jwks": self._jwks,
        }.get(path)

    def _version(self, request: Request) -> Response:
        routes.check_accept(request, (_JSON,))
        return json_response(version_info(self._cluster.version))

    def _openid(self, request: Request) -> Response:
        routes.check_accept(request, (_JSON,))
        found = json_response(self._cluster.tokens.discovery())
        found.headers.update(_KEPT)
        return found

    def _jwks(self, request: Request) -> Response:
        routes.check_accept(request, (_KEYS,))
        found = json_response(self._cluster.tokens.jwks())
        found.content_type = _KEYS
        found.headers.update(_KEPT)
        return found

    def _discovered(self, parts: list[str], request: Request) -> Response:
        routes.check_accept(request)
        if len(parts) == 1 and _wants_aggregated(request):
            return self._aggregated(parts[0], request)
        form = forms.form_of(request)
        if form.name:
            raise forms.unspoken()
        return forms.written(self._document(parts), form)

    def _aggregated(self, root: str, request: Request) -> Response:
        groups = documents.grouped(self._cluster.kinds.all())
        found = json_response(documents.aggregated({n: k for n, k in groups.items() if bool(n) == (root == "apis")}))
        found.content_type = _AGGREGATED
        tag = f'"{hashlib.sha512(found.body).hexdigest().upper()}"'
        if request.header("if-none-match") == tag:
            found = Response(304, content_type="")
        found.headers.update({"Cache-Control": "public", "Etag": tag, "Vary": "Accept"})
        return found

    def _document(self, parts: list[str]) -> Json | None:
        groups = documents.grouped(self._cluster.kinds.all())
        match parts:
            case ["api"]:
                return self._core_versions()
            case ["apis"]:
                return documents.group_list(groups)
            case ["api", version]:
                return documents.resources("", version, groups[""])
            case ["apis", name] if name and name in groups:
                return documents.group(name, groups[name])
            case ["apis", name, version] if name and name in groups:
                return documents.resources(name, version, groups[name])
        return None

    def _nothing(self, path: str) -> Exception:
        """Under groups that there are, a version that there is not is an error of the API."""
        first, *rest = path.strip("/").split("/")
        known = first == "api" or (first == "apis" and bool(rest) and self._cluster.kinds.has_group(rest[0]))
        return errors.unknown_path() if known else errors.PageNotFoundError()

    def _root(self) -> Json:
        served = {f"/apis/{kind.group}" for kind in self._cluster.kinds.all() if kind.group}
        versions = {f"/apis/{kind.api_version}" for kind in self._cluster.kinds.all() if kind.group}
        return {"paths": sorted({*_PATHS, *served, *versions})}

    def _core_versions(self) -> Json:
        address = self._cluster.url.removeprefix("https://")
        return {
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
        }


def _health(parts: list[str], request: Request) -> Response:
    """All is well; the checks can be asked for one by one."""
    if len(parts) == 1:
        text = f"[+]{_CHECK} ok\n{parts[0]} check passed\n" if "verbose" in request.query else "ok"
        healthy = text_response(text)
        healthy.headers.update(errors.NO_SNIFFING)
        return healthy
    if parts[1:] != [_CHECK]:
        raise errors.PageNotFoundError
    return text_response("ok")


def _wants_aggregated(request: Request) -> bool:
    accept = request.header("accept").replace(" ", "")
    return any({"as=APIGroupDiscoveryList", "v=v2"} <= set(part.split(";")) for part in accept.split(","))
