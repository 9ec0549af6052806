"""The DaemonSet of the pod identity agent add-on, as it looks on a cluster."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
NAME = "eks-pod-identity-agent"
NAMESPACE = "kube-system"
_IMAGE = "602401143452.dkr.ecr.us-east-1.amazonaws.com/eks/eks-pod-identity-agent"


def daemonset(cluster_name: str, version: str, region: str = "us-east-1") -> Json:
    """The manifest for a cluster, at an add-on version such as `v1.3.10-eksbuild.2`."""
    selector = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": NAME}
    version_label = {"app.kubernetes.io/version": version.partition("-")[0].removeprefix("v")}
    template = {
        "metadata": {
            "labels": dict(selector),
            "annotations": {"eks.amazonaws.com/skip-containers": f"{NAME},{NAME}-init"},
        },
        "spec": _pod(cluster_name, f"{_IMAGE}:{version}", region),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": {**selector, **version_label}},
        "spec": {
            "selector": {"matchLabels": selector},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}},
            "template": template,
        },
    }


def _pod(cluster_name: str, image: str, region: str) -> Json:
    return {
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "terminationGracePeriodSeconds": 30,
        "automountServiceAccountToken": False,
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": _affinity()},
        "initContainers": [
            {
                "name": f"{NAME}-init",
                "image": image,
                "command": ["/go-runner", "/eks-pod-identity-agent", "initialize"],
                "securityContext": {"privileged": True},
            }
        ],
        "containers": [_container(cluster_name, image, region)],
    }


def _container(cluster_name: str, image: str, region: str) -> Json:
    return {
        "name": NAME,
        "image": image,
        "command": ["/go-runner", "/eks-pod-identity-agent", "server"],
        "args": ["--port", "80", "--cluster-name", cluster_name, "--probe-port", "2703"],
        "env": [{"name": "AWS_REGION", "value": region}],
        "ports": [
            {"name": "proxy", "containerPort": 80, "protocol": "TCP"},
            {"name": "probes-port", "containerPort": 2703, "protocol": "TCP"},
        ],
        "securityContext": {"capabilities": {"add": ["CAP_NET_BIND_SERVICE"]}},
        "livenessProbe": _probe("/healthz", failures=3),
        "readinessProbe": _probe("/readyz", failures=30),
    }


def _probe(path: str, *, failures: int) -> Json:
    where = {"path": path, "port": "probes-port", "host": "localhost", "scheme": "HTTP"}
    return {"httpGet": where, "initialDelaySeconds": 1, "timeoutSeconds": 10, "failureThreshold": failures}


def _affinity() -> Json:
    expressions = [
        {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]},
        {
            "key": "eks.amazonaws.com/compute-type",
            "operator": "NotIn",
            "values": ["fargate", "hybrid", "auto"],
        },
    ]
    terms = [{"matchExpressions": expressions}]
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
