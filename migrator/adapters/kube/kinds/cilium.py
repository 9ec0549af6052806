"""Cilium's policies, as far as they are about what pods may send.

Source: Cilium's documentation of its policy language: a rule of ports alone allows every destination, an empty rule
allows none; addresses (toCIDR) are not held against the node itself; a deny comes before every allow.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from migrator.adapters.kube.kinds.network import LAST_PORT, IpBlock
from migrator.adapters.kube.kinds.parts import Selector, ref, selector
from migrator.adapters.kube.structs import Expression, Meta
from migrator.model.network import Block, CiliumEgress, CiliumPolicy, Ports
from migrator.model.surroundings import Thing

_NAMESPACE = "io.kubernetes.pod.namespace"
_TCP = frozenset({"", "TCP", "ANY"})


class CiliumPort(Struct, rename="camel", frozen=True):
    """A port: a number as text, or a name; 0 is every port."""

    port: str = ""
    protocol: str = ""
    end_port: int | None = None


class PortRule(Struct, frozen=True):
    """An entry of toPorts; `rules` look at requests."""

    ports: list[CiliumPort] | None = None
    rules: dict[str, object] | None = None


class Present(Struct, frozen=True):
    """A part of which we only ask whether it is there."""


class EgressRule(
    Struct,
    rename={
        "entities": "toEntities",
        "endpoints": "toEndpoints",
        "cidrs": "toCIDR",
        "cidr_sets": "toCIDRSet",
        "names": "toFQDNs",
        "services": "toServices",
        "groups": "toGroups",
        "nodes": "toNodes",
        "requires": "toRequires",
        "ports": "toPorts",
    },
    frozen=True,
):
    """A rule of egress or egressDeny. Of destinations that are never the node we only ask whether they are there."""

    entities: list[str] | None = None
    endpoints: list[Selector] | None = None
    cidrs: list[str] | None = None
    cidr_sets: list[IpBlock] | None = None
    names: list[Present] | None = None
    services: list[Present] | None = None
    groups: list[Present] | None = None
    nodes: list[Present] | None = None
    requires: list[Present] | None = None
    icmps: list[Present] | None = None
    ports: list[PortRule] | None = None


class Default(Struct, frozen=True):
    """An enableDefaultDeny."""

    egress: bool | None = None


class CiliumSpec(Struct, rename="camel", frozen=True):
    """One spec; without an endpointSelector it is about nodes."""

    endpoint_selector: Selector | None = None
    egress: list[EgressRule] | None = None
    egress_deny: list[EgressRule] | None = None
    enable_default_deny: Default = Default()


class Cilium(Struct, frozen=True):
    """A CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy."""

    metadata: Meta
    spec: CiliumSpec | None = None
    specs: list[CiliumSpec] | None = None


def policy(kind: str, found: Cilium) -> Iterator[Thing]:
    """The facts of one, for each spec with an egress part about pods."""
    namespaced = bool(found.metadata.namespace)
    for spec in (found.spec, *(found.specs or ())):
        if spec is not None and spec.endpoint_selector is not None and (spec.egress or spec.egress_deny):
            yield CiliumPolicy(
                ref=ref(kind, found.metadata),
                endpoints=selector(_plain(spec.endpoint_selector)),
                limits=spec.enable_default_deny.egress is not False,
                allows=tuple(_egress(rule, namespaced=namespaced) for rule in spec.egress or ()),
                denies=tuple(_egress(rule, namespaced=namespaced) for rule in spec.egress_deny or ()),
            )


def _plain(found: Selector) -> Selector:
    """The selector with its keys as pods bear them."""
    return Selector(
        match_labels={_key(key): value for key, value in (found.match_labels or {}).items()},
        match_expressions=[
            Expression(_key(one.key), one.operator, one.values) for one in found.match_expressions or ()
        ],
    )


def _key(key: str) -> str:
    return key.removeprefix("k8s:").removeprefix("any:")


def _egress(rule: EgressRule, *, namespaced: bool) -> CiliumEgress:
    named = (rule.entities, rule.endpoints, rule.cidrs, rule.cidr_sets, rule.names, rule.services, rule.groups)
    destinations = (*named, rule.nodes, rule.requires)
    sets = [*(IpBlock(cidr=cidr) for cidr in rule.cidrs or ()), *(rule.cidr_sets or ())]
    return CiliumEgress(
        everywhere=bool(rule.ports) and all(one is None for one in destinations),
        entities=frozenset(rule.entities or ()),
        blocks=tuple(Block(cidr=one.cidr, excepted=tuple(one.excepted or ())) for one in sets if one.cidr),
        vague=_vague(rule, namespaced=namespaced) or any(one == [] for one in destinations),
        ports=tuple(_ports(rule.ports)) if rule.ports and not _every_port(rule.ports) else None,
        layer7=any(one.rules for one in rule.ports or ()),
    )


def _vague(rule: EgressRule, *, namespaced: bool) -> bool:
    """Whether it names something that may be the node: nodes, or endpoints by what they do not have."""
    if rule.nodes or rule.requires:
        return True
    return any(_may_be_node(_plain(one), namespaced=namespaced) for one in rule.endpoints or ())


def _may_be_node(found: Selector, *, namespaced: bool) -> bool:
    """The node has reserved labels only; a policy of a namespace adds that unless it names one."""
    requirements = selector(found).requirements
    if any(not one.of_absence and not one.key.startswith("reserved") for one in requirements):
        return False
    return not namespaced or any(one.key.startswith((_NAMESPACE, "reserved")) for one in requirements)


def _every_port(rules: Iterable[PortRule]) -> bool:
    return any(not one.ports for one in rules)


def _ports(rules: Iterable[PortRule]) -> Iterator[Ports]:
    for one in (port for rule in rules for port in rule.ports or ()):
        if one.protocol in _TCP and one.port.isdigit():
            first = int(one.port)
            yield Ports(first=first or 1, last=(one.end_port or first) if first else LAST_PORT)
