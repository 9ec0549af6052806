"""The AWS front: every account of the practice fleet behind one loopback port."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.addon_associations import AddonAssociations
from migrator.lab.aws.assume import Assumption
from migrator.lab.aws.authorise import Gate
from migrator.lab.aws.callers import Callers, Credentials, SessionWish
from migrator.lab.aws.calls import Call, CallLog
from migrator.lab.aws.cloudformation import CloudFormation
from migrator.lab.aws.cloudtrail import CloudTrail
from migrator.lab.aws.dynamo_transactions import Transactions
from migrator.lab.aws.ec2_endpoints import VpcEndpoints
from migrator.lab.aws.eks_addons import Addons
from migrator.lab.aws.eks_associations import Associations
from migrator.lab.aws.eks_auth import EksAuth
from migrator.lab.aws.eks_clusters import Clusters
from migrator.lab.aws.eks_compute import Compute
from migrator.lab.aws.eks_roles import RoleChecks
from migrator.lab.aws.eks_state import ASSOCIATION_LIMIT, Cluster, EksState
from migrator.lab.aws.eks_tags import Tags
from migrator.lab.aws.eks_tokens import caller_of_token
from migrator.lab.aws.eks_updates import Updates
from migrator.lab.aws.iam_guards import IamGuards
from migrator.lab.aws.iam_roles import Roles
from migrator.lab.aws.iam_simulate import Simulation
from migrator.lab.aws.iam_store import IamStore
from migrator.lab.aws.models import GUARDED
from migrator.lab.aws.moto_backend import MotoBackend
from migrator.lab.aws.pipeline import AfterHook, Handler, Hook, Pipeline
from migrator.lab.aws.s3_buckets import S3Buckets
from migrator.lab.aws.server import LoopbackServer
from migrator.lab.aws.service_quotas import ServiceQuotas
from migrator.lab.aws.sts import Sts
from migrator.lab.aws.trail import Trail
from migrator.lab.aws.trust_documents import TrustRules
from migrator.lab.aws.web_identity import WebIdentity
from migrator.lab.aws.wire import HttpAnswer, HttpRequest, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.lab.aws.ports import ControlPlane, LabCluster


def _utc_now() -> datetime:
    return datetime.now(UTC)


Page = Callable[[HttpRequest], HttpAnswer]


class Senses:
    """Where lateness and untruth can be let in: who sees what of roles, associations and add-ons.

    Attributes:
        roles: what IAM's readers see of trust policies (`sight`).
        checks: what EKS sees of them when an association is made (`trust`).
        auth: what EKS Auth sees of them, and of associations (`trust`, `association`).
        addons: what EKS says of add-ons (`health`).
    """

    def __init__(self, roles: Roles, checks: RoleChecks, auth: EksAuth, addons: Addons) -> None:
        self.roles, self.checks, self.auth, self.addons = roles, checks, auth, addons


class AwsFront:
    """AWS for a set of accounts.

    moto's memory is shared by the process, so one front may be alive at a time; `stop` frees it.

    Attributes:
        trail: CloudTrail's events; worlds may seed it with `trail.add`.
        cloudformation: the stacks that CloudFormation tells of.
        vpc_endpoints: the interface endpoints that EC2 tells of.
    """

    def __init__(self, accounts: Iterable[str], clock: Callable[[], datetime] = _utc_now) -> None:
        names = frozenset(accounts)
        self._clock = clock
        self._log = CallLog()
        self.trail = Trail()
        self._moto = MotoBackend()
        self._iam = IamStore()
        self._eks = EksState()
        self.cloudformation = CloudFormation()
        self.vpc_endpoints = VpcEndpoints()
        self._callers = Callers(sorted(names), self._iam, clock)
        gate = Gate(self._iam, clock)
        self._roles = Roles(self._iam, self._moto, TrustRules(self._iam, names))
        self._pipeline = Pipeline(self._callers, gate, self._log, self.trail, clock)
        self._pipeline.handlers = self._handlers(gate)
        self._pipeline.fallbacks = {
            "iam": IamGuards(self._iam, self._moto, self._roles, names).fallback(),
            "dynamodb": self._moto.forward,
            "s3": self._moto.forward,
            **dict.fromkeys(GUARDED, self._moto.forward),
        }
        self._server = LoopbackServer(self._answer)
        self.pages: dict[str, Page] = {}

    def _handlers(self, gate: Gate) -> dict[str, dict[str, Handler]]:
        assumption = Assumption(gate)
        checks = RoleChecks(self._iam, gate)
        sts = Sts(self._iam, self._callers, assumption, self._moto)
        web = WebIdentity(
            iam=self._iam,
            callers=self._callers,
            assumption=assumption,
            eks=self._eks,
            moto=self._moto,
            clock=self._clock,
        )
        auth = EksAuth(
            state=self._eks,
            iam=self._iam,
            callers=self._callers,
            assumption=assumption,
            moto=self._moto,
            trail=self.trail,
            clock=self._clock,
        )
        associations = Associations(self._eks, checks, self._clock)
        owned = AddonAssociations(associations, checks, self._clock)
        addons = Addons(self._eks, owned, self._clock)
        self.senses = Senses(self._roles, checks, auth, addons)
        return {
            "eks": {
                **Clusters(self._eks).handlers(),
                **associations.handlers(),
                **addons.handlers(),
                **Updates(self._eks).handlers(),
                **Compute(self._eks, self._iam, self._clock).handlers(),
                **Tags(self._eks).handlers(),
            },
            "eks-auth": auth.handlers(),
            "iam": {**self._roles.handlers(), **Simulation(self._iam, self._moto).handlers()},
            "sts": {**sts.handlers(), **web.handlers()},
            "dynamodb": Transactions(self._moto, self._clock).handlers(),
            "s3": S3Buckets(self._moto).handlers(),
            "cloudformation": self.cloudformation.handlers(),
            "ec2": self.vpc_endpoints.handlers(),
            "servicequotas": ServiceQuotas(self._roles.trust_quota).handlers(),
            "cloudtrail": CloudTrail(self.trail, self._clock).handlers(),
        }

    @property
    def endpoint(self) -> str:
        """The URL clients use as `endpoint_url` for every service."""
        return self._server.url

    @property
    def calls(self) -> list[Call]:
        """Every call so far, in order."""
        return self._log.all()

    def forget_calls(self) -> None:
        """Empties the call log, so that a world's seeding is not taken for its users' doing."""
        self._log.clear()

    @property
    def hooks(self) -> list[Hook]:
        """What runs on every well-formed request before it is carried out; what a hook raises is the answer."""
        return self._pipeline.hooks

    @property
    def after_hooks(self) -> list[AfterHook]:
        """What runs on every request that has been carried out, before its answer is sent."""
        return self._pipeline.after

    def association_of(self, request: Request) -> tuple[str, str] | None:
        """(namespace, ServiceAccount) of the association that a request is about, by its id if by nothing else."""
        params = request.params
        if "namespace" in params and "serviceAccount" in params:
            return str(params["namespace"]), str(params["serviceAccount"])
        for cluster in self._eks.of(request.account, request.region):
            found = cluster.associations.get(str(params.get("associationId", "")))
            if found is not None and cluster.spec.name == params.get("clusterName"):
                return found.namespace, found.service_account
        return None

    def start(self) -> None:
        """Begins to answer."""
        self._server.start()

    def stop(self) -> None:
        """Ends every connection and forgets the world."""
        self._server.stop()
        self._moto.close()

    def add_cluster(self, cluster: LabCluster, plane: ControlPlane, association_limit: int = ASSOCIATION_LIMIT) -> None:
        """Puts a cluster into its account.

        Raises:
            ValueError: it has one of that name already.
        """
        tags = dict(cluster.extra.get("tags", {}))
        self._eks.add(Cluster(cluster, plane, self._clock(), association_limit, tags=tags))

    def set_cluster_status(self, account: str, region: str, name: str, status: str) -> None:
        """Sets what EKS says of a cluster's state."""
        for cluster in self._eks.of(account, region):
            if cluster.spec.name == name:
                cluster.spec = replace(cluster.spec, status=status)

    def set_trust_quota(self, account: str, characters: int) -> None:
        """Sets how many non-blank characters a trust policy of the account may have (2048 unless set)."""
        self._roles.trust_quota[account] = characters

    def set_role_last_used(self, role_arn: str, when: datetime, region: str) -> None:
        """Sets a role's RoleLastUsed.

        Raises:
            LookupError: there is no such role.
        """
        self._iam.mark_used(self._role(role_arn), when, region)

    def _role(self, arn: str) -> Any:
        role = self._iam.role(arn)
        if role is None:
            raise LookupError(f"no role {arn!r}")
        return role

    def instance_credentials(self, role_arn: str, instance_id: str, seconds: int = 21600) -> Credentials:
        """Credentials as an EC2 instance has them from its profile: the node role, session named by the instance.

        Raises:
            LookupError: there is no such role.
        """
        return self._callers.open_session(SessionWish(self._role(role_arn), instance_id, seconds))

    def authenticate_eks_token(self, token: str, cluster_name: str) -> str | None:
        """The ARN a `k8s-aws-v1.` bearer token proves, or None when it proves none for this cluster."""
        caller = caller_of_token(token, cluster_name, self._callers, self._clock())
        if caller is None:
            return None
        names = {(c.spec.account, c.spec.name) for c in self._eks.all()}
        return caller.arn if (caller.account, cluster_name) in names else None

    def _answer(self, http: HttpRequest) -> HttpAnswer:
        if http.path == "/_lab/health":
            return _json({"status": "ok", "calls": len(self._log.all())})
        if http.path == "/_lab/calls":
            after = dict(http.query_pairs()).get("after", "0")
            start = int(after) if after.isdigit() else 0
            return _json([call.as_json() for call in self._log.all() if call.number > start])
        page = self.pages.get(http.path)
        return page(http) if page is not None else self._pipeline.answer(http)


def _json(document: object) -> HttpAnswer:
    return HttpAnswer(200, {"content-type": "application/json"}, json.dumps(document).encode())
