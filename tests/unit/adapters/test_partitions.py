"""In each partition calls go to its own endpoints, signed for its own regions; nothing is sent: the wire is cut."""

import ast
import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session

import migrator
from migrator.adapters.aws.eks import EksCluster
from migrator.adapters.aws.iam import IamRoles
from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.aws.token import PREFIX, EksToken
from migrator.model.fleet import Account, Fleet, FleetCluster, SqliteState

ROOT = Path(migrator.__file__).parent
PLACES = {
    "aws": ("111111111111", "eu-west-1"),
    "aws-cn": ("222222222222", "cn-northwest-1"),
    "aws-us-gov": ("333333333333", "us-gov-east-1"),
}
ENDPOINTS = {  # by partition: STS, EKS, IAM, and the region that IAM is signed for
    "aws": ("sts.eu-west-1.amazonaws.com", "eks.eu-west-1.amazonaws.com", "iam.amazonaws.com", "us-east-1"),
    "aws-cn": (
        "sts.cn-northwest-1.amazonaws.com.cn",
        "eks.cn-northwest-1.amazonaws.com.cn",
        "iam.cn-north-1.amazonaws.com.cn",
        "cn-north-1",
    ),
    "aws-us-gov": (
        "sts.us-gov-east-1.amazonaws.com",
        "eks.us-gov-east-1.amazonaws.com",
        "iam.us-gov.amazonaws.com",
        "us-gov-west-1",
    ),
}
WHO = """<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:{partition}:iam::{account}:user/ann</Arn>
<UserId>AIDA</UserId><Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
ASSUMED = """<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA{account}</AccessKeyId>
<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""
ROLE = """<GetRoleResponse><GetRoleResult><Role><Arn>arn:{partition}:iam::{account}:role/web</Arn>
<RoleName>web</RoleName><RoleId>AROA</RoleId><Path>/</Path><CreateDate>2026-01-01T00:00:00Z</CreateDate>
<AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>"""
STACKS = "<DescribeStacksResponse><DescribeStacksResult><Stacks/></DescribeStacksResult></DescribeStacksResponse>"


@dataclass(frozen=True)
class Body:
    """What an answer's stream gives."""

    data: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.data


@dataclass
class Wire:
    """Stands where the network begins: keeps each call's host and signed-for region, and answers as AWS would."""

    calls: list[tuple[str, str]] = field(default_factory=list)

    def send(self, request: Any) -> AWSResponse:
        host = urlsplit(request.url).netloc
        scope = request.headers["Authorization"]
        signed = (scope.decode() if isinstance(scope, bytes) else scope).split("Credential=")[1].split("/")
        self.calls.append((host, signed[2]))
        partition = "aws-cn" if host.endswith(".cn") else "aws-us-gov" if "us-gov" in host else "aws"
        text = self.answer(host, str(request.body), partition)
        return AWSResponse(request.url, 200, HTTPHeaders(), Body(text.encode()))

    @staticmethod
    def answer(host: str, body: str, partition: str) -> str:
        if host.startswith("eks"):
            return json.dumps({"associations": []})
        if host.startswith("cloudformation"):
            return STACKS
        form = ROLE if host.startswith("iam") else ASSUMED if "Action=AssumeRole" in body else WHO
        return form.format(partition=partition, account=PLACES[partition][0])


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Wire:
    cut = Wire()
    monkeypatch.setattr(URLLib3Session, "send", lambda _self, request: cut.send(request))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHERE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    return cut


def over_all_partitions(folder: Path, *partitions: str, **account: str) -> AwsSessions:
    """A fleet of one cluster in each; all accounts are reached by the environment's credentials, or by a role."""
    clusters = tuple(
        FleetCluster(alias=name, name="prod", region=PLACES[name][1], account=PLACES[name][0]) for name in partitions
    )
    accounts = tuple(Account(id=PLACES[name][0], **account) for name in partitions)
    state = SqliteState(folder / "state.db")
    fleet = Fleet(file=folder / "f", state=state, plans=folder, clusters=clusters, accounts=accounts)
    return AwsSessions(fleet)


@pytest.mark.parametrize("partition", PLACES)
def test_each_partition_has_its_own_endpoints_and_signatures(partition: str, wire: Wire, tmp_path: Path) -> None:
    account, region = PLACES[partition]
    sessions = over_all_partitions(tmp_path, partition)
    sts, eks, iam, signed = ENDPOINTS[partition]

    assert sessions.identity(account).partition == partition
    assert EksCluster(sessions.fleet.clusters[0], sessions).associations() == []
    assert IamRoles(sessions).role(f"arn:{partition}:iam::{account}:role/web") is not None
    assert wire.calls == [(sts, region), (eks, region), (iam, signed)]


@pytest.mark.parametrize("partition", PLACES)
def test_a_role_is_looked_for_in_the_partition_of_its_arn(partition: str, wire: Wire, tmp_path: Path) -> None:
    """Though the fleet has clusters in all three, and that account has none of its own."""
    roles = {name: f"arn:{name}:iam::{PLACES[name][0]}:role/web" for name in PLACES}
    sessions = over_all_partitions(tmp_path, *(name for name in PLACES if name != partition))

    assert set(IamRoles(sessions).roles([roles[partition]])) == {roles[partition]}
    assert wire.calls[-2] == (ENDPOINTS[partition][2], ENDPOINTS[partition][3])
    stacks, signed = wire.calls[-1]
    assert stacks.startswith(f"cloudformation.{signed}.")
    assert sessions.partition_of(signed) == partition


@pytest.mark.parametrize("partition", PLACES)
@pytest.mark.parametrize("setting", ["legacy", "regional"])
def test_a_token_is_signed_for_its_clusters_region_at_its_own_sts(
    partition: str, setting: str, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The global STS of `aws` takes signatures for us-east-1 only; a cluster refuses a token signed otherwise."""
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", setting)
    account, region = PLACES[partition]
    sessions = over_all_partitions(tmp_path, partition, role=f"arn:{partition}:iam::{account}:role/ops")

    token = EksToken(sessions.fleet.clusters[0], sessions).current()

    url = urlsplit(base64.urlsafe_b64decode(token.removeprefix(PREFIX) + "===").decode())
    scope = parse_qs(url.query)["X-Amz-Credential"][0].split("/")
    assert (url.netloc, scope[0], scope[2]) == (ENDPOINTS[partition][0], f"ASIA{account}", region)
    assert {call[0] for call in wire.calls} == {ENDPOINTS[partition][0]}


SAME_EVERYWHERE = re.compile(  # service principals, audiences, annotations and labels are spelt alike in all
    r"(pods\.eks|sts|eks|vpc|cni|iam-for-pods)\.amazonaws\.com(?![\w.])|amazonaws\.com(?=/)"
)
HARD_CODED = re.compile(r"arn:aws:|amazonaws\.com|api\.aws")


def texts(path: Path) -> Iterator[str]:
    """Every string of a module that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def test_no_arn_and_no_endpoint_is_written_out() -> None:
    modules = [path for path in ROOT.rglob("*.py") if "lab" not in path.relative_to(ROOT).parts]
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in modules
        for text in texts(path)
        if HARD_CODED.search(SAME_EVERYWHERE.sub("", text))
    ]

    assert len(modules) > 100
    assert found == []
