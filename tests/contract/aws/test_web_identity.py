# ruff: noqa: PLR0917 - pytest passes fixtures by name
"""AssumeRoleWithWebIdentity: IRSA's way in, and the ways in which it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
Role = Callable[..., str]
HOST = "oidc.eks.us-east-1.amazonaws.com/id/" + "C0" * 16


def _irsa(account: str, operator: str = "StringEquals", **keys: Any) -> dict[str, Any]:
    condition = {f"{HOST}:{key}": value for key, value in keys.items()}
    return {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/{HOST}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {operator: condition},
    }


@pytest.fixture(autouse=True)
def provider(client: Client, own_front: Any, home: str) -> None:
    iam = client("iam")
    arn = f"arn:aws:iam::{home}:oidc-provider/{HOST}"
    if arn not in {p["Arn"] for p in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]}:
        iam.create_open_id_connect_provider(
            Url=f"https://{HOST}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
        )


@pytest.fixture
def assume(client: Client) -> Callable[..., Any]:
    return lambda **wish: client("sts").assume_role_with_web_identity(RoleSessionName="pod", **wish)


SUB = "system:serviceaccount:shop:cart"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param({"sub": SUB, "aud": "sts.amazonaws.com"}, id="[irsa] scalar"),
        pytest.param({"sub": [SUB, "x"], "aud": ["sts.amazonaws.com"]}, id="[irsa] lists"),
        pytest.param({"sub": "system:serviceaccount:shop:*", "operator": "StringLike"}, id="[irsa] wildcard"),
        pytest.param({"aud": ["sts.amazonaws.com"], "operator": "ForAnyValue:StringEquals"}, id="[irsa] any value"),
    ],
)
def test_trusted_service_account(
    assume: Any, client: Client, role: Role, plane: Any, home: str, case: dict[str, Any]
) -> None:
    arn = role(_irsa(home, **case))
    found = assume(RoleArn=arn, WebIdentityToken=plane.token("shop", "cart", "sts.amazonaws.com"))
    assert found["SubjectFromWebIdentityToken"] == SUB
    assert found["Provider"].endswith(HOST)
    identity = client("sts", credentials=found["Credentials"]).get_caller_identity()
    assert identity["Arn"].endswith("/pod")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param({"sub": "system:serviceaccount:shop:other"}, id="[irsa] another account"),
        pytest.param({"sub": "system:serviceaccount:shop:*"}, id="[irsa] no wildcards in StringEquals"),
        pytest.param({"aud": "elsewhere"}, id="[irsa] another audience"),
    ],
)
def test_untrusted(assume: Any, role: Role, plane: Any, refused: Refused, home: str, case: dict[str, Any]) -> None:
    arn = role(_irsa(home, **case))
    answer = refused(assume, RoleArn=arn, WebIdentityToken=plane.token("shop", "cart", "sts.amazonaws.com"))
    assert answer == ("AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity")


def test_missing_role(assume: Any, plane: Any, refused: Refused, home: str) -> None:
    token = plane.token("shop", "cart", "sts.amazonaws.com")
    answer = refused(assume, RoleArn=f"arn:aws:iam::{home}:role/none", WebIdentityToken=token)
    assert answer[:2] == ("AccessDenied", 403)


def test_no_provider_in_the_account(
    assume: Any, plane: Any, refused: Refused, role: Role, away: str, issuer: str
) -> None:
    token = plane.token("shop", "cart", "sts.amazonaws.com")
    answer = refused(assume, RoleArn=role(account=away), WebIdentityToken=token)
    text = f"No OpenIDConnect provider found in your account for {issuer}"
    assert answer == ("InvalidIdentityToken", 400, text)


def test_wrong_audience(assume: Any, plane: Any, refused: Refused, role: Role, home: str) -> None:
    token = plane.token("shop", "cart", "elsewhere")
    answer = refused(assume, RoleArn=role(_irsa(home, sub=SUB)), WebIdentityToken=token)
    assert answer == ("InvalidIdentityToken", 400, "Incorrect token audience")


def test_expired(assume: Any, plane: Any, refused: Refused, role: Role, home: str) -> None:
    token = plane.token("shop", "cart", "sts.amazonaws.com", exp=1)
    answer = refused(assume, RoleArn=role(_irsa(home, sub=SUB)), WebIdentityToken=token)
    assert answer[:2] == ("ExpiredTokenException", 400)


def test_forged(assume: Any, plane: Any, refused: Refused, role: Role, home: str) -> None:
    head, _, signature = plane.token("shop", "cart", "sts.amazonaws.com").split(".")
    body = plane.token("shop", "boss", "sts.amazonaws.com").split(".")[1]
    answer = refused(assume, RoleArn=role(_irsa(home, sub=SUB)), WebIdentityToken=f"{head}.{body}.{signature}")
    assert answer[:2] == ("InvalidIdentityToken", 400)


def test_no_jwt(assume: Any, refused: Refused, role: Role) -> None:
    assert refused(assume, RoleArn=role(), WebIdentityToken="nonsense")[0] == "InvalidIdentityToken"


def test_success_is_in_the_trail(assume: Any, client: Client, role: Role, plane: Any, home: str) -> None:
    arn = role(_irsa(home, sub=SUB))
    assume(RoleArn=arn, WebIdentityToken=plane.token("shop", "cart", "sts.amazonaws.com"))
    wish = [{"AttributeKey": "ResourceName", "AttributeValue": arn}]
    found = client("cloudtrail").lookup_events(LookupAttributes=wish)["Events"]
    event = json.loads(found[0]["CloudTrailEvent"])
    assert event["eventName"] == "AssumeRoleWithWebIdentity"
    assert event["responseElements"]["subjectFromWebIdentityToken"] == SUB
    assert HOST in event["responseElements"]["provider"]
    assert event["requestParameters"]["roleArn"] == arn
    assert "HIDDEN" in event["requestParameters"]["webIdentityToken"]
