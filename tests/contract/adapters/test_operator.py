"""Who acts in an account and what he lacks, and the endpoints of a VPC, over a real socket."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest

from migrator.adapters.aws.endpoints import eks_auth_endpoints
from migrator.adapters.aws.operator import operator
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.aws_side import Operator, Right, VpcEndpoint
from migrator.model.errors import NotPermitted
from migrator.model.trust.match import SERVICE
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.test_aws import fault, xml
from tests.fakes.planning import CLUSTER

HOME = CLUSTER.account
AWAY = "222222222222"
USER = f"arn:aws:iam::{HOME}:user/ann"
SESSION = f"arn:aws:sts::{HOME}:assumed-role/Operator/ann@example.com"
ROLE = f"arn:aws:iam::{HOME}:role/ops/Operator"
ROLES = [f"arn:aws:iam::{HOME}:role/role-{number:03d}" for number in range(150)]
NO, UNSURE = (
    "<EvalDecision>implicitDeny</EvalDecision>",
    "<MissingContextValues><member>k</member></MissingContextValues>",
)


@dataclass
class Cloud:
    """STS and IAM; `denied` names what is refused by the simulator, `unsure` what hangs on context.

    With `to`, what is denied is so only where it is passed to that service.
    """

    caller: str = USER
    denied: frozenset[tuple[str, str]] = frozenset()
    unsure: frozenset[str] = frozenset()
    refused: str = ""
    to: str = ""
    asked: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, request: Asked) -> Said:
        form = dict(parse_qsl(request.body.decode()))
        action = form["Action"]
        if action == "AssumeRole":
            self.caller = f"arn:aws:iam::{AWAY}:user/ann"
            keys = "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
            return xml(action, f"<Credentials>{keys}<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>")
        if action == "GetCallerIdentity":
            return xml(action, f"<Account>{self.caller.split(':')[4]}</Account><Arn>{self.caller}</Arn>")
        self.asked.append(form)
        if action == self.refused:
            return fault("AccessDenied", 403, f"User: ann is not authorized to perform: iam:{action}")
        if action == "GetRole":
            assert form["RoleName"] == "Operator"
            return xml(action, f"<Role><Arn>{ROLE}</Arn></Role>")
        return xml(action, self.simulated(form))

    def simulated(self, form: Mapping[str, str]) -> str:
        """Two pages: the second has the last result."""
        actions, resources = _members(form, "ActionNames"), _members(form, "ResourceArns")
        counts = not self.to or form["ContextEntries.member.1.ContextKeyValues.member.1"] == self.to
        results = [self.result(action, one, counts=counts) for action in actions for one in resources]
        if "Marker" in form:
            return f"<EvaluationResults>{results[-1]}</EvaluationResults>"
        shown = "".join(results[:-1])
        return f"<EvaluationResults>{shown}</EvaluationResults><IsTruncated>true</IsTruncated><Marker>m</Marker>"

    def result(self, action: str, resource: str, *, counts: bool) -> str:
        decision = NO if counts and (action, resource) in self.denied else "<EvalDecision>allowed</EvalDecision>"
        decision = NO + UNSURE if action in self.unsure else decision
        names = f"<EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>"
        return f"<member>{names}{decision}</member>"


def _members(form: Mapping[str, str], name: str) -> list[str]:
    return [value for key, value in form.items() if key.startswith(f"{name}.member.")]


def right(action: str, resource: str) -> Right:
    return Right(action=action, resource=resource, passed_to=(SERVICE,) if action == "iam:PassRole" else ())


CREATE = right("eks:CreatePodIdentityAssociation", CLUSTER.arn)
OF_ROLES = [right(action, role) for action in ("iam:PassRole", "iam:UpdateAssumeRolePolicy") for role in ROLES]


def test_what_he_lacks_is_found_on_every_page(cloud: Server, sessions: AwsSessions) -> None:
    first, last = ("iam:PassRole", ROLES[0]), ("iam:UpdateAssumeRolePolicy", ROLES[-1])
    script = cloud.answer = Cloud(denied=frozenset({first, last}))
    found = operator(sessions, CLUSTER, HOME, [CREATE, *OF_ROLES])
    assert found == Operator(arn=USER, missing=frozenset({right(*first), right(*last)}))
    assert len(script.asked) == 2 * 3  # cluster, 100 roles, 50 roles; two pages each
    context = {form[f"ContextEntries.member.{n}.ContextKeyName"] for form in script.asked for n in (1, 2)}
    assert context == {"iam:PassedToService", "iam:AssociatedResourceArn"}


def test_no_pair_is_held_against_him_that_was_not_asked_about(cloud: Server, sessions: AwsSessions) -> None:
    pairs = [right("iam:GetRole", ROLES[0]), right("iam:CreateRole", ROLES[1]), right("iam:GetRole", ROLES[1])]
    denied = {(action, role) for action in ("iam:GetRole", "iam:CreateRole") for role in ROLES[:2]}
    cloud.answer = Cloud(denied=frozenset(denied))
    assert operator(sessions, CLUSTER, HOME, pairs).missing == set(pairs)


def test_passing_a_role_to_one_of_the_services_is_enough(cloud: Server, sessions: AwsSessions) -> None:
    services = (SERVICE, "eks.amazonaws.com")
    either = [Right(action="iam:PassRole", resource=role, passed_to=services) for role in ROLES[:2]]
    script = cloud.answer = Cloud(denied=frozenset({("iam:PassRole", role) for role in ROLES[:2]}), to=SERVICE)
    assert operator(sessions, CLUSTER, HOME, either).missing == frozenset()
    script.to = ""
    assert operator(sessions, CLUSTER, HOME, either).missing == set(either)


def test_in_another_account_another_identity_is_asked_about(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud()
    away = right("iam:UpdateAssumeRolePolicy", f"arn:aws:iam::{AWAY}:role/orders")
    assert operator(sessions, CLUSTER, AWAY, [away]).arn == f"arn:aws:iam::{AWAY}:user/ann"
    assert {form["PolicySourceArn"] for form in script.asked} == {f"arn:aws:iam::{AWAY}:user/ann"}


def test_what_hangs_on_the_real_calls_context_is_not_held_against_him(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud(unsure=frozenset({"eks:CreatePodIdentityAssociation"}))
    assert operator(sessions, CLUSTER, HOME, [CREATE]).missing == frozenset()


def test_a_session_is_asked_about_by_its_roles_whole_arn(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud(caller=SESSION)
    assert operator(sessions, CLUSTER, HOME, [CREATE]).arn == ROLE
    assert {form["PolicySourceArn"] for form in script.asked[1:]} == {ROLE}


def test_the_account_itself_may_do_everything(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud(caller=f"arn:aws:iam::{HOME}:root")
    assert operator(sessions, CLUSTER, HOME, OF_ROLES) == Operator(arn=f"arn:aws:iam::{HOME}:root")
    assert script.asked == []


@pytest.mark.parametrize("action", ["GetRole", "SimulatePrincipalPolicy"])
def test_who_may_not_ask_is_refused(cloud: Server, sessions: AwsSessions, action: str) -> None:
    cloud.answer = Cloud(caller=SESSION, refused=action)
    with pytest.raises(NotPermitted, match=f"iam:{action} is not permitted"):
        operator(sessions, CLUSTER, HOME, OF_ROLES)


def _endpoints(*entries: Mapping[str, Any]) -> Said:
    members = "".join("<item>" + "".join(f"<{k}>{v}</{k}>" for k, v in entry.items()) + "</item>" for entry in entries)
    name = "DescribeVpcEndpointsResponse"
    body = f"<{name}><vpcEndpointSet>{members}</vpcEndpointSet></{name}>"
    return Said(body=body.encode(), headers={"Content-Type": "text/xml"})


def test_endpoints_of_the_vpc_for_eks_auth(cloud: Server, sessions: AwsSessions) -> None:
    policy = json.dumps({"Statement": []})
    asked: list[Mapping[str, str]] = []

    def answer(request: Asked) -> Said:
        form = dict(parse_qsl(request.body.decode()))
        if form["Action"] == "GetCallerIdentity":
            return xml(form["Action"], f"<Account>{HOME}</Account><Arn>{USER}</Arn>")
        asked.append(form)
        first = {"vpcEndpointId": "vpce-2", "state": "Available", "privateDnsEnabled": "true", "policyDocument": policy}
        return _endpoints(first, {"vpcEndpointId": "vpce-1", "state": "pending", "privateDnsEnabled": "false"})

    cloud.answer = answer
    found = eks_auth_endpoints(sessions, CLUSTER)
    assert found == (
        VpcEndpoint(id="vpce-1", state="pending", private_dns=False),
        VpcEndpoint(id="vpce-2", state="available", private_dns=True, policy=policy),
    )
    assert [one.takes for one in found] == [False, True]
    assert asked[0]["Filter.1.Value.1"] == "com.amazonaws.eu-west-1.eks-auth"
    assert asked[0]["Filter.2.Name"] == "vpc-id"
