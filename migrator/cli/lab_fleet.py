"""What may be told of a running practice fleet. Imported only when the extra `lab` is installed."""

from dataclasses import replace

from migrator.lab.files import UNSET
from migrator.lab.record import Lab
from migrator.lab.watching import ClusterStatus, LabStatus
from migrator.render.views.lab import LabCluster, LabView


def seen(lab: Lab) -> LabView:
    """The fleet without its secrets: its record holds every cluster's administrator token."""
    clusters = [
        LabCluster(alias=one.alias, account=one.account, region=one.region, version=one.version, endpoint=one.url)
        for one in lab.clusters
    ]
    return LabView(
        world=lab.world,
        pid=lab.pid,
        aws_endpoint=lab.aws_endpoint,
        started=lab.started,
        env=lab.env,
        unset=UNSET,
        clusters=clusters,
        control_plane=lab.control_plane,
    )


def doing(status: LabStatus) -> LabView:
    """The fleet and how it does now."""
    view = seen(status.lab)
    counted = [_counted(*pair) for pair in zip(view.clusters, status.clusters, strict=True)]
    return replace(view, clusters=counted, calls=status.calls if status.answering else None)


def _counted(cluster: LabCluster, status: ClusterStatus) -> LabCluster:
    return replace(cluster, pods=status.pods, pods_ready=status.pods_ready) if status.answering else cluster
