"""CloudFormation over a real socket: whose the roles are, in pages, and what is said when that may not be asked."""

from collections.abc import Mapping

import pytest

from migrator.adapters.aws.iam import IamRoles
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.facts import Stack
from tests.contract.adapters.scripted import Said, Server
from tests.contract.adapters.test_aws import TRUST, Cloud, arn, fault, xml

IAM = "<Capabilities><member>CAPABILITY_NAMED_IAM</member></Capabilities>"
ROLES = {
    ("shop", ""): [("WebRole", "web", "AWS::IAM::Role", "CREATE_COMPLETE")],
    ("shop", "r2"): [
        ("Queue", "cart", "AWS::SQS::Queue", "CREATE_COMPLETE"),
        ("OldRole", "orders", "AWS::IAM::Role", "DELETE_SKIPPED"),
    ],
    ("late", ""): [("Role1", "late", "AWS::IAM::Role", "UPDATE_COMPLETE")],
}


def stack_xml(name: str, capabilities: str) -> str:
    made = "<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>"
    return f"<member><StackName>{name}</StackName>{made}{capabilities}</member>"


def resource_xml(logical: str, physical: str, kind: str, status: str) -> str:
    ids = f"<LogicalResourceId>{logical}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId>"
    said = f"<ResourceType>{kind}</ResourceType><ResourceStatus>{status}</ResourceStatus>"
    return f"<member>{ids}{said}<LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>"


def stacks(form: Mapping[str, str]) -> Said:
    """Two pages of stacks, one of which has two pages of resources; `network` can have made no role."""
    token = form.get("NextToken", "")
    if form["Action"] == "DescribeStacks":
        first = stack_xml("shop", IAM) + stack_xml("network", "")
        more = "" if token else "<NextToken>s2</NextToken>"
        return xml("DescribeStacks", f"<Stacks>{stack_xml('late', IAM) if token else first}</Stacks>{more}")
    assert form["StackName"] != "network"
    rows = "".join(resource_xml(*row) for row in ROLES[form["StackName"], token])
    more = "<NextToken>r2</NextToken>" if form["StackName"] == "shop" and not token else ""
    return xml("ListStackResources", f"<StackResourceSummaries>{rows}</StackResourceSummaries>{more}")


@pytest.fixture
def roles(sessions: AwsSessions) -> IamRoles:
    return IamRoles(sessions)


def test_each_role_comes_with_its_stack(cloud: Server, roles: IamRoles) -> None:
    script = cloud.answer = Cloud(dict.fromkeys(("web", "cart", "orders", "late"), TRUST), stacks=stacks)
    found = roles.roles([arn(name) for name in script.roles])
    assert {one.name: one.stack for one in found.values()} == {
        "web": Stack(name="shop", place="WebRole"),
        "late": Stack(name="late", place="Role1"),
        "cart": None,
        "orders": None,
    }
    assert {one.stacks_unread for one in found.values()} == {""}


def test_the_stacks_are_read_once(cloud: Server, roles: IamRoles) -> None:
    script = cloud.answer = Cloud({"web": TRUST}, stacks=stacks)
    for _ in range(3):
        roles.roles([arn("web")])
    assert script.asked.count("DescribeStacks") == 2
    assert script.asked.count("ListStackResources") == 3


def test_no_role_no_question(cloud: Server, roles: IamRoles) -> None:
    script = cloud.answer = Cloud(stacks=stacks)
    assert roles.roles([arn("web")]) == {}
    assert "DescribeStacks" not in script.asked


def test_what_may_not_be_asked_is_said(cloud: Server, roles: IamRoles) -> None:
    cloud.answer = Cloud({"web": TRUST}, stacks=lambda _form: fault("AccessDenied", 403, "not authorized to perform"))
    (role,) = roles.roles([arn("web")]).values()
    assert role.stack is None
    assert "not authorized" in role.stacks_unread
