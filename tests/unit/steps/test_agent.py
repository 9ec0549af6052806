"""The agent's step: which nodes need one, what counts as there, what will not get better by waiting."""

from dataclasses import replace

import pytest

from migrator.model.facts import Addon, AgentState, Node
from migrator.model.placement import Taint
from migrator.model.plan import PlannedStep, StepKind
from migrator.steps.agent import AgentStep
from migrator.steps.step import Context, Failed, NotYet, Position, Settled
from tests.fakes.running import SERVICE, WAITS
from tests.fakes.world import FakeWorld

STEP = PlannedStep(
    id="agent",
    kind=StepKind.AGENT,
    on={"cluster": "prod", "addon": "eks-pod-identity-agent"},
    before={"agent": "absent"},
    after={"agent": "ready"},
)
LINUX = Node(name="node-1")
ACTIVE = Addon(name="eks-pod-identity-agent", status="ACTIVE", version="v1.3.10")
ON_NODE = frozenset({"node-1"})
SPOT = Taint(key="spot")


class Cluster(FakeWorld):
    """A fake world whose nodes and agent are as declared."""

    def declare(self, nodes: list[Node], state: AgentState, *, pods: bool = True) -> "Cluster":
        self.seen = nodes, state
        if not pods:
            self.live = {}
        return self

    def nodes(self) -> list[Node]:
        return self.seen[0]

    def agent(self) -> AgentState:
        return self.seen[1]


def context(world: FakeWorld) -> Context:
    return Context(service=SERVICE, run="r", cluster=world, trust=world, waits=WAITS)


@pytest.mark.parametrize(
    ("nodes", "state", "position", "settles"),
    [
        pytest.param([LINUX], AgentState(), Position.BEFORE, NotYet, id="[absent]"),
        pytest.param([LINUX], AgentState(addon=ACTIVE, ready_nodes=ON_NODE), Position.AFTER, Settled, id="[add-on]"),
        pytest.param([LINUX], AgentState(daemonset=True, ready_nodes=ON_NODE), Position.AFTER, Settled, id="[helm]"),
        pytest.param([LINUX], AgentState(addon=ACTIVE), Position.AFTER, NotYet, id="[not ready] on the pod's node"),
        pytest.param(
            [LINUX, Node(name="other")],
            AgentState(addon=ACTIVE, ready_nodes=ON_NODE),
            Position.AFTER,
            NotYet,
            id="[not ready] where the next pod may land",
        ),
        pytest.param(
            [replace(LINUX, compute_type="auto")], AgentState(), Position.AFTER, Settled, id="[auto mode] built in"
        ),
        pytest.param(
            [LINUX],
            AgentState(addon=replace(ACTIVE, status="CREATE_FAILED")),
            Position.OTHER,
            Failed,
            id="[broken] add-on",
        ),
        pytest.param(
            [LINUX],
            AgentState(addon=replace(ACTIVE, status="DEGRADED"), ready_nodes=ON_NODE),
            Position.AFTER,
            Settled,
            id="[degraded] by another node",
        ),
        pytest.param(
            [LINUX],
            AgentState(addon=replace(ACTIVE, status="CREATING"), ready_nodes=ON_NODE),
            Position.AFTER,
            NotYet,
            id="[creating]",
        ),
    ],
)
def test_reading(nodes: list[Node], state: AgentState, position: Position, settles: type) -> None:
    looking = context(Cluster().declare(nodes, state))

    assert AgentStep().read(STEP, looking).position is position
    assert isinstance(AgentStep().settled(STEP, looking), settles)


@pytest.mark.parametrize(
    ("nodes", "ready", "settles"),
    [
        pytest.param([LINUX, Node(name="b")], {"node-1"}, NotYet, id="[all] ready Linux nodes must have it"),
        pytest.param([LINUX, Node(name="b")], {"node-1", "b"}, Settled, id="[all] have it"),
        pytest.param([LINUX, Node(name="w", os="windows")], {"node-1"}, Settled, id="[windows] never has one"),
        pytest.param(
            [LINUX, Node(name="f", compute_type="fargate")], {"node-1"}, Settled, id="[fargate] never has one"
        ),
        pytest.param([LINUX, Node(name="b", ready=False)], {"node-1"}, Settled, id="[down] a node that hosts nothing"),
        pytest.param([LINUX, Node(name="b", schedulable=False)], {"node-1"}, Settled, id="[cordoned]"),
        pytest.param([LINUX, Node(name="h", compute_type="hybrid")], {"node-1"}, Settled, id="[hybrid] hosts nothing"),
        pytest.param([LINUX, Node(name="t", taints=(SPOT,))], {"node-1"}, Settled, id="[tainted] nothing lands there"),
    ],
)
def test_a_service_without_pods_may_land_anywhere(nodes: list[Node], ready: set[str], settles: type) -> None:
    state = AgentState(addon=ACTIVE, ready_nodes=frozenset(ready))

    assert isinstance(AgentStep().settled(STEP, context(Cluster().declare(nodes, state, pods=False))), settles)


def test_a_node_that_the_templates_do_not_select_need_not_have_it() -> None:
    world = Cluster()
    world.declared[0].node_selector = {"pool": "shop"}
    nodes = [replace(LINUX, labels={"pool": "shop"}), Node(name="gpu", labels={"pool": "gpu"})]

    answer = AgentStep().settled(STEP, context(world.declare(nodes, AgentState(addon=ACTIVE, ready_nodes=ON_NODE))))

    assert isinstance(answer, Settled)


def test_an_agent_that_the_plan_found_and_that_is_gone_is_drift() -> None:
    found = replace(STEP, before={"agent": "ready"})

    reading = AgentStep().read(found, context(Cluster().declare([LINUX], AgentState())))

    assert (reading.position, reading.note) == (Position.OTHER, "the agent that the plan found is gone")
