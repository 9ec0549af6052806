"""Rules about the agent on the nodes that host the service's pods, or that its next pods may come to.

Source: the chart of the EKS Pod Identity agent (affinity, tolerations); the EKS user guide on nodes without IPv6.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from migrator.model.facts import Node, PodSpec
from migrator.model.placement import NodeTerm, Requirement, Toleration
from migrator.model.plan import Finding
from migrator.model.scheduling import ARCH, COMPUTE_TYPE, OS, kept_out, may_run
from migrator.planning.case import Case, Template, template_of_pod
from migrator.planning.findings.catalogue import found
from migrator.planning.findings.clusters import needs_agent

_SHOWN = 3
_JOBS = frozenset({"Job", "CronJob"})
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


def judge(case: Case) -> Iterator[Finding]:
    """Findings about nodes without an agent, and about Jobs that are quicker than it."""
    for template in case.templates:
        yield from _kept_out(case, template)
        yield from _hybrid(case, template)
    yield from _not_ready(case)
    yield from _fresh(case)


def _kept_out(case: Case, template: Template) -> Iterator[Finding]:
    """Nodes that no DaemonSet of the agent may run on, by what keeps the agent away."""
    nodes: dict[str, list[str]] = defaultdict(list)
    for node in _ordinary(_nodes_of(case, template)):
        if why := _left_out(case, node):
            nodes[why].append(node.name)
    for why, names in sorted(nodes.items()):
        yield found("agent-kept-out", template.object, "its nodes", _some(names), why=why)


def _left_out(case: Case, node: Node) -> str:
    """Why the agent cannot be on the node, as the first of its DaemonSets has it; nothing where one of them can."""
    reasons = [kept_out(spec, node) for spec in case.agent.specs or (_ADDON,)]
    return reasons[0] if all(reasons) else ""


def _hybrid(case: Case, template: Template) -> Iterator[Finding]:
    """Hybrid nodes that may host a pod and do not yet: those that do are another finding."""
    homes = {pod.node for pod in case.pods}
    spare = [
        node.name
        for node in _nodes_of(case, template)
        if node.compute_type == "hybrid" and node.name not in homes | case.agent.ready_nodes
    ]
    if spare:
        yield found("hybrid-possible", template.object, "its nodes", _some(spare))


def _not_ready(case: Case) -> Iterator[Finding]:
    """Nodes of the service's pods where an agent should be, and is not yet or no more."""
    if not case.agent.daemonset:
        return
    homes = {pod.node for pod in case.pods}
    for node in _ordinary(case.nodes.values()):
        if node.name in homes - case.agent.ready_nodes and node.ready and not _left_out(case, node):
            trouble = case.agent.troubles.get(node.name, "not ready")
            yield found("agent-not-ready", f"node {node.name}", "the agent's pod", trouble)


def _fresh(case: Case) -> Iterator[Finding]:
    if not case.autoscaler or not needs_agent(case):
        return
    for workload in case.workloads:
        if workload.ref.kind in _JOBS:
            yield found("jobs-on-fresh-nodes", str(workload.ref), "its nodes", case.autoscaler)


def _nodes_of(case: Case, template: Template) -> list[Node]:
    """Where its pods are, and where its next ones may come to; by name."""
    homes = {pod.node for pod in case.pods if template_of_pod(pod).object == template.object}
    return [
        node
        for name, node in sorted(case.nodes.items())
        if name in homes or (node.ready and node.schedulable and may_run(template.spec, node))
    ]


def _ordinary(nodes: Iterable[Node]) -> list[Node]:
    """Nodes that need an agent of the cluster's own, but for hybrid ones."""
    return [node for node in nodes if node.os == "linux" and node.compute_type not in {"auto", "fargate", "hybrid"}]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
