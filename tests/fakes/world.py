"""A declared world in memory: a cluster, its webhook, controllers and IAM, typed against the ports."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from migrator.model.addons import AddonUpdate, InstalledAddon, Offer
from migrator.model.aws_side import Operator, Right, VpcEndpoint
from migrator.model.errors import NotPermitted, Rejected
from migrator.model.facts import (
    Addon,
    AgentState,
    Association,
    Cluster,
    CommandResult,
    Container,
    EnvSource,
    EnvVar,
    FargateSelector,
    Json,
    Node,
    Pod,
    PodSpec,
    Probe,
    Role,
    Rollout,
    ServiceAccount,
    SetAside,
    SourceRole,
    Unread,
    Workload,
    WorkloadRef,
)
from migrator.model.identity import AUDIENCE, TOKEN_FILE, TOKEN_VOLUME
from migrator.model.ids import RESTART_STAMP, ROLE_ARN_ANNOTATION
from migrator.model.permissions import Permissions
from migrator.model.surroundings import Surroundings
from migrator.model.trust import QUOTA
from tests.fakes.source_roles import FakeSources

ACCOUNT = "111111111111"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/orders"
CLUSTER_ARN = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"
ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
IRSA_TOKEN = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
TRACKED = {"argocd.argoproj.io/tracking-id": "shop:/ServiceAccount:shop/orders"}  # Argo CD made the ServiceAccount
IRSA_TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111111111111:'
    'oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"},'
    '"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/'
    '0123456789ABCDEF0123456789ABCDEF:sub":"system:serviceaccount:shop:orders"}}}]}'
)


def container(mode: str, name: str = "main", *, baked: bool = False) -> Container:
    """A container as the webhook leaves it: `pod-identity`, `irsa` or `none`; `baked` adds web-identity variables."""
    env: list[EnvVar] = []
    if mode == "irsa" or baked:
        env += [
            EnvVar(name="AWS_ROLE_ARN", value=ROLE_ARN),
            EnvVar(name="AWS_WEB_IDENTITY_TOKEN_FILE", value="/t" if baked else IRSA_TOKEN),
        ]
    mounts: tuple[str, ...] = ()
    if mode == "pod-identity":
        env += [
            EnvVar(name="AWS_CONTAINER_CREDENTIALS_FULL_URI", value="http://169.254.170.23/v1/credentials"),
            EnvVar(name="AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", value=TOKEN_FILE),
        ]
        mounts = (TOKEN_VOLUME,)
    return Container(name=name, env=tuple(env), mounts=mounts)


def pod(mode: str, name: str = "orders-1", owner: WorkloadRef | None = None, *, baked: bool = False) -> Pod:
    """A ready pod of the service whose one container has that identity."""
    audiences = {TOKEN_VOLUME: AUDIENCE} if mode == "pod-identity" else {}
    spec = PodSpec(service_account="orders", containers=(container(mode, baked=baked),), token_audiences=audiences)
    return Pod(
        namespace="shop",
        name=name,
        uid=f"uid-{name}",
        spec=spec,
        owner=owner,
        node="node-1",
        phase="Running",
        ready=True,
    )


@dataclass
class FakeWorkload:
    """A workload whose restart replaces its pods at once; `baked` templates carry web-identity variables."""

    ref: WorkloadRef
    replicas: int = 1
    stamp: str = ""
    baked: bool = False
    looks_until_complete: int = 0
    looks_until_seen: int = 0
    failure: str = ""
    node_selector: dict[str, str] = field(default_factory=dict)
    strategy: str = ""
    partition: int = 0
    paused: bool = False  # it takes a new template, and does not roll until it is resumed
    held: bool = False  # it has taken one
    fragile: bool = False  # its pods crash-loop without an identity
    crashes_on: str = ""  # its pods crash-loop with this identity
    ordered: bool = False  # rolls one pod at a look, and none while one is not ready, as a StatefulSet does
    looks_until_ready: int = 0  # of each pod that takes an evicted one's place


@dataclass
class FakeWorld(FakeSources):
    """One service `prod/shop/orders` on one cluster. `calls` are the changes that were asked for, in order.

    `before_call` and `after_call` are told each change's name; a crash sweep raises from them.
    `probes_until_visible` is how many admission probes still see the state before the newest association change.
    """

    declared: list[FakeWorkload] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    uid: str = "sa-uid"
    role_arn: str = ROLE_ARN
    trust: str = IRSA_TRUST
    role_id: str = "AROAORDERS"
    role_exists: bool = True
    made: Association | None = None
    addon: Addon | None = None
    daemonset: bool = False
    looks_until_agent: int = 0
    probes_until_visible: int = 0
    trust_accepted_after: int = 0
    reality: str | None = None  # what restarted pods really get, if it is not what the gate shows
    check_exit: int = 0
    checks_that_miss: int = 0  # own checks that find their pod gone
    budget_refusals: int = 0  # evictions that a PodDisruptionBudget refuses
    misses: int = 0  # pods, from now on, that the webhook misses
    answers: str = "arn"  # what `aws` says in a pod: arn, other (role), refused, absent (no such program), forbidden
    logs: str | Exception = ""  # what every container has written, or why nobody may read it
    agent_status: str = ""  # what curl hears from the agent; empty: there is no curl
    refusal: str = ""  # the gate's dry run is refused
    blind: bool = False  # the webhook injects nothing
    difference: str | None = None
    calls: list[str] = field(default_factory=list)
    before_call: Callable[[str], None] = lambda _name: None
    after_call: Callable[[str], None] = lambda _name: None
    live: dict[str, Pod] = field(default_factory=dict)
    sources: dict[str, SourceRole] = field(default_factory=dict)
    hanging: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[str, Pod] = field(default_factory=dict)  # bare pods that are set aside, by uid
    _lag: int = 0
    _seen_association: bool = False
    _serial: int = 0
    _starting: dict[str, int] = field(default_factory=dict)  # pods not ready yet: looks that are left

    def __post_init__(self) -> None:
        if not self.annotations:
            self.annotations = {ROLE_ARN_ANNOTATION: self.role_arn, "team": "orders"}
        if not self.declared:
            self.declared = [deployment()]
        self._seen_association = self.made is not None
        for workload in self.declared:
            self._roll(workload)

    # --- webhook and controllers

    def injected(self) -> str:
        """What a pod admitted now gets."""
        if self._lag > 0:
            self._lag -= 1
        else:
            self._seen_association = self.made is not None
        if self.blind:
            return "none"
        if self._seen_association:
            return "pod-identity"
        return "irsa" if self.annotations.get(ROLE_ARN_ANNOTATION) else "none"

    def _roll(self, workload: FakeWorkload) -> None:
        self.live = {name: p for name, p in self.live.items() if p.owner != workload.ref}
        mode = self.injected()
        for _ in range(workload.replicas):
            self._admit(workload, mode)

    def _admit(self, workload: FakeWorkload, mode: str) -> str:
        """A real pod, as opposed to a dry run's; its name."""
        mode = self._really(mode)
        self._serial += 1
        name = f"{workload.ref.name}-{self._serial}"
        made = pod(mode, name, workload.ref, baked=workload.baked)
        if mode == workload.crashes_on or (mode == "none" and workload.fragile):
            made = replace(made, ready=False, trouble="CrashLoopBackOff")
        self.live[name] = replace(made, annotations={RESTART_STAMP: workload.stamp} if workload.stamp else {})
        return name

    def _really(self, mode: str) -> str:
        """What a real pod gets where a dry run's would get `mode`."""
        if self.misses > 0:
            self.misses -= 1
            return "none"
        return self.reality if self.reality is not None and mode == "pod-identity" else mode

    def _change(self, name: str) -> None:
        self.before_call(name)
        self.calls.append(name)

    # --- ClusterView and Roles: the same world, as the planner sees it

    def cluster(self) -> Cluster:
        return Cluster(
            alias="prod",
            name="prod",
            region="eu-west-1",
            account=ACCOUNT,
            arn=CLUSTER_ARN,
            endpoint="https://127.0.0.1:1",
            issuer=ISSUER,
            version="1.33",
            platform_version="eks.5",
            status="ACTIVE",
        )

    def service_accounts(self) -> Sequence[ServiceAccount]:
        account = self.service_account("shop", "orders")
        return [account] if account else []

    def workloads(self) -> Sequence[Workload]:
        return self.workloads_of("shop", "orders")

    def pods(self) -> Sequence[Pod]:
        return self.pods_of("shop", "orders")

    def associations(self) -> Sequence[Association]:
        return [self.made] if self.made else []

    def describe(self, association: Association) -> Association:
        return association

    def eks_auth_endpoints(self) -> Sequence[VpcEndpoint]:
        return []

    def operator(self, account: str, rights: Sequence[Right]) -> Operator:
        del account, rights
        return Operator(arn=f"arn:aws:iam::{ACCOUNT}:user/ann")

    def fargate_selectors(self) -> Sequence[FargateSelector]:
        return []

    def key_names(self, wanted: Sequence[EnvSource]) -> Mapping[EnvSource, frozenset[str] | Unread]:
        return dict.fromkeys(wanted, frozenset())

    def surroundings(self, *, volumes: bool, security_groups: bool) -> Surroundings:
        del volumes, security_groups
        return Surroundings()

    def roles(self, arns: Iterable[str]) -> Mapping[str, Role]:
        found = {arn: self.role(arn) for arn in arns}
        return {arn: role for arn, role in found.items() if role is not None}

    def unreadable(self, account: str) -> str | None:
        del account
        return None

    def trust_quota(self, role: Role) -> int:
        del role
        return QUOTA

    def permissions(self, roles: Iterable[Role]) -> Mapping[str, Permissions]:
        return {role.arn: Permissions() for role in roles}

    # --- TrustPolicies

    def role(self, arn: str) -> Role | None:
        source = self.sources.get(arn)
        if source is not None:
            name, tags = arn.rpartition("/")[2], source.tags
            return Role(arn=arn, name=name, id=source.id, account=ACCOUNT, trust=source.trust, tags=tags)
        if not self.role_exists or arn != self.role_arn:
            return None
        return Role(arn=arn, name="orders", id=self.role_id, account=arn.split(":")[4], trust=self.trust)

    def write_trust(self, role: Role, document: str) -> None:
        assert role.arn == self.role_arn
        self.before_call("write-trust")
        if role.trust != self.trust:
            raise Rejected("somebody changed the trust policy at the same time", reason="conflict")
        self.calls.append("write-trust")
        self.trust = document
        self.after_call("write-trust")

    # --- Associations

    def association(self, namespace: str, service_account: str) -> Association | None:
        assert (namespace, service_account) == ("shop", "orders")
        return self.made

    def create_association(
        self,
        *,
        namespace: str,
        service_account: str,
        role_arn: str,
        tags: Mapping[str, str],
        token: str,
        target_role_arn: str = "",
        session_tags: bool = True,
    ) -> Association:
        if self.trust_accepted_after > 0:
            self.trust_accepted_after -= 1
            raise Rejected("Trust policy of the role provided is invalid", reason="trust-not-accepted")
        self._change("create-association")
        if self.made is not None and self.made.tags.get("token") != token:
            raise Rejected("Association already exists", reason="exists")
        self.made = Association(
            id="a-1",
            namespace=namespace,
            service_account=service_account,
            role_arn=role_arn,
            target_role_arn=target_role_arn,
            session_tags=session_tags,
            tags={**tags, "token": token},
        )
        self._lag = self.probes_until_visible
        self.after_call("create-association")
        return self.made

    def delete_association(self, association_id: str) -> None:
        self._change("delete-association")
        assert self.made is None or self.made.id == association_id
        self.made = None
        self._lag = self.probes_until_visible
        self.after_call("delete-association")

    # --- AddonCatalogue and Addons: there is none but the agent's

    def addons(self) -> Sequence[InstalledAddon]:
        return []

    def addon_offer(self, name: str, kubernetes: str) -> Offer:
        raise NotImplementedError(name, kubernetes)

    def addon_accounts(self, name: str, version: str) -> frozenset[str]:
        raise NotImplementedError(name, version)

    def installed_addon(self, name: str) -> InstalledAddon | None:
        raise NotImplementedError(name)

    def owned_by(self, addon: InstalledAddon, namespace: str) -> Sequence[Association]:
        raise NotImplementedError(addon, namespace)

    def update_addon(
        self, addon: InstalledAddon, associations: Mapping[str, str], *, role_arn: str, token: str
    ) -> AddonUpdate:
        raise NotImplementedError(addon, associations, role_arn, token)

    def addon_update(self, name: str, update_id: str) -> AddonUpdate | None:
        raise NotImplementedError(name, update_id)

    # --- AgentInstaller

    def agent(self) -> AgentState:
        if self.addon is not None and self.looks_until_agent > 0:
            self.looks_until_agent -= 1
            return AgentState(addon=self.addon, daemonset=True)
        there = self.addon is not None or self.daemonset
        ready = frozenset({"node-1"}) if there else frozenset[str]()
        return AgentState(addon=self.addon, daemonset=there, ready_nodes=ready)

    def nodes(self) -> Sequence[Node]:
        return [Node(name="node-1")]

    def install_agent(self, token: str) -> Addon:
        self._change("install-agent")
        assert token
        self.addon = Addon(name="eks-pod-identity-agent", status="ACTIVE", version="v1.3.10-eksbuild.2")
        self.after_call("install-agent")
        return self.addon

    # --- ServiceAccounts

    def service_account(self, namespace: str, name: str) -> ServiceAccount | None:
        return ServiceAccount(namespace=namespace, name=name, uid=self.uid, annotations=dict(self.annotations))

    def remove_annotation(self, account: ServiceAccount, key: str) -> None:
        self._change("remove-annotation")
        if account.annotations.get(key) != self.annotations.get(key):
            raise Rejected("the annotation was changed", reason="conflict")
        self.annotations.pop(key, None)
        self.after_call("remove-annotation")

    def add_annotation(self, account: ServiceAccount, key: str, value: str) -> None:
        self._change("add-annotation")
        assert account.uid == self.uid
        self.annotations[key] = value
        self.after_call("add-annotation")

    # --- Workloads

    def workloads_of(self, namespace: str, service_account: str) -> Sequence[Workload]:
        assert (namespace, service_account) == ("shop", "orders")
        return [
            Workload(
                ref=w.ref,
                uid=f"uid-{w.ref.name}",
                replicas=w.replicas,
                spec=PodSpec(service_account="orders", node_selector=w.node_selector),
                strategy=w.strategy,
                partition=w.partition,
                paused=w.paused,
            )
            for w in self.declared
        ]

    def pods_of(self, namespace: str, service_account: str) -> Sequence[Pod]:
        assert (namespace, service_account) == ("shop", "orders")
        for name in list(self._starting):
            self._starting[name] -= 1
            if self._starting[name] < 0:
                del self._starting[name]
        return [replace(p, ready=p.ready and p.name not in self._starting) for p in self.live.values()]

    def _workload(self, ref: WorkloadRef) -> FakeWorkload | None:
        return next((w for w in self.declared if w.ref == ref), None)

    def rollout(self, ref: WorkloadRef) -> Rollout | None:
        workload = self._workload(ref)
        if workload is None:
            return None
        slow = workload.looks_until_complete > 0
        workload.looks_until_complete -= 1 if slow else 0
        seen = workload.looks_until_seen <= 0
        workload.looks_until_seen -= 1
        n = workload.replicas
        crashing = [p for p in self.live.values() if p.owner == ref and p.trouble]
        old = self._one_by_one(workload) if workload.ordered else 0
        return Rollout(
            desired=n,
            updated=n - old,
            ready=n - len(crashing),
            old=old,
            complete=seen and not slow and not crashing and not workload.held and not old,
            stamp=workload.stamp,
            failure=workload.failure or ("Paused" if workload.paused else ""),
            seen=seen,
        )

    def restart(self, ref: WorkloadRef, stamp: str) -> None:
        self._change(f"restart {ref.name}")
        workload = self._workload(ref)
        if workload is None:
            raise Rejected(f"{ref} is not found", reason="NotFound")
        workload.stamp = stamp
        workload.held = workload.paused
        if not workload.paused and not workload.ordered:
            self._roll(workload)
        self.after_call(f"restart {ref.name}")

    def _one_by_one(self, workload: FakeWorkload) -> int:
        """Replaces the next pod of an older template, if all are ready; how many such pods were left before."""
        pods = [p for p in self.live.values() if p.owner == workload.ref]
        old = [p for p in pods if p.annotations.get(RESTART_STAMP, "") != workload.stamp]
        if old and not any(p.trouble or p.name in self._starting for p in pods):
            del self.live[old[-1].name]
            self._replace(old[-1])
        return len(old)

    def evict(self, pod: Pod) -> None:
        self.before_call(f"evict {pod.name}")
        if self.budget_refusals > 0:
            self.budget_refusals -= 1
            raise Rejected("Cannot evict pod as it would violate the pod's disruption budget.", reason="budget")
        self.calls.append(f"evict {pod.name}")
        held = self.live.get(pod.name)
        if held is not None and held.uid == pod.uid:
            del self.live[pod.name]
            self._replace(held)
        self.after_call(f"evict {pod.name}")

    def _replace(self, gone: Pod) -> None:
        """Its owner makes a new pod at once, admitted as things are now; nobody does that for a bare pod."""
        workload = self._workload(gone.owner) if gone.owner else None
        if workload is not None:
            self._starting[self._admit(workload, self.injected())] = workload.looks_until_ready

    def set_aside(self, pod: Pod) -> None:
        self._change(f"set-aside {pod.name}")
        held = self.live.get(pod.name)
        if pod.uid not in self.kept:
            if held is None or held.uid != pod.uid:
                raise Rejected("the pod is gone", reason="NotFound")
            self.kept[pod.uid] = pod
        self.after_call(f"set-aside {pod.name}")

    def aside(self, namespace: str, service_account: str) -> Sequence[SetAside]:
        assert (namespace, service_account) == ("shop", "orders")
        return sorted(SetAside(namespace=namespace, name=pod.name, uid=uid) for uid, pod in self.kept.items())

    def recreate(self, kept: SetAside) -> bool:
        held = self.live.get(kept.name)
        if held is not None and held.uid == kept.uid:
            return False
        self._change(f"recreate {kept.name}")
        if held is None and kept.uid in self.kept:
            self._serial += 1
            made = pod(self._really(self.injected()), kept.name)
            self.live[kept.name] = replace(made, uid=f"{made.uid}-{self._serial}")
        self.kept.pop(kept.uid, None)
        self.after_call(f"recreate {kept.name}")
        return True

    def forget(self, kept: SetAside) -> None:
        self._change(f"forget {kept.name}")
        self.kept.pop(kept.uid, None)
        self.after_call(f"forget {kept.name}")

    def run_in(self, pod: Pod, container: str, command: Sequence[str], timeout: float) -> CommandResult:
        assert pod.name in self.live
        assert container
        assert command
        assert timeout > 0
        if self.checks_that_miss > 0:
            self.checks_that_miss -= 1
            raise Rejected("the pod is gone", reason="NotFound")
        if command[1:3] == ("sts", "get-caller-identity"):
            return self._who_am_i()
        if command[0] == "sh":
            return CommandResult(exit_code=0, output=f"answered {self.agent_status}" if self.agent_status else "")
        return CommandResult(exit_code=self.check_exit, output="checked")

    def log(self, pod: Pod, container: str, lines: int) -> str:
        assert container
        assert lines > 0
        if isinstance(self.logs, Exception):
            raise self.logs
        return self.logs if pod.name in self.live else ""

    def _who_am_i(self) -> CommandResult:
        if self.answers == "forbidden":
            raise NotPermitted("pods/exec is not permitted")
        account, role = self.role_arn.split(":")[4], "node" if self.answers == "other" else "orders"
        arn = f"arn:aws:sts::{account}:assumed-role/{role}/session"
        said = {"absent": (127, "not found"), "refused": (254, "An error occurred (AccessDenied) when calling it")}
        code, output = said.get(self.answers, (0, arn))
        return CommandResult(exit_code=code, output=output)

    # --- AdmissionGate

    def probe(self, namespace: str, service_account: str) -> Probe:
        assert (namespace, service_account) == ("shop", "orders")
        if self.refusal:
            return Probe(pod=None, refusal=self.refusal)
        return Probe(pod=pod(self.injected(), "probe"))

    def prove(self, planned: Mapping[str, Json]) -> str | None:
        assert planned["arn"] == CLUSTER_ARN
        return self.difference

    # --- for tests

    def resume(self, workload: FakeWorkload) -> None:
        """It is paused no longer, and rolls if it was asked to meanwhile."""
        workload.paused = False
        if workload.held:
            workload.held = False
            self._roll(workload)

    def scale(self, workload: FakeWorkload, replicas: int) -> None:
        """Somebody wants so many pods; all of them are new."""
        workload.replicas = replicas
        self._roll(workload)

    def snapshot(self) -> dict[str, Json]:
        """Everything that a walk there and back must leave as it was; pods by identity only."""
        return {
            "annotations": dict(self.annotations),
            "trust": self.trust,
            "source_roles": [(one.arn, one.trust, one.policy) for one in self.sources.values()],
            "association": self.made.role_arn if self.made else None,
            "addon": self.addon.status if self.addon else None,
            "pods": sorted(((str(p.owner), p.spec.containers) for p in self.live.values()), key=str),
        }


def deployment(name: str = "orders", replicas: int = 1, *, baked: bool = False) -> FakeWorkload:
    """A Deployment in the service's namespace."""
    return FakeWorkload(ref=WorkloadRef(kind="Deployment", namespace="shop", name=name), replicas=replicas, baked=baked)


def foreign(association: Association, tags: Iterable[tuple[str, str]] = ()) -> Association:
    """The same association as somebody else would have made it."""
    return replace(association, tags=dict(tags))
