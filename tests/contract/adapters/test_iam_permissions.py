"""What roles may do, over a real socket: in pages of the account, role by role, and what is refused of it."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

import pytest

from migrator.adapters.aws.planning_roles import PlanningRoles
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.facts import Role
from migrator.model.permissions import Permissions, Policy
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.test_aws import fault, xml

HOME = "111111111111"
LOCAL = f"arn:aws:iam::{HOME}:policy/orders"
OF_AWS = "arn:aws:iam::aws:policy/ReadOnlyAccess"
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": []})
TEXT = quote(DOCUMENT)
BOUNDARY = f"<PermissionsBoundary><PermissionsBoundaryArn>{LOCAL}</PermissionsBoundaryArn></PermissionsBoundary>"
TAGS = "<Tags><member><Key>team</Key><Value>shop</Value></member></Tags>"
WHOLE = Permissions(
    policies=(Policy(name="inline", document=DOCUMENT), *(Policy(name=n, document=DOCUMENT) for n in (LOCAL, OF_AWS))),
    boundary=Policy(name=LOCAL, document=DOCUMENT),
    tags={"team": "shop"},
)


def role(number: int) -> Role:
    name = f"role-{number:02d}"
    return Role(arn=f"arn:aws:iam::{HOME}:role/{name}", name=name, id=name.upper(), account=HOME, trust="{}")


def members(*parts: str) -> str:
    return "".join(f"<member>{part}</member>" for part in parts)


def attached(member: str) -> str:
    policies = (f"<PolicyName>p</PolicyName><PolicyArn>{arn}</PolicyArn>" for arn in (OF_AWS, LOCAL))
    return f"<{member}>{members(*policies)}</{member}>"


@dataclass
class Iam:
    """An account in which every role has one inline, one own and one of AWS's policies, a boundary and a tag."""

    roles: int
    refused: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: Asked) -> Said:
        form = dict(parse_qsl(request.body.decode()))
        action = form["Action"]
        if action == "GetCallerIdentity":
            return xml(action, f"<Account>{HOME}</Account><Arn>arn:aws:iam::{HOME}:user/ann</Arn>")
        self.asked.append(action)
        if action in self.refused:
            message = f"User: ann is not authorized to perform: iam:{action} on resource: *"
            return fault("AccessDenied", 403, message)
        return xml(action, self.answers[action](form))

    @property
    def answers(self) -> Mapping[str, Callable[[Mapping[str, str]], str]]:
        return {
            "GetAccountAuthorizationDetails": self.details,
            "ListRolePolicies": lambda _form: f"<PolicyNames>{members('inline')}</PolicyNames>",
            "GetRolePolicy": lambda _form: f"<PolicyName>inline</PolicyName><PolicyDocument>{TEXT}</PolicyDocument>",
            "ListAttachedRolePolicies": lambda _form: attached("AttachedPolicies"),
            "GetRole": lambda form: f"<Role>{self.role(form['RoleName'])}</Role>",
            "GetPolicy": lambda _form: "<Policy><DefaultVersionId>v2</DefaultVersionId></Policy>",
            "GetPolicyVersion": self.version,
        }

    def role(self, name: str) -> str:
        arn = f"arn:aws:iam::{HOME}:role/{name}"
        return f"<RoleName>{name}</RoleName><Arn>{arn}</Arn>{BOUNDARY}{TAGS}"

    def version(self, form: Mapping[str, str]) -> str:
        assert form["VersionId"] == "v2"
        return f"<PolicyVersion><Document>{TEXT}</Document></PolicyVersion>"

    def details(self, form: Mapping[str, str]) -> str:
        """Two pages; the account's own policies come with the second."""
        assert (form["Filter.member.1"], form["Filter.member.2"]) == ("Role", "LocalManagedPolicy")
        half = self.roles // 2
        numbers = range(half, self.roles) if "Marker" in form else range(half)
        policy = f"<member><PolicyName>inline</PolicyName><PolicyDocument>{TEXT}</PolicyDocument></member>"
        inline = f"<RolePolicyList>{policy}</RolePolicyList>{attached('AttachedManagedPolicies')}"
        roles = members(*(f"{self.role(role(number).name)}{inline}" for number in numbers))
        if "Marker" not in form:
            more = "<IsTruncated>true</IsTruncated><Marker>m</Marker>"
            return f"<RoleDetailList>{roles}</RoleDetailList><Policies/>{more}"
        old = "<member><Document>%7B%7D</Document><IsDefaultVersion>false</IsDefaultVersion></member>"
        new = f"<member><Document>{TEXT}</Document><IsDefaultVersion>true</IsDefaultVersion></member>"
        versions = f"<Arn>{LOCAL}</Arn><PolicyVersionList>{old}{new}</PolicyVersionList>"
        return f"<RoleDetailList>{roles}</RoleDetailList><Policies>{members(versions)}</Policies>"


def test_many_roles_cost_pages_and_each_policy_of_aws_once(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Iam(50)
    iam, wanted = PlanningRoles(sessions), [role(number) for number in range(40)]
    assert iam.permissions(wanted) == {one.arn: WHOLE for one in wanted}
    assert script.asked == [*["GetAccountAuthorizationDetails"] * 2, "GetPolicy", "GetPolicyVersion"]
    iam.permissions(wanted)
    assert script.asked[4:] == []


def test_clusters_of_one_account_share_its_pages(cloud: Server, sessions: AwsSessions) -> None:
    """Of three clusters at once; each has fewer roles than are worth the pages, together they have more."""
    script = cloud.answer = Iam(24)
    clusters = [[role(number) for number in range(first, 24, 3)] for first in range(3)]
    iam = PlanningRoles(sessions, [one.arn for cluster in clusters for one in cluster])
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(iam.permissions, clusters))
    assert found == [{one.arn: WHOLE for one in cluster} for cluster in clusters]
    assert script.asked == [*["GetAccountAuthorizationDetails"] * 2, "GetPolicy", "GetPolicyVersion"]


def test_a_role_that_nobody_expected_is_read_beside_the_pages(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Iam(24)
    iam = PlanningRoles(sessions, [role(number).arn for number in range(20)])
    iam.permissions([role(0)])
    assert iam.permissions([role(19), role(20)]) == {role(19).arn: WHOLE, role(20).arn: WHOLE}
    assert script.asked.count("GetAccountAuthorizationDetails") == 2
    assert script.asked.count("GetRole") == 1


def test_a_refusal_of_the_details_is_remembered_for_the_next_cluster(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Iam(30, refused=("GetAccountAuthorizationDetails",))
    iam = PlanningRoles(sessions)
    for first in (0, 15):
        wanted = [role(number) for number in range(first, first + 15)]
        assert iam.permissions(wanted) == {one.arn: WHOLE for one in wanted}
    assert script.asked.count("GetAccountAuthorizationDetails") == 1


def test_few_roles_are_read_one_by_one(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Iam(2)
    assert PlanningRoles(sessions).permissions([role(0), role(1)]) == {role(0).arn: WHOLE, role(1).arn: WHOLE}
    assert script.asked.count("GetPolicyVersion") == 2
    assert "GetAccountAuthorizationDetails" not in script.asked


def test_without_leave_for_the_details_roles_are_read_one_by_one(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Iam(30, refused=("GetAccountAuthorizationDetails",))
    wanted = [role(number) for number in range(30)]
    assert PlanningRoles(sessions).permissions(wanted) == {one.arn: WHOLE for one in wanted}


REFUSED: dict[str, list[str]] = {
    "ListRolePolicies": ["permission policies of role {arn}"],
    "GetRolePolicy": ["permission policies of role {arn}"],
    "ListAttachedRolePolicies": ["permission policies of role {arn}"],
    "GetRole": ["permission policies of role {arn}"],
    "GetPolicy": [f"permissions boundary {LOCAL}", f"policy {LOCAL}", f"policy {OF_AWS}"],
    "GetPolicyVersion": [f"permissions boundary {LOCAL}", f"policy {LOCAL}", f"policy {OF_AWS}"],
}


@pytest.mark.parametrize("action", REFUSED)
def test_what_is_refused_is_asked_for_once_and_told(cloud: Server, sessions: AwsSessions, action: str) -> None:
    script = cloud.answer = Iam(3, refused=(action,))
    found = PlanningRoles(sessions).permissions([role(0), role(1)])
    for one in (role(0), role(1)):
        assert [unread.what for unread in found[one.arn].unread] == [
            what.format(arn=one.arn) for what in REFUSED[action]
        ]
        assert all(unread.why == f'iam:{action} is not permitted to "ann" on "*"' for unread in found[one.arn].unread)
    assert script.asked.count(action) == 1


def test_a_policy_that_is_not_understood_is_told_and_left_out(
    cloud: Server, sessions: AwsSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.TEXT", quote('{"Statement": ["all"]}'))
    cloud.answer = Iam(1)
    [permissions] = PlanningRoles(sessions).permissions([role(0)]).values()
    assert permissions.policies == ()
    assert {unread.why for unread in permissions.unread} == {"it cannot be read: a statement is not an object"}
    assert len(permissions.unread) == 4


def test_an_account_out_of_reach_is_told_for_each_of_its_roles(sessions: AwsSessions) -> None:
    theirs = Role(arn="arn:aws:iam::333333333333:role/x", name="x", id="X", account="333333333333", trust="{}")
    [permissions] = PlanningRoles(sessions).permissions([theirs]).values()
    assert [unread.what for unread in permissions.unread] == [f"permission policies of role {theirs.arn}"]
    assert "profile (nowhere)" in permissions.unread[0].why
