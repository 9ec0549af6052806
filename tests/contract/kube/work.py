"""Workloads to try controllers with, and where they are found."""

from typing import Any

from migrator.lab.kubeclient import KubeClient, resource_path

Json = dict[str, Any]
_VERSIONS = {"Job": "batch/v1", "CronJob": "batch/v1", "Rollout": "argoproj.io/v1alpha1"}


def manifest(kind: str, namespace: str, spec: Json, *, pod: Json | None = None, name: str = "web") -> Json:
    """A workload of one container, with fields of the pod or the workload on top."""
    container = {"name": "main", "image": "registry.example/app:1"}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, **(pod or {})},
    }
    body: Json = {"template": template, **spec}
    if kind != "Job":
        body["selector"] = {"matchLabels": {"app": name}}
    return {
        "apiVersion": _VERSIONS.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": body,
    }


def path_of(kind: str, namespace: str, name: str = "web") -> str:
    return resource_path(_VERSIONS.get(kind, "apps/v1"), kind.lower() + "s", namespace, name)


def pods(kube: KubeClient, namespace: str) -> list[Json]:
    found: list[Json] = kube.list(resource_path("v1", "pods", namespace))["items"]
    return found


def changed(text: str) -> Json:
    return {"spec": {"template": {"metadata": {"annotations": {"changed": text}}}}}
