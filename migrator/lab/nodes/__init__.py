"""The nodes: they take pods, run nothing, and answer exec as if they did, with each pod's own identity.

Only the public Kubernetes API and the AWS front's wire are used here; nothing reaches into either server.
"""

from migrator.lab.nodes.agent import NodeAgent
from migrator.lab.nodes.specs import NodeSpec, PodAws

__all__ = ["NodeAgent", "NodeSpec", "PodAws"]
