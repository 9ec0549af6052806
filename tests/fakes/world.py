"""A declared world in memory: a cluster, its webhook, controllers and IAM, typed against the ports."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from migrator.model.errors import Rejected
from migrator.model.facts import (
    Addon,
    AgentState,
    Association,
    Json,
    Node,
    Pod,
    Probe,
    Role,
    ServiceAccount,
    SourceRole,
)
from migrator.model.ids import ROLE_ARN_ANNOTATION
from tests.fakes.parts import ACCOUNT, CLUSTER_ARN, IRSA_TRUST, ROLE_ARN, FakeWorkload, deployment, pod
from tests.fakes.pods import FakePods
from tests.fakes.sight import FakeSight
from tests.fakes.source_roles import FakeSources


@dataclass
class FakeWorld(FakeSources, FakePods, FakeSight):
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
    answers: str = (
        "arn"  # what `aws` says in a pod: arn, other (role), user, refused, absent (no such program), forbidden
    )
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

    def _change(self, name: str) -> None:
        self.before_call(name)
        self.calls.append(name)

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
