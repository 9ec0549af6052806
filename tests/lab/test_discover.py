"""`migrate fleet discover` on a practice fleet: what it writes, adds, names and leaves out, and how it ends."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrator.documents.emit import emit
from migrator.documents.schema import first_violation
from migrator.model.exits import Exit
from migrator.render.contract import schema
from tests.lab import harness
from tests.lab.harness import Fleet, Ran

HOME, AWAY, CLOSED = "111111111111", "222222222222", "333333333333"
IRELAND, FRANKFURT = "eu-west-1", "eu-central-1"
MIGRATOR = {
    "name": "Migrator",
    "path": "/ops/",
    "trust": {
        "statements": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "fleet-1"}},
            }
        ]
    },
    "policies": {
        "List": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "eks:ListClusters", "Resource": "*"}],
        }
    },
}
WORLD: dict[str, Any] = {
    "version": 1,
    "accounts": [{"id": HOME}, {"id": AWAY, "roles": [MIGRATOR]}, {"id": CLOSED}],
    "clusters": [
        {"alias": "one", "name": "prod", "account": HOME, "region": IRELAND},
        {"alias": "two", "name": "prod", "account": HOME, "region": FRANKFURT},
        {"alias": "three", "name": "prod", "account": AWAY, "region": IRELAND},
        {"alias": "four", "name": "tools", "account": AWAY, "region": FRANKFURT},
        {"alias": "five", "name": "hidden", "account": CLOSED, "region": IRELAND},
        {
            "alias": "six",
            "name": "connected",
            "account": HOME,
            "region": IRELAND,
            "describe": {"connectorConfig": {"provider": "GKE", "roleArn": f"arn:aws:iam::{HOME}:role/c"}},
        },
    ],
}
EVERYWHERE = ("--region", IRELAND, "--region", FRANKFURT)
THREE = (
    *("--account", f"{HOME}=lab-{HOME}", "--account", AWAY, "--account", CLOSED),
    *("--profile", f"lab-{HOME}", "--role-name", "ops/Migrator", "--external-id", "fleet-1", *EVERYWHERE),
)
HOMES = [["prod-eu-west-1", "prod", IRELAND, HOME], ["prod-eu-central-1", "prod", FRANKFURT, HOME]]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("discover")
    world = folder / "world.yaml"
    world.write_text(emit(WORLD), encoding="utf-8")
    with harness.unwatched(world, folder) as running:
        yield running


def discover(fleet: Fleet, file: Path, *options: str) -> Ran:
    return fleet.migrate("fleet", "discover", "--fleet", str(file), *options)


def as_data(ran: Ran) -> Any:
    assert first_violation(ran.data, schema("fleet")) is None
    return ran.data


def clusters(data: Any) -> list[list[str]]:
    return [[one["alias"], one["name"], one["region"], one["account"]] for one in data]


def test_a_new_file_from_the_credentials_alone(fleet: Fleet, tmp_path: Path) -> None:
    """No account is named, so the one they lead to is meant; a plan can be made with what was written."""
    file = tmp_path / "fleet.yaml"
    found = as_data(discover(fleet, file, *EVERYWHERE, "--output", "json").ok())

    written = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert sorted(clusters(written["clusters"])) == sorted(HOMES)
    assert set(written) == {"version", "clusters"}
    assert (found["written"], found["accounts"][0]["caller"]) == (True, f"arn:aws:iam::{HOME}:user/lab-admin")
    assert fleet.migrate("plan", "--dry-run", "--fleet", str(file), "--output", "json").ok().data["left_out"] == []


def test_the_region_of_the_configuration_is_looked_in_unless_another_is_named(fleet: Fleet, tmp_path: Path) -> None:
    data = as_data(discover(fleet, tmp_path / "f.yaml", "--output", "json").ok())

    assert clusters(data["clusters"]) == [["prod", "prod", IRELAND, HOME]]


def test_over_accounts_one_of_which_lets_nobody_in(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    ran = discover(fleet, file, *THREE, "--output", "json").ended(Exit.UNFINISHED)

    data = as_data(ran)
    assert {(one["account"], one["region"]) for one in data["left_out"]} == {(CLOSED, IRELAND), (CLOSED, FRANKFURT)}
    assert all("sts:AssumeRole is not permitted" in one["why"] for one in data["left_out"])
    assert f'account "{CLOSED}" in eu-central-1, eu-west-1 left out: sts:AssumeRole is not permitted' in ran.err
    written = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert written["accounts"] == [
        {"id": HOME, "profile": f"lab-{HOME}"},
        {
            "id": AWAY,
            "profile": f"lab-{HOME}",
            "role": f"arn:aws:iam::{AWAY}:role/ops/Migrator",
            "external_id": "fleet-1",
        },
    ]
    assert [one["alias"] for one in written["clusters"]] == [
        "prod-eu-central-1",
        "prod-111111111111-eu-west-1",
        "tools",
        "prod-222222222222-eu-west-1",
    ]


def test_what_was_written_is_enough_to_look_again(fleet: Fleet, tmp_path: Path) -> None:
    """Accounts, ways and regions are the file's; nothing is new, so that not a byte is written."""
    file = tmp_path / "fleet.yaml"
    discover(fleet, file, *THREE)
    before = file.stat().st_mtime_ns

    data = as_data(discover(fleet, file, "--output", "json").ok())

    assert data["summary"] == {"clusters": 4, "new": 0, "known": 4, "gone": 0, "left_out": 0}
    assert (data["written"], data["diff"], file.stat().st_mtime_ns) == (False, [], before)


MINE = f"""# our fleet; ask ann before you change it
version: 1
policy: {{agent: require}}   # no add-on of ours
clusters:
  - alias: production  # not what EKS calls it
    name: prod
    region: {IRELAND}
    account: "{HOME}"

  # switched off in spring
  - alias: old
    region: {IRELAND}
    account: "{HOME}"
excludes: ["*/kube-system/*"]
"""
ADDED = f"""  - alias: prod
    name: prod
    region: {FRANKFURT}
    account: "{HOME}"
"""


def test_a_persons_file_is_added_to_and_otherwise_kept(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text(MINE, encoding="utf-8")
    file.chmod(0o640)

    ran = discover(fleet, file, *EVERYWHERE).ok()

    assert file.read_text(encoding="utf-8") == MINE.replace("excludes:", f"{ADDED}excludes:")
    assert file.stat().st_mode & 0o777 == 0o640
    assert "gone: old (old in eu-west-1; its entry was kept)" in ran.out
    assert f"+    region: {FRANKFURT}" in ran.out


def test_a_dry_run_and_another_file_leave_it_as_it_is(fleet: Fleet, tmp_path: Path) -> None:
    file, other = tmp_path / "fleet.yaml", tmp_path / "other.yaml"
    file.write_text(MINE, encoding="utf-8")

    dry = as_data(discover(fleet, file, *EVERYWHERE, "--dry-run", "--output", "json").ok())
    discover(fleet, file, *EVERYWHERE, "--out", str(other)).ok()
    again = discover(fleet, file, *EVERYWHERE, "--out", str(other)).ended(Exit.USAGE)

    assert file.read_text(encoding="utf-8") == MINE
    assert [line[1:] for line in dry["diff"] if line.startswith("+  ")] == ADDED.splitlines()
    assert (dry["written"], dry["dry_run"]) == (False, True)
    assert other.read_text(encoding="utf-8") == MINE.replace("excludes:", f"{ADDED}excludes:")
    assert f'"{other}" is there already; name a new file' in again.err


def test_only_clusters_of_these_names(fleet: Fleet, tmp_path: Path) -> None:
    options = (*THREE[:4], *THREE[6:], "--name", "to*")
    data = as_data(discover(fleet, tmp_path / "f.yaml", *options, "--output", "json").ok())

    assert clusters(data["clusters"]) == [["tools", "tools", FRANKFURT, AWAY]]
    assert [one["id"] for one in yaml.safe_load((tmp_path / "f.yaml").read_text(encoding="utf-8"))["accounts"]] == [
        HOME,
        AWAY,
    ]


def test_a_region_that_denies_is_left_out(fleet: Fleet, tmp_path: Path) -> None:
    denied = {"fail": {"aws": {"operation": "ListClusters", "region": FRANKFURT}, "with": "denied"}}
    with fleet.faults(denied):
        ran = discover(fleet, tmp_path / "f.yaml", *EVERYWHERE).ended(Exit.UNFINISHED)

    assert f'account "{HOME}" in {FRANKFURT} left out: listing the clusters of account "{HOME}" in' in ran.err
    assert "eks:ListClusters" in ran.err
    assert [one["region"] for one in yaml.safe_load((tmp_path / "f.yaml").read_text(encoding="utf-8"))["clusters"]] == [
        IRELAND
    ]


WRONG = {
    "no account": (("--account", "prod"), Exit.USAGE, '"--account prod" names no account'),
    "no region": (("--region", "Ireland"), Exit.USAGE, '"--region Ireland" names no region'),
    "no such regions": (("--region", "mars-*"), Exit.USAGE, 'no region with EKS fits "mars-*"'),
    "unknown profile": (("--profile", "nobody"), Exit.ERROR, "nobody"),
    "nothing reached": (("--account", CLOSED, "--region", IRELAND), Exit.ERROR, 'lead to account "111111111111"'),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_done_is_said_and_nothing_is_written(fleet: Fleet, tmp_path: Path, case: str) -> None:
    options, code, says = WRONG[case]
    ran = discover(fleet, tmp_path / "f.yaml", *options).ended(code)

    assert says in ran.err
    assert ran.out == ""
    assert not (tmp_path / "f.yaml").exists()


def test_how_an_account_of_the_file_is_reached_is_for_the_file_to_say(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text(MINE, encoding="utf-8")

    ran = discover(fleet, file, "--account", f"{HOME}=lab-{AWAY}").ended(Exit.USAGE)

    assert f'account "{HOME}" is reached by no profile in {file}, not by "lab-{AWAY}"' in ran.err


def test_no_cluster_is_no_fleet_file(fleet: Fleet, tmp_path: Path) -> None:
    ran = discover(fleet, tmp_path / "f.yaml", "--region", "eu-north-1").ok()

    assert "no cluster was found" in ran.err
    assert not (tmp_path / "f.yaml").exists()


def test_a_file_that_cannot_be_added_to_is_left_alone(fleet: Fleet, tmp_path: Path) -> None:
    """Written on one line, it has no place for accounts."""
    file = tmp_path / "fleet.yaml"
    text = json.dumps({"version": 1, "clusters": [{"alias": "a", "region": IRELAND, "account": HOME}]})
    file.write_text(text, encoding="utf-8")

    options = ("--account", AWAY, *THREE[6:])
    ran = discover(fleet, file, *options).ended(Exit.USAGE)

    assert 'nothing can be added to "accounts" as it is written' in ran.err
    assert file.read_text(encoding="utf-8") == text
