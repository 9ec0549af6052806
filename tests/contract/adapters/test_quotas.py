"""Service Quotas over a real socket: how large a trust policy of an account may be, and when nobody may tell."""

import json

import pytest

from migrator.adapters.aws.planning_roles import PlanningRoles
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.errors import NotPermitted
from migrator.model.facts import Role
from migrator.model.trust import QUOTA
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.test_aws import HOME, Cloud, arn

ROLE = Role(arn=arn("web"), name="web", id="AROAWEB", account=HOME, trust="{}")


class Quotas(Cloud):
    """STS as ever; Service Quotas says `quota`, or the name of an error."""

    def __init__(self, *told: float | str) -> None:
        super().__init__()
        self.told = list(told)
        self.looked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, request: Asked) -> Said:
        if "x-amz-target" not in request.headers:
            return super().__call__(request)
        scope = request.headers["authorization"].partition("Credential=")[2].split("/")
        self.looked.append((f"{scope[2]} {scope[3]}", json.loads(request.body)))
        told = self.told.pop(0)
        if isinstance(told, str):
            return Said(400, json.dumps({"__type": told, "Message": "said so"}).encode())
        return Said(body=json.dumps({"Quota": {"Value": told}}).encode())


@pytest.fixture
def roles(sessions: AwsSessions) -> PlanningRoles:
    return PlanningRoles(sessions)


def test_it_is_asked_once_where_iam_is_kept(cloud: Server, roles: PlanningRoles) -> None:
    script = cloud.answer = Quotas(8192.0)
    assert [roles.trust_quota(ROLE) for _ in range(3)] == [8192] * 3
    assert script.looked == [
        ("us-east-1 servicequotas", {"ServiceCode": "iam", "QuotaCode": "L-C07B4B0D"}),
    ]


def test_an_account_that_never_asked_for_another_has_the_default(cloud: Server, roles: PlanningRoles) -> None:
    cloud.answer = Quotas("NoSuchResourceException")
    assert roles.trust_quota(ROLE) == QUOTA


def test_throttled_it_is_asked_again(cloud: Server, roles: PlanningRoles) -> None:
    script = cloud.answer = Quotas("TooManyRequestsException", 4096.0)
    assert roles.trust_quota(ROLE) == 4096
    assert len(script.looked) == 2


def test_what_is_refused_is_said_and_not_remembered(cloud: Server, roles: PlanningRoles) -> None:
    cloud.answer = Quotas("AccessDeniedException", 4096.0)
    with pytest.raises(NotPermitted, match="servicequotas:GetServiceQuota is not permitted"):
        roles.trust_quota(ROLE)
    assert roles.trust_quota(ROLE) == 4096
