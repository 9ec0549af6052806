"""Opens the connection to a cluster: straight from EKS, or by a kubeconfig context that leads to the same server."""

import base64
from dataclasses import dataclass

from migrator.adapters.aws.eks import EksCluster
from migrator.adapters.aws.eks_facts import Described
from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.aws.token import EksToken
from migrator.adapters.kube import kubeconfig
from migrator.adapters.kube.auth import EksAuth
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import Where
from migrator.adapters.kube.tls import trusting
from migrator.adapters.retry import Retry
from migrator.model.errors import EnvironmentFault
from migrator.model.fleet import FleetCluster, KubeconfigAccess


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection, the description of the cluster it was opened from, and the kubeconfig context if one is used."""

    described: Described
    connection: KubeConnection
    context: kubeconfig.Kubeconfig | None = None


def opened(cluster: FleetCluster, eks: EksCluster, sessions: AwsSessions, retry: Retry) -> Opened:
    """The connection; nothing but DescribeCluster was asked yet.

    Raises:
        EnvironmentFault: the cluster has no endpoint, or the kubeconfig context leads elsewhere.
    """
    described = eks.described()
    if not described.cluster.endpoint or not described.ca:
        raise EnvironmentFault(
            f'cluster "{cluster.alias}" has no endpoint (status "{described.cluster.status}")',
            remedy="wait until it is ACTIVE, or take it out of the fleet file",
        )
    if cluster.kubeconfig is not None:
        return _by_context(cluster, cluster.kubeconfig, described, retry, sessions)
    connection = KubeConnection(
        where=Where(cluster=cluster.alias, endpoint=described.cluster.endpoint.rstrip("/")),
        context=trusting(base64.b64decode(described.ca).decode("ascii")),
        auth=EksAuth(cluster, sessions, EksToken(cluster, sessions)),
        retry=retry,
        meter=sessions.meter,
        fence=sessions.fence,
    )
    return Opened(described, connection)


def _by_context(
    cluster: FleetCluster, access: KubeconfigAccess, described: Described, retry: Retry, sessions: AwsSessions
) -> Opened:
    loaded = kubeconfig.load(access)
    if differing := kubeconfig.differences(loaded, described.cluster.endpoint, described.ca):
        text = f'cluster "{cluster.alias}": {differing}'
        raise EnvironmentFault(text, remedy='correct "kubeconfig" of the cluster in the fleet file')
    connection = KubeConnection(
        where=Where(cluster=cluster.alias, endpoint=loaded.server),
        context=loaded.context,
        auth=loaded.auth,
        retry=retry,
        proxy=loaded.proxy,
        meter=sessions.meter,
        fence=sessions.fence,
    )
    return Opened(described, connection, loaded)
