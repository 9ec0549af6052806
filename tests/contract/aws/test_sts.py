"""STS: identity, AssumeRole by trust and policy, keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
Role = Callable[..., str]


def _trusts(name: Any, *actions: str, **condition: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": name},
        "Action": list(actions or ("sts:AssumeRole",)),
    }
    return found | ({"Condition": condition} if condition else {})


@pytest.fixture
def session(client: Client) -> Callable[..., Any]:
    """`session(role_arn, **input)`: the credentials of a role, as the account's administrator gets them."""

    def assume(arn: str, by: dict[str, Any] | None = None, account: str = "111122223333", **more: Any) -> Any:
        sts = client("sts", account, credentials=by)
        return sts.assume_role(RoleArn=arn, RoleSessionName="check", **more)["Credentials"]

    return assume


def test_caller_identity(client: Client, home: str, away: str) -> None:
    for account in (home, away):
        found = client("sts", account).get_caller_identity()
        assert found["Account"] == account
        assert found["Arn"].startswith(f"arn:aws:iam::{account}:")


def test_unknown_key(client: Client, refused: Refused) -> None:
    sts = client("sts", key="LABKEY00999999999999")
    assert refused(sts.get_caller_identity)[:2] == ("InvalidClientTokenId", 403)


def test_unknown_key_of_a_json_service(client: Client, refused: Refused) -> None:
    for service, call in (("eks", "list_clusters"), ("dynamodb", "list_tables")):
        one = client(service, key="LABKEY00999999999999")
        assert refused(getattr(one, call))[:2] == ("UnrecognizedClientException", 403)


def test_wrong_secret(client: Client, refused: Refused) -> None:
    sts = client("sts", secret="wrong")
    assert refused(sts.get_caller_identity)[:2] == ("SignatureDoesNotMatch", 403)


def test_assume_by_account(session: Any, client: Client, role: Role, home: str) -> None:
    arn = role(_trusts(f"arn:aws:iam::{home}:root"), path="/x/")
    found = client("sts", credentials=session(arn)).get_caller_identity()
    assert found["Arn"] == f"arn:aws:sts::{home}:assumed-role/{arn.rsplit('/', 1)[-1]}/check"


def test_assume_a_missing_role(client: Client, refused: Refused, home: str) -> None:
    answer = refused(client("sts").assume_role, RoleArn=f"arn:aws:iam::{home}:role/none", RoleSessionName="check")
    assert answer[:2] == ("AccessDenied", 403)
    assert "not authorized to perform: sts:AssumeRole" in answer[2]


def test_assume_without_trust(client: Client, refused: Refused, role: Role) -> None:
    answer = refused(client("sts").assume_role, RoleArn=role(), RoleSessionName="check")
    assert answer[:2] == ("AccessDenied", 403)


def test_assume_across_accounts(session: Any, client: Client, role: Role, home: str, away: str) -> None:
    arn = role(_trusts(home), account=away)
    assert client("sts", credentials=session(arn)).get_caller_identity()["Account"] == away


def test_external_id(session: Any, client: Client, role: Role, refused: Refused, home: str) -> None:
    arn = role(_trusts(home, StringEquals={"sts:ExternalId": "secret-7"}))
    assert refused(client("sts").assume_role, RoleArn=arn, RoleSessionName="check")[0] == "AccessDenied"
    assert session(arn, ExternalId="secret-7")


def test_principal_arn_condition(session: Any, client: Client, role: Role, refused: Refused, home: str) -> None:
    first = role(_trusts(home), policies=({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"},))
    arn = role(_trusts("*", ArnLike={"aws:PrincipalArn": first}))
    assert session(arn, by=session(first))
    assert refused(client("sts").assume_role, RoleArn=arn, RoleSessionName="check")[0] == "AccessDenied"


def test_chain_needs_the_callers_policy(session: Any, client: Client, role: Role, refused: Refused, home: str) -> None:
    plain = role(_trusts(home))
    by_account, by_role = role(_trusts(home)), role(_trusts(plain))
    one = session(plain)
    denied = refused(client("sts", credentials=one).assume_role, RoleArn=by_account, RoleSessionName="check")
    assert denied[:2] == ("AccessDenied", 403)
    assert session(by_role, by=one)


def test_tags_need_tag_session(session: Any, client: Client, role: Role, refused: Refused, home: str) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    plain = role(_trusts(home))
    tagged = role(_trusts(home, "sts:AssumeRole", "sts:TagSession", StringEquals={"aws:RequestTag/team": "a"}))
    answer = refused(client("sts").assume_role, RoleArn=plain, RoleSessionName="check", Tags=tags)
    assert "sts:TagSession" in answer[2]
    assert session(tagged, Tags=tags)


def test_transitive_tags_ride_along(session: Any, client: Client, role: Role, refused: Refused, home: str) -> None:
    allow = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"}
    first = role(_trusts(home, "sts:AssumeRole", "sts:TagSession"), policies=(allow,))
    second = role(_trusts(home))
    third = role(_trusts(home, "sts:AssumeRole", "sts:TagSession"))
    one = session(first, Tags=[{"Key": "team", "Value": "a"}], TransitiveTagKeys=["team"])
    answer = refused(client("sts", credentials=one).assume_role, RoleArn=second, RoleSessionName="check")
    assert "sts:TagSession" in answer[2]
    assert session(third, by=one)


def test_durations(session: Any, client: Client, role: Role, refused: Refused, home: str) -> None:
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    arn = role(_trusts(home), MaxSessionDuration=7200, policies=(allow,))
    assume = client("sts").assume_role
    long = refused(assume, RoleArn=arn, RoleSessionName="check", DurationSeconds=10000)
    assert long[0] == "ValidationError"
    one = session(arn, DurationSeconds=7200)
    chained = refused(
        client("sts", credentials=one).assume_role,
        RoleArn=arn,
        RoleSessionName="check",
        DurationSeconds=7200,
    )
    assert "role chaining" in chained[2]


def test_input_is_checked(client: Client, refused: Refused, role: Role) -> None:
    answer = refused(client("sts").assume_role, RoleArn=role(), RoleSessionName="x" * 65)
    assert answer[:2] == ("ValidationError", 400)


def test_role_last_used_moves(session: Any, client: Client, role: Role, home: str) -> None:
    arn = role(_trusts(home))
    session(arn)
    found = client("iam").get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]["RoleLastUsed"]
    assert found["Region"] == "us-east-1"
