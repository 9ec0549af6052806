"""What an EKS add-on puts on a cluster; only the Pod Identity agent does, the objects of others are the world's."""

from migrator.lab.nodes.agent_daemonset import daemonset
from migrator.lab.world.model import Json

AGENT = "eks-pod-identity-agent"


def objects_of(name: str, cluster: str, version: str) -> list[Json]:
    """The add-on's objects; every other add-on is known to EKS only."""
    return [daemonset(cluster, version)] if name == AGENT else []
