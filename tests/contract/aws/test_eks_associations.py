# ruff: noqa: PLR0917 - pytest passes fixtures by name
"""EKS pod identity associations: facts/aws.md 1.1, over the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
Fresh = Callable[[str], str]
Role = Callable[..., str]
CLUSTER = "contract"


@pytest.fixture
def eks(client: Client) -> Any:
    return client("eks")


@pytest.fixture
def made(eks: Any, role: Role, fresh: Fresh) -> Callable[..., dict[str, Any]]:
    def make(**more: Any) -> dict[str, Any]:
        wish = {"clusterName": CLUSTER, "namespace": fresh("ns"), "serviceAccount": "web"} | more
        answer = eks.create_pod_identity_association(**({"roleArn": role()} | wish))
        return dict(answer["association"])

    return make


def test_create_answers_the_association(made: Any, home: str) -> None:
    association = made(tags={"team": "a"})
    assert re.fullmatch(r"a-[a-z0-9]{17}", association["associationId"])
    prefix = f"arn:aws:eks:us-east-1:{home}:podidentityassociation/{CLUSTER}/"
    assert association["associationArn"] == prefix + association["associationId"]
    assert association["tags"] == {"team": "a"}
    assert association["disableSessionTags"] is False
    assert "ownerArn" not in association


def test_create_twice_is_in_use(made: Any, eks: Any, refused: Refused) -> None:
    first = made()
    wish = {key: first[key] for key in ("clusterName", "namespace", "serviceAccount", "roleArn")}
    code, status, message = refused(eks.create_pod_identity_association, **wish)
    assert (code, status) == ("ResourceInUseException", 409)
    assert message == f"Association already exists: {first['associationId']}"


def test_create_with_the_same_token_is_the_same(made: Any, fresh: Fresh) -> None:
    token, namespace = fresh("token"), fresh("ns")
    first = made(clientRequestToken=token, namespace=namespace, roleArn=made()["roleArn"])
    again = made(clientRequestToken=token, namespace=namespace, roleArn=first["roleArn"])
    assert again["associationId"] == first["associationId"]


def test_create_with_a_used_token_and_other_input(made: Any, eks: Any, refused: Refused, fresh: Fresh) -> None:
    token = fresh("token")
    first = made(clientRequestToken=token)
    wish = {"clusterName": CLUSTER, "namespace": fresh("ns"), "serviceAccount": "x"}
    answer = refused(eks.create_pod_identity_association, clientRequestToken=token, roleArn=first["roleArn"], **wish)
    assert answer[0] == "InvalidParameterException"


def test_create_again_after_delete_with_the_same_token(made: Any, eks: Any, fresh: Fresh) -> None:
    token, namespace = fresh("token"), fresh("ns")
    first = made(clientRequestToken=token, namespace=namespace)
    eks.delete_pod_identity_association(clusterName=CLUSTER, associationId=first["associationId"])
    again = made(clientRequestToken=token, namespace=namespace, roleArn=first["roleArn"])
    assert again["associationId"] != first["associationId"]


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        ("role/there-is-none", "Role provided in the request does not exist"),
        ("user/nobody", "Role provided in the request does not exist"),
    ],
)
def test_create_wants_a_role_that_exists(
    eks: Any, refused: Refused, fresh: Fresh, home: str, tail: str, message: str
) -> None:
    answer = refused(
        eks.create_pod_identity_association,
        clusterName=CLUSTER,
        namespace=fresh("ns"),
        serviceAccount="x",
        roleArn=f"arn:aws:iam::{home}:{tail}",
    )
    assert answer == ("InvalidParameterException", 400, message)


def test_create_respects_the_path(made: Any, eks: Any, role: Role, refused: Refused, fresh: Fresh) -> None:
    arn = role(path="/a/b/")
    assert made(roleArn=arn)["roleArn"] == arn
    code, _, message = refused(
        eks.create_pod_identity_association,
        clusterName=CLUSTER,
        namespace=fresh("ns"),
        serviceAccount="x",
        roleArn=arn.replace("/a/b/", "/"),
    )
    assert (code, message) == ("InvalidParameterException", "Role provided in the request does not exist")


def test_create_refuses_a_role_of_another_account(
    eks: Any, role: Role, refused: Refused, fresh: Fresh, away: str
) -> None:
    answer = refused(
        eks.create_pod_identity_association,
        clusterName=CLUSTER,
        namespace=fresh("ns"),
        serviceAccount="x",
        roleArn=role(account=away),
    )
    assert answer[:2] == ("InvalidParameterException", 400)


@pytest.mark.parametrize(
    "case",
    [
        {"Principal": {"Service": "ec2.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]},
        {"Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Effect": "Deny",
        },
    ],
    ids=["[trust] another service", "[trust] no TagSession", "[trust] deny"],
)
def test_create_wants_the_trust(eks: Any, role: Role, refused: Refused, fresh: Fresh, case: dict[str, Any]) -> None:
    answer = refused(
        eks.create_pod_identity_association,
        clusterName=CLUSTER,
        namespace=fresh("ns"),
        serviceAccount="x",
        roleArn=role({"Effect": "Allow"} | case),
    )
    assert answer == ("InvalidParameterException", 400, "Trust policy of the role provided is invalid")


def test_create_does_not_read_the_conditions(made: Any, role: Role, statement: Any) -> None:
    arn = role(statement(StringEquals={"aws:RequestTag/kubernetes-namespace": "elsewhere"}))
    assert made(roleArn=arn)["roleArn"] == arn


def test_create_in_a_missing_cluster(eks: Any, refused: Refused, role: Role) -> None:
    answer = refused(
        eks.create_pod_identity_association,
        clusterName="nowhere",
        namespace="n",
        serviceAccount="x",
        roleArn=role(),
    )
    assert answer[:2] == ("ResourceNotFoundException", 404)


def test_create_in_a_cluster_that_is_not_active(eks: Any, refused: Refused, role: Role, own_front: Any) -> None:
    answer = refused(
        eks.create_pod_identity_association,
        clusterName="sleeping",
        namespace="n",
        serviceAccount="x",
        roleArn=role(),
    )
    assert answer[:2] == ("InvalidRequestException", 400)


def test_create_over_the_limit(made: Any, eks: Any, refused: Refused, role: Role, fresh: Fresh, own_front: Any) -> None:
    for _ in range(3):
        made(clusterName="other")
    answer = refused(
        eks.create_pod_identity_association,
        clusterName="other",
        namespace=fresh("ns"),
        serviceAccount="x",
        roleArn=role(),
    )
    assert answer[:2] == ("ResourceLimitExceededException", 400)


def test_session_policy_needs_session_tags_off(made: Any, eks: Any, refused: Refused, role: Role, fresh: Fresh) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    wish = {"clusterName": CLUSTER, "namespace": fresh("ns"), "serviceAccount": "x", "roleArn": role()}
    assert refused(eks.create_pod_identity_association, policy=policy, **wish)[0] == "InvalidParameterException"
    assert made(**wish, policy=policy, disableSessionTags=True)["policy"] == policy


def test_target_role_has_an_external_id(made: Any, role: Role, away: str, home: str) -> None:
    association = made(targetRoleArn=role(account=away), serviceAccount="sa")
    expected = f"us-east-1/{home}/{CLUSTER}/{association['namespace']}/sa"
    assert association["externalId"] == expected


def test_describe(made: Any, eks: Any) -> None:
    first = made()
    found = eks.describe_pod_identity_association(clusterName=CLUSTER, associationId=first["associationId"])
    assert found["association"] == first


def test_describe_missing(eks: Any, refused: Refused) -> None:
    answer = refused(eks.describe_pod_identity_association, clusterName=CLUSTER, associationId="a-00000000000000000")
    assert answer[:2] == ("ResourceNotFoundException", 404)


def test_update_changes_the_role(made: Any, eks: Any, role: Role) -> None:
    first, arn = made(), role()
    key = {"clusterName": CLUSTER, "associationId": first["associationId"]}
    changed = eks.update_pod_identity_association(**key, roleArn=arn)["association"]
    assert changed["roleArn"] == arn
    assert changed["modifiedAt"] > first["modifiedAt"]
    assert changed["createdAt"] == first["createdAt"]


def test_update_needs_a_change(made: Any, eks: Any, refused: Refused) -> None:
    key = {"clusterName": CLUSTER, "associationId": made()["associationId"]}
    assert refused(eks.update_pod_identity_association, **key)[0] == "InvalidParameterException"


def test_update_checks_the_role(made: Any, eks: Any, refused: Refused, home: str) -> None:
    key = {"clusterName": CLUSTER, "associationId": made()["associationId"]}
    answer = refused(eks.update_pod_identity_association, **key, roleArn=f"arn:aws:iam::{home}:role/none")
    assert answer[2] == "Role provided in the request does not exist"


def test_delete_answers_what_was_there(made: Any, eks: Any, refused: Refused) -> None:
    first = made()
    key = {"clusterName": CLUSTER, "associationId": first["associationId"]}
    assert eks.delete_pod_identity_association(**key)["association"] == first
    assert refused(eks.delete_pod_identity_association, **key)[:2] == ("ResourceNotFoundException", 404)


def test_list_has_summaries_only(made: Any, eks: Any) -> None:
    first = made()
    found = eks.list_pod_identity_associations(clusterName=CLUSTER, namespace=first["namespace"])
    assert [set(item) for item in found["associations"]] == [
        {"clusterName", "namespace", "serviceAccount", "associationArn", "associationId"}
    ]


def test_list_by_namespace_and_service_account(made: Any, eks: Any) -> None:
    first = made(serviceAccount="a")
    made(namespace=first["namespace"], serviceAccount="b")
    both = eks.list_pod_identity_associations(clusterName=CLUSTER, namespace=first["namespace"])
    one = eks.list_pod_identity_associations(clusterName=CLUSTER, namespace=first["namespace"], serviceAccount="b")
    assert [item["serviceAccount"] for item in both["associations"]] == ["a", "b"]
    assert [item["serviceAccount"] for item in one["associations"]] == ["b"]


def test_list_in_pages(made: Any, eks: Any, fresh: Fresh) -> None:
    namespace, arn = fresh("ns"), made()["roleArn"]
    for number in range(5):
        made(namespace=namespace, serviceAccount=f"s{number}", roleArn=arn)
    pages = list(
        eks.get_paginator("list_pod_identity_associations").paginate(
            clusterName=CLUSTER, namespace=namespace, PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(page["associations"]) for page in pages] == [2, 2, 1]


def test_list_refuses_a_large_page(eks: Any, refused: Refused) -> None:
    answer = refused(eks.list_pod_identity_associations, clusterName=CLUSTER, maxResults=101)
    assert answer[:2] == ("InvalidParameterException", 400)


def test_tags_by_arn(made: Any, eks: Any) -> None:
    arn = made(tags={"a": "1"})["associationArn"]
    eks.tag_resource(resourceArn=arn, tags={"b": "2"})
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "1", "b": "2"}
    eks.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}


def test_tags_of_a_missing_resource(eks: Any, refused: Refused, home: str) -> None:
    arn = f"arn:aws:eks:us-east-1:{home}:podidentityassociation/{CLUSTER}/a-00000000000000000"
    assert refused(eks.tag_resource, resourceArn=arn, tags={"a": "1"})[1] == 404


def test_the_control_plane_hears_of_changes(made: Any, eks: Any, plane: Any, own_front: Any) -> None:
    first = made()
    pair = (first["namespace"], "web")
    assert pair in plane.pairs[-1]
    eks.delete_pod_identity_association(clusterName=CLUSTER, associationId=first["associationId"])
    assert pair not in plane.pairs[-1]
