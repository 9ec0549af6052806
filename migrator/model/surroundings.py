"""Facts about objects beside a service that take part in its identity, of kinds that a cluster may not have.

Each says in `namespace` where it counts; an empty one means everywhere on the cluster.
"""

from dataclasses import dataclass

from migrator.model.facts import Unread, WorkloadRef
from migrator.model.selectors import LabelSelector


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ObjectRef:
    """Which object; `kind` as Kubernetes spells it, `namespace` empty for one of the whole cluster."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Any of them."""

    ref: ObjectRef

    @property
    def namespace(self) -> str:
        """The services of which namespace it concerns; empty: of all."""
        return self.ref.namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleUse(Thing):
    """An object for whose sake its controller takes a role on.

    With `account` the controller exchanges that ServiceAccount's token with STS itself; without, it begins with
    credentials of its own.
    """

    controller: str  # external-secrets, cert-manager, keda-operator
    field: str  # where in the object
    account: str = ""
    account_namespace: str = ""  # empty: not said
    role: str = ""  # empty: the role that the ServiceAccount is annotated with

    @property
    def namespace(self) -> str:
        """That of the ServiceAccount, if it is said; else everywhere: it is the controller that acts."""
        return self.account_namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerAuthentication(Thing):
    """KEDA's, of provider `aws` or `aws-eks`; `workload` is whether it reads the annotation of what is scaled."""

    provider: str
    workload: bool = False
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One trigger of a scaler; `kind` and `name` are of its TriggerAuthentication, `owner` its identityOwner."""

    kind: str = ""
    name: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaler(Thing):
    """KEDA's: what it scales, or for a ScaledJob the ServiceAccount of the jobs it makes."""

    target: WorkloadRef | None = None
    account: str = ""
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretClass(Thing):
    """A SecretProviderClass of provider `aws`."""

    pod_identity: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Volume(Thing):
    """A PersistentVolume of the Mountpoint for S3 driver, and the claim it is bound to."""

    claim_namespace: str
    claim: str
    source: str = ""  # authenticationSource

    @property
    def namespace(self) -> str:
        """That of its claim."""
        return self.claim_namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig(Thing):
    """Of a Crossplane provider for AWS: where it takes its credentials from."""

    source: str

    @property
    def namespace(self) -> str:
        """Everywhere: the provider's own pods are elsewhere."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeConfig(Thing):
    """What Crossplane makes a provider's ServiceAccount from: its annotated role, and its name if that is given."""

    role: str
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupPolicy(Thing):
    """Gives pods security groups of their own; with both selectors, both must select."""

    pods: LabelSelector | None = None
    accounts: LabelSelector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """All of them on one cluster; `cilium` is whether Cilium's policies are served, read or not."""

    things: tuple[Thing, ...] = ()
    unread: tuple[Unread, ...] = ()
    cilium: bool = False
