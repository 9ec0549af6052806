"""The agent's credentials endpoint: what it refuses, what it keeps, what it never keeps."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from migrator.lab.nodes.identity_agent import IdentityAgent, RefusedError
from migrator.lab.nodes.specs import PodAws

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AWS = PodAws("http://127.0.0.1:9", "111111111111", "us-east-1", "practice")


class EksAuth:
    """Clients whose only client is this one: it answers, or refuses with `error`."""

    def __init__(self) -> None:
        self.calls = 0
        self.error = ""
        self.expires = NOW + timedelta(hours=6)

    def client(self, _service: str, _region: str, _keys: object, *, timeout: float) -> "EksAuth":
        assert timeout
        return self

    def assume_role_for_pod_identity(self, **given: str) -> dict[str, Any]:
        self.calls += 1
        assert given["clusterName"] == "practice"
        if self.error:
            metadata = {"HTTPStatusCode": 400, "RequestId": "r-1"}
            answer: Any = {"Error": {"Code": self.error, "Message": "no"}, "ResponseMetadata": metadata}
            raise ClientError(answer, "AssumeRoleForPodIdentity")
        keys = {"accessKeyId": f"A{self.calls}", "secretAccessKey": "s", "sessionToken": "t"}
        return {
            "credentials": {**keys, "expiration": self.expires},
            "assumedRoleUser": {"arn": "arn:aws:sts::111111111111:assumed-role/r/s"},
        }


class Bench:
    """An agent with a clock and an EKS Auth in hand."""

    def __init__(self) -> None:
        self.now = NOW
        self.auth = EksAuth()
        clients: Any = self.auth
        self.agent = IdentityAgent(AWS, clients, lambda: self.now)

    def key(self) -> str:
        return str(json.loads(self.agent.credentials(token()))["AccessKeyId"])


@pytest.fixture
def bench() -> Any:
    made = Bench()
    made.agent.start()
    yield made
    made.agent.stop()


def token(expires: datetime = NOW + timedelta(days=1)) -> str:
    claims = json.dumps({"exp": int(expires.timestamp()), "nbf": 0}).encode()
    return f"h.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.s"


def ask(bench: Bench, path: str = "/v1/credentials", host: str = "169.254.170.23", text: str = "") -> tuple[int, str]:
    with urllib3.PoolManager(retries=False) as pool:
        answer = pool.request("GET", bench.agent.url + path, headers={"Host": host, "Authorization": text})
        return answer.status, answer.data.decode()


def test_credentials_come_with_their_account_and_end(bench: Bench) -> None:
    status, body = ask(bench, text=token())
    assert status == 200
    assert json.loads(body) == {
        "AccessKeyId": "A1",
        "SecretAccessKey": "s",
        "Token": "t",
        "AccountId": "111111111111",
        "Expiration": "2026-03-01T18:00:00Z",
    }
    assert ask(bench, host="[fd00:ec2::23]", text=token())[0] == 200


@pytest.mark.parametrize(
    ("request_", "status", "text"),
    [
        ({"path": "/"}, 404, "404 page not found"),
        ({"host": "localhost"}, 403, "Access Denied. Called agent through invalid address"),
        ({}, 400, "Service account token cannot be empty\n"),
        ({"text": "nonsense"}, 400, "Service account token cannot be parsed: "),
        ({"text": token(NOW)}, 400, "Service account token failed basic claim validations: "),
    ],
)
def test_refusals(bench: Bench, request_: dict[str, str], status: int, text: str) -> None:
    found, body = ask(bench, **request_)
    assert (found, body.startswith(text)) == (status, True), body


def test_an_error_is_passed_on_and_not_kept(bench: Bench) -> None:
    bench.auth.error = "AccessDeniedException"
    assert ask(bench, text=token()) == (400, "[r-1]: (AccessDeniedException): no, fault: client\n")
    bench.auth.error = ""
    assert ask(bench, text=token())[0] == 200


def test_credentials_are_kept_for_three_hours(bench: Bench) -> None:
    assert bench.key() == "A1"
    bench.now = NOW + timedelta(hours=2, minutes=59)
    assert bench.key() == "A1"
    bench.now = NOW + timedelta(hours=3)
    assert bench.key() == "A2"


def test_a_failed_renewal_keeps_or_drops_what_there_was(bench: Bench) -> None:
    bench.key()
    bench.now = NOW + timedelta(hours=3)
    bench.auth.error = "ThrottlingException"
    assert bench.key() == "A1"
    bench.auth.error = "ResourceNotFoundException"
    with pytest.raises(RefusedError):
        bench.key()
    bench.auth.error = "ThrottlingException"
    with pytest.raises(RefusedError):
        bench.key()
