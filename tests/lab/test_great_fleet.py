"""A fleet of 6 clusters in 3 accounts and 2 regions, 300 services: planned, moved as far as right, and taken back.

`GREAT_PART=3` in the environment takes a third of each kind of service.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import pytest

from migrator.model.exits import Exit
from tests.lab import flocks, great, harness, scenes
from tests.lab.harness import Fleet, Ran
from tests.lab.witness import ACCOUNTS
from tests.lab.zygote import zygote

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]
SERVICES = great.services()
READY = [one for one in SERVICES if great.KINDS[one.kind].verdict == "ready"]
HANDS = 6  # processes that take back side by side
LIMIT = 900  # seconds for one command


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("great")
    with harness.unwatched(great.write(folder), folder) as running:
        flocks.policy(running, limits={"services": 12, "per_cluster": 4, "api_rate": 1000})
        scenes.waits(running, poll=0.3)  # the more often is looked, the less is done on two cores
        yield running


def test_every_service_is_planned_as_a_person_expects(fleet: Fleet) -> None:
    """The verdict and exactly the findings that its kind is written down with."""
    assert (len({one.home.account for one in SERVICES}), len(great.HOMES)) == (3, 6)
    assert len(SERVICES) == 300 or great.PART > 1
    found = run(fleet, "plan", "--dry-run", "--output", "json").ok().data["services"]

    expected = {one.id: (great.KINDS[one.kind].verdict, great.KINDS[one.kind].shows) for one in SERVICES}
    told = {
        one["service"]: (one["verdict"], tuple(sorted({finding["code"] for finding in one["findings"]})))
        for one in found
    }
    assert {service: what for service, what in told.items() if what != expected[service]} == {}
    assert told == expected


def test_there_and_back(fleet: Fleet) -> None:
    took: dict[str, float] = {}
    before, annotated = trusts(fleet), annotations(fleet)
    with timed(took, "plan"):
        planned = run(fleet, "plan", "--output", "json").ok().data
    with timed(took, "batch"):
        moved = run(fleet, "batch", "--output", "json").ended(Exit.BLOCKED).data
    moved_as_far_as_is_right(fleet, moved)
    changed = differing(before, trusts(fleet))
    with timed(took, "rollback"):
        take_all_back(fleet)
    assert trusts(fleet) == before
    assert annotations(fleet) == annotated
    assert changed == {one.role for one in READY}
    told(took, planned["services"], len(changed))


def run(fleet: Fleet, *arguments: str) -> Ran:
    """`migrate`, with the time that it needs here."""
    ended = zygote().run(arguments, fleet.environment, fleet.folder, None, LIMIT)
    return Ran(ended.code, ended.out, ended.err)


@contextmanager
def timed(took: dict[str, float], what: str) -> Iterator[None]:
    """Notes how long the block takes."""
    began = time.monotonic()
    yield
    took[what] = time.monotonic() - began


def moved_as_far_as_is_right(fleet: Fleet, summary: Any) -> None:
    """What was ready is migrated and its pods have the new identity, nothing else is; and AWS answers every pod."""
    ended = {one["service"]: one["exit"]["code"] for one in summary["services"]}
    assert ended == {one.id: great.KINDS[one.kind].ends for one in READY}
    moved = {one.id for one in READY}
    assert flocks.standings(fleet) == {one.id: "migrated" if one.id in moved else "planned" for one in SERVICES}
    pods = fleet.lab_page("credentials?namespace=shop")
    by_service = {f"{one['cluster']}/shop/{one['service_account']}": one for one in pods}
    has = {one.id: "pod-identity" if one.id in moved else "irsa" for one in SERVICES if one.id in by_service}
    assert {service: pod["identity"] for service, pod in by_service.items()} == has
    refused = {one["service_account"] for one in pods if not one["answers"]}
    assert refused == {"keys0"}  # its static keys are nobody's


def take_all_back(fleet: Fleet) -> None:
    """Several hands at once; services of one role are in the same ones, as nobody would take them back twice."""
    by_role: dict[tuple[str, str], list[str]] = {}
    for one in READY:
        by_role.setdefault(one.role, []).append(one.id)
    groups = list(by_role.values())
    parts = [[service for group in groups[number::HANDS] for service in group] for number in range(HANDS)]
    with ThreadPoolExecutor(HANDS) as pool:
        for ended in pool.map(lambda part: run(fleet, "rollback", "--yes", *_each(part)), parts):
            ended.ok()
    stands = {one.id: "rolled-back" if one in READY else "planned" for one in SERVICES}
    assert flocks.standings(fleet) == stands


def _each(services: Sequence[str]) -> list[str]:
    return [option for service in services for option in ("--service", service)]


def trusts(fleet: Fleet) -> dict[tuple[str, str], str]:
    """By account and name the trust document of every role, to the letter as IAM has it."""
    return {
        (account, entry["RoleName"]): unquote(entry["AssumeRolePolicyDocument"])
        for account in great.ACCOUNTS
        for entry in _raw_roles(fleet, account)
    }


def _raw_roles(fleet: Fleet, account: str) -> list[Any]:
    """The answers of ListRoles before botocore makes data of the documents in them."""
    iam = fleet.aws("iam", account)
    found: list[Any] = []

    def keep(parsed: Any, **_event: Any) -> None:
        found.extend(dict(entry) for entry in parsed["Roles"])

    iam.meta.events.register_first("after-call.iam.ListRoles", keep)
    for _page in iam.get_paginator("list_roles").paginate():
        pass
    iam.meta.events.unregister("after-call.iam.ListRoles", keep)
    return found


def differing(before: Mapping[tuple[str, str], str], after: Mapping[tuple[str, str], str]) -> set[tuple[str, str]]:
    """The roles whose documents are not the same; those that came are the source roles of cross-account services."""
    made = after.keys() - before.keys()
    assert len(made) == sum(one.role[0] != one.home.account for one in READY)
    assert all(name.startswith("irsa-migrator-") for _, name in made)
    return {role for role, document in before.items() if document != after[role]}


def annotations(fleet: Fleet) -> dict[str, Any]:
    """By service what its ServiceAccount is annotated with."""
    return {
        f"{alias}/{item['metadata']['namespace']}/{item['metadata']['name']}": item["metadata"].get("annotations")
        for alias, kube in fleet.clients.items()
        for item in kube.list(ACCOUNTS)["items"]
    }


def told(took: Mapping[str, float], found: Sequence[Any], roles: int) -> None:
    """The figures."""
    verdicts = dict(Counter(one["verdict"] for one in found))
    times = ", ".join(f"{what} {seconds:.0f} s" for what, seconds in took.items())
    sys.stdout.write(
        f"\n{len(found)} services, {len(great.HOMES)} clusters, {len(great.ACCOUNTS)} accounts: {verdicts}; {times};"
        f" {roles} trust documents changed and back to the letter\n"
    )
