"""The suite speaks to an endpoint: `CONTRACT_AWS_ENDPOINT`, or a front started here with a control plane of its own.

An endpoint given by the environment must know the two accounts with their fixed keys, and the clusters `contract` and
`other` of the first account in us-east-1. Checks that need a token of a cluster's issuer are skipped there.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import time
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from migrator.lab.aws.front import AwsFront
from migrator.lab.aws.ports import LAB_SECRET, AddonChange, LabCluster, lab_access_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOME, AWAY = "111122223333", "444455556666"
REGION = "us-east-1"
ISSUER = "https://oidc.eks.us-east-1.amazonaws.com/id/" + "C0" * 16


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Plane:
    """A control plane that signs tokens, and whose pods and add-ons are what a test says."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.pairs: list[frozenset[tuple[str, str]]] = []
        self.installed: list[tuple[str, str, str]] = []
        self.removed: list[str] = []
        self.changes: list[AddonChange] = []
        self.ready = True
        self.gone_pods: set[str] = set()

    def associations_changed(self, pairs: frozenset[tuple[str, str]]) -> None:
        self.pairs.append(pairs)

    def install_addon(self, name: str, version: str, configuration: str) -> None:
        self.installed.append((name, version, configuration))

    def remove_addon(self, name: str) -> None:
        self.removed.append(name)

    def change_addon(self, change: AddonChange, dropped: Callable[[], None]) -> None:
        self.changes.append(change)
        if change.drops:
            dropped()

    def addon_ready(self, name: str) -> bool:
        return bool(name) and self.ready

    def jwks(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k1"}
        e, n = numbers.e.to_bytes(3, "big"), numbers.n.to_bytes(256, "big")
        return {"keys": [key | {"e": _b64(e), "n": _b64(n)}]}

    def pod(self, namespace: str, name: str) -> dict[str, Any] | None:
        if name in self.gone_pods:
            return None
        return {"metadata": {"namespace": namespace, "name": name, "uid": f"uid-{name}"}}

    def token(self, namespace: str, account: str, audience: str, **claims: Any) -> str:
        now = int(time.time())
        body = {
            "iss": ISSUER,
            "sub": f"system:serviceaccount:{namespace}:{account}",
            "aud": [audience],
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "kubernetes.io": {
                "namespace": namespace,
                "serviceaccount": {"name": account, "uid": "u"},
                "pod": {"name": "web-0", "uid": "uid-web-0"},
            },
        } | claims
        parts = [_b64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "k1"}, body)]
        signed = ".".join(parts)
        return f"{signed}.{_b64(self.key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def _cluster(name: str, issuer: str, **more: Any) -> LabCluster:
    ca = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()
    return LabCluster(HOME, REGION, name, "https://127.0.0.1:1", ca, issuer, **more)


@pytest.fixture(scope="module")
def plane() -> Plane:
    return Plane()


@pytest.fixture(scope="module")
def front(plane: Plane) -> Iterator[AwsFront | None]:
    if os.environ.get("CONTRACT_AWS_ENDPOINT"):
        yield None
        return
    front = AwsFront([HOME, AWAY])
    front.add_cluster(_cluster("contract", ISSUER), plane)
    front.add_cluster(_cluster("other", ISSUER[:-2] + "01"), Plane(), association_limit=3)
    front.add_cluster(_cluster("sleeping", ISSUER[:-2] + "02", status="CREATING"), Plane())
    front.add_cluster(_cluster("linked", ISSUER[:-2] + "03", extra={"connectorConfig": {"provider": "GKE"}}), plane)
    front.start()
    yield front
    front.stop()


@pytest.fixture(scope="module")
def own_front(front: AwsFront | None) -> AwsFront:
    if front is None:
        pytest.skip("needs the front of this process")
    return front


@pytest.fixture(scope="module")
def aws_endpoint(front: AwsFront | None) -> str:
    return front.endpoint if front is not None else os.environ["CONTRACT_AWS_ENDPOINT"]


@pytest.fixture(scope="module")
def client(aws_endpoint: str) -> Iterator[Callable[..., Any]]:
    """`client(service, account=HOME, region=..., credentials=answer of an AssumeRole call)`."""
    made: dict[Any, Any] = {}

    def make(
        service: str,
        account: str = HOME,
        *,
        region: str = REGION,
        credentials: dict[str, Any] | None = None,
        key: str = "",
        secret: str = LAB_SECRET,
    ) -> Any:
        access = credentials["AccessKeyId"] if credentials else key or lab_access_key(account)
        if (service, access, region, secret) not in made:
            connect: Any = boto3.client
            made[service, access, region, secret] = connect(
                service,
                region_name=region,
                endpoint_url=aws_endpoint,
                aws_access_key_id=access,
                aws_secret_access_key=credentials["SecretAccessKey"] if credentials else secret,
                aws_session_token=credentials["SessionToken"] if credentials else None,
                config=Config(retries={"total_max_attempts": 1}),
            )
        return made[service, access, region, secret]

    yield make
    for one in made.values():
        one.close()


@pytest.fixture(scope="module")
def fresh() -> Callable[[str], str]:
    """Names nobody has used."""
    numbers, run = itertools.count(1), uuid.uuid4().hex[:6]
    return lambda stem: f"{stem}-{run}-{next(numbers)}"


def trust(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def pods_statement(**condition: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    return found | ({"Condition": condition} if condition else {})


@pytest.fixture(scope="module")
def statement() -> Callable[..., dict[str, Any]]:
    """`statement(**condition)`: the documented trust statement of Pod Identity."""
    return pods_statement


@pytest.fixture(scope="module")
def role(client: Callable[..., Any], fresh: Callable[[str], str]) -> Callable[..., str]:
    """`role(*statements, account=HOME, path="/", **policies)`: a new role, its ARN."""

    def make(
        *statements: dict[str, Any],
        account: str = HOME,
        path: str = "/",
        policies: tuple[dict[str, Any], ...] = (),
        **more: Any,
    ) -> str:
        iam = client("iam", account)
        name = fresh("role")
        document = trust(*(statements or (pods_statement(),)))
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, Path=path, **more)
        for number, policy in enumerate(policies):
            iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=trust(policy))
        return str(made["Role"]["Arn"])

    return make


@pytest.fixture(scope="module")
def refused() -> Callable[..., tuple[str, int, str]]:
    """`refused(call, **input)`: code, HTTP status and message of the error the call must answer."""

    def ask(call: Callable[..., Any], **params: Any) -> tuple[str, int, str]:
        with pytest.raises(ClientError) as caught:
            call(**params)
        answer: Any = caught.value.response
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        return answer["Error"]["Code"], status, answer["Error"]["Message"]

    return ask


@pytest.fixture(scope="module")
def home() -> str:
    return HOME


@pytest.fixture(scope="module")
def away() -> str:
    return AWAY


@pytest.fixture(scope="module")
def issuer() -> str:
    return ISSUER
