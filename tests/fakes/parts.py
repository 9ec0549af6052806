"""What a declared world is made of: pods and containers as the webhook leaves them, and workloads."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from migrator.model.facts import Association, Container, EnvVar, Pod, PodSpec, WorkloadRef
from migrator.model.identity import AUDIENCE, TOKEN_FILE, TOKEN_VOLUME

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


def deployment(name: str = "orders", replicas: int = 1, *, baked: bool = False) -> FakeWorkload:
    """A Deployment in the service's namespace."""
    return FakeWorkload(ref=WorkloadRef(kind="Deployment", namespace="shop", name=name), replicas=replicas, baked=baked)


def foreign(association: Association, tags: Iterable[tuple[str, str]] = ()) -> Association:
    """The same association as somebody else would have made it."""
    return replace(association, tags=dict(tags))
