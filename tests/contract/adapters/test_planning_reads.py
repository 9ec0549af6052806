"""What planning a fleet asks of AWS, counted over a real socket: an account is read once for all its clusters."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from migrator.adapters.aws.planning_roles import PlanningRoles
from migrator.adapters.aws.sessions import AwsSessions
from migrator.cli.planning import run_planning
from migrator.cli.select import Selectors
from migrator.model.fleet import Fleet, FleetCluster, SqliteState
from migrator.model.ports.planning import Roles
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.test_aws import HOME, Cloud
from tests.contract.adapters.test_iam_permissions import Iam, role
from tests.fakes.desks import Office
from tests.fakes.planning import CLUSTER, World, account

ALIASES = ("eu", "us", "ap")
EACH = 8


@dataclass
class Account:
    """Every role of it is annotated on one of three clusters; trust from one script, policies from the other."""

    roles: Cloud = field(default_factory=lambda: Cloud({role(number).name: {} for number in range(3 * EACH)}))
    policies: Iam = field(default_factory=lambda: Iam(3 * EACH))

    def __call__(self, request: Asked) -> Said:
        action = dict(parse_qsl(request.body.decode()))["Action"]
        of_policies = action in self.policies.answers and action != "GetRole"
        return self.policies(request) if of_policies else self.roles(request)


@dataclass
class Three(Office):
    """The wiring of a fleet of three clusters in one account, with AWS behind real sessions."""

    sessions: AwsSessions | None = None

    @property
    def fleet(self) -> Fleet:
        clusters = tuple(FleetCluster(alias=one, name=one, region="us-east-1", account=HOME) for one in ALIASES)
        return Fleet(file=self.folder / "f", state=SqliteState(self.folder / "s"), plans=self.folder, clusters=clusters)

    def planning_roles(self, expected: Iterable[str]) -> Roles:
        assert self.sessions is not None
        return PlanningRoles(self.sessions, expected)


@pytest.fixture
def desk(sessions: AwsSessions, tmp_path: Path) -> Three:
    worlds = {
        alias: World(
            of=replace(CLUSTER, alias=alias, name=alias),
            accounts=[account(role(n).arn, f"app-{n}") for n in range(place * EACH, (place + 1) * EACH)],
        )
        for place, alias in enumerate(ALIASES)
    }
    return Three(tmp_path, dict(worlds), sessions=sessions)


def test_three_clusters_of_one_account_read_its_policies_once(cloud: Server, desk: Three) -> None:
    script = cloud.answer = Account()
    planning = run_planning(desk, Selectors(), desk.fleet.clusters, dry_run=True)
    assert (len(planning.planned), planning.left_out) == (3 * EACH, [])
    asked = Counter(script.policies.asked)
    assert asked == {"GetAccountAuthorizationDetails": 2, "GetPolicy": 1, "GetPolicyVersion": 1}
    assert Counter(script.roles.asked)["DescribeStacks"] == 1


def test_of_a_few_chosen_services_only_those_are_read(cloud: Server, desk: Three) -> None:
    script = cloud.answer = Account()
    run_planning(desk, Selectors(roles=(role(3).name, role(20).name)), desk.fleet.clusters, dry_run=True)
    asked = Counter(script.policies.asked)
    assert "GetAccountAuthorizationDetails" not in asked
    assert asked["ListRolePolicies"] == 2
