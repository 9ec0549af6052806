"""EC2's interface endpoints: filters, the answer's form, refusals; no other operation is served."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from migrator.lab.aws.front import AwsFront

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
POLICY = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"eks-auth:*","Resource":"*"}]}'
ROOT = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}


@pytest.fixture(scope="module", autouse=True)
def endpoints(own_front: AwsFront, home: str) -> Iterator[None]:
    for vpc, service in (("vpc-1", "eks-auth"), ("vpc-1", "sts"), ("vpc-2", "eks-auth")):
        record = {
            "VpcId": vpc,
            "ServiceName": f"com.amazonaws.eu-west-1.{service}",
            "State": "available",
            "PrivateDnsEnabled": service == "eks-auth",
            "PolicyDocument": POLICY,
        }
        own_front.vpc_endpoints.add(home, "eu-west-1", record)
    yield
    own_front.vpc_endpoints.records.clear()


FILTERS: dict[str, tuple[dict[str, list[str]], list[tuple[str, str]]]] = {
    "[none]": ({}, [("vpc-1", "eks-auth"), ("vpc-1", "sts"), ("vpc-2", "eks-auth")]),
    "[vpc]": ({"vpc-id": ["vpc-1"]}, [("vpc-1", "eks-auth"), ("vpc-1", "sts")]),
    "[both]": ({"vpc-id": ["vpc-2"], "service-name": ["x", "com.amazonaws.*.eks-auth"]}, [("vpc-2", "eks-auth")]),
    "[state, in another letter case]": ({"vpc-endpoint-state": ["Available"]}, []),
}


@pytest.mark.parametrize(("filters", "expected"), FILTERS.values(), ids=FILTERS.keys())
def test_filters(client: Client, filters: dict[str, list[str]], expected: list[tuple[str, str]]) -> None:
    given = [{"Name": name, "Values": values} for name, values in filters.items()]
    found = client("ec2", region="eu-west-1").describe_vpc_endpoints(Filters=given)["VpcEndpoints"]
    assert [(one["VpcId"], one["ServiceName"].rpartition(".")[2]) for one in found] == expected


def test_an_endpoint_in_full(client: Client, home: str) -> None:
    ec2 = client("ec2", region="eu-west-1")
    [first, *_] = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert first["VpcEndpointId"].startswith("vpce-")
    assert (first["State"], first["PrivateDnsEnabled"], first["OwnerId"]) == ("available", True, home)
    assert json.loads(first["PolicyDocument"]) == json.loads(POLICY)
    assert ec2.describe_vpc_endpoints(VpcEndpointIds=[first["VpcEndpointId"]])["VpcEndpoints"] == [first]


def test_other_regions_and_accounts_have_none(client: Client, away: str) -> None:
    for ec2 in (client("ec2", region="us-east-2"), client("ec2", away, region="eu-west-1")):
        assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_refused(client: Client, role: Callable[..., str], refused: Refused) -> None:
    made = client("sts").assume_role(RoleArn=role(ROOT), RoleSessionName="poor")["Credentials"]
    ec2 = client("ec2", region="eu-west-1", credentials=made)
    code, status, message = refused(ec2.describe_vpc_endpoints)
    assert (code, status) == ("UnauthorizedOperation", 403)
    assert "ec2:DescribeVpcEndpoints" in message


def test_another_operation_is_named(client: Client, refused: Refused) -> None:
    code, status, message = refused(client("ec2").describe_vpcs)
    assert (code, status) == ("NotImplemented", 501)
    assert "DescribeVpcs" in message
