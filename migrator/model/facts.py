"""What was seen: frozen, only the fields somebody uses. Adapters build them; nobody else reads a foreign object."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.placement import NodeTerm, Taint, Toleration

Json = Any  # a document of AWS or Kubernetes, or a part of one, as json.loads gives it


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One EKS cluster as DescribeCluster and its own discovery document show it."""

    alias: str
    name: str
    region: str
    account: str
    arn: str
    endpoint: str
    issuer: str
    version: str
    platform_version: str
    status: str
    auto_mode: bool = False
    outpost: bool = False
    registered: bool = False  # an external cluster joined by the connector
    ipv6: bool = False  # its pods have IPv6 addresses and no others
    vpc: str = ""  # its VPC's id; empty where EKS tells of none
    public_endpoint: bool = True  # its API server can be reached from outside the VPC

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`: taken from the ARN, never assumed."""
        return self.arn.split(":")[1]

    @property
    def issuer_host(self) -> str:
        """The issuer without its scheme, as IAM's condition keys spell it."""
        return self.issuer.removeprefix("https://")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FieldManager:
    """Who wrote a field, as managedFields tell; `applies`: by server-side apply, else by an update or a patch."""

    name: str
    applies: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """A Kubernetes ServiceAccount; `annotations` are all of them.

    `managers` wrote the role annotation; `controller` is the object that makes the account anew, such as "Vault main".
    """

    namespace: str
    name: str
    uid: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    managers: tuple[FieldManager, ...] = ()
    controller: str = ""

    @property
    def role_arn(self) -> str | None:
        """The annotated role as written, or None."""
        return self.annotations.get(ROLE_ARN_ANNOTATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The CloudFormation stack that made something; `place` is the thing's logical id in its template."""

    name: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """An IAM role; `trust` is its trust policy as JSON text, unchanged but for IAM's URL-encoding.

    `stack` is None where none is known of, and `stacks_unread` then why that is no proof, if it is not.
    """

    arn: str
    name: str
    id: str
    account: str
    trust: str
    max_session_seconds: int = 3600
    tags: Mapping[str, str] = field(default_factory=dict)
    stack: Stack | None = None
    stacks_unread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRole:
    """A role of the name that a service's source role has; `policy` is its inline policy of our name, None without."""

    arn: str
    id: str
    trust: str
    policy: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvVar:
    """One entry of a container's env; `source` names the field, key or resource that a valueFrom points at."""

    name: str
    value: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a pod or a template."""

    name: str
    image: str = ""
    init: bool = False
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[str, ...] = ()  # "configmap/NAME", "secret/NAME"
    prefixes: Mapping[str, str] = field(default_factory=dict)  # of env_from: source -> what its keys are prefixed with
    mounts: tuple[str, ...] = ()  # names of mounted volumes
    paths: Mapping[str, str] = field(default_factory=dict)  # where a volume is mounted -> its name
    words: tuple[str, ...] = field(default=(), repr=False)  # command and arguments, which may hold secrets

    def variable(self, name: str) -> EnvVar | None:
        """The variable of that name, or None."""
        return next((variable for variable in self.env if variable.name == name), None)

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """All that is written in plain: its place, `command` or `env[NAME]`, and the text, which may be secret."""
        yield from (("command", word) for word in self.words)
        yield from ((f"env[{variable.name}]", variable.value) for variable in self.env if variable.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodVolume:
    """A volume that a CSI driver serves: written in the pod, with the driver's attributes, or by way of a claim."""

    name: str
    driver: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    claim: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSpec:
    """What placement, findings and verification need of a pod's or template's spec."""

    service_account: str = "default"
    containers: tuple[Container, ...] = ()  # init containers first
    token_audiences: Mapping[str, str] = field(default_factory=dict)  # volume name -> projected token audience
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # volume name -> "secret/NAME", "configmap/NAME"
    node_selector: Mapping[str, str] = field(default_factory=dict)
    node_terms: tuple[NodeTerm, ...] = ()  # required node affinity: one of them must hold; none is no affinity
    tolerations: tuple[Toleration, ...] = ()
    host_network: bool = False
    volumes: tuple[PodVolume, ...] = ()  # those of CSI drivers only


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class WorkloadRef:
    """Which workload; `kind` as Kubernetes spells it."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """An object that makes pods: Deployment, StatefulSet, DaemonSet, Argo Rollout, CronJob, Job, free ReplicaSet."""

    ref: WorkloadRef
    uid: str
    replicas: int  # wanted now; for a DaemonSet the nodes it is scheduled to, for a CronJob 0
    spec: PodSpec
    labels: Mapping[str, str] = field(default_factory=dict)  # of the pod template
    annotations: Mapping[str, str] = field(default_factory=dict)  # of the pod template
    strategy: str = ""  # RollingUpdate, Recreate, OnDelete; of an Argo Rollout Canary or BlueGreen
    paused: bool = False
    partition: int = 0  # a StatefulSet's: pods of a lower ordinal are not rolled


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A live pod; `owner` is the workload at the head of its owner chain, None for a bare pod."""

    namespace: str
    name: str
    uid: str
    spec: PodSpec
    owner: WorkloadRef | None = None
    node: str = ""
    phase: str = "Pending"
    ready: bool = False
    deleting: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""  # CrashLoopBackOff, ImagePullBackOff, Unschedulable ... as the pod's status tells it

    @property
    def finished(self) -> bool:
        """Whether its containers are over for good, as a Job's are."""
        return self.phase in {"Succeeded", "Failed"}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SetAside:
    """A bare pod whose manifest is kept in the cluster until the pod is made again; `uid` is the old pod's."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node; `compute_type` is EKS's label: fargate, hybrid, auto, or empty."""

    name: str
    os: str = "linux"
    arch: str = "amd64"
    compute_type: str = ""
    ready: bool = True
    schedulable: bool = True  # not cordoned
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FargateSelector:
    """One selector of a Fargate profile; both parts may hold wildcards."""

    profile: str
    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """A pod identity association as DescribePodIdentityAssociation shows it."""

    id: str
    namespace: str
    service_account: str
    role_arn: str
    owner_arn: str = ""  # an add-on owns it
    target_role_arn: str = ""
    session_tags: bool = True  # its sessions carry the six tags of Pod Identity
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addon:
    """An EKS add-on's state; `issues` are its health issues, code and message."""

    name: str
    status: str
    version: str
    issues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """What there is of the pod identity agent: the add-on, and the nodes on which an agent pod is ready."""

    addon: Addon | None = None
    daemonset: bool = False  # a DaemonSet of the agent exists, by whomever
    ready_nodes: frozenset[str] = frozenset()
    specs: tuple[PodSpec, ...] = ()  # of the DaemonSets' templates
    troubles: Mapping[str, str] = field(default_factory=dict)  # node -> what keeps the agent's pod there from working


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Unread:
    """Something that would tell more and may not be read: what, as people call it, and why, in one clause."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class EnvSource:
    """A ConfigMap or Secret that containers take all their variables from; `source` is "configmap/NAME" or so."""

    namespace: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How far a workload's rollout is."""

    desired: int
    updated: int
    ready: int
    old: int  # pods of earlier revisions still there
    complete: bool
    stamp: str = ""  # our restart stamp on the template, or on the Argo Rollout itself, if any
    failure: str = ""  # e.g. ProgressDeadlineExceeded: will not get better by waiting
    seen: bool = True  # whether its controller has seen the newest spec; until then its numbers say nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The admission gate's answer: the pod as a real create would have made it now, or why there is none."""

    pod: Pod | None
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """A command run inside a container."""

    exit_code: int
    output: str  # stdout and stderr, cut to a length fit for a journal
