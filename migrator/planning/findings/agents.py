"""Rules about the agent on the nodes that host the service's pods, or that its next pods may come to.

Source: the EKS user guide on the agent, hybrid nodes, and nodes without IPv6.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from migrator.model.facts import Node
from migrator.model.plan import Finding
from migrator.model.scheduling import may_run
from migrator.planning.case import Case, Template, template_of_pod
from migrator.planning.findings.catalogue import found
from migrator.planning.findings.clusters import needs_agent

_SHOWN = 3
_ELSEWHERE = frozenset({"auto", "fargate", "hybrid"})  # compute types whose agent is not an ordinary DaemonSet's
_JOBS = frozenset({"Job", "CronJob"})


def judge(case: Case) -> Iterator[Finding]:
    """Findings about nodes without an agent, and about Jobs that are quicker than it."""
    hybrid = sorted(name for name, node in case.nodes.items() if node.compute_type == "hybrid")
    for template in case.templates:
        yield from _kept_out(case, template)
        yield from _hybrid(case, template, hybrid)
    yield from _not_ready(case)
    yield from _fresh(case)


def _kept_out(case: Case, template: Template) -> Iterator[Finding]:
    """Nodes of the pods that no DaemonSet of the agent may run on, by what keeps the agent away."""
    nodes: dict[str, list[str]] = defaultdict(list)
    for node in _those_of(case, template, case.left_out):
        nodes[case.left_out[node.name]].append(node.name)
    for why, names in sorted(nodes.items()):
        yield found("agent-kept-out", template.object, "its nodes", _some(names), why=why)


def _hybrid(case: Case, template: Template, hybrid: Sequence[str]) -> Iterator[Finding]:
    """Hybrid nodes that may host a pod and do not yet: those that do are another finding."""
    homes = {pod.node for pod in case.pods}
    without = [name for name in hybrid if name not in homes | case.agent.ready_nodes]
    if spare := [node.name for node in _those_of(case, template, without)]:
        yield found("hybrid-possible", template.object, "its nodes", _some(spare))


def _not_ready(case: Case) -> Iterator[Finding]:
    """Nodes of the service's pods where an agent should be, and is not yet or no more."""
    if not case.agent.daemonset:
        return
    for name in sorted({pod.node for pod in case.pods} - case.agent.ready_nodes - case.left_out.keys()):
        node = case.nodes.get(name)
        if node is not None and node.ready and node.os == "linux" and node.compute_type not in _ELSEWHERE:
            yield found(
                "agent-not-ready", f"node {name}", "the agent's pod", case.agent.troubles.get(name, "not ready")
            )


def _fresh(case: Case) -> Iterator[Finding]:
    if not case.autoscaler or not needs_agent(case):
        return
    for workload in case.workloads:
        if workload.ref.kind in _JOBS:
            yield found("jobs-on-fresh-nodes", str(workload.ref), "its nodes", case.autoscaler)


def _those_of(case: Case, template: Template, names: Iterable[str]) -> list[Node]:
    """The nodes among these where pods of the template are, or where its next ones may come to."""
    homes = {pod.node for pod in case.pods if template_of_pod(pod).object == template.object}
    return [
        node
        for node in (case.nodes[name] for name in names)
        if node.name in homes or (node.ready and node.schedulable and may_run(template.spec, node))
    ]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
