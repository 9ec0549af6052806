"""Whether pods may send to the Pod Identity agent on their node, by the policies that select them.

The agent listens on a link-local address of the node, port 80. A NetworkPolicy that limits egress lets pods reach it
only by a rule without destinations or with a block of addresses that holds it; policies add up. Cilium takes the node
for the entity `host`, which blocks of addresses do not match unless it is told so, and a deny there comes first. What
cannot be told from outside is `MAYBE`; the three answers are put together as in Kleene's logic.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import ip_address, ip_network

from migrator.model.network import Block, CiliumEgress, CiliumPolicy, Egress, NetworkPolicy, Ports
from migrator.model.surroundings import ObjectRef

AGENT, AGENT_IPV6, PORT = "169.254.170.23", "fd00:ec2::23", 80
_HOST = frozenset({"host", "cluster", "all"})  # the entities that the node is part of
_NAMESPACE, _ACCOUNT = "io.kubernetes.pod.namespace", "io.cilium.k8s.policy.serviceaccount"
_OWN = "io.cilium.k8s."


class Answer(IntEnum):
    """Yes, no, or what cannot be told; and, or, not are min, max and `turned`."""

    NO = 0
    MAYBE = 1
    YES = 2

    @property
    def turned(self) -> "Answer":
        """Its opposite."""
        return Answer(2 - self)


def told(*, yes: bool) -> Answer:
    """A plain yes or no."""
    return Answer.YES if yes else Answer.NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Pods as policies select them."""

    namespace: str
    account: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The answer, and the policies that limit these pods, or may."""

    open: Answer
    limiting: tuple[ObjectRef, ...] = ()


def way_to_agent(
    sender: Sender,
    policies: Iterable[NetworkPolicy],
    of_cilium: Iterable[CiliumPolicy] = (),
    *,
    cilium: bool = False,
    address: str = AGENT,
) -> Way:
    """Whether these pods may send to the agent.

    Args:
        sender: the pods.
        policies: NetworkPolicies of their namespace.
        of_cilium: Cilium's policies of their namespace and of the whole cluster.
        cilium: Cilium enforces both, or may.
        address: the agent's.
    """
    plain = [one for one in policies if one.egress is not None and one.pods.selects(sender.labels)]
    chosen = [(one, answer) for one in of_cilium if (answer := _selects(one, sender)) is not Answer.NO]
    limited = max((*(Answer.YES for _ in plain), *(answer for one, answer in chosen if one.limits)), default=Answer.NO)
    allowed = [min(answer, _any(one.allows, address)) for one, answer in chosen]
    allowed += [_allows(rule, address, cilium=cilium) for one in plain for rule in one.egress or ()]
    denied = max((min(answer, _any(one.denies, address)) for one, answer in chosen), default=Answer.NO)
    way = min(denied.turned, max(limited.turned, *allowed, Answer.NO))
    limiting = [*(one.ref for one in plain), *(one.ref for one, _ in chosen if one.limits or one.denies)]
    return Way(open=way, limiting=tuple(dict.fromkeys(sorted(limiting))))


def _allows(rule: Egress, address: str, *, cilium: bool) -> Answer:
    if not _has_port(rule.ports):
        return Answer.NO
    if rule.blocks is None:
        return Answer.YES
    inside = told(yes=_inside(rule.blocks, address))
    return min(inside, Answer.MAYBE) if cilium else inside


def _any(rules: Sequence[CiliumEgress], address: str) -> Answer:
    return max((_reaches(rule, address) for rule in rules), default=Answer.NO)


def _reaches(rule: CiliumEgress, address: str) -> Answer:
    """Whether a rule is about the agent; one that looks at requests may let some of them through only."""
    if not _has_port(rule.ports):
        return Answer.NO
    if rule.everywhere or rule.entities & _HOST:
        return Answer.MAYBE if rule.layer7 else Answer.YES
    return Answer.MAYBE if rule.vague or _inside(rule.blocks, address) else Answer.NO


def _has_port(ports: Iterable[Ports] | None) -> bool:
    return ports is None or any(one.first <= PORT <= one.last for one in ports)


def _inside(blocks: Iterable[Block], address: str) -> bool:
    return any(_within(one.cidr, address) and not any(_within(out, address) for out in one.excepted) for one in blocks)


def _within(cidr: str, address: str) -> bool:
    return ip_address(address) in ip_network(cidr, strict=False)


def _selects(policy: CiliumPolicy, sender: Sender) -> Answer:
    """Cilium sees namespace and ServiceAccount as labels too; those of the namespace itself are not read."""
    labels = {**sender.labels, _NAMESPACE: sender.namespace, _ACCOUNT: sender.account}
    answers = [
        Answer.MAYBE if one.key.startswith(_OWN) and one.key not in labels else told(yes=one.holds(labels))
        for one in policy.endpoints.requirements
    ]
    return min(answers, default=Answer.YES)
