"""The agent on the cluster: absent → ready on every node that hosts, or may host, the service's pods.

It belongs to the cluster, so no way back takes it away. Auto Mode nodes have it built in and show no pod; a
self-managed or Helm-installed agent counts as found (EKS user guide, pages "pod-id-agent-setup", "auto-mode").
"""

from collections.abc import Sequence

from migrator.model.facts import AgentState, Node, PodSpec
from migrator.model.fleet import Waits
from migrator.model.plan import PlannedStep
from migrator.model.scheduling import may_run
from migrator.steps.crowds.judged import live
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

_BROKEN = frozenset({"CREATE_FAILED", "DELETE_FAILED", "DELETING", "UPDATE_FAILED"})
_SHOWN = 5


class AgentStep:
    """Installs the EKS add-on where there is no agent at all, and waits until it covers the service's nodes."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """AFTER as soon as there is an agent by whomever; whether it is ready is `settled`'s question."""
        state = context.cluster.agent()
        nodes = context.cluster.nodes()
        if state.addon is None and not state.daemonset and _needing_agent(nodes):
            if step.before["agent"] != "absent":
                return Reading(position=Position.OTHER, note="the agent that the plan found is gone")
            return Reading(position=Position.BEFORE, image={"agent": "absent"})
        missing = _uncovered(context, state, nodes)
        if state.addon is not None and state.addon.status in _BROKEN:
            return Reading(position=Position.OTHER, note=_broken(state))
        note = f"agent not ready on {_listed(missing)}" if missing else "agent ready"
        return Reading(position=Position.AFTER, note=note)

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Creates the add-on; the token makes a repeated call the same call."""
        del step
        context.cluster.install_agent(f"{context.run}-agent")

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Every node of the service's pods has a ready agent pod, or is an Auto Mode node."""
        del step
        state = context.cluster.agent()
        nodes = context.cluster.nodes()
        if state.addon is not None and state.addon.status in _BROKEN:
            return Failed(reason=_broken(state))
        missing = _uncovered(context, state, nodes)
        if missing:
            return NotYet(reason=f"no ready agent pod on {_listed(missing)}")
        if state.addon is not None and state.addon.status == "CREATING":
            return NotYet(reason="the add-on is still CREATING")
        return Settled(result={"addon": state.addon.version if state.addon else None}, note=_how(state, nodes))

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.agent`."""
        del step
        return waits.agent

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """A covered node stays covered."""
        del step, waits
        return 0.0


def _needing_agent(nodes: Sequence[Node]) -> list[Node]:
    return [node for node in nodes if node.os == "linux" and node.compute_type not in {"auto", "fargate"}]


def _uncovered(context: Context, state: AgentState, nodes: Sequence[Node]) -> list[str]:
    """Nodes without a ready agent that host pods of the service, or that its next pods may land on."""
    service = context.service
    homes = {pod.node for pod in live(context.cluster.pods_of(service.namespace, service.name))}
    workloads = context.cluster.workloads_of(service.namespace, service.name)
    specs = [workload.spec for workload in workloads] or [PodSpec()]
    hosts = {node.name for node in _needing_agent(nodes) if node.name in homes or _may_host(node, specs)}
    return sorted(hosts - state.ready_nodes)


def _may_host(node: Node, specs: Sequence[PodSpec]) -> bool:
    """Hybrid nodes run the agent only where it was asked for."""
    if not (node.ready and node.schedulable) or node.compute_type == "hybrid":
        return False
    return any(may_run(spec, node) for spec in specs)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _broken(state: AgentState) -> str:
    addon = state.addon
    issues = f" ({'; '.join(addon.issues)})" if addon and addon.issues else ""
    return f'the add-on "{addon.name}" is {addon.status}{issues}' if addon else "no add-on"


def _how(state: AgentState, nodes: Sequence[Node]) -> str:
    if state.addon is not None:
        return f"add-on {state.addon.version} {state.addon.status}"
    if state.daemonset:
        return "self-managed agent"
    return "built into Auto Mode nodes" if any(node.compute_type == "auto" for node in nodes) else "no node needs it"
