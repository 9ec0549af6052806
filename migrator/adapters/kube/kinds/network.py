"""Policies on pods' traffic: NetworkPolicies and security groups for pods."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from migrator.adapters.kube.kinds.parts import Selector, ref, selector
from migrator.adapters.kube.structs import Meta
from migrator.model.network import Block, Egress, NetworkPolicy, Ports
from migrator.model.surroundings import SecurityGroupPolicy, Thing

LAST_PORT = 65535


class Port(Struct, rename="camel", frozen=True):
    """A port of a rule: a number, or a name of a pod's port."""

    protocol: str = ""
    port: int | str | None = None
    end_port: int | None = None


class IpBlock(Struct, rename={"excepted": "except"}, frozen=True):
    """An ipBlock."""

    cidr: str = ""
    excepted: list[str] | None = None


class Peer(Struct, rename="camel", frozen=True):
    """A destination."""

    ip_block: IpBlock | None = None


class Rule(Struct, frozen=True):
    """An egress rule."""

    to: list[Peer] | None = None
    ports: list[Port] | None = None


class PolicySpec(Struct, rename="camel", frozen=True):
    """A NetworkPolicy's spec."""

    pod_selector: Selector = Selector()
    policy_types: list[str] | None = None
    egress: list[Rule] | None = None


class Policy(Struct, frozen=True):
    """A NetworkPolicy."""

    metadata: Meta
    spec: PolicySpec = PolicySpec()


class Groups(Struct, rename="camel", frozen=True):
    """The security groups of a policy."""

    group_ids: list[str] | None = None


class SecurityGroupsSpec(Struct, rename="camel", frozen=True):
    """A SecurityGroupPolicy's spec."""

    pod_selector: Selector | None = None
    service_account_selector: Selector | None = None
    security_groups: Groups = Groups()


class SecurityGroups(Struct, frozen=True):
    """A SecurityGroupPolicy."""

    metadata: Meta
    spec: SecurityGroupsSpec = SecurityGroupsSpec()


def policy(kind: str, found: Policy) -> Iterator[Thing]:
    """The fact of a NetworkPolicy. Without policyTypes it limits egress only if it has rules about it."""
    spec = found.spec
    rules = spec.egress or []
    limits = "Egress" in spec.policy_types if spec.policy_types else bool(rules)
    egress = tuple(_egress(rule) for rule in rules) if limits else None
    yield NetworkPolicy(ref=ref(kind, found.metadata), pods=selector(spec.pod_selector), egress=egress)


def _egress(rule: Rule) -> Egress:
    return Egress(
        blocks=tuple(_blocks(rule.to)) if rule.to else None,
        ports=tuple(_ports(rule.ports)) if rule.ports else None,
    )


def _blocks(peers: Iterable[Peer]) -> Iterator[Block]:
    for peer in peers:
        if peer.ip_block is not None:
            yield Block(cidr=peer.ip_block.cidr, excepted=tuple(peer.ip_block.excepted or ()))


def _ports(found: Iterable[Port]) -> Iterator[Ports]:
    """The TCP ports among them; a protocol that is left out is TCP, a port that is left out is every one."""
    for one in found:
        if one.protocol in {"", "TCP"} and not isinstance(one.port, str):
            first = 1 if one.port is None else one.port
            yield Ports(first=first, last=LAST_PORT if one.port is None else one.end_port or first)


def groups(kind: str, found: SecurityGroups) -> Iterator[Thing]:
    """The fact of a SecurityGroupPolicy; none when it gives no group or selects nothing."""
    pods, accounts = found.spec.pod_selector, found.spec.service_account_selector
    if found.spec.security_groups.group_ids and (pods is not None or accounts is not None):
        yield SecurityGroupPolicy(
            ref=ref(kind, found.metadata),
            pods=selector(pods) if pods is not None else None,
            accounts=selector(accounts) if accounts is not None else None,
        )
