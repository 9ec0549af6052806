"""A world as the practice fleet is built from it: every default filled in, every short form written out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from migrator.documents.errors import DocumentError
from migrator.documents.yaml_file import Document, FieldPath
from migrator.lab.faults.model import Fault

Json = dict[str, Any]


@dataclass(frozen=True)
class Placed:
    """A Kubernetes object, and the field of the world file it comes from (`at`, as everywhere here).

    `manager` is the field manager by which it is made, ours unless given; `applied`: by server-side apply.
    """

    document: Json
    at: FieldPath
    manager: str = ""
    applied: bool = False


@dataclass(frozen=True)
class OidcProvider:
    """An IAM OIDC provider."""

    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    at: FieldPath


@dataclass(frozen=True)
class Table:
    """A DynamoDB table; its keys are strings."""

    name: str
    region: str
    key: str
    sort_key: str | None
    items: tuple[Json, ...]
    at: FieldPath


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket, its objects' text by key, and its policy; empty without one."""

    name: str
    region: str
    objects: Mapping[str, str]
    policy: Json
    at: FieldPath


@dataclass(frozen=True)
class Guarded:
    """A key, queue, topic or secret; `kind` is the field of the account that lists it."""

    kind: str
    name: str
    region: str
    policy: Json
    at: FieldPath


@dataclass(frozen=True)
class ManagedPolicy:
    """A customer managed policy."""

    name: str
    path: str
    document: Json
    arn: str
    at: FieldPath


@dataclass(frozen=True)
class Role:
    """An IAM role with its documents as IAM will be given them."""

    name: str
    path: str
    arn: str
    description: str
    trust: Any  # a document, or text that is sent as it is
    policies: Mapping[str, Json]
    attached: tuple[str, ...]
    permissions_boundary: str | None
    max_session_duration: int
    tags: Mapping[str, str]
    at: FieldPath


@dataclass(frozen=True)
class Stack:
    """A CloudFormation stack; `roles` are names of roles by logical id."""

    name: str
    region: str
    roles: Mapping[str, str]


@dataclass(frozen=True)
class Account:
    """An AWS account."""

    id: str
    alias: str
    home_region: str
    trust_quota: int
    providers: tuple[OidcProvider, ...]
    tables: tuple[Table, ...]
    buckets: tuple[Bucket, ...]
    guarded: tuple[Guarded, ...]
    policies: tuple[ManagedPolicy, ...]
    roles: tuple[Role, ...]
    stacks: tuple[Stack, ...]

    @property
    def profile(self) -> str:
        """The AWS config profile that stands for its administrator."""
        return f"lab-{self.id}"


@dataclass(frozen=True)
class Webhook:
    """How the cluster's pod identity webhook is set."""

    enabled: bool
    region: str
    sts_regional_endpoint: bool
    token_expiration: int


@dataclass(frozen=True)
class Node:
    """One node."""

    name: str
    os: str
    arch: str
    compute_type: str
    labels: Mapping[str, str]
    taints: tuple[Json, ...]


@dataclass(frozen=True)
class FargateProfile:
    """A Fargate profile."""

    name: str
    selectors: tuple[Json, ...]
    at: FieldPath


@dataclass(frozen=True)
class Nodegroup:
    """A managed node group, as EKS describes it."""

    name: str
    ami_type: str
    node_role_arn: str
    labels: Mapping[str, str]
    at: FieldPath


@dataclass(frozen=True)
class Addon:
    """An EKS add-on that is installed when the world starts."""

    name: str
    version: str | None
    configuration: str | None
    pod_identity_associations: Mapping[str, str]  # ServiceAccount -> role ARN
    role_arn: str | None
    at: FieldPath


@dataclass(frozen=True)
class Association:
    """A pod identity association that is there when the world starts."""

    namespace: str
    service_account: str
    role_arn: str
    target_role_arn: str | None
    disable_session_tags: bool
    tags: Mapping[str, str]
    at: FieldPath


@dataclass(frozen=True)
class VpcEndpoint:
    """An interface endpoint of a cluster's VPC, as EC2 describes it."""

    service: str
    state: str
    private_dns: bool
    policy: Json


@dataclass(frozen=True)
class Cluster:
    """An EKS cluster; `objects` are its Kubernetes objects in the order they are to be made, workloads last."""

    alias: str
    name: str
    account: str
    region: str
    version: str
    platform_version: str
    status: str
    ip_family: str
    auto_mode: bool
    issuer: str
    association_delay: float
    api_servers: int
    webhook: Webhook
    describe: Json
    node_role_arn: str
    nodes: tuple[Node, ...]
    fargate_profiles: tuple[FargateProfile, ...]
    nodegroups: tuple[Nodegroup, ...]
    addons: tuple[Addon, ...]
    associations: tuple[Association, ...]
    vpc_endpoints: tuple[VpcEndpoint, ...]
    objects: tuple[Placed, ...]
    workloads: tuple[Placed, ...]
    at: FieldPath

    @property
    def provider_host(self) -> str:
        """The issuer without https://, as condition keys and provider ARNs have it."""
        return self.issuer.removeprefix("https://")

    @property
    def argo(self) -> bool:
        """Whether Argo Rollouts is installed: where there is a workload of that kind."""
        return any(placed.document["kind"] == "Rollout" for placed in self.workloads)


@dataclass(frozen=True)
class World:
    """Everything a practice fleet consists of."""

    document: Document = field(repr=False)
    accounts: tuple[Account, ...]
    clusters: tuple[Cluster, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def source(self) -> str:
        """The file it was read from."""
        return str(self.document.path)

    def refusal(self, at: FieldPath, problem: str) -> DocumentError:
        """What to raise when a part of the world turns out to be impossible."""
        return self.document.error(at, problem)

    def account(self, account_id: str) -> Account:
        """The account with that id."""
        return next(account for account in self.accounts if account.id == account_id)

    def cluster(self, alias: str) -> Cluster:
        """The cluster with that alias."""
        return next(cluster for cluster in self.clusters if cluster.alias == alias)
