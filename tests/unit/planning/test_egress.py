"""Whether pods may reach the agent: by hand for what matters, and against an oracle that asks packet by packet."""

import ipaddress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from migrator.adapters.kube.kinds import cilium, network
from migrator.model.network import CiliumPolicy, NetworkPolicy
from migrator.planning.egress import AGENT, AGENT_IPV6, PORT, Answer, Sender, Way, way_to_agent
from tests.fakes.surroundings import thing

Json = dict[str, Any]
SENDER = Sender(namespace="shop", account="web", labels={"app": "web", "tier": "front"})
NO, MAYBE, YES = Answer.NO, Answer.MAYBE, Answer.YES
ANSWERS = {"closed": NO, "unsure": MAYBE, "open": YES}
CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "egress.yaml").read_text(encoding="utf-8"))


def policy(spec: Json, name: str = "p") -> NetworkPolicy:
    [found] = network.policy("NetworkPolicy", thing(network.Policy, spec, name))
    assert isinstance(found, NetworkPolicy)
    return found


def of_cilium(*specs: Json, namespace: str = "shop") -> list[CiliumPolicy]:
    document = thing(cilium.Cilium, {}, "c", namespace, specs=list(specs))
    kind = "CiliumNetworkPolicy" if namespace else "CiliumClusterwideNetworkPolicy"
    return [one for one in cilium.policy(kind, document) if isinstance(one, CiliumPolicy)]


def judged(*specs: Json, **options: Any) -> Answer:
    return way_to_agent(SENDER, [policy(spec) for spec in specs], **options).open


def in_cilium(*specs: Json, namespace: str = "shop", beside: tuple[Json, ...] = ()) -> Answer:
    plain = [policy(spec) for spec in beside]
    return way_to_agent(SENDER, plain, of_cilium(*specs, namespace=namespace), cilium=True).open


def table(section: str) -> pytest.MarkDecorator:
    """The rows of one section of `tests/cases/egress.yaml`."""
    rows = CASES[section]
    arguments = [(row["specs"], ANSWERS[row["expect"]]) for row in rows]
    return pytest.mark.parametrize(("specs", "expected"), arguments, ids=[row["name"] for row in rows])


# --- NetworkPolicies


def to(*peers: Json, ports: list[Json] | None = None) -> Json:
    rule: Json = {"to": list(peers)} if peers else {}
    return {"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule | ({"ports": ports} if ports else {})]}


def block(cidr: str, *excepted: str) -> Json:
    return {"ipBlock": {"cidr": cidr, **({"except": list(excepted)} if excepted else {})}}


DENY: Json = {"podSelector": {}, "policyTypes": ["Egress"]}


@table("network_policies")
def test_network_policies(specs: list[Json], expected: Answer) -> None:
    assert judged(*specs) is expected


def test_ipv6_has_an_address_of_its_own() -> None:
    four, six = to(block("169.254.170.23/32")), to(block("fd00:ec2::23/128"))
    assert (judged(four, address=AGENT_IPV6), judged(six, address=AGENT_IPV6)) == (NO, YES)


def test_the_limiting_policies_are_named() -> None:
    others = policy({**DENY, "podSelector": {"matchLabels": {"app": "db"}}}, "others")
    way = way_to_agent(SENDER, [policy(DENY, "b"), others, policy(to(block("10.0.0.0/8")), "a")])
    assert way == Way(open=NO, limiting=tuple(p.ref for p in (policy(DENY, "a"), policy(DENY, "b"))))


# --- an oracle for NetworkPolicies, in the words of the API's documentation

ADDRESSES = ("169.254.170.23/32", "169.254.170.22/31", "169.254.0.0/16", "0.0.0.0/0", "10.0.0.0/8", "::/0")
LABELS = st.dictionaries(st.sampled_from(("app", "tier")), st.sampled_from(("web", "db")), max_size=2)
SELECTORS = st.fixed_dictionaries({}, optional={"matchLabels": LABELS})
BLOCKS = st.builds(lambda cidr, out: {"ipBlock": {"cidr": cidr, "except": out}}, st.sampled_from(ADDRESSES),
                   st.lists(st.sampled_from(ADDRESSES), max_size=2))  # fmt: skip
PEERS = st.one_of(BLOCKS, st.just({"podSelector": {}}), st.just({"namespaceSelector": {}}))
PORTS = st.fixed_dictionaries(
    {},
    optional={
        "protocol": st.sampled_from(("TCP", "UDP")),
        "port": st.one_of(st.integers(min_value=78, max_value=82), st.just("http")),
        "endPort": st.integers(min_value=78, max_value=82),
    },
).map(lambda one: one if isinstance(one.get("port"), int) else {k: v for k, v in one.items() if k != "endPort"})
RULES = st.fixed_dictionaries({}, optional={"to": st.lists(PEERS, max_size=2), "ports": st.lists(PORTS, max_size=2)})
POLICIES = st.fixed_dictionaries(
    {"podSelector": SELECTORS},
    optional={
        "policyTypes": st.lists(st.sampled_from(("Ingress", "Egress")), min_size=1, max_size=2),
        "egress": st.lists(RULES, max_size=2),
    },
)


def asked(labels: Json, policies: list[Json]) -> bool:
    """Whether a packet to the agent gets out, by the documentation alone."""
    isolating = []
    for spec in policies:
        wanted = spec["podSelector"].get("matchLabels", {})
        types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
        if "Egress" in types and wanted.items() <= labels.items():
            isolating.append(spec)
    if not isolating:
        return True
    return any(lets_out(rule) for spec in isolating for rule in spec.get("egress", []))


def lets_out(rule: Json) -> bool:
    address = ipaddress.IPv4Address("169.254.170.23")
    there = not rule.get("to")
    for peer in rule.get("to", []):
        if "ipBlock" in peer:
            nets = [ipaddress.ip_network(one) for one in (peer["ipBlock"]["cidr"], *peer["ipBlock"]["except"])]
            there = there or (address in nets[0] and all(address not in net for net in nets[1:]))
    open_ports = not rule.get("ports")
    for port in rule.get("ports", []):
        low = port.get("port", 80)
        if port.get("protocol", "TCP") == "TCP" and low != "http":
            open_ports = open_ports or 80 in range(low, (port.get("endPort", low)) + 1)
    return there and open_ports


@given(labels=LABELS, policies=st.lists(POLICIES, max_size=3))
def test_agrees_with_the_documentation(labels: Json, policies: list[Json]) -> None:
    sender = Sender(namespace="shop", account="web", labels=labels)
    way = way_to_agent(sender, [policy(spec) for spec in policies])
    assert (way.open is YES) == asked(labels, policies)
    assert way.open is not MAYBE


@given(labels=LABELS, policies=st.lists(POLICIES, max_size=3), order=st.randoms())
def test_the_order_of_policies_does_not_matter(labels: Json, policies: list[Json], order: Any) -> None:
    sender = Sender(namespace="shop", account="web", labels=labels)
    found = [policy(spec, f"p{place}") for place, spec in enumerate(policies)]
    mixed = order.sample(found, len(found))
    assert way_to_agent(sender, mixed) == way_to_agent(sender, found)


@given(labels=LABELS, policies=st.lists(POLICIES, max_size=3))
def test_cilium_opens_nothing_that_others_close(labels: Json, policies: list[Json]) -> None:
    """Where Cilium enforces NetworkPolicies, a block that holds the agent is no longer a yes, and no no becomes one."""
    sender, found = Sender(namespace="shop", account="web", labels=labels), [policy(spec) for spec in policies]
    assert way_to_agent(sender, found, cilium=True).open <= way_to_agent(sender, found).open


# --- Cilium


def rules(*egress: Json) -> Json:
    return {"endpointSelector": {}, "egress": list(egress)}


@table("cilium")
def test_cilium(specs: list[Json], expected: Answer) -> None:
    assert in_cilium(*specs) is expected


@table("clusterwide")
def test_clusterwide_policies_of_cilium(specs: list[Json], expected: Answer) -> None:
    assert in_cilium(*specs, namespace="") is expected


def test_cilium_and_network_policies_add_up() -> None:
    host = rules({"toEntities": ["host"]})
    assert in_cilium(host, beside=(DENY,)) is YES
    assert in_cilium(rules({}), beside=(to(),)) is YES
    assert in_cilium(rules({}), beside=(to(block("169.254.170.23/32")),)) is MAYBE


def test_the_port_is_the_agents() -> None:
    assert (AGENT, AGENT_IPV6, PORT) == ("169.254.170.23", "fd00:ec2::23", 80)
