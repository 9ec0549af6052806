"""Things that have policies: they are listed in pages, and give their policies back, to us as to any client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from migrator.adapters.aws.errors import mapped
from migrator.adapters.aws.resource_kinds import KINDS, Kind, Place
from migrator.model.errors import NotPermitted

Client = Callable[..., Any]
Fresh = Callable[[str], str]
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.called)


def policy(role: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make(client: Client, kind: Kind, name: str, document: str) -> None:
    """A thing of that kind in us-east-1."""
    made = client(kind.service)
    if kind.service == "kms":
        made.create_key(Description=name, Policy=document)
    elif kind.service == "sqs":
        made.create_queue(QueueName=name, Attributes={"Policy": document})
    elif kind.service == "sns":
        made.create_topic(Name=name, Attributes={"Policy": document})
    elif kind.service == "secretsmanager":
        made.create_secret(Name=name, SecretString="x")
        made.put_resource_policy(SecretId=name, ResourcePolicy=document)
    else:
        made.create_bucket(Bucket=name)
        made.put_bucket_policy(Bucket=name, Policy=document)


def everything(client: Any, kind: Kind) -> list[Any]:
    rows, token = kind.page(client, None)
    found = list(rows)
    while token:
        rows, token = kind.page(client, token)
        found += rows
    return found


@EACH
def test_a_policy_is_given_back(client: Client, role: Callable[..., str], fresh: Fresh, home: str, kind: Kind) -> None:
    document = policy(role())
    make(client, kind, fresh("thing"), document)
    rows = everything(client(kind.service), kind)
    things = [kind.thing(row, Place(home, "us-east-1"), "aws") for row in rows]
    texts = [kind.policy(client(kind.service), thing.name) for thing in things]
    assert json.loads(document) in [json.loads(text) for text in texts if text]


@EACH
def test_an_account_sees_its_own_only(
    client: Client, role: Callable[..., str], fresh: Fresh, away: str, kind: Kind
) -> None:
    make(client, kind, fresh("thing"), policy(role()))
    assert everything(client(kind.service, away), kind) == []


@EACH
def test_who_may_not_is_refused_in_the_services_own_code(
    client: Client, role: Callable[..., str], home: str, kind: Kind
) -> None:
    arn = role({"Effect": "Allow", "Principal": {"AWS": home}, "Action": "sts:AssumeRole"})
    session = client("sts").assume_role(RoleArn=arn, RoleSessionName="nobody")["Credentials"]
    with pytest.raises(Exception, match="not authorized to perform") as caught:
        kind.page(client(kind.service, credentials=session), None)
    assert isinstance(mapped(caught.value, doing="", service=kind.service), NotPermitted)


def test_buckets_come_in_pages_with_their_regions(client: Client, fresh: Fresh) -> None:
    near, far = sorted((fresh("bucket"), fresh("bucket")))
    client("s3").create_bucket(Bucket=near)
    where = {"LocationConstraint": "eu-west-1"}
    client("s3", region="eu-west-1").create_bucket(Bucket=far, CreateBucketConfiguration=where)
    found: list[Any] = []
    token: dict[str, str] = {}
    while True:
        answer = client("s3").list_buckets(MaxBuckets=1, **token)
        assert len(answer["Buckets"]) == 1
        found += answer["Buckets"]
        if "ContinuationToken" not in answer:
            break
        token = {"ContinuationToken": answer["ContinuationToken"]}
    regions = {one["Name"]: one["BucketRegion"] for one in found}
    assert (regions[near], regions[far]) == ("us-east-1", "eu-west-1")
    assert "BucketRegion" not in client("s3").list_buckets()["Buckets"][0]


def test_a_buckets_policy_is_asked_for_in_its_region(client: Client, fresh: Fresh, role: Callable[..., str]) -> None:
    name, s3 = fresh("bucket"), client("s3", region="eu-west-1")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with pytest.raises(Exception, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=name)
    document = policy(role())
    s3.put_bucket_policy(Bucket=name, Policy=document)
    assert json.loads(client("s3").get_bucket_policy(Bucket=name)["Policy"]) == json.loads(document)
