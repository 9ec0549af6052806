"""The environment of a container: its own variables, those taken from elsewhere, and the node's additions."""

from __future__ import annotations

import base64
import re
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from migrator.lab.kubeclient import resource_path

if TYPE_CHECKING:
    from migrator.lab.kubeclient import KubeClient

Json = dict[str, Any]
_REFERENCE = re.compile(r"\$(\$)?\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class MissingReferenceError(Exception):
    """A ConfigMap, Secret or key that the container cannot do without is not there."""


class Environments:
    """Resolves environments; like a kubelet, once per container, when the pod starts."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube
        self._known: dict[str, dict[str, dict[str, str]]] = {}
        self._lock = threading.Lock()

    def start(self, pod: Json) -> None:
        """Fix the environments of all containers.

        Raises:
            MissingReferenceError: something they refer to is not there.
        """
        containers = [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]
        resolved = {container["name"]: self._resolve(pod, container) for container in containers}
        with self._lock:
            self._known[pod["metadata"]["uid"]] = resolved

    def of(self, pod: Json, container: Json) -> dict[str, str]:
        """The environment of one container of a started pod."""
        uid = pod["metadata"]["uid"]
        if uid not in self._known:
            self.start(pod)
        with self._lock:
            return dict(self._known[uid][container["name"]])

    def forget(self, uid: str) -> None:
        """Drop a pod that is gone."""
        with self._lock:
            self._known.pop(uid, None)

    def _resolve(self, pod: Json, container: Json) -> dict[str, str]:
        server = urlsplit(self._kube.url)
        result = {
            "PATH": _PATH,
            "HOSTNAME": hostname(pod),
            "KUBERNETES_SERVICE_HOST": server.hostname or "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(server.port or 443),
            "HOME": "/root",
        }
        for source in container.get("envFrom") or []:
            result.update(self._all_of(pod, source))
        for variable in container.get("env") or []:
            value = self._value(pod, container, variable)
            if value is not None:
                result[variable["name"]] = _REFERENCE.sub(lambda found: _expand(found, result), value)
        return result

    def _all_of(self, pod: Json, source: Json) -> dict[str, str]:
        prefix = source.get("prefix", "")
        for field, plural in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if field in source:
                data = self._data(pod, plural, source[field])
                return {prefix + key: value for key, value in (data or {}).items()}
        return {}

    def _value(self, pod: Json, container: Json, variable: Json) -> str | None:
        source = variable.get("valueFrom")
        if not source:
            return str(variable.get("value", ""))
        if "fieldRef" in source:
            return field_of(pod, source["fieldRef"]["fieldPath"])
        if "resourceFieldRef" in source:
            _, kind, name = ("." + source["resourceFieldRef"]["resource"]).rsplit(".", 2)
            resources = container.get("resources") or {}
            return str((resources.get(kind) or {}).get(name, "0"))
        for field, plural in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
            if field in source:
                return self._key(pod, plural, source[field])
        return ""

    def _key(self, pod: Json, plural: str, reference: Json) -> str | None:
        data = self._data(pod, plural, reference) or {}
        if reference["key"] not in data and not reference.get("optional"):
            kind, namespace = plural.removesuffix("s"), pod["metadata"]["namespace"]
            raise MissingReferenceError(
                f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}"
            )
        return data.get(reference["key"])

    def _data(self, pod: Json, plural: str, reference: Json) -> dict[str, str] | None:
        namespace = pod["metadata"]["namespace"]
        document = self._kube.find(resource_path("v1", plural, namespace, reference["name"]))
        if document is None:
            if reference.get("optional"):
                return None
            kind = plural.removesuffix("s")
            raise MissingReferenceError(f'{kind} "{reference["name"]}" not found')
        data: dict[str, str] = document.get("data") or {}
        if plural == "secrets":
            return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
        return data


def hostname(pod: Json) -> str:
    """What `hostname` prints in the pod."""
    if pod["spec"].get("hostNetwork"):
        return str(pod["spec"].get("nodeName", ""))
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])


def field_of(pod: Json, path: str) -> str:
    """A field of the pod as the downward API gives it; empty if there is none."""
    if found := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
        return str((pod["metadata"].get(found[1]) or {}).get(found[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        values = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{value}"' for key, value in sorted(values.items()))
    value: Any = pod
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "" if value is None else str(value)


def _expand(found: re.Match[str], known: dict[str, str]) -> str:
    if found[1]:
        return found[0][1:]
    return known.get(found[2], found[0])
