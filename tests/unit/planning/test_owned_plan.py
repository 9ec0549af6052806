"""What the planner writes about things that have an owner: on the step, in the facts, and nowhere else."""

from dataclasses import replace
from typing import Any

import pytest

from migrator.model.facts import FieldManager, Stack
from migrator.model.permissions import Permissions
from migrator.model.plan import Finding, Plan, Severity, StepKind, Verdict
from tests.fakes.planning import ROLE, SUBJECT, World, account, association, trust_for

HEALTHY = World()
HELM = {"meta.helm.sh/release-name": "orders", "meta.helm.sh/release-namespace": "orders"}
RELEASED = replace(account(**HELM), labels={"app.kubernetes.io/managed-by": "Helm"})
OPEN = {
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}
LETS_IN = {ROLE: {**trust_for(SUBJECT), "Statement": [*trust_for(SUBJECT)["Statement"], OPEN]}}


def planned(world: World) -> Plan:
    (plan,) = world.plans()
    return plan


def found(world: World) -> dict[str, Finding]:
    return {one.code: one for one in planned(world).findings}


def test_without_an_owner_nothing_is_said() -> None:
    made = planned(HEALTHY)
    assert "owners" not in made.facts
    assert all("owner" not in step.on for step in (*made.forward, *made.back))


def test_the_step_names_the_owner_both_ways_and_the_service_is_ready() -> None:
    made = planned(HEALTHY.but(accounts=[RELEASED]))
    steps = [step for step in (*made.forward, *made.back) if step.kind is StepKind.ANNOTATION]
    assert [step.on["owner"] for step in steps] == ["Helm release orders/orders"] * 2
    assert [(step.before["value"], step.after["value"]) for step in steps] == [(ROLE, None), (None, ROLE)]
    assert (made.verdict, [one.code for one in made.findings]) == (Verdict.READY, ["owner-helm"])
    assert [(one["step"], one["name"]) for one in made.facts["owners"]] == [
        ("annotation", "Helm release orders/orders")
    ]


def test_who_wrote_the_annotation_last_changes_no_plan() -> None:
    """A way back of ours, or the release's own update, leaves another manager behind."""
    by_helm = replace(RELEASED, managers=(FieldManager(name="helm"),))
    by_us = replace(RELEASED, managers=(FieldManager(name="irsa-migrator"),))
    assert planned(HEALTHY.but(accounts=[by_helm])) == planned(HEALTHY.but(accounts=[by_us]))


STACK = Stack(name="shop-roles", place="OrdersRole")
TERRAFORM = {"ManagedBy": "terraform"}


@pytest.mark.parametrize(
    ("differs", "code", "severity"),
    [
        ({"stack": STACK}, "role-cloudformation", Severity.BLOCK),
        ({"tags": TERRAFORM}, "role-terraform", Severity.WARN),
        ({"tags": {"crossplane-name": "orders"}}, "role-controller", Severity.BLOCK),
    ],
    ids=["[stack]", "[terraform]", "[crossplane]"],
)
def test_a_role_with_an_owner_is_said_only_while_its_trust_policy_would_be_changed(
    differs: dict[str, Any], code: str, severity: Severity
) -> None:
    closed = HEALTHY.but(of_roles=differs)
    assert found(closed)[code].severity is severity
    assert [one["step"] for one in planned(closed).facts["owners"]] == ["trust"]

    for linked in ([], [association()]):
        let_in = HEALTHY.but(of_roles=differs, trusts=LETS_IN, linked=linked)
        assert code not in found(let_in)
        assert "owners" not in planned(let_in).facts


def test_tags_that_came_with_the_permissions_count() -> None:
    """Many roles are listed without their tags; what they may do comes with them."""
    granted = {ROLE: Permissions(tags=TERRAFORM)}
    assert "role-terraform" in found(HEALTHY.but(granted=granted))
    assert "role-terraform" not in found(HEALTHY.but(granted=granted, trusts=LETS_IN))


def test_stacks_that_may_not_be_read_are_said_unless_the_owner_is_known_all_the_same() -> None:
    unread = {"stacks_unread": "not authorized"}
    assert found(HEALTHY.but(of_roles=unread))["not-read"].value == "not authorized"
    assert "not-read" not in found(HEALTHY.but(of_roles={**unread, "tags": TERRAFORM}))
    assert "not-read" not in found(HEALTHY.but(of_roles=unread, trusts=LETS_IN))
