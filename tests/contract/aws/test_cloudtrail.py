# ruff: noqa: PLR0917 - pytest passes fixtures by name
"""CloudTrail: facts/aws.md 1.7 and 9."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
Role = Callable[..., str]
Fresh = Callable[[str], str]


@pytest.fixture
def trail(client: Client) -> Any:
    return client("cloudtrail")


@pytest.fixture
def lookup(trail: Any) -> Callable[..., list[dict[str, Any]]]:
    """`lookup("EventName", "X")`: the events, their documents parsed."""

    def ask(key: str, value: str, by: Any = None, **more: Any) -> list[dict[str, Any]]:
        attributes = [{"AttributeKey": key, "AttributeValue": value}]
        events = (by or trail).lookup_events(LookupAttributes=attributes, **more)["Events"]
        return [event | {"document": json.loads(event["CloudTrailEvent"])} for event in events]

    return ask


def test_write_is_recorded(lookup: Any, client: Client, role: Role, home: str) -> None:
    name = role().rsplit("/", 1)[-1]
    client("iam").delete_role(RoleName=name)
    event = lookup("EventName", "DeleteRole")[0]
    assert (event["EventSource"], event["ReadOnly"]) == ("iam.amazonaws.com", "false")
    assert event["document"]["requestParameters"] == {"roleName": name}
    assert event["document"]["userIdentity"]["accountId"] == home


def test_failure_is_recorded(lookup: Any, client: Client, refused: Refused) -> None:
    refused(client("eks").describe_cluster, name="nowhere")
    documents = [event["document"] for event in lookup("EventName", "DescribeCluster")]
    assert any(document.get("errorCode") == "ResourceNotFoundException" for document in documents)


def test_newest_first_in_pages(trail: Any, client: Client) -> None:
    for _ in range(3):
        client("sts").get_caller_identity()
    attributes = [{"AttributeKey": "EventName", "AttributeValue": "GetCallerIdentity"}]
    first = trail.lookup_events(LookupAttributes=attributes, MaxResults=1)
    second = trail.lookup_events(LookupAttributes=attributes, MaxResults=1, NextToken=first["NextToken"])
    one, two = first["Events"][0], second["Events"][0]
    assert one["EventId"] != two["EventId"]
    assert one["EventTime"] >= two["EventTime"]


def test_time_range(lookup: Any, client: Client) -> None:
    client("sts").get_caller_identity()
    now = datetime.now(UTC)
    later = {"StartTime": now + timedelta(hours=1), "EndTime": now + timedelta(hours=2)}
    assert lookup("EventName", "GetCallerIdentity", **later) == []
    assert lookup("EventName", "GetCallerIdentity", StartTime=now - timedelta(minutes=5))


def test_regions_and_accounts_are_apart(lookup: Any, client: Client, away: str, fresh: Fresh) -> None:
    client("eks", region="ap-south-1").list_clusters()
    assert lookup("EventName", "ListClusters", by=client("cloudtrail", region="ap-south-1"))
    assert not lookup("EventName", "ListClusters", by=client("cloudtrail", away, region="ap-south-1"))


def test_data_events_are_left_out(lookup: Any, client: Client, fresh: Fresh) -> None:
    bucket = fresh("bucket")
    client("s3").create_bucket(Bucket=bucket)
    client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")
    assert lookup("EventName", "CreateBucket")
    assert not lookup("EventName", "PutObject")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        pytest.param({"MaxResults": 51}, "InvalidMaxResultsException", id="[trail] too many"),
        pytest.param({"NextToken": "nonsense"}, "InvalidNextTokenException", id="[trail] token"),
        pytest.param(
            {"StartTime": datetime(2026, 2, 1, tzinfo=UTC), "EndTime": datetime(2026, 1, 1, tzinfo=UTC)},
            "InvalidTimeRangeException",
            id="[trail] range",
        ),
        pytest.param(
            {
                "LookupAttributes": [
                    {"AttributeKey": "EventName", "AttributeValue": "a"},
                    {"AttributeKey": "Username", "AttributeValue": "b"},
                ]
            },
            "InvalidLookupAttributesException",
            id="[trail] two attributes",
        ),
        pytest.param(
            {"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "a"}]},
            "InvalidLookupAttributesException",
            id="[trail] unknown attribute",
        ),
    ],
)
def test_wrong_questions(trail: Any, refused: Refused, wish: dict[str, Any], code: str) -> None:
    assert refused(trail.lookup_events, **wish)[:2] == (code, 400)


def test_pod_identity_leaves_both_events(
    lookup: Any, client: Client, role: Role, plane: Any, own_front: Any, fresh: Fresh, home: str
) -> None:
    arn, namespace = role(), fresh("ns")
    client("eks").create_pod_identity_association(
        clusterName="contract", namespace=namespace, serviceAccount="sa", roleArn=arn
    )
    made = own_front.instance_credentials(
        role(policies=({"Effect": "Allow", "Action": "eks-auth:*", "Resource": "*"},)), "i-0abc"
    )
    keys = {"AccessKeyId": made.access_key, "SecretAccessKey": made.secret, "SessionToken": made.token}
    token = plane.token(namespace, "sa", "pods.eks.amazonaws.com")
    client("eks-auth", credentials=keys).assume_role_for_pod_identity(clusterName="contract", token=token)

    exchange = lookup("Username", "i-0abc")[0]["document"]
    assert exchange["eventName"] == "AssumeRoleForPodIdentity"
    assert exchange["eventSource"] == "eks-auth.amazonaws.com"
    assert token not in json.dumps(exchange)
    assert exchange["responseElements"] is None

    proof = lookup("ResourceName", arn)[0]["document"]
    assert proof["eventName"] == "AssumeRole"
    assert proof["userIdentity"] == {"type": "AWSService", "invokedBy": "pods.eks.amazonaws.com"}
    assert proof["requestParameters"]["roleArn"] == arn
    assert proof["requestParameters"]["durationSeconds"] == 21600
    tags = {tag["key"]: tag["value"] for tag in proof["requestParameters"]["tags"]}
    assert tags == {
        "eks-cluster-arn": f"arn:aws:eks:us-east-1:{home}:cluster/contract",
        "eks-cluster-name": "contract",
        "kubernetes-namespace": namespace,
        "kubernetes-service-account": "sa",
        "kubernetes-pod-name": "web-0",
        "kubernetes-pod-uid": "uid-web-0",
    }
    assert proof["resources"][0]["ARN"] == arn


def test_web_identity_leaves_its_event(
    lookup: Any, client: Client, role: Role, plane: Any, own_front: Any, refused: Refused
) -> None:
    arn = role()
    refused(
        client("sts").assume_role_with_web_identity,
        RoleArn=arn,
        RoleSessionName="pod",
        WebIdentityToken=plane.token("shop", "cart", "sts.amazonaws.com"),
    )
    event = lookup("ResourceName", arn)[0]["document"]
    assert event["eventName"] == "AssumeRoleWithWebIdentity"
    assert event["userIdentity"]["type"] == "WebIdentityUser"
    assert event["userIdentity"]["userName"] == "system:serviceaccount:shop:cart"
    assert event["errorCode"] in {"AccessDenied", "InvalidIdentityToken"}


def test_seeded_events(own_front: Any, lookup: Any, home: str, fresh: Fresh) -> None:
    user = fresh("user")
    when = datetime.now(UTC) - timedelta(days=3)
    own_front.trail.add(
        home,
        "us-east-1",
        {
            "eventTime": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventName": "AssumeRoleWithWebIdentity",
            "eventSource": "sts.amazonaws.com",
            "userIdentity": {"type": "WebIdentityUser", "userName": user},
        },
    )
    assert lookup("Username", user)[0]["EventTime"].date() == when.date()


def test_assume_role_across_accounts_is_in_both_trails(
    lookup: Any, client: Client, role: Role, home: str, away: str
) -> None:
    trusted = {"Effect": "Allow", "Principal": {"AWS": home}, "Action": "sts:AssumeRole"}
    arn = role(trusted, account=away)
    client("sts").assume_role(RoleArn=arn, RoleSessionName="check")
    own = lookup("ResourceName", arn)[0]["document"]
    other = lookup("ResourceName", arn, by=client("cloudtrail", away))[0]["document"]
    assert own["userIdentity"]["type"] == "IAMUser"
    assert other["userIdentity"]["type"] == "AWSAccount"
    assert other["sharedEventID"] == own["eventID"]
