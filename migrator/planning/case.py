"""One ServiceAccount with everything about it joined: what the findings' rules are given, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from migrator.model.addons import InstalledAddon
from migrator.model.aws_side import AwsSide, Lack
from migrator.model.facts import (
    AgentState,
    Association,
    Cluster,
    Container,
    FargateSelector,
    Node,
    Pod,
    PodSpec,
    Role,
    ServiceAccount,
    Unread,
    Workload,
)
from migrator.model.fleet import Policy
from migrator.model.identity import skipped_containers
from migrator.model.ids import RoleArn, ServiceId
from migrator.model.trust import QUOTA, IrsaMatch, Merged, Subject, Trusted
from migrator.model.trust.match import AUDIENCE
from migrator.planning.addon_owners import AddonOwner
from migrator.planning.around import Around
from migrator.planning.reach import NOWHERE, Reach
from migrator.planning.resources import NO_RESOURCES, Resources

AUDIENCE_ANNOTATION = "eks.amazonaws.com/audience"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSizes:
    """How large the role's trust policy is, in characters as the quota counts them."""

    now: int = 0
    for_all: int = 0  # once all services of the fleet that share the role are let in, as the fleet's policy says
    by_cluster: int = 0  # the same, with statements that ask for the cluster only
    quota: int = QUOTA  # the account's, where more than the default is needed and it could be read


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleView:
    """The annotated role as far as it could be read, and what its trust policy says to this service.

    `arn` is None for an annotation that is no role ARN, `role` for a role that is not there or could not be read;
    `irsa` and `merged` are None unless the trust policy could be read.
    """

    written: str
    arn: RoleArn | None = None
    role: Role | None = None
    unreadable: str = ""  # why the role's account could not be read
    trust_problem: str = ""  # why the trust policy could not be read
    irsa: IrsaMatch | None = None
    wanted: Subject | None = None  # whom our statement lets in, how narrowly, and under which conditions of IRSA's
    source_there: bool = False  # there is a role of the name of the service's source role
    source_tags: Mapping[str, str] | None = None  # its tags, where they are known
    allowed: bool = False  # Pod Identity is let in already
    merged: Merged | None = None
    allowed_after: bool = False  # Pod Identity is let in once our statement is there
    denials: Sequence[str] = ()  # the statements that would still keep it out, or may
    sizes: RoleSizes = RoleSizes()
    trusted: tuple[Trusted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What a rule about pods looks at: a workload's template, or a pod that no workload made."""

    object: str  # "Deployment orders-api"
    spec: PodSpec
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    live: bool = False  # a pod: the webhook's own additions stand in it

    @property
    def touched(self) -> tuple[Container, ...]:
        """The containers that the webhook does not leave out."""
        skipped = skipped_containers(Pod(namespace="", name="", uid="", spec=self.spec, annotations=self.annotations))
        return tuple(container for container in self.spec.containers if container.name not in skipped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One service: its facts, joined. Everything is sorted by name."""

    service: ServiceId
    cluster: Cluster
    account: ServiceAccount
    policy: Policy
    role: RoleView
    agent: AgentState
    association: Association | None = None
    workloads: tuple[Workload, ...] = ()
    pods: tuple[Pod, ...] = ()  # live: neither finished nor going
    nodes: Mapping[str, Node] = field(default_factory=dict)
    fargate: tuple[FargateSelector, ...] = ()
    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of env sources that were read: names of keys
    left_out: Mapping[str, str] = field(default_factory=dict)  # nodes on which no agent can run, and why
    autoscaler: str = ""  # what tells that nodes are made as pods need them
    reach: Reach = NOWHERE  # what the role may do
    aws: AwsSide = field(default_factory=AwsSide)  # what the cluster stands in
    lacks: tuple[Lack, ...] = ()  # what the operator may not do of what its steps take
    resources: Resources = NO_RESOURCES  # policies of buckets and the like, of all accounts
    unread: tuple[Unread, ...] = ()  # what would tell more and may not be read
    around: Around = field(default_factory=Around)
    sharing: tuple[ServiceId, ...] = ()  # other services of the cluster with the same role
    addon: AddonOwner | None = None  # the EKS add-on that the ServiceAccount belongs to
    nameless: tuple[InstalledAddon, ...] = ()  # add-ons with a role that do not say which ServiceAccounts are theirs

    @property
    def subject(self) -> Subject:
        """Whom the role's trust policy must let in."""
        return self.role.wanted or Subject(self.cluster.arn, self.service.namespace, self.service.name)

    @property
    def audience(self) -> str:
        """Of the token that the webhook projects for IRSA."""
        return self.account.annotations.get(AUDIENCE_ANNOTATION) or AUDIENCE

    @property
    def ownerless(self) -> tuple[Pod, ...]:
        """Pods whose owner is none of the known workloads: bare pods, and those of kinds we do not list."""
        known = {workload.ref for workload in self.workloads}
        return tuple(pod for pod in self.pods if pod.owner not in known)

    @property
    def templates(self) -> tuple[Template, ...]:
        """What future pods are made from; pods without a known workload stand for themselves."""
        made = [
            Template(object=str(w.ref), spec=w.spec, labels=w.labels, annotations=w.annotations) for w in self.workloads
        ]
        return (*made, *map(template_of_pod, self.ownerless))

    @property
    def moved(self) -> bool:
        """Whether an association with the annotated role, or by its source role with it as target, is there already."""
        found, source = self.association, self.subject.source
        wanted = (source, self.role.written) if source else (self.role.written, "")
        return found is not None and (found.role_arn, found.target_role_arn) == wanted

    @property
    def session_tags(self) -> bool:
        """Whether the service's sessions carry the tags of Pod Identity: as its association says, or as is planned."""
        return self.subject.tagged if self.association is None else self.association.session_tags


def template_of_pod(pod: Pod) -> Template:
    """A live pod as a rule looks at it."""
    name = str(pod.owner) if pod.owner is not None else f"Pod {pod.name}"
    return Template(object=name, spec=pod.spec, labels=pod.labels, annotations=pod.annotations, live=True)
