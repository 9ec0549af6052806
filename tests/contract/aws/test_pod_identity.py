# ruff: noqa: PLR0917 - pytest passes fixtures by name
"""EKS Auth: facts/aws.md 1.6 and 2.6-2.7, facts/webhook.md 8."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
Role = Callable[..., str]
Fresh = Callable[[str], str]
POD = "pods.eks.amazonaws.com"
UNAUTHORIZED = "Unauthorized Exception! EKS does not have permissions to assume the associated role."


@pytest.fixture
def associated(client: Client, fresh: Fresh) -> Callable[..., str]:
    """`associated(role_arn, **options)`: a new namespace whose account `sa` has the association."""

    def make(arn: str, **options: Any) -> str:
        namespace = fresh("ns")
        client("eks").create_pod_identity_association(
            clusterName="contract", namespace=namespace, serviceAccount="sa", roleArn=arn, **options
        )
        return namespace

    return make


@pytest.fixture
def exchange(client: Client, own_front: Any) -> Callable[[str], Any]:
    auth = client("eks-auth")
    return lambda token: auth.assume_role_for_pod_identity(clusterName="contract", token=token)


def _as_keys(answer: dict[str, Any]) -> dict[str, Any]:
    made = answer["credentials"]
    return {key[0].upper() + key[1:]: value for key, value in made.items()}


def test_exchange(
    exchange: Any, associated: Any, client: Client, role: Role, plane: Any, statement: Any, home: str
) -> None:
    arn = role(statement(StringEquals={"aws:RequestTag/kubernetes-service-account": "sa"}))
    namespace = associated(arn)
    found = exchange(plane.token(namespace, "sa", POD))
    assert found["subject"] == {"namespace": namespace, "serviceAccount": "sa"}
    assert found["audience"] == POD
    identity = client("sts", credentials=_as_keys(found)).get_caller_identity()["Arn"]
    name = arn.rsplit("/", 1)[-1]
    assert re.fullmatch(rf"arn:aws:sts::{home}:assumed-role/{name}/eks-contract-web-0-[0-9a-f-]{{36}}", identity)


def test_no_association(exchange: Any, plane: Any, refused: Refused) -> None:
    code, status, _ = refused(exchange, token=(plane.token("none", "sa", POD)))
    assert (code, status) == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        pytest.param({"exp": 1}, "ExpiredTokenException", id="[token] expired"),
        pytest.param({"aud": ["sts.amazonaws.com"]}, "InvalidTokenException", id="[token] audience"),
        pytest.param({"iss": "https://elsewhere"}, "InvalidTokenException", id="[token] issuer"),
        pytest.param({"kubernetes.io": {}}, "InvalidTokenException", id="[token] no account"),
    ],
)
def test_bad_tokens(
    exchange: Any, associated: Any, role: Role, plane: Any, refused: Refused, claims: dict[str, Any], code: str
) -> None:
    token = plane.token(associated(role()), "sa", POD, **claims)
    assert refused(exchange, token=(token))[:2] == (code, 400)


def test_no_jwt(exchange: Any, refused: Refused) -> None:
    assert refused(exchange, token=("nonsense"))[:2] == ("InvalidTokenException", 400)


def test_pod_gone(exchange: Any, associated: Any, role: Role, plane: Any, refused: Refused) -> None:
    namespace = associated(role())
    plane.gone_pods.add("web-9")
    pod = {
        "namespace": namespace,
        "serviceaccount": {"name": "sa"},
        "pod": {"name": "web-9", "uid": "uid-web-9"},
    }
    token = plane.token(namespace, "sa", POD, **{"kubernetes.io": pod})
    assert refused(exchange, token=(token))[:2] == ("InvalidTokenException", 400)


def test_missing_cluster(client: Client, plane: Any, refused: Refused, own_front: Any) -> None:
    answer = refused(
        client("eks-auth").assume_role_for_pod_identity,
        clusterName="nowhere",
        token=plane.token("n", "sa", POD),
    )
    assert answer[:2] == ("ResourceNotFoundException", 404)


def test_conditions_that_do_not_hold(
    exchange: Any, associated: Any, role: Role, plane: Any, statement: Any, refused: Refused
) -> None:
    namespace = associated(role(statement(StringEquals={"aws:RequestTag/kubernetes-namespace": "x"})))
    answer = refused(exchange, token=(plane.token(namespace, "sa", POD)))
    assert answer == ("AccessDeniedException", 400, UNAUTHORIZED)


def test_repaired_trust_works_at_once(
    exchange: Any, associated: Any, client: Client, role: Role, plane: Any, statement: Any, refused: Refused
) -> None:
    arn = role()
    namespace = associated(arn)
    iam, name = client("iam"), arn.rsplit("/", 1)[-1]
    for principal, good in (("ec2.amazonaws.com", False), (POD, True)):
        document = {
            "Version": "2012-10-17",
            "Statement": [statement() | {"Principal": {"Service": principal}}],
        }
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))
        token = plane.token(namespace, "sa", POD)
        if good:
            assert exchange(token)["audience"] == POD
        else:
            assert refused(exchange, token=token)[0] == "AccessDeniedException"


def test_tag_conditions_fail_with_tags_off(
    exchange: Any, associated: Any, role: Role, plane: Any, statement: Any, refused: Refused
) -> None:
    arn = role(statement(StringLike={"aws:RequestTag/kubernetes-namespace": "*"}))
    assert exchange(plane.token(associated(arn), "sa", POD))
    namespace = associated(arn, disableSessionTags=True)
    assert refused(exchange, token=(plane.token(namespace, "sa", POD)))[0] == "AccessDeniedException"


CHAIN = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"}


def test_target_role(
    exchange: Any, associated: Any, client: Client, role: Role, plane: Any, statement: Any, home: str, away: str
) -> None:
    primary = role(statement(), policies=(CHAIN,))
    trusted = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{home}:root"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {
            "ArnEquals": {"aws:PrincipalArn": primary},
            "StringEquals": {"aws:RequestTag/kubernetes-service-account": "sa"},
        },
    }
    namespace = associated(primary, targetRoleArn=role(trusted, account=away))
    found = exchange(plane.token(namespace, "sa", POD))
    assert client("sts", credentials=_as_keys(found)).get_caller_identity()["Account"] == away


def test_target_role_needs_the_primarys_policy(
    exchange: Any, associated: Any, role: Role, plane: Any, home: str, away: str, refused: Refused
) -> None:
    trusted = {"Effect": "Allow", "Principal": {"AWS": home}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    namespace = associated(role(), targetRoleArn=role(trusted, account=away))
    assert refused(exchange, token=(plane.token(namespace, "sa", POD)))[0] == "AccessDeniedException"


def test_external_id_with_tags_off(
    exchange: Any, associated: Any, role: Role, plane: Any, statement: Any, home: str, away: str, fresh: Fresh
) -> None:
    primary = role(statement(), policies=(CHAIN,))
    trusted = {
        "Effect": "Allow",
        "Principal": {"AWS": home},
        "Action": "sts:AssumeRole",
        "Condition": {"StringLike": {"sts:ExternalId": f"us-east-1/{home}/contract/*/sa"}},
    }
    target = role(trusted, account=away)
    namespace = associated(primary, targetRoleArn=target, disableSessionTags=True)
    assert exchange(plane.token(namespace, "sa", POD))


def test_credentials_act_by_the_roles_policies(
    exchange: Any,
    associated: Any,
    client: Client,
    role: Role,
    plane: Any,
    statement: Any,
    refused: Refused,
    fresh: Fresh,
) -> None:
    table = fresh("t")
    client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    allowed = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": f"arn:aws:dynamodb:*:*:table/{table}"}
    namespace = associated(role(statement(), policies=(allowed,)))
    dynamodb = client("dynamodb", credentials=_as_keys(exchange(plane.token(namespace, "sa", POD))))
    assert dynamodb.scan(TableName=table)["Count"] == 0
    answer = refused(dynamodb.put_item, TableName=table, Item={"k": {"S": "1"}})
    assert answer[0] == "AccessDeniedException"
    assert "is not authorized to perform: dynamodb:PutItem" in answer[2]


def test_session_policy_narrows(
    exchange: Any, associated: Any, client: Client, role: Role, plane: Any, statement: Any, refused: Refused
) -> None:
    wide = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    narrow = {"Version": "2012-10-17", "Statement": [wide | {"Action": "s3:ListAllMyBuckets"}]}
    namespace = associated(role(statement(), policies=(wide,)), policy=json.dumps(narrow), disableSessionTags=True)
    s3 = client("s3", credentials=_as_keys(exchange(plane.token(namespace, "sa", POD))))
    assert "Buckets" in s3.list_buckets()
    assert refused(s3.create_bucket, Bucket="not-for-you")[:2] == ("AccessDenied", 403)


def test_node_role_needs_the_action(
    own_front: Any, client: Client, role: Role, plane: Any, refused: Refused, associated: Any
) -> None:
    namespace = associated(role())
    allow = {"Effect": "Allow", "Action": "eks-auth:AssumeRoleForPodIdentity", "Resource": "*"}
    for policies, good in (((), False), ((allow,), True)):
        made = own_front.instance_credentials(role(policies=policies), "i-0123456789abcdef0")
        keys = {"AccessKeyId": made.access_key, "SecretAccessKey": made.secret, "SessionToken": made.token}
        auth = client("eks-auth", credentials=keys)
        wish = {"clusterName": "contract", "token": plane.token(namespace, "sa", POD)}
        if good:
            assert auth.assume_role_for_pod_identity(**wish)["subject"]["serviceAccount"] == "sa"
        else:
            assert refused(auth.assume_role_for_pod_identity, **wish)[0] == "AccessDeniedException"
