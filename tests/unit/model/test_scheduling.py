"""Where a pod may run: node selector, required node affinity, taints."""

import pytest

from migrator.model.facts import Node, PodSpec
from migrator.model.placement import NodeTerm, Requirement, Taint, Toleration
from migrator.model.scheduling import kept_out, may_run

NODE = Node(name="node-1", labels={"kubernetes.io/os": "linux", "size": "8"})
SPOT = Taint(key="spot", value="yes")


def term(*requirements: tuple[str, str, tuple[str, ...]]) -> NodeTerm:
    return NodeTerm(requirements=tuple(Requirement(key=k, operator=o, values=v) for k, o, v in requirements))


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        (Toleration(operator="Exists"), True),
        (Toleration(key="spot", operator="Exists"), True),
        (Toleration(key="spot", value="yes"), True),
        (Toleration(key="spot", value="yes", effect="NoSchedule"), True),
        (Toleration(key="spot", value="yes", effect="NoExecute"), False),
        (Toleration(key="spot", value="no"), False),
        (Toleration(key="spots", operator="Exists"), False),
        (Toleration(), False),
    ],
)
def test_a_taint_is_tolerated(toleration: Toleration, *, tolerated: bool) -> None:
    node = Node(name="node-1", taints=(SPOT,))

    assert may_run(PodSpec(tolerations=(toleration,)), node) is tolerated


@pytest.mark.parametrize(
    "taint",
    [
        Taint(key="spot", effect="PreferNoSchedule"),
        Taint(key="node.kubernetes.io/not-ready", effect="NoExecute"),
        Taint(key="node.kubernetes.io/unschedulable"),
    ],
    ids=str,
)
def test_a_wish_or_a_momentary_state_keeps_nobody_out(taint: Taint) -> None:
    assert may_run(PodSpec(), Node(name="node-1", taints=(taint,)))


@pytest.mark.parametrize(
    ("terms", "fits"),
    [
        ((), True),
        ((term(("size", "In", ("8", "16"))),), True),
        ((term(("size", "In", ("4",))), term(("size", "Exists", ()))), True),
        ((term(("size", "In", ("8",)), ("zone", "Exists", ())),), False),
        ((term(("zone", "DoesNotExist", ())),), True),
        ((term(("zone", "NotIn", ("a",))),), True),
        ((term(("size", "Gt", ("4",))),), True),
        ((term(("size", "Lt", ("8",))),), False),
        ((term(("kubernetes.io/os", "Gt", ("4",))),), False),
        ((term(("metadata.name", "In", ("node-1",))),), True),
        ((term(("metadata.name", "In", ("node-2",))),), False),
        ((term(),), False),
    ],
)
def test_required_affinity(terms: tuple[NodeTerm, ...], *, fits: bool) -> None:
    assert may_run(PodSpec(node_terms=terms), NODE) is fits


def test_what_keeps_it_out_is_said() -> None:
    tainted = Node(name="node-1", taints=(SPOT,))

    assert kept_out(PodSpec(), NODE) == ""
    assert kept_out(PodSpec(node_selector={"size": "4"}), NODE) == "its node selector wants size=4"
    assert kept_out(PodSpec(node_terms=(term(),)), NODE) == "its node affinity leaves the node out"
    assert kept_out(PodSpec(), tainted) == "it does not tolerate the taint spot=yes:NoSchedule"
