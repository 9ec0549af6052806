"""A cluster that is cut off, an account whose role cannot be assumed, a region that throttles: the others go on.

All three at once, for every command that goes over the fleet; and then they are well again.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrator.documents.emit import emit
from migrator.model.exits import Exit
from tests.lab import flocks, harness
from tests.lab.harness import Fleet

pytestmark = pytest.mark.slow
HOME, AWAY, CLOSED = "111111111111", "222222222222", "333333333333"
IRELAND, FRANKFURT = "eu-west-1", "eu-central-1"
PLACES = {
    "good": (HOME, IRELAND),
    "dark": (HOME, IRELAND),  # cut off
    "slow": (HOME, FRANKFURT),  # throttled
    "away": (AWAY, IRELAND),
    "shut": (CLOSED, IRELAND),  # its role cannot be assumed
}
WELL, ILL = ("away", "good"), ("dark", "shut", "slow")
FAULTS: tuple[dict[str, Any], ...] = (
    {"name": "dark", "cluster": "dark", "drop": {"kube": {}}},
    {"name": "slow", "fail": {"aws": {"region": FRANKFURT}, "with": "throttled"}},
)
WHY = {
    "dark": "could not be reached",
    "shut": f'sts:AssumeRole is not permitted to "arn:aws:iam::{HOME}:user/lab-admin"',
    "slow": "went on failing with Throttl",
}
ALLOW: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
    "Action": "sts:AssumeRole",
}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def service(alias: str) -> str:
    return f"{alias}/shop/web"


def _account(account: str) -> dict[str, Any]:
    statements = [ALLOW] if account == AWAY else [{**ALLOW, "Effect": "Deny"}]
    migrator = {"name": "Migrator", "trust": {"statements": statements}, "policies": {"All": EVERYTHING}}
    homes = [alias for alias, place in PLACES.items() if place[0] == account]
    return {"id": account, "roles": [migrator, *({"name": f"web-{alias}"} for alias in homes)]}


def _cluster(alias: str) -> dict[str, Any]:
    account, region = PLACES[alias]
    namespace = {
        "name": "shop",
        "serviceAccounts": [{"name": "web", "role": f"web-{alias}", "labels": {"team": "shop"}}],
        "workloads": [{"name": "web", "serviceAccount": "web"}],
    }
    return {
        "name": alias,
        "account": account,
        "region": region,
        "associationDelay": 0.2,
        "addons": ["eks-pod-identity-agent"],
        "nodes": [{"name": f"{alias}-n"}],
        "namespaces": [namespace],
    }


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Two of the accounts are reached by a role that is assumed from the first one."""
    world = tmp_path / "world.yaml"
    data = {
        "version": 1,
        "accounts": list(map(_account, (HOME, AWAY, CLOSED))),
        "clusters": list(map(_cluster, PLACES)),
    }
    world.write_text(emit(data), encoding="utf-8")
    with harness.unwatched(world, tmp_path) as running:
        flocks.policy(running)
        file = Path(running.environment["MIGRATE_FLEET"])
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        data["accounts"] = [
            {"id": HOME, "profile": f"lab-{HOME}"},
            *(
                {"id": one, "profile": f"lab-{HOME}", "role": f"arn:aws:iam::{one}:role/Migrator"}
                for one in (AWAY, CLOSED)
            ),
        ]
        file.write_text(emit(data), encoding="utf-8")
        yield running


def open_up(fleet: Fleet) -> None:
    trust = {"Version": "2012-10-17", "Statement": [ALLOW]}
    fleet.aws("iam", CLOSED).update_assume_role_policy(RoleName="Migrator", PolicyDocument=json.dumps(trust))


def test_the_others_go_on(fleet: Fleet, tmp_path: Path) -> None:
    with fleet.faults(*FAULTS), ThreadPoolExecutor() as pool:  # each waits for the throttled region as long as it can
        both = [pool.submit(planned, fleet), pool.submit(discovered, fleet, tmp_path / "found.yaml")]
        for one in both:
            one.result()
    open_up(fleet)
    fleet.migrate("plan").ok()
    shut(fleet)
    with fleet.faults(*FAULTS):
        carried_out(fleet)
    open_up(fleet)
    batch = fleet.migrate("batch", "--output", "json").ok().data
    assert {one["service"] for one in batch["services"]} == {service(alias) for alias in ILL}
    assert flocks.standings(fleet) == {service(alias): "migrated" for alias in PLACES}


def shut(fleet: Fleet) -> None:
    trust = {"Version": "2012-10-17", "Statement": [{**ALLOW, "Effect": "Deny"}]}
    fleet.aws("iam", CLOSED).update_assume_role_policy(RoleName="Migrator", PolicyDocument=json.dumps(trust))


def planned(fleet: Fleet) -> None:
    """Plan: the summary names who was left out and why."""
    ran = fleet.migrate("plan", "--output", "json").ended(Exit.UNFINISHED)

    assert [one["service"] for one in ran.data["services"]] == [service(alias) for alias in WELL]
    assert all(one["verdict"] == "ready" for one in ran.data["services"])
    left = {one["cluster"]: one["why"] for one in ran.data["left_out"]}
    assert set(left) == set(ILL)
    for alias, why in WHY.items():
        assert why in left[alias]
        assert f'cluster "{alias}" left out: ' in ran.err


def discovered(fleet: Fleet, file: Path) -> None:
    """Discover: a cluster is listed though it is cut off; an account and a region are not looked at."""
    ran = fleet.migrate("fleet", "discover", "--out", str(file)).ended(Exit.UNFINISHED)

    left = [line for line in ran.err.splitlines() if " left out: " in line]
    assert [line for line in left if WHY["slow"] in line and FRANKFURT in line][:2] == left[:2]
    assert left[2].startswith(f'migrate: account "{CLOSED}" in {FRANKFURT} left out: ')
    assert left[3].startswith(f'migrate: account "{CLOSED}" in {IRELAND} left out: {WHY["shut"]}')
    assert [line.split('"')[1] for line in left] == [HOME, AWAY, CLOSED, CLOSED]
    assert "5 clusters in 3 accounts: 0 new, 5 known, 0 gone" in ran.out


def carried_out(fleet: Fleet) -> None:
    """Batch, status and apply."""
    ran = fleet.migrate("batch", "--output", "json").ended(Exit.ERROR)
    told = {one["service"]: one for one in ran.data["services"]}
    assert {name: one["exit"]["code"] for name, one in told.items()} == {
        **{service(alias): Exit.DONE for alias in WELL},
        **{service(alias): Exit.ERROR for alias in ILL},
    }
    for alias, why in WHY.items():
        assert why in told[service(alias)]["message"]
    assert flocks.standings(fleet) == {
        **{service(alias): "migrated" for alias in WELL},
        **{service(alias): "planned" for alias in ILL},
    }
    ran = fleet.migrate("apply", "--service", service("shut"), "--yes").ended(Exit.ERROR)
    assert WHY["shut"] in ran.err
