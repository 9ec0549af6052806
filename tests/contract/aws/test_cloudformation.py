"""CloudFormation as far as the practice fleet has it: which stacks there are, and which roles they made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from migrator.lab.aws.cloudformation import LabStack
from migrator.lab.aws.front import AwsFront

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
REGION = "us-east-1"


@pytest.fixture(scope="module")
def stacks(own_front: AwsFront, client: Client, home: str) -> Any:
    roles = {f"Role{number:03}": f"orders-{number}" for number in range(150)}
    many = [LabStack(home, REGION, f"network-{number:03}", {}) for number in range(120)]
    made = [LabStack(home, REGION, "shop", roles), LabStack(home, "eu-west-1", "elsewhere", roles), *many]
    own_front.cloudformation.stacks.extend(made)
    return client("cloudformation")


def test_stacks_come_in_pages_and_say_whether_they_may_make_roles(stacks: Any) -> None:
    pages = list(stacks.get_paginator("describe_stacks").paginate())
    found = {one["StackName"]: one["Capabilities"] for page in pages for one in page["Stacks"]}
    assert len(pages) == 2
    assert len(found) == 121
    assert {name for name, capabilities in found.items() if capabilities} == {"shop"}


def test_what_a_stack_made_comes_in_pages(stacks: Any) -> None:
    pages = list(stacks.get_paginator("list_stack_resources").paginate(StackName="shop"))
    rows = [row for page in pages for row in page["StackResourceSummaries"]]
    assert (len(pages), len(rows)) == (2, 150)
    assert {row["ResourceType"] for row in rows} == {"AWS::IAM::Role"}
    assert (rows[7]["LogicalResourceId"], rows[7]["PhysicalResourceId"]) == ("Role007", "orders-7")


def test_a_stack_of_another_region_is_not_there(stacks: Any, refused: Refused) -> None:
    code, status, message = refused(stacks.list_stack_resources, StackName="elsewhere")
    assert (code, status) == ("ValidationError", 400)
    assert message == "Stack with id elsewhere does not exist"
    assert [one["StackName"] for one in stacks.describe_stacks(StackName="shop")["Stacks"]] == ["shop"]


def test_who_may_not_look_is_told_what_he_needs(stacks: Any, client: Client, role: Any, refused: Refused) -> None:
    del stacks
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    keys = client("sts").assume_role(RoleArn=role(statement), RoleSessionName="looker")["Credentials"]
    code, status, message = refused(client("cloudformation", credentials=keys).describe_stacks)
    assert (code, status) == ("AccessDenied", 403)
    assert "cloudformation:DescribeStacks" in message
