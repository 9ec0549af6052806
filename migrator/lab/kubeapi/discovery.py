"""Discovery: which groups, versions and resources there are, the server's version and its health."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors, openapi, routes
from migrator.lab.kubeapi.wire import Request, Response, json_response, text_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_SUB_VERBS = {
    "attach": ("create", "get"),
    "exec": ("create", "get"),
    "portforward": ("create", "get"),
    "log": ("get",),
    "eviction": ("create",),
    "binding": ("create",),
    "token": ("create",),
    "finalize": ("update",),
}
_SUB_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
    "binding": ("", "v1", "Binding"),
    "exec": ("", "v1", "PodExecOptions"),
    "attach": ("", "v1", "PodAttachOptions"),
    "portforward": ("", "v1", "PodPortForwardOptions"),
}
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
            ApiError: 404.
        """
        path = request.path.rstrip("/") or "/"
        if path.startswith(("/healthz", "/livez", "/readyz")):
            healthy = text_response("ok")
            healthy.headers.update(errors.NO_SNIFFING)
            return healthy
        if path.startswith("/openapi/"):
            return openapi.answer(self._cluster.kinds, self._cluster.definitions, request)
        body = self._document(path, request)
        if body is None:
            raise self._nothing(path)
        if request.method != "GET":
            raise errors.method_not_allowed()
        if path.startswith("/api"):
            routes.check_accept(request)
        response = json_response(body)
        if body.get("kind") == "APIGroupDiscoveryList":
            response.content_type = _AGGREGATED
        return response

    def _document(self, path: str, request: Request) -> Json | None:
        plain: dict[str, Callable[[], Json]] = {
            "/": self._root,
            "/version": lambda: version_info(self._cluster.version),
            "/.well-known/openid-configuration": self._openid,
            "/openid/v1/jwks": self._cluster.tokens.jwks,
            "/api": lambda: self._core(request),
            "/apis": lambda: self._named(request),
        }
        if path in plain:
            return plain[path]()
        groups = self._groups()
        parts = path.strip("/").split("/")
        if len(parts) == 2 and parts[0] == "api":
            return _resources("", parts[1], groups[""])
        if len(parts) not in (2, 3) or parts[0] != "apis" or parts[1] not in groups:
            return None
        found = groups[parts[1]]
        if len(parts) == 2:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], found)}
        return _resources(parts[1], parts[2], found)

    def _nothing(self, path: str) -> Exception:
        """Under groups that there are, a version that there is not is an error of the API."""
        first, *rest = path.strip("/").split("/")
        known = first == "api" or (first == "apis" and bool(rest) and self._cluster.kinds.has_group(rest[0]))
        return errors.unknown_path() if known else errors.PageNotFoundError()

    def _root(self) -> Json:
        named = [f"/apis/{group}" for group in self._groups() if group]
        others = ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
        return {"paths": ["/api", "/api/v1", "/apis", *named, *others]}

    def _openid(self) -> Json:
        return self._cluster.tokens.discovery(f"{self._cluster.url}/openid/v1/jwks")

    def _core(self, request: Request) -> Json:
        return _aggregated({"": self._groups()[""]}) if _wants_aggregated(request) else self._core_versions()

    def _named(self, request: Request) -> Json:
        named = {name: kinds for name, kinds in self._groups().items() if name}
        if _wants_aggregated(request):
            return _aggregated(named)
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(n, k) for n, k in named.items()]}

    def _groups(self) -> dict[str, list[Kind]]:
        found: dict[str, list[Kind]] = {}
        for kind in self._cluster.kinds.all():
            found.setdefault(kind.group, []).append(kind)
        return found

    def _core_versions(self) -> Json:
        address = self._cluster.url.removeprefix("https://")
        return {
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
        }


def _wants_aggregated(request: Request) -> bool:
    accept = request.header("accept").replace(" ", "")
    return "as=APIGroupDiscoveryList" in accept and "v=v2" in accept


def _versions(kinds: list[Kind]) -> list[str]:
    return list(dict.fromkeys(kind.version for kind in kinds))


def _group(name: str, kinds: list[Kind]) -> Json:
    versions = [{"groupVersion": f"{name}/{v}", "version": v} for v in _versions(kinds)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _resources(group: str, version: str, kinds: list[Kind]) -> Json | None:
    found = [kind for kind in kinds if kind.version == version]
    if not found:
        return None
    resources: list[Json] = []
    for kind in found:
        entry: Json = {
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": list(kind.verbs),
        }
        if kind.short:
            entry["shortNames"] = list(kind.short)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        resources.append(entry)
        resources += [_subresource(kind, name) for name in kind.subresources]
    group_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def _subresource(kind: Kind, name: str) -> Json:
    entry: Json = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
    if name in _SUB_KINDS:
        group, version, spoken = _SUB_KINDS[name]
        if group:
            entry["group"] = group
        entry["version"] = version
        entry["kind"] = spoken
    else:
        entry["kind"] = kind.kind
    entry["verbs"] = list(_SUB_VERBS.get(name, ("get", "patch", "update")))
    return entry


def _aggregated(groups: dict[str, list[Kind]]) -> Json:
    items = []
    for name, kinds in groups.items():
        versions = []
        for version in _versions(kinds):
            resources = [_aggregated_resource(kind) for kind in kinds if kind.version == version]
            versions.append({"version": version, "resources": resources, "freshness": "Current"})
        metadata: Json = {"name": name} if name else {}
        metadata["creationTimestamp"] = None
        items.append({"metadata": metadata, "versions": versions})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _aggregated_resource(kind: Kind) -> Json:
    entry: Json = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short:
        entry["shortNames"] = list(kind.short)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    subresources = []
    for name in kind.subresources:
        group, version, spoken = _SUB_KINDS.get(name, (kind.group, kind.version, kind.kind))
        subresources.append(
            {
                "subresource": name,
                "responseKind": {"group": group, "version": version, "kind": spoken},
                "verbs": list(_SUB_VERBS.get(name, ("get", "patch", "update"))),
            }
        )
    if subresources:
        entry["subresources"] = subresources
    return entry
