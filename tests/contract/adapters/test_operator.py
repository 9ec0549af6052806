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
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.test_aws import fault, xml
from tests.fakes.planning import CLUSTER

HOME = CLUSTER.account
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
    """STS and IAM; `denied` names what is refused by the simulator, `unsure` what hangs on context."""

    caller: str = USER
    denied: frozenset[tuple[str, str]] = frozenset()
    unsure: frozenset[str] = frozenset()
    refused: str = ""
    asked: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, request: Asked) -> Said:
        form = dict(parse_qsl(request.body.decode()))
        action = form["Action"]
        if action == "GetCallerIdentity":
            return xml(action, f"<Account>{HOME}</Account><Arn>{self.caller}</Arn>")
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
        results = [self.result(action, resource) for action in actions for resource in resources]
        if "Marker" in form:
            return f"<EvaluationResults>{results[-1]}</EvaluationResults>"
        shown = "".join(results[:-1])
        return f"<EvaluationResults>{shown}</EvaluationResults><IsTruncated>true</IsTruncated><Marker>m</Marker>"

    def result(self, action: str, resource: str) -> str:
        decision = NO if (action, resource) in self.denied else "<EvalDecision>allowed</EvalDecision>"
        decision = NO + UNSURE if action in self.unsure else decision
        names = f"<EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>"
        return f"<member>{names}{decision}</member>"


def _members(form: Mapping[str, str], name: str) -> list[str]:
    return [value for key, value in form.items() if key.startswith(f"{name}.member.")]


def test_what_he_lacks_is_found_on_every_page(cloud: Server, sessions: AwsSessions) -> None:
    first, last = ("iam:PassRole", ROLES[0]), ("iam:UpdateAssumeRolePolicy", ROLES[-1])
    script = cloud.answer = Cloud(denied=frozenset({first, last}))
    found = operator(sessions, CLUSTER, ROLES)
    assert found == Operator(arn=USER, missing=frozenset({Right(action=a, resource=r) for a, r in (first, last)}))
    assert len(script.asked) == 2 * 4  # cluster, associations, 100 roles, 50 roles; two pages each
    context = {form[f"ContextEntries.member.{n}.ContextKeyName"] for form in script.asked for n in (1, 2)}
    assert context == {"iam:PassedToService", "iam:AssociatedResourceArn"}


def test_rights_on_the_cluster_and_on_its_associations(cloud: Server, sessions: AwsSessions) -> None:
    associations = f"arn:aws:eks:eu-west-1:{HOME}:podidentityassociation/shop-prod/*"
    lacked = {("eks:CreatePodIdentityAssociation", CLUSTER.arn), ("eks:TagResource", associations)}
    cloud.answer = Cloud(denied=frozenset(lacked))
    found = operator(sessions, CLUSTER, [])
    assert {(right.action, right.resource) for right in found.missing} == lacked


def test_what_hangs_on_the_real_calls_context_is_not_held_against_him(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud(unsure=frozenset({"eks:CreatePodIdentityAssociation"}))
    assert operator(sessions, CLUSTER, []).missing == frozenset()


def test_a_session_is_asked_about_by_its_roles_whole_arn(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud(caller=SESSION)
    assert operator(sessions, CLUSTER, []).arn == ROLE
    assert {form["PolicySourceArn"] for form in script.asked[1:]} == {ROLE}


def test_roles_of_other_accounts_are_not_asked_about(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud()
    operator(sessions, CLUSTER, ["arn:aws:iam::222222222222:role/x", "no arn"])
    assert len(script.asked) == 2 * 2


def test_the_account_itself_may_do_everything(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud(caller=f"arn:aws:iam::{HOME}:root")
    assert operator(sessions, CLUSTER, ROLES) == Operator(arn=f"arn:aws:iam::{HOME}:root")
    assert script.asked == []


@pytest.mark.parametrize("action", ["GetRole", "SimulatePrincipalPolicy"])
def test_who_may_not_ask_is_refused(cloud: Server, sessions: AwsSessions, action: str) -> None:
    cloud.answer = Cloud(caller=SESSION, refused=action)
    with pytest.raises(NotPermitted, match=f"iam:{action} is not permitted"):
        operator(sessions, CLUSTER, ROLES)


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
