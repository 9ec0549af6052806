"""The files a container sees: what its pod's volumes project, and little else."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeclient import resource_path
from migrator.lab.nodes.environment import field_of, hostname

if TYPE_CHECKING:
    from migrator.lab.kubeclient import KubeClient
    from migrator.lab.nodes.tokens import Tokens

Json = dict[str, Any]
Content = dict[str, Callable[[], bytes]]


class Files:
    """Reads files and lists folders of a container."""

    def __init__(self, kube: KubeClient, tokens: Tokens) -> None:
        self._kube, self._tokens = kube, tokens

    def read(self, pod: Json, container: Json, path: str) -> bytes:
        """A file's content.

        Raises:
            FileNotFoundError: there is no such file.
            IsADirectoryError: it is a folder.
        """
        path = normal(path)
        if path == "/etc/hostname":
            return (hostname(pod) + "\n").encode()
        files = self._files(pod, container, path)
        if path in files:
            return files[path]()
        if any(known.startswith(path.rstrip("/") + "/") for known in files):
            raise IsADirectoryError(path)
        raise FileNotFoundError(path)

    def names(self, pod: Json, container: Json, path: str) -> list[str]:
        """The names in a folder, or the path itself if it is a file.

        Raises:
            FileNotFoundError: there is no such path.
        """
        path = normal(path)
        files = self._files(pod, container, path)
        if path in files:
            return [path]
        folder = path.rstrip("/") + "/"
        below = {known[len(folder) :].partition("/")[0] for known in files if known.startswith(folder)}
        if not below and folder not in {_folder(mount) for mount in container.get("volumeMounts") or []} | {"/"}:
            raise FileNotFoundError(path)
        return sorted(below)

    def _files(self, pod: Json, container: Json, path: str) -> Content:
        """Every mounted file on the way to or below a path; later mounts cover earlier ones."""
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or []}
        found: Content = {}
        for mount in container.get("volumeMounts") or []:
            base = mount["mountPath"].rstrip("/")
            if not (path + "/").startswith(base + "/") and not base.startswith(path.rstrip("/") + "/"):
                continue
            content = self._content(pod, volumes.get(mount["name"], {}))
            inner = mount.get("subPath")
            if inner in content:
                found[base] = content[inner]
            else:
                found.update({f"{base}/{name}": read for name, read in _below(content, inner).items()})
        return found

    def _content(self, pod: Json, volume: Json) -> Content:
        if "projected" in volume:
            result: Content = {}
            for source in volume["projected"].get("sources") or []:
                result.update(self._source(pod, source))
            return result
        source = dict(volume)
        if "secret" in source:
            source["secret"] = {**source["secret"], "name": source["secret"].get("secretName")}
        return self._source(pod, source)

    def _source(self, pod: Json, source: Json) -> Content:
        if token := source.get("serviceAccountToken"):
            return {token["path"]: lambda: self._tokens.token(pod, token).encode()}
        if fields := source.get("downwardAPI"):
            return {item["path"]: _field(pod, item) for item in fields.get("items") or []}
        for kind in ("configMap", "secret"):
            if kind in source:
                return self._keys(pod, kind, source[kind])
        return {}

    def _keys(self, pod: Json, kind: str, source: Json) -> Content:
        path = resource_path("v1", kind.lower() + "s", pod["metadata"]["namespace"], source["name"])
        document = self._kube.find(path) or {}
        data = {key: value.encode() for key, value in (document.get("data") or {}).items()}
        if kind == "secret":
            data = {key: base64.b64decode(value) for key, value in data.items()}
        for key, value in (document.get("binaryData") or {}).items():
            data[key] = base64.b64decode(value)
        chosen = {item["key"]: item["path"] for item in source.get("items") or []} or {key: key for key in data}
        return {chosen[key]: _constant(value) for key, value in data.items() if key in chosen}


def normal(path: str) -> str:
    """A path in one form: forward slashes, no drive, no trailing or doubled slashes."""
    if path[1:2] == ":":
        path = path[2:].replace("\\", "/")
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def _folder(mount: Json) -> str:
    return str(mount["mountPath"]).rstrip("/") + "/"


def _below(content: Content, folder: str | None) -> Content:
    if not folder:
        return content
    inner = folder.strip("/") + "/"
    return {name[len(inner) :]: read for name, read in content.items() if name.startswith(inner)}


def _field(pod: Json, item: Json) -> Callable[[], bytes]:
    return lambda: field_of(pod, (item.get("fieldRef") or {}).get("fieldPath", "")).encode()


def _constant(value: bytes) -> Callable[[], bytes]:
    return lambda: value
