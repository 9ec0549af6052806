"""How a running practice fleet does: asked over its own endpoints, as anyone could."""

import json
from dataclasses import dataclass
from pathlib import Path

import urllib3

from migrator.lab.daemon import DEFAULT_DIRECTORY, running
from migrator.lab.kubeclient import KubeClient, KubeError
from migrator.lab.readiness import settled
from migrator.lab.record import Lab, RunningCluster


@dataclass(frozen=True)
class ClusterStatus:
    """One cluster: how many pods it has, and how many of them are ready or have done their work."""

    alias: str
    name: str
    account: str
    region: str
    version: str
    url: str
    answering: bool
    pods: int
    pods_ready: int


@dataclass(frozen=True)
class LabStatus:
    """A running fleet; `calls` counts every call the AWS front has had."""

    lab: Lab
    answering: bool
    calls: int
    clusters: tuple[ClusterStatus, ...]


def status(directory: Path = DEFAULT_DIRECTORY) -> LabStatus | None:
    """How the fleet of the directory does; None if none runs there.

    Raises:
        LabError: one runs, and its record cannot be read (it may still be starting).
    """
    lab = running(directory)
    if lab is None:
        return None
    calls = _calls(lab.aws_endpoint)
    return LabStatus(
        lab=lab,
        answering=calls is not None,
        calls=calls or 0,
        clusters=tuple(_cluster(cluster) for cluster in lab.clusters),
    )


def _calls(endpoint: str) -> int | None:
    """How many calls the front has had; None if it does not answer."""
    with urllib3.PoolManager(retries=False, timeout=5.0) as http:
        try:
            answer = http.request("GET", f"{endpoint}/_lab/health")
            told = json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, ValueError):
            return None
    return int(told["calls"])


def _cluster(cluster: RunningCluster) -> ClusterStatus:
    try:
        with KubeClient(cluster.url, cluster.ca_pem, cluster.token, timeout=5.0) as kube:
            pods = kube.list("/api/v1/pods")["items"]
    except (KubeError, urllib3.exceptions.HTTPError):
        pods = None
    return ClusterStatus(
        alias=cluster.alias,
        name=cluster.name,
        account=cluster.account,
        region=cluster.region,
        version=cluster.version,
        url=cluster.url,
        answering=pods is not None,
        pods=len(pods or ()),
        pods_ready=sum(settled(pod) for pod in pods or ()),
    )
