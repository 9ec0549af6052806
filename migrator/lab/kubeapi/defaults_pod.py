"""The defaults of a pod spec, as the API server fills them in for pods and for pod templates."""

from __future__ import annotations

from typing import Any

from migrator.lab.kubeapi.defaults_others import fill

Json = dict[str, Any]

_FILE_MODE = 420
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_DEFAULTS = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_MODED_SOURCES = ("secret", "configMap", "downwardAPI", "projected")


def set_pod(spec: Json) -> None:
    """Fill in the spec of a pod: what no template gets."""
    set_pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    for name in ("initContainers", "containers"):
        for container in spec.get(name) or ():
            _ask_for_limits(container["resources"])
            if spec.get("hostNetwork"):
                for port in container.get("ports") or ():
                    fill(port, "hostPort", port.get("containerPort", 0))


def _ask_for_limits(resources: Json) -> None:
    for name, amount in (resources.get("limits") or {}).items():
        resources.setdefault("requests", {}).setdefault(name, amount)


def set_pod_spec(spec: Json) -> None:
    """Fill in one pod spec."""
    fill(spec, "restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    fill(spec, "dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    fill(spec, "schedulerName", "default-scheduler")
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for name in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(name) or ():
            _set_container(container)
    for volume in spec.get("volumes") or ():
        _set_volume(volume)


def _set_container(container: Json) -> None:
    container.setdefault("resources", {})
    fill(container, "terminationMessagePath", "/dev/termination-log")
    fill(container, "terminationMessagePolicy", "File")
    fill(container, "imagePullPolicy", _pull_policy(container.get("image", "")))
    for port in container.get("ports") or ():
        fill(port, "protocol", "TCP")
    for name in _PROBES:
        if name in container:
            _set_probe(container[name])
    for handler in (container.get("lifecycle") or {}).values():
        _set_request(handler)
    for variable in container.get("env") or ():
        source = (variable.get("valueFrom") or {}).get("fieldRef")
        if source is not None:
            fill(source, "apiVersion", "v1")


def _set_probe(probe: Json) -> None:
    for name, value in _PROBE_DEFAULTS.items():
        fill(probe, name, value)
    _set_request(probe)
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")


def _set_request(handler: Any) -> None:
    if isinstance(handler, dict) and "httpGet" in handler:
        fill(handler["httpGet"], "path", "/")
        fill(handler["httpGet"], "scheme", "HTTP")


def _pull_policy(image: str) -> str:
    last = image.rsplit("/", 1)[-1]
    if "@" in last:
        return "IfNotPresent"
    tag = last.partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _set_volume(volume: Json) -> None:
    if set(volume) == {"name"}:
        volume["emptyDir"] = {}
    for name in _MODED_SOURCES:
        if isinstance(volume.get(name), dict):
            volume[name].setdefault("defaultMode", _FILE_MODE)
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
        _set_field_refs((source.get("downwardAPI") or {}).get("items") or [])
    _set_field_refs((volume.get("downwardAPI") or {}).get("items") or [])
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    if "ephemeral" in volume:
        volume["ephemeral"]["volumeClaimTemplate"]["spec"].setdefault("volumeMode", "Filesystem")


def _set_field_refs(items: list[Json]) -> None:
    for item in items:
        if "fieldRef" in item:
            fill(item["fieldRef"], "apiVersion", "v1")
