"""IAM: facts/aws.md 1.4 and 5, over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
Role = Callable[..., str]
Fresh = Callable[[str], str]


@pytest.fixture
def iam(client: Client) -> Any:
    return client("iam")


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _trusting(kind: str, name: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {kind: name}, "Action": "sts:AssumeRole"}


def test_get_role(iam: Any, role: Role, statement: Any) -> None:
    arn = role(path="/team/a/", Tags=[{"Key": "k", "Value": "v"}], MaxSessionDuration=7200)
    found = iam.get_role(RoleName=_name(arn))["Role"]
    assert (found["Arn"], found["Path"], found["MaxSessionDuration"]) == (arn, "/team/a/", 7200)
    assert found["AssumeRolePolicyDocument"]["Statement"] == [statement()]
    assert found["Tags"] == [{"Key": "k", "Value": "v"}]
    assert found["RoleLastUsed"] == {}


def test_get_role_missing(iam: Any, refused: Refused) -> None:
    code, status, message = refused(iam.get_role, RoleName="none")
    assert (code, status, message) == ("NoSuchEntity", 404, "The role with name none cannot be found.")


def test_create_role_twice(iam: Any, role: Role, refused: Refused, statement: Any) -> None:
    name = _name(role())
    answer = refused(iam.create_role, RoleName=name, AssumeRolePolicyDocument=_document(statement()))
    assert answer[:2] == ("EntityAlreadyExists", 409)


def test_update_trust_is_read_back(iam: Any, role: Role, home: str) -> None:
    name = _name(role())
    wanted = _trusting("AWS", f"arn:aws:iam::{home}:root")
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=_document(wanted))
    found = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    assert found == {"Version": "2012-10-17", "Statement": [wanted]}


def test_update_trust_of_a_missing_role(iam: Any, refused: Refused, statement: Any) -> None:
    answer = refused(iam.update_assume_role_policy, RoleName="none", PolicyDocument=_document(statement()))
    assert answer[:2] == ("NoSuchEntity", 404)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("{not json", id="[trust] not json"),
        pytest.param('{"Version": "2012-10-17"}', id="[trust] no statement"),
        pytest.param(_document({"Effect": "Allow", "Action": "sts:AssumeRole"}), id="[trust] no principal"),
        pytest.param(_document(_trusting("AWS", "*") | {"Resource": "*"}), id="[trust] resource"),
        pytest.param(_document(_trusting("AWS", "*") | {"Action": "s3:GetObject"}), id="[trust] action"),
        pytest.param(_document(_trusting("AWS", "*") | {"Effect": "Maybe"}), id="[trust] effect"),
        pytest.param(_document(_trusting("AWS", "*") | {"Sid": "a-b"}), id="[trust] sid not alphanumeric"),
        pytest.param(
            _document(_trusting("AWS", "*") | {"Sid": "a"}, _trusting("AWS", "*") | {"Sid": "a"}),
            id="[trust] sid twice",
        ),
        pytest.param(
            _document(_trusting("AWS", "*") | {"Condition": {"StringSort": {"a": "b"}}}),
            id="[trust] unknown operator",
        ),
        pytest.param(_document(_trusting("Service", "nothing.amazonaws.com")), id="[trust] unknown service"),
        pytest.param(_document(_trusting("Federated", "arn:aws:iam::1:nothing")), id="[trust] federated"),
        pytest.param('{"Version": "2012-10-17", "Statement": [], "X": "\u20ac"}', id="[trust] characters"),
    ],
)
def test_malformed_trust_is_refused(iam: Any, role: Role, refused: Refused, document: str) -> None:
    name = _name(role())
    answer = refused(iam.update_assume_role_policy, RoleName=name, PolicyDocument=document)
    assert answer[:2] == ("MalformedPolicyDocument", 400)


def test_missing_principals_are_refused(iam: Any, role: Role, refused: Refused, home: str) -> None:
    name, ghost = _name(role()), f"arn:aws:iam::{home}:role/ghost"
    code, _, message = refused(
        iam.update_assume_role_policy, RoleName=name, PolicyDocument=_document(_trusting("AWS", ghost))
    )
    assert code == "MalformedPolicyDocument"
    assert message == f'Invalid principal in policy: "AWS":"{ghost}"'


def test_known_principals_are_taken(iam: Any, role: Role, away: str) -> None:
    other = role(account=away)
    iam.update_assume_role_policy(
        RoleName=_name(role()),
        PolicyDocument=_document(_trusting("AWS", [other, away, "*"]), _trusting("Service", "ec2.amazonaws.com")),
    )


def test_wildcard_actions_are_taken(iam: Any, role: Role) -> None:
    iam.update_assume_role_policy(
        RoleName=_name(role()), PolicyDocument=_document(_trusting("AWS", "*") | {"Action": "sts:Assume*"})
    )


def test_trust_quota_counts_no_white_space(iam: Any, role: Role, refused: Refused, statement: Any) -> None:
    name = _name(role())
    filler = [statement(StringEquals={"aws:RequestTag/a": "x" * 200}) for _ in range(4)]
    for indent in (None, 40):
        text = json.dumps({"Version": "2012-10-17", "Statement": filler}, indent=indent)
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=text)
    text = json.dumps({"Version": "2012-10-17", "Statement": filler * 2})
    code, status, message = refused(iam.update_assume_role_policy, RoleName=name, PolicyDocument=text)
    assert (code, status) == ("LimitExceeded", 409)
    assert message == "Cannot exceed quota for ACLSizePerRole: 2048"


def test_service_linked_role_is_unmodifiable(iam: Any, refused: Refused, statement: Any, own_front: Any) -> None:
    iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    name = "AWSServiceRoleForAutoScaling"
    update = refused(iam.update_assume_role_policy, RoleName=name, PolicyDocument=_document(statement()))
    put = refused(iam.put_role_policy, RoleName=name, PolicyName="p", PolicyDocument=_document())
    assert update[:2] == put[:2] == ("UnmodifiableEntity", 400)


def test_list_roles_in_pages(iam: Any, role: Role, fresh: Fresh) -> None:
    path = f"/{fresh('path')}/"
    arns = {role(path=path) for _ in range(5)}
    pages = list(iam.get_paginator("list_roles").paginate(PathPrefix=path, PaginationConfig={"PageSize": 2}))
    assert [len(page["Roles"]) for page in pages] == [2, 2, 1]
    assert {item["Arn"] for page in pages for item in page["Roles"]} == arns
    assert isinstance(pages[0]["Roles"][0]["AssumeRolePolicyDocument"], dict)


def test_authorization_details_in_pages(iam: Any, role: Role) -> None:
    policy = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    arn = role(policies=(policy,), Tags=[{"Key": "k", "Value": "v"}])
    role()
    iam.attach_role_policy(RoleName=_name(arn), PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    paginator = iam.get_paginator("get_account_authorization_details")
    pages = list(paginator.paginate(Filter=["Role"], PaginationConfig={"PageSize": 1}))
    assert all(len(page["RoleDetailList"]) <= 1 for page in pages)
    assert len(pages) >= 2
    found = next(item for page in pages for item in page["RoleDetailList"] if item["Arn"] == arn)
    assert found["RolePolicyList"][0]["PolicyDocument"]["Statement"] == [policy]
    assert found["AttachedManagedPolicies"][0]["PolicyName"] == "AmazonS3ReadOnlyAccess"
    assert found["Tags"] == [{"Key": "k", "Value": "v"}]


def test_authorization_details_of_everything(iam: Any, role: Role) -> None:
    arn = role()
    found = iam.get_account_authorization_details(MaxItems=1000)
    assert arn in {item["Arn"] for item in found["RoleDetailList"]}
    assert not found["IsTruncated"]


def test_max_items_is_checked(iam: Any, refused: Refused) -> None:
    assert refused(iam.list_roles, MaxItems=1001)[:2] == ("ValidationError", 400)


def test_oidc_providers(iam: Any, refused: Refused, fresh: Fresh, home: str) -> None:
    host = f"oidc.example.com/id/{fresh('x')}"
    arn = iam.create_open_id_connect_provider(
        Url=f"https://{host}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
    )["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{home}:oidc-provider/{host}"
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert arn in {item["Arn"] for item in listed}
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["Url"] == host
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    missing = refused(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)
    assert missing[:2] == ("NoSuchEntity", 404)


def test_accounts_are_apart(client: Client, role: Role, refused: Refused, away: str) -> None:
    name = _name(role())
    assert refused(client("iam", away).get_role, RoleName=name)[0] == "NoSuchEntity"


def test_simulation_answers_by_the_policies(iam: Any, role: Role) -> None:
    arn = role(policies=({"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},))
    found = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject", "s3:PutObject"])[
        "EvaluationResults"
    ]
    decisions = [(item["EvalActionName"], item["EvalDecision"]) for item in found]
    assert decisions == [("s3:GetObject", "allowed"), ("s3:PutObject", "implicitDeny")]


def test_deleted_principal_shows_as_its_id(iam: Any, role: Role) -> None:
    named = role()
    trusting = _name(role(_trusting("AWS", named)))
    id_ = iam.get_role(RoleName=_name(named))["Role"]["RoleId"]
    iam.delete_role(RoleName=_name(named))
    found = iam.get_role(RoleName=trusting)["Role"]["AssumeRolePolicyDocument"]
    assert found["Statement"][0]["Principal"] == {"AWS": id_}
    iam.update_assume_role_policy(RoleName=trusting, PolicyDocument=json.dumps(found))


def test_role_last_used_can_be_seeded(iam: Any, role: Role, own_front: Any) -> None:
    arn, when = role(), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    own_front.set_role_last_used(arn, when, "eu-west-1")
    found = iam.get_role(RoleName=_name(arn))["Role"]["RoleLastUsed"]
    assert found == {"LastUsedDate": when, "Region": "eu-west-1"}
