"""Nodes of a cluster that need an agent of the cluster's own and on which none of its DaemonSets can run.

Source: the chart of the EKS Pod Identity agent (affinity, tolerations), which the add-on installs.
"""

from collections.abc import Iterable, Mapping

from migrator.model.facts import AgentState, Node, PodSpec
from migrator.model.placement import NodeTerm, Requirement, Toleration
from migrator.model.scheduling import ARCH, COMPUTE_TYPE, OS, kept_out

_ADDON = PodSpec(
    tolerations=(Toleration(operator="Exists"),),
    node_terms=(
        NodeTerm(
            requirements=(
                Requirement(key=OS, operator="In", values=("linux",)),
                Requirement(key=ARCH, operator="In", values=("amd64", "arm64")),
                Requirement(key=COMPUTE_TYPE, operator="NotIn", values=("fargate", "hybrid", "auto")),
            )
        ),
    ),
)


def left_out(agent: AgentState, nodes: Iterable[Node]) -> Mapping[str, str]:
    """By node, sorted, why the first of the agent's DaemonSets cannot run there; hybrid nodes are another matter.

    A cluster without an agent is judged by the add-on that would be installed.
    """
    found = {node.name: _why(agent, node) for node in sorted(nodes, key=lambda node: node.name) if _ordinary(node)}
    return {name: why for name, why in found.items() if why}


def _why(agent: AgentState, node: Node) -> str:
    reasons = [kept_out(spec, node) for spec in agent.specs or (_ADDON,)]
    return reasons[0] if all(reasons) else ""


def _ordinary(node: Node) -> bool:
    return node.os == "linux" and node.compute_type not in {"auto", "fargate", "hybrid"}
