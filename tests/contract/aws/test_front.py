"""The front itself: call log, health, raw requests, EKS bearer tokens, hooks, start and stop."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import urllib3
from botocore.signers import RequestSigner

from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.front import AwsFront

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]


@pytest.fixture
def get(aws_endpoint: str) -> Callable[..., Any]:
    def ask(path: str, method: str = "GET", **more: Any) -> Any:
        with urllib3.PoolManager(retries=False) as pool:
            return pool.request(method, aws_endpoint + path, **more)

    return ask


def test_health(get: Any, own_front: Any) -> None:
    assert get("/_lab/health").json()["status"] == "ok"


def test_call_log(get: Any, client: Client, own_front: Any, home: str, plane: Any) -> None:
    client("eks").describe_cluster(name="contract")
    last = own_front.calls[-1]
    assert (last.account, last.service, last.operation, last.status) == (home, "eks", "DescribeCluster", 200)
    assert (last.error_code, last.mutating, last.params) == ("", False, {"name": "contract"})
    calls = get("/_lab/calls").json()
    assert [call["number"] for call in calls] == list(range(1, len(calls) + 1))
    assert calls[-1]["operation"] == "DescribeCluster"


def test_call_log_hides_tokens(client: Client, own_front: Any, plane: Any, refused: Refused) -> None:
    token = plane.token("none", "sa", "pods.eks.amazonaws.com")
    refused(client("eks-auth").assume_role_for_pod_identity, clusterName="contract", token=token)
    last = own_front.calls[-1]
    assert last.error_code == "ResourceNotFoundException"
    assert token not in json.dumps(last.as_json())


def test_writes_are_marked(client: Client, own_front: Any, refused: Refused) -> None:
    refused(client("iam").delete_role, RoleName="none")
    assert own_front.calls[-1].mutating
    client("iam").list_roles()
    assert not own_front.calls[-1].mutating


def test_unsigned_is_refused(get: Any) -> None:
    answer = get("/clusters/contract")
    assert answer.status == 403
    assert "MissingAuthenticationToken" in answer.data.decode()


def test_unknown_route(get: Any) -> None:
    scope = "LABKEY00111122223333/20260101/us-east-1/eks/aws4_request"
    header = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"
    assert get("/no/such/path", headers={"Authorization": header}).status == 403


def test_unknown_route_signed(client: Client, refused: Refused) -> None:
    eks = client("eks", region="eu-north-1")

    def elsewhere(request: Any, **_: Any) -> None:
        request.url = request.url.replace("/clusters", "/no-such-thing")

    eks.meta.events.register("before-sign.eks.ListClusters", elsewhere)
    assert refused(eks.list_clusters)[1] == 404


def _bearer(account: str, cluster: str, header: str = "x-k8s-aws-id", expires: int = 60) -> str:
    session: Any = boto3.Session("LABKEY00" + account, "lab-secret-key-for-practice-only", region_name="us-east-1")
    sts = session.client("sts")
    signer = RequestSigner(
        sts.meta.service_model.service_id, "us-east-1", "sts", "v4", session.get_credentials(), session.events
    )
    url = "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    asked = {"method": "GET", "url": url, "body": {}, "headers": {header: cluster}, "context": {}}
    signed = signer.generate_presigned_url(asked, region_name="us-east-1", expires_in=expires, operation_name="")
    sts.close()
    return "k8s-aws-v1." + base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")


def test_eks_bearer_tokens(own_front: Any, home: str, away: str) -> None:
    ask = own_front.authenticate_eks_token
    assert ask(_bearer(home, "contract"), "contract") == f"arn:aws:iam::{home}:user/lab-admin"
    assert ask(_bearer(home, "other"), "contract") is None
    assert ask(_bearer(away, "contract"), "contract") is None
    assert ask(_bearer(home, "contract", header="x-other"), "contract") is None
    assert ask("k8s-aws-v1.nonsense", "contract") is None
    assert ask("nonsense", "contract") is None


def test_hooks_answer_for_the_operation(own_front: Any, client: Client, refused: Refused) -> None:
    def hook(request: Any) -> None:
        if request.action == "ListClusters":
            raise ApiError("ThrottlingException", "Rate exceeded", 429)

    own_front.hooks.append(hook)
    try:
        assert refused(client("eks").list_clusters)[:2] == ("ThrottlingException", 429)
    finally:
        own_front.hooks.remove(hook)
    assert client("eks").list_clusters()["clusters"]


def test_second_front_is_refused(own_front: Any) -> None:
    with pytest.raises(RuntimeError, match="another AWS front"):
        AwsFront(["111122223333"])


def test_a_stale_profile_of_the_user_does_not_matter() -> None:
    code = (
        "from migrator.lab.aws.front import AwsFront\n"
        "f = AwsFront(['111122223333']); f.start()\n"
        "from botocore.session import Session\n"
        "import os; del os.environ['AWS_PROFILE']\n"
        "make = Session().create_client\n"
        "c = make('dynamodb', region_name='eu-west-1', endpoint_url=f.endpoint,\n"
        "  aws_access_key_id='LABKEY00111122223333', aws_secret_access_key='lab-secret-key-for-practice-only')\n"
        "os.environ['AWS_PROFILE'] = 'stale'\n"
        "assert c.list_tables()['TableNames'] == []\n"
        "c.close(); f.stop()\n"
    )
    env = {**os.environ, "AWS_PROFILE": "stale"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_starts_and_stops_quickly() -> None:
    code = (
        "import time; t = time.monotonic()\n"
        "from migrator.lab.aws.front import AwsFront\n"
        "f = AwsFront(['111122223333']); f.start()\n"
        "import threading, urllib.request\n"
        "assert urllib.request.urlopen(f.endpoint + '/_lab/health').status == 200\n"
        "f.stop(); assert threading.active_count() == 1\n"
        "f = AwsFront(['111122223333']); f.start(); f.stop()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
