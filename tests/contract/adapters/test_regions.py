"""An account's regions fail one by one: what one of them refuses is taken from none of the others."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from migrator.adapters.aws.iam import IamRoles
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.errors import EnvironmentFault
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.test_aws import AWAY, HOME, NOWHERE, TRUST, Cloud, arn, fault

BAD, GOOD = "ap-east-1", "us-east-1"


class Refusing:
    """The cloud, one of whose regions throttles an action of STS for ever; keeps the region of every call."""

    def __init__(self, cloud: Cloud, action: str) -> None:
        self._cloud = cloud
        self._action = f"Action={action}&".encode()
        self.regions: list[str] = []

    def __call__(self, request: Asked) -> Said:
        region = request.headers["authorization"].split("Credential=")[1].split("/")[2]
        self.regions.append(region)
        if region == BAD and self._action in request.body:
            return fault("Throttling", 400, "Rate exceeded")
        return self._cloud(request)


@pytest.mark.parametrize(
    ("account", "action"), [(HOME, "GetCallerIdentity"), (AWAY, "GetCallerIdentity"), (AWAY, "AssumeRole")]
)
def test_a_region_that_throttles_takes_no_other_with_it(
    cloud: Server, sessions: AwsSessions, account: str, action: str
) -> None:
    cloud.answer = Refusing(Cloud(), action)

    with pytest.raises(EnvironmentFault, match="Throttling"):
        sessions.eks(account, BAD)

    assert sessions.identity(account, GOOD).account == account


def test_iam_is_reached_through_a_region_that_has_answered(cloud: Server, sessions: AwsSessions) -> None:
    """IAM has one home; the fleet's first cluster may be in a region that does not answer."""
    first, *others = sessions.fleet.clusters
    sessions.fleet = replace(sessions.fleet, clusters=(replace(first, region=BAD), *others))
    script = cloud.answer = Refusing(Cloud({"web": TRUST}), "GetCallerIdentity")

    assert sessions.identity(AWAY, GOOD).account == AWAY
    assert IamRoles(sessions).role(arn("web")) is not None
    assert BAD not in script.regions


def test_each_thread_is_told_of_its_own_reading(cloud: Server, sessions: AwsSessions) -> None:
    """Clusters are planned side by side: what one finds readable does not make the other's roles gone."""
    cloud.answer = Cloud({"web": TRUST})
    roles = IamRoles(sessions)
    roles.roles([arn("web", NOWHERE)])

    with ThreadPoolExecutor(1) as other:
        other.submit(roles.roles, [arn("web")]).result()

    assert "nowhere" in (roles.unreadable(NOWHERE) or "")
    assert roles.unreadable(HOME) is None
