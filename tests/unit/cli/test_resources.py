"""When the policies of buckets and the like are read: once for a planning, where clusters could be read."""

import json
from dataclasses import replace
from pathlib import Path

from migrator.cli.again import plan_again
from migrator.cli.select import Selectors
from migrator.model.facts import Unread
from migrator.model.fleet import Policy
from migrator.model.plan import Plan
from migrator.model.resource_policies import ResourcePolicies, ResourcePolicy
from tests.fakes.desks import Office
from tests.fakes.planning import CLUSTER, ISSUER, ROLE, SERVICE, World
from tests.fakes.shelf import Shelf

HOME, AWAY = ("111111111111", "eu-west-1"), ("222222222222", "us-east-1")
US = World(of=replace(CLUSTER, alias="us", account=AWAY[0], region=AWAY[1], issuer="https://other"))
BOTH = {"prod": World(), "us": US}
BODY = {
    "Effect": "Allow",
    "Principal": {"AWS": ROLE},
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"StringLike": {f"{ISSUER}:sub": "*"}},
}
KEYED = ResourcePolicy(
    arn="arn:aws:s3:::orders", kind="S3 bucket", account=HOME[0], document=json.dumps({"Statement": BODY})
)


def codes(plan: Plan) -> set[str]:
    return {finding.code for finding in plan.findings}


def test_they_are_read_once_for_all_clusters_whichever_are_planned(tmp_path: Path) -> None:
    office = Office(tmp_path, worlds=BOTH)
    office.plan(Selectors(clusters=("prod",)))
    office.plan(Selectors())
    assert office.resources.asked == [[HOME, AWAY], [HOME, AWAY]]


def test_where_no_cluster_could_be_read_none_is_read(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.plan(Selectors())
    assert office.resources.asked == [[HOME]]


def test_without_a_service_none_is_read(tmp_path: Path) -> None:
    office = Office(tmp_path, worlds={"prod": World(accounts=())})
    office.plan(Selectors())
    assert office.resources.asked == []


def test_the_fleet_file_may_leave_them_out_and_every_plan_says_so(tmp_path: Path) -> None:
    office = Office(tmp_path, worlds=BOTH, policy=Policy(resource_policies="skip"))
    planning = office.plan(Selectors())
    assert office.resources.asked == []
    assert ["not-read" in codes(one.plan) for one in planning.planned] == [True, True]


def test_what_one_account_withholds_is_told_to_its_own_services(tmp_path: Path) -> None:
    unread = {AWAY[0]: (Unread(what="policies of S3 buckets", why="no"),)}
    office = Office(tmp_path, worlds=BOTH, resources=Shelf(ResourcePolicies(unread=unread)))
    planning = office.plan(Selectors())
    assert {one.plan.service.cluster for one in planning.planned if "not-read" in codes(one.plan)} == {"us"}


def test_a_plan_made_anew_knows_them_too(tmp_path: Path) -> None:
    office = Office(tmp_path, resources=Shelf(ResourcePolicies(found=(KEYED,))))
    (made,) = plan_again(office, [SERVICE], None)
    assert "resource-oidc-key" in codes(made.plan)
    assert office.resources.asked == [[HOME]]
