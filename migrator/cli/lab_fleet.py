"""What may be told of a running practice fleet. Imported only when the extra `lab` is installed."""

from migrator.lab.record import Lab
from migrator.render.views.lab import LabCluster, LabView


def seen(lab: Lab) -> LabView:
    """The fleet without its secrets: its record holds every cluster's administrator token."""
    clusters = [
        LabCluster(alias=one.alias, account=one.account, region=one.region, version=one.version, endpoint=one.url)
        for one in lab.clusters
    ]
    return LabView(
        world=lab.world, pid=lab.pid, aws_endpoint=lab.aws_endpoint, started=lab.started, env=lab.env, clusters=clusters
    )
