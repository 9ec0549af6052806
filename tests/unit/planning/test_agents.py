"""Where the agent is, cannot be, and may come too late, beyond what the worlds show."""

from dataclasses import replace

import pytest

from migrator.model.facts import AgentState, Container, Node, PodSpec
from migrator.model.placement import Taint, Toleration
from migrator.planning.autoscaling import autoscaler
from migrator.planning.planner import PlanSettings
from tests.fakes.planning import NODE, World, pod, workload
from tests.unit.planning.test_findings import codes

SPOT = replace(NODE, taints=(Taint(key="spot"),))
PICKY = PodSpec()
EASY = PodSpec(tolerations=(Toleration(operator="Exists"),))


def on(node: Node, agent: AgentState) -> World:
    made = workload(tolerations=(Toleration(operator="Exists"),))
    return World(made_by=[made], live=[pod(made)], machines=[node], agent_state=agent)


def said(world: World) -> set[str]:
    return codes(world, PlanSettings())


@pytest.mark.parametrize(
    ("specs", "kept_out"),
    [((PICKY,), True), ((EASY,), False), ((PICKY, EASY), False), ((), False)],
    ids=["[one] that tolerates nothing", "[one] that does", "[two] of which one does", "[add-on] tolerates all"],
)
def test_one_daemonset_that_can_run_there_is_enough(specs: tuple[PodSpec, ...], *, kept_out: bool) -> None:
    state = AgentState(daemonset=True, ready_nodes=frozenset({NODE.name}), specs=specs)

    assert ("agent-kept-out" in said(on(SPOT, state))) is kept_out


@pytest.mark.parametrize(
    ("node", "kept_out"),
    [
        (replace(NODE, arch="riscv64"), True),
        (replace(NODE, arch="arm64"), False),
        (replace(NODE, compute_type="auto"), False),
        (replace(NODE, compute_type="fargate"), False),
        (replace(NODE, os="windows"), False),
    ],
    ids=["riscv64", "arm64", "auto", "fargate", "windows"],
)
def test_the_add_on_that_is_not_there_yet_leaves_some_nodes_out(node: Node, *, kept_out: bool) -> None:
    assert ("agent-kept-out" in said(on(node, AgentState()))) is kept_out


@pytest.mark.parametrize(
    ("state", "node", "told"),
    [
        (AgentState(daemonset=True, specs=(EASY,)), NODE, True),
        (AgentState(daemonset=True, specs=(EASY,), ready_nodes=frozenset({NODE.name})), NODE, False),
        (AgentState(daemonset=True, specs=(PICKY,)), SPOT, False),
        (AgentState(daemonset=True, specs=(EASY,)), replace(NODE, ready=False), False),
        (AgentState(), NODE, False),
    ],
    ids=[
        "[not ready]",
        "[ready]",
        "[kept out] is said instead",
        "[node] is not ready itself",
        "[none] is said instead",
    ],
)
def test_an_agent_that_is_not_ready(state: AgentState, node: Node, *, told: bool) -> None:
    assert ("agent-not-ready" in said(on(node, state))) is told


def test_the_trouble_of_the_agents_pod_is_shown() -> None:
    state = AgentState(daemonset=True, specs=(EASY,), troubles={NODE.name: "CrashLoopBackOff"})
    (plan,) = on(NODE, state).plans()

    assert [f.value for f in plan.findings if f.code == "agent-not-ready"] == ["CrashLoopBackOff"]


@pytest.mark.parametrize(
    ("image", "replicas", "labels", "tells"),
    [
        ("registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.0", 1, {}, "Deployment scaler in orders"),
        ("public.ecr.aws/karpenter/controller:1.6.0@sha256:0123", 1, {}, "Deployment scaler in orders"),
        ("registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.0", 0, {}, ""),
        ("registry.example/karpenter/controller-docs:1", 1, {}, ""),
        ("", 1, {"karpenter.sh/nodepool": "general"}, "karpenter.sh/nodepool on node node-1"),
    ],
)
def test_what_tells_of_an_autoscaler(image: str, replicas: int, labels: dict[str, str], tells: str) -> None:
    made = workload(name="scaler", replicas=replicas, containers=(Container(name="main", image=image),))

    assert autoscaler([made], [replace(NODE, labels=labels)]) == tells
    assert not autoscaler([], [replace(NODE, labels=labels, compute_type="auto")])
