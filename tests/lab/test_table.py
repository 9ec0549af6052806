"""The practice fleet with its state in a DynamoDB table: made, cut off, taken up again, and moved to a file."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.deeds import by_us
from tests.lab.harness import Fleet, Ran

NAMES = ("orders", "cart", "stock")
TABLE = "{table: migrate-state, region: eu-west-1, lease: 3}"
MOMENTS = {"apply": ("association", "started"), "rollback": ("restart", "started")}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("table")
    world = scenes.write(folder, list(map(scenes.service, NAMES)), addons=["eks-pod-identity-agent"])
    with harness.fleet(world, folder) as running:
        scenes.waits(running, settle=0.6, reconcile=0.6)
        file = Path(running.environment["MIGRATE_FLEET"])
        text = file.read_text(encoding="utf-8")
        (file.parent / "in-a-file.yaml").write_text(text, encoding="utf-8")
        assert "  sqlite: state.db\n" in text
        file.write_text(text.replace("  sqlite: state.db\n", f"  dynamodb: {TABLE}\n"), encoding="utf-8")
        yield running


def made(fleet: Fleet, name: str) -> Counter[str]:
    """What AWS was changed by, for that service."""
    found: Counter[str] = Counter()
    for call in fleet.calls():
        about = {call["params"].get("RoleName"), call["params"].get("serviceAccount")}
        if by_us(call) and call["mutating"] and call["status"] < 300 and name in about:
            found[call["operation"]] += 1
    return found


def document(fleet: Fleet, *arguments: str) -> Any:
    return json.loads(fleet.migrate(*arguments, "--output", "json").ok().out)


def standing(fleet: Fleet, name: str) -> str:
    rows = document(fleet, "status")["services"]
    return next(str(row["standing"]) for row in rows if row["service"] == f"main/shop/{name}")


def carried_on(fleet: Fleet, *command: str) -> Ran:
    """The same command again, as soon as the dead runner's lease has run out; until then it names him."""
    first = fleet.migrate(*command).ended(Exit.LOCKED)
    assert '"service:main/shop/' in first.err
    return harness.wait_for("the lease to run out", lambda: _unless_locked(fleet.migrate(*command)))  # type: ignore[no-any-return]


def _unless_locked(ran: Ran) -> Ran | None:
    return None if ran.exit == Exit.LOCKED else ran


def test_a_fleet_whose_state_is_in_a_table(fleet: Fleet) -> None:
    missing = fleet.migrate("plan").ended(Exit.ERROR)
    assert "does not exist; check" in missing.err
    assert "migrate store init" in missing.err
    fleet.migrate("store", "init", "--yes").ok()
    fleet.migrate("plan").ok()

    for command, (step, status) in MOMENTS.items():
        arguments = (command, "--service", "main/shop/orders", "--yes")
        assert harness.kill_at(fleet.start(*arguments), step, status)
        assert standing(fleet, "orders") in {"running", "interrupted"}
        carried_on(fleet, *arguments).ok()
    assert standing(fleet, "orders") == "rolled-back"
    assert made(fleet, "orders") == {"UpdateAssumeRolePolicy": 2, "CreatePodIdentityAssociation": 1}
    lines = document(fleet, "history", "shop/orders")["lines"]
    assert [line["status"] for line in lines if line["step"] is None] == ["begun", "done", "begun", "done"]

    _through_trouble(fleet, "cart")
    _expired(fleet, "stock")
    _moved(fleet)


def _through_trouble(fleet: Fleet, name: str) -> None:
    """Lost answers and throttling on the way to the table change nothing."""
    calls = {"service": "dynamodb"}
    with fleet.faults(
        {"drop": {"aws": {**calls, "operation": "TransactWriteItems"}, "side": "after", "every": 3}},
        {"drop": {"aws": {**calls, "operation": "TransactWriteItems"}, "side": "before", "every": 4}},
        {"fail": {"aws": calls, "with": "throttled", "every": 5}},
    ) as played:
        fleet.migrate("apply", "--service", f"main/shop/{name}", "--yes").ok()
        assert {entry["fault"] for entry in fleet.played(*played)} == set(played)
    assert standing(fleet, name) == "migrated"
    assert made(fleet, name) == {"UpdateAssumeRolePolicy": 1, "CreatePodIdentityAssociation": 1}


def _expired(fleet: Fleet, name: str) -> None:
    """Credentials that run out in the middle stop it at a checkpoint; renewed, it goes on."""
    arguments = ("apply", "--service", f"main/shop/{name}", "--yes")
    with fleet.faults({"expire": {"aws": {"service": "dynamodb"}, "skip": 25}}):
        stopped = fleet.migrate(*arguments).ended(Exit.UNFINISHED)
    assert "renew the credentials, then run the same command again" in stopped.err
    carried_on(fleet, *arguments).ok()
    assert made(fleet, name) == {"UpdateAssumeRolePolicy": 1, "CreatePodIdentityAssociation": 1}


def _moved(fleet: Fleet) -> None:
    """The same history in a file: it is what the checker of the invariants then looks at."""
    fleet.migrate("store", "export", "state.jsonl").ok()
    in_a_file = {"MIGRATE_FLEET": str(Path(fleet.environment["MIGRATE_FLEET"]).with_name("in-a-file.yaml"))}
    fleet.migrate("store", "import", "state.jsonl", extra=in_a_file).ok()
    fleet.migrate("store", "export", "again.jsonl", extra=in_a_file).ok()
    assert (fleet.folder / "state.jsonl").read_bytes() == (fleet.folder / "again.jsonl").read_bytes()
    told = [fleet.migrate("status", "--output", "json", extra=extra).ok().data for extra in ({}, in_a_file)]
    assert told[0] == told[1]
