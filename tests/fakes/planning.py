"""A declared world for the planner: a cluster with one healthy service, and small functions that say what differs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from migrator.model.addons import InstalledAddon, Offer
from migrator.model.aws_side import Operator, Right, VpcEndpoint
from migrator.model.errors import NotPermitted
from migrator.model.facts import (
    AgentState,
    Association,
    Cluster,
    Container,
    EnvSource,
    EnvVar,
    FargateSelector,
    Json,
    Node,
    Pod,
    PodSpec,
    Role,
    ServiceAccount,
    Unread,
    Workload,
    WorkloadRef,
)
from migrator.model.ids import ROLE_ARN_ANNOTATION, RoleArn, ServiceId
from migrator.model.permissions import Permissions
from migrator.model.plan import Plan
from migrator.model.surroundings import S3Volume, SecurityGroupPolicy, Surroundings
from migrator.model.trust import QUOTA
from migrator.planning.planner import PlanSettings, plan_cluster

ACCOUNT = "111111111111"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders-api"
CLUSTER = Cluster(
    alias="prod",
    name="shop-prod",
    region="eu-west-1",
    account=ACCOUNT,
    arn=f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/shop-prod",
    endpoint="https://prod.example",
    issuer=f"https://{ISSUER}",
    version="1.33",
    platform_version="eks.9",
    status="ACTIVE",
)
SERVICE = ServiceId("prod", "orders", "orders-api")
NODE = Node(name="node-1")
AGENT = AgentState(daemonset=True, ready_nodes=frozenset({NODE.name}))
SUBJECT = "system:serviceaccount:orders:orders-api"


def trust_for(*subjects: str, operator: str = "StringEquals", account: str = ACCOUNT, **more: Json) -> Json:
    """A trust policy with the documented IRSA statement, of a role in that account."""
    condition = {operator: {f"{ISSUER}:sub": subjects[0] if len(subjects) == 1 else list(subjects)}}
    condition.setdefault("StringEquals", {})[f"{ISSUER}:aud"] = "sts.amazonaws.com"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/{ISSUER}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement], **more}


def container(name: str = "main", env_from: tuple[str, ...] = (), **env: str | EnvVar) -> Container:
    """A container with these variables."""
    variables = tuple(v if isinstance(v, EnvVar) else EnvVar(name=k, value=v) for k, v in env.items())
    return Container(name=name, env=variables, env_from=env_from)


def workload(kind: str = "Deployment", name: str = "orders-api", **differs: Any) -> Workload:
    """A workload of the service; `containers`, `node_selector` and the like go into its pod spec."""
    spec_fields = {key: differs.pop(key) for key in list(differs) if key in PodSpec.__dataclass_fields__}
    spec = PodSpec(**{"service_account": SERVICE.name, "containers": (container(),), **spec_fields})
    ref = WorkloadRef(kind=kind, namespace=SERVICE.namespace, name=name)
    return Workload(**{"ref": ref, "uid": f"uid-{name}", "replicas": 2, "spec": spec, **differs})


def pod(owner: Workload | WorkloadRef | None = None, name: str = "orders-api-1", **differs: Any) -> Pod:
    """A running pod of the service on the ordinary node."""
    ref = owner.ref if isinstance(owner, Workload) else owner
    spec = PodSpec(service_account=SERVICE.name, containers=(container(),))
    made = {"spec": spec, "owner": ref, "node": NODE.name, "phase": "Running", "ready": True, **differs}
    return Pod(namespace=SERVICE.namespace, name=name, uid=f"uid-{name}", **made)


def account(role: str = ROLE, name: str = SERVICE.name, **annotations: str) -> ServiceAccount:
    """An annotated ServiceAccount of the service's namespace."""
    marks = {ROLE_ARN_ANNOTATION: role, **annotations}
    return ServiceAccount(namespace=SERVICE.namespace, name=name, uid=f"uid-{name}", annotations=marks)


def association(role: str = ROLE, **differs: Any) -> Association:
    """An association of the service."""
    return Association(id="a-1", namespace=SERVICE.namespace, service_account=SERVICE.name, role_arn=role, **differs)


@dataclass(frozen=True, kw_only=True)
class World:
    """ClusterView and Roles in one; a role's trust is given as data or as text."""

    of: Cluster = CLUSTER
    accounts: Sequence[ServiceAccount] = (account(),)
    made_by: Sequence[Workload] = (workload(),)
    live: Sequence[Pod] = (pod(workload()),)
    machines: Sequence[Node] = (NODE,)
    linked: Sequence[Association] = ()
    agent_state: AgentState = AGENT
    fargate: Sequence[FargateSelector] = ()
    beside: Surroundings = field(default_factory=Surroundings)
    trusts: Mapping[str, Json] = field(default_factory=lambda: {ROLE: trust_for(SUBJECT)})
    endpoints: Sequence[VpcEndpoint] = ()
    closed: Mapping[str, str] = field(default_factory=dict)
    of_roles: Mapping[str, Any] = field(default_factory=dict)  # further facts of every role
    keyed: Mapping[str, frozenset[str] | Unread] = field(default_factory=dict)
    granted: Mapping[str, Permissions] = field(default_factory=dict)
    installed: Sequence[InstalledAddon] = ()
    offers: Mapping[str, Offer] = field(default_factory=dict)  # by add-on
    names: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)  # by add-on and version
    addons_denied: str = ""
    quota: int | str = QUOTA  # or why it may not be read
    quotas_asked: list[str] = field(default_factory=list)
    addon_calls: list[tuple[str, ...]] = field(default_factory=list)  # calls about add-ons, in order

    def but(self, **differs: Any) -> "World":
        """The same world with these parts different."""
        return replace(self, **differs)

    def plans(self, settings: PlanSettings | None = None) -> tuple[Plan, ...]:
        """What the planner makes of it."""
        return plan_cluster(self, self, settings or PlanSettings())

    def cluster(self) -> Cluster:
        return self.of

    def service_accounts(self) -> Sequence[ServiceAccount]:
        return self.accounts

    def workloads(self) -> Sequence[Workload]:
        return self.made_by

    def pods(self) -> Sequence[Pod]:
        return self.live

    def nodes(self) -> Sequence[Node]:
        return self.machines

    def associations(self) -> Sequence[Association]:
        return [replace(one, role_arn="", target_role_arn="", tags={}) for one in self.linked]

    def describe(self, association: Association) -> Association:
        return next(one for one in self.linked if one.id == association.id)

    def agent(self) -> AgentState:
        return self.agent_state

    def eks_auth_endpoints(self) -> Sequence[VpcEndpoint]:
        return self.endpoints

    def operator(self, account: str, rights: Sequence[Right]) -> Operator:
        del account, rights
        return Operator(arn="arn:aws:iam::111111111111:user/ann")

    def fargate_selectors(self) -> Sequence[FargateSelector]:
        return self.fargate

    def key_names(self, wanted: Sequence[EnvSource]) -> Mapping[EnvSource, frozenset[str] | Unread]:
        return {source: self.keyed.get(source.source, frozenset()) for source in wanted}

    def surroundings(self, *, volumes: bool, security_groups: bool) -> Surroundings:
        asked = {S3Volume: volumes, SecurityGroupPolicy: security_groups}
        things = tuple(one for one in self.beside.things if asked.get(type(one), True))
        return replace(self.beside, things=things)

    def addons(self) -> Sequence[InstalledAddon]:
        self.addon_calls.append(("list",))
        if self.addons_denied:
            raise NotPermitted(self.addons_denied)
        return self.installed

    def addon_offer(self, name: str, kubernetes: str) -> Offer:
        self.addon_calls.append(("versions", name, kubernetes))
        return self.offers.get(name, Offer())

    def addon_accounts(self, name: str, version: str) -> frozenset[str]:
        self.addon_calls.append(("configuration", name, version))
        return frozenset(self.names.get((name, version), ()))

    def role(self, arn: str) -> Role | None:
        parsed = RoleArn.parse(arn)
        if parsed is None or arn not in self.trusts or parsed.account in self.closed:
            return None
        trust = self.trusts[arn]
        text = trust if isinstance(trust, str) else json.dumps(trust)
        return Role(
            arn=arn, name=parsed.name, id=f"AROA-{parsed.name}", account=parsed.account, trust=text, **self.of_roles
        )

    def roles(self, arns: Iterable[str]) -> Mapping[str, Role]:
        return {arn: role for arn in arns if (role := self.role(arn)) is not None}

    def unreadable(self, account: str) -> str | None:
        return self.closed.get(account)

    def trust_quota(self, role: Role) -> int:
        if isinstance(self.quota, str):
            raise NotPermitted(self.quota)
        self.quotas_asked.append(role.account)
        return self.quota

    def permissions(self, roles: Iterable[Role]) -> Mapping[str, Permissions]:
        return {role.arn: self.granted.get(role.arn, Permissions()) for role in roles}


def _sample() -> World:
    """The world behind `plans/sample/`: a Deployment with a proxy, and a CronJob, as one ServiceAccount."""
    proxied = container("main", (), HTTPS_PROXY="http://proxy.internal:3128", NO_PROXY="10.0.0.0/8")
    made_by = [workload(containers=(proxied,)), workload("CronJob", "orders-nightly", replicas=0)]
    return World(
        of=replace(CLUSTER, alias="sample"),
        made_by=made_by,
        live=[pod(made_by[0])],
        agent_state=AgentState(),
        trusts={ROLE: trust_for(SUBJECT, "system:serviceaccount:orders:orders-web")},
    )


SAMPLE = _sample()
