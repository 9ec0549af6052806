"""Facts about policies that limit where pods may send to; only what decides on a TCP port of an address is kept."""

from dataclasses import dataclass

from migrator.model.selectors import LabelSelector
from migrator.model.surroundings import Thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """TCP ports from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Addresses, without those of `excepted`."""

    cidr: str
    excepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """One rule of a NetworkPolicy. Pods and namespaces that it names are left out: they are no node's address.

    Attributes:
        blocks: None: to everywhere.
        ports: None: every port. A port by name is a pod's and is left out.
    """

    blocks: tuple[Block, ...] | None = None
    ports: tuple[Ports, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicy(Thing):
    """A NetworkPolicy; `egress` is None when it does not limit egress."""

    pods: LabelSelector
    egress: tuple[Egress, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CiliumEgress:
    """One rule of a Cilium policy.

    Attributes:
        everywhere: it names ports and no destination.
        entities: as Cilium calls them: host, cluster, world ...
        blocks: addresses; Cilium does not hold them against the node itself, unless it is told to.
        vague: a destination of another kind, which may or may not be the node.
        ports: None: every port.
        layer7: it looks at requests too.
    """

    everywhere: bool = False
    entities: frozenset[str] = frozenset()
    blocks: tuple[Block, ...] = ()
    vague: bool = False
    ports: tuple[Ports, ...] | None = None
    layer7: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CiliumPolicy(Thing):
    """One spec of a CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy that is about pods' egress.

    Attributes:
        endpoints: the pods it is about; keys without the prefixes `k8s:` and `any:`.
        limits: what none of the rules allows is denied.
    """

    endpoints: LabelSelector
    limits: bool = True
    allows: tuple[CiliumEgress, ...] = ()
    denies: tuple[CiliumEgress, ...] = ()
