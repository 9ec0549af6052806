"""`migrate plan --by role`: one role over all clusters, planned from any of them; and who could not be looked at."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from migrator.cli.select import Selectors
from migrator.model.journal import Direction, Outcome, Run
from migrator.model.plan import Plan
from migrator.render.blocks import Table
from migrator.render.contract import schema
from migrator.render.screen import plain
from migrator.render.views import roles as view
from migrator.render.views.plan import Planning
from migrator.store.plan_document import document_of
from tests.fakes.desks import Closed, Office
from tests.fakes.planning import ACCOUNT, CLUSTER, ISSUER, ROLE, SERVICE, SUBJECT, World, account, trust_for

US_ISSUER = ISSUER.replace("eu-west-1", "us-east-1")
US = replace(
    CLUSTER,
    alias="us",
    name="shop-us",
    region="us-east-1",
    arn=f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/shop-us",
    issuer=f"https://{US_ISSUER}",
)
GITHUB = {
    "Sid": "Deploys",
    "Effect": "Allow",
    "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:shop/*"}},
}
PEOPLE = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}, "Action": "sts:AssumeRole"}


def trusts(*more: dict[str, Any]) -> dict[str, Any]:
    document = trust_for(SUBJECT, "system:serviceaccount:retired:worker")
    return {ROLE: {**document, "Statement": [*document["Statement"], *more]}}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    prod = World(trusts=trusts(GITHUB, PEOPLE))
    return Office(tmp_path / "plans", {"prod": prod, "us": World(of=US, trusts=prod.trusts)})


def told(planning: Planning) -> dict[str, Any]:
    assert planning.seen is not None
    data = view.document(planning, planning.seen)
    Draft202012Validator(schema("plan-roles")).validate(data)
    return data


def the_plan(planning: Planning) -> Plan:
    (planned,) = planning.planned
    return planned.plan


def test_users_of_all_clusters_are_there_though_one_is_planned(office: Office) -> None:
    (role,) = told(office.plan(by_role=True))["roles"]
    assert [(user["service"], user["verdict"]) for user in role["users"]] == [
        (str(SERVICE), "ready"),
        ("us/orders/orders-api", None),
    ]
    assert role["verdicts"] == {"ready": 1, "attention": 0, "blocked": 0, "unplanned": 1}


def test_everybody_else_is_named_by_what_he_is(office: Office) -> None:
    (role,) = told(office.plan(by_role=True))["roles"]
    assert [(one["kind"], one["principal"], one["subjects"], one["statement"]) for one in role["trusted"]] == [
        ("CI", "token.actions.githubusercontent.com", ["repo:shop/*"], "Deploys"),
        ("cluster", "prod", ["system:serviceaccount:retired:worker"], "0"),
        ("people", f"arn:aws:iam::{ACCOUNT}:user/ann", [], "2"),
    ]


def test_the_size_is_told_for_the_users_of_all_clusters(office: Office) -> None:
    (both,) = told(office.plan(by_role=True))["roles"]
    office.worlds["us"] = World(of=US, accounts=())
    (alone,) = told(office.plan(by_role=True))["roles"]
    assert both["size"]["now"] == alone["size"]["now"] < alone["size"]["after"] < both["size"]["after"]


def test_the_plan_of_one_cluster_knows_the_users_in_others(office: Office) -> None:
    plan = the_plan(office.plan())
    assert plan.facts["other_services_of_role"] == ["us/orders/orders-api"]
    assert [found.value for found in plan.findings if found.code == "role-shared"] == ["us/orders/orders-api"]


def test_the_crowd_in_another_cluster_fills_the_trust_policy_up(office: Office) -> None:
    crowd = [account(name=f"a-service-with-quite-a-long-name-{number:02d}") for number in range(30)]
    office.worlds["us"] = World(of=US, accounts=crowd)
    plan = the_plan(office.plan())
    (found,) = [found for found in plan.findings if found.code == "trust-fills-up"]
    assert "with policy.trust_conditions cluster" in found.says


def test_a_raised_quota_is_what_the_size_is_told_by(office: Office) -> None:
    crowd = [account(name=f"a-service-with-quite-a-long-name-{number:02d}") for number in range(30)]
    office.worlds["us"] = World(of=US, accounts=crowd)
    assert {role["size"]["quota"] for role in told(office.plan(by_role=True))["roles"]} == {2048}
    office.worlds["prod"] = World(quota=4096)
    assert 4096 in {role["size"]["quota"] for role in told(office.plan(by_role=True))["roles"]}


def test_services_of_another_account_are_users_and_need_room_of_their_own(office: Office) -> None:
    """Their source roles are let in, by a statement for each."""
    (before,) = told(office.plan(by_role=True))["roles"]
    office.worlds["us"] = World(of=replace(US, account="222222222222"))
    (role,) = told(office.plan(by_role=True))["roles"]
    assert len(role["users"]) == 2
    assert role["size"]["after"] > before["size"]["after"]


def test_a_cluster_nobody_could_look_at_is_named_and_stops_nothing(office: Office) -> None:
    office.worlds["us"] = Closed()
    planning = office.plan(Selectors(clusters=("prod",)), by_role=True)
    data = told(planning)
    assert [user["service"] for user in data["roles"][0]["users"]] == [str(SERVICE)]
    assert [one["cluster"] for one in data["left_out"]] == ["us"]
    assert planning.left_out == []
    assert list(plain(view.blocks(data)))[-1].startswith("not seen: whoever uses them in cluster us: ")


def test_a_migrated_service_is_a_user_though_its_annotation_is_gone(office: Office) -> None:
    plan = the_plan(office.plan())
    moved = replace(plan, service=replace(plan.service, cluster="us", name="moved-long-ago"))
    run = Run(
        id="1",
        service=moved.service,
        direction=Direction.FORWARD,
        outcome=Outcome.DONE,
        plan=document_of(moved),
        actor="a",
        host="h",
        started="t",
    )
    office.journal.all_runs = [run]
    (role,) = told(office.plan(by_role=True))["roles"]
    assert {"service": "us/orders/moved-long-ago", "standing": "migrated", "verdict": None} in role["users"]


def test_the_table_says_it_in_one_row_per_role(office: Office) -> None:
    data = told(office.plan(by_role=True))
    table = next(block for block in view.blocks(data) if isinstance(block, Table))
    (row,) = table.rows
    size = data["roles"][0]["size"]
    assert row == (
        "orders-api",
        "prod/orders/orders-api, us/orders/orders-api",
        "2 planned",
        "1 ready, 1 unplanned",
        f"CI token.actions.githubusercontent.com, cluster prod, people arn:aws:iam::{ACCOUNT}:user/ann",
        f"{size['now']} → {size['after']} of 2048",
    )
