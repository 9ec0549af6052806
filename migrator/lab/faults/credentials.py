"""Who of the ready pods would get credentials now: each is asked by the very command it would run itself."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import urllib3

from migrator.lab.faults.model import Json
from migrator.lab.kubeclient import KubeClient, KubeError, resource_path
from migrator.lab.nodes import NodeAgent
from migrator.lab.podrecord import identity_of

_ASK = ["sts", "get-caller-identity"]
_AT_ONCE = 8


class Housing(Protocol):
    """A cluster whose pods can be asked."""

    kube: KubeClient
    nodes: NodeAgent


def credentials_of(clusters: Mapping[str, Housing], namespace: str | None, account: str | None) -> list[Json]:
    """One answer for every ready pod that is not on its way out, of these names if they are given.

    Returns:
        Maps with cluster, namespace, pod, uid, service_account, identity (what the webhook gave it), answers, arn
        (of the session, empty without one) and why (what the pod was told instead).
    """
    asked = [
        (alias, cluster, pod)
        for alias, cluster in clusters.items()
        for pod in _ready(cluster)
        if namespace in (None, pod["metadata"]["namespace"]) and account in (None, _account(pod))
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda one: _answer(*one), asked))


def _ready(cluster: Housing) -> list[Json]:
    """Its ready pods; none can be told while its API server is down."""
    try:
        pods = cluster.kube.list(resource_path("v1", "pods"))["items"]
    except (KubeError, urllib3.exceptions.HTTPError):
        return []
    return [pod for pod in pods if _is_ready(pod)]


def _is_ready(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _account(pod: Json) -> str:
    return str(pod["spec"].get("serviceAccountName") or "default")


def _answer(alias: str, cluster: Housing, pod: Json) -> Json:
    code, out, err = cluster.nodes.aws(pod, pod["spec"]["containers"][0], _ASK)
    arn = str(json.loads(out)["Arn"]) if code == 0 else ""
    return {
        "cluster": alias,
        "namespace": pod["metadata"]["namespace"],
        "pod": pod["metadata"]["name"],
        "uid": pod["metadata"]["uid"],
        "service_account": _account(pod),
        "identity": identity_of(pod),
        "answers": code == 0,
        "arn": arn,
        "why": "" if code == 0 else " ".join(err.split()),
    }
