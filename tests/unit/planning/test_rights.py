"""What the operator is asked about follows from the steps of the plans, each account by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from migrator.model.aws_side import Operator, Right
from migrator.model.errors import NotPermitted
from migrator.model.facts import AgentState
from migrator.model.fleet import Policy
from migrator.planning.planner import PlanSettings
from tests.fakes.planning import CLUSTER, ROLE, SERVICE, SUBJECT, World, account, trust_for

AWAY = "222222222222"
FAR = f"arn:aws:iam::{AWAY}:role/orders-api"


@dataclass(frozen=True, kw_only=True)
class Asked(World):
    """A world that keeps what was asked about, and whose operator lacks `missing`; `shut` accounts do not tell."""

    asked: dict[str, list[Right]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    shut: frozenset[str] = frozenset()

    def operator(self, account: str, rights: Sequence[Right]) -> Operator:
        assert account not in self.asked
        self.asked[account] = list(rights)
        if account in self.shut:
            raise NotPermitted("iam:SimulatePrincipalPolicy is not permitted")
        lacked = frozenset(right for right in rights if right.action in self.missing)
        return Operator(arn=f"arn:aws:iam::{account}:user/ann", missing=lacked)


def far(**differs: object) -> Asked:
    """A service whose role is in another account."""
    world = Asked(accounts=[account(FAR)], trusts={FAR: trust_for(SUBJECT, account=AWAY)}, asked={})
    return replace(world, **differs)  # type: ignore[arg-type]  # fields of a world


def told(world: World, settings: PlanSettings | None = None) -> list[tuple[str, str, str]]:
    """Of the service's findings: who may not do what, or what is not known."""
    [plan] = [plan for plan in world.plans(settings) if plan.service == SERVICE]
    found = [one for one in plan.findings if one.code in {"operator-lacks", "not-read"}]
    return [(one.object, one.field, one.value) for one in found]


def names(rights: Sequence[Right]) -> set[str]:
    return {right.action for right in rights}


def test_a_service_of_its_own_account_needs_neither_add_ons_nor_source_roles() -> None:
    world = Asked(asked={})
    world.plans()

    assert list(world.asked) == [CLUSTER.account]
    asked = world.asked[CLUSTER.account]
    assert {"eks:CreatePodIdentityAssociation", "iam:PassRole", "iam:UpdateAssumeRolePolicy"} <= names(asked)
    assert not {"eks:UpdateAddon", "eks:CreateAddon", "iam:CreateRole"} & names(asked)
    assert {right.resource for right in asked if right.action.startswith("iam:")} == {ROLE}


def test_a_source_role_is_made_in_one_account_and_its_target_edited_in_the_other() -> None:
    world = far()
    world.plans()

    home, away = world.asked[CLUSTER.account], world.asked[AWAY]
    assert {right.resource for right in away} == {FAR}
    assert names(away) == {"iam:GetRole", "iam:UpdateAssumeRolePolicy"}
    made = {right.resource for right in home if right.action in {"iam:CreateRole", "iam:DeleteRole", "iam:PassRole"}}
    assert len(made) == 1
    assert next(iter(made)).startswith(f"arn:aws:iam::{CLUSTER.account}:role/irsa-migrator-")
    assert "iam:UpdateAssumeRolePolicy" not in names(home)


def test_a_role_that_is_not_to_be_crossed_to_is_not_asked_about() -> None:
    world = far()
    assert told(world, PlanSettings(policy=Policy(cross_account="block"))) == []
    assert world.asked == {}


def test_who_acts_in_the_other_account_is_told_of_for_what_he_lacks_there() -> None:
    world = far(missing=frozenset({"iam:UpdateAssumeRolePolicy"}))
    assert told(world) == [(f"arn:aws:iam::{AWAY}:user/ann", "iam:UpdateAssumeRolePolicy", FAR)]


def test_an_account_that_does_not_tell_is_named_to_the_services_that_need_it() -> None:
    world = far(shut=frozenset({AWAY}))
    assert [one for one, _, _ in told(world)] == [f"what the operator may do in account {AWAY}"]


@pytest.mark.parametrize(
    ("policy", "expected"), [(Policy(), True), (Policy(agent="require"), False)], ids=["[install]", "[require]"]
)
def test_an_agent_is_asked_about_where_it_is_to_be_installed(policy: Policy, *, expected: bool) -> None:
    world = Asked(agent_state=AgentState(), asked={})
    world.plans(PlanSettings(policy=policy))
    assert ("eks:CreateAddon" in names(world.asked[CLUSTER.account])) is expected
