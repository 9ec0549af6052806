"""SIGKILL between any two steps, there and back, as real processes; then the same command again."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from migrator.model.exits import Exit
from migrator.store.database import Database
from migrator.store.sqlite_locks import SqliteLocks
from tests.lab import harness, scenes
from tests.lab.harness import Fleet

pytestmark = pytest.mark.slow
THERE = ("trust", "association", "annotation", "restart", "verify")
BACK = ("annotation", "association", "restart", "verify", "trust")
POINTS_THERE = [("agent", "started"), ("agent", "done"), *((s, w) for s in THERE for w in ("started", "done"))]
POINTS_BACK = [(s, w) for s in BACK for w in ("started", "done")]


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("killed")
    services = [scenes.service(f"s{number:02}") for number in range(len(POINTS_THERE))]
    with harness.fleet(scenes.write(folder, services), folder, plane) as running:
        scenes.waits(running, **scenes.BRISK)
        running.migrate("plan").ok()
        yield running


def killed_then_again(fleet: Fleet, command: str, number: int, step: str, status: str) -> str:
    """Kills `command` for service `number` at that point and runs it again; the answer says what was wrong."""
    service = f"main/shop/s{number:02}"
    arguments = (command, "--service", service, "--yes")
    if step == "agent" and number > 1:
        return ""
    was_killed = harness.kill_at(fleet.start(*arguments), step, status)
    if not was_killed:
        return f"{command} of {service} was over before {step} was {status}"
    again = fleet.migrate(*arguments)
    return "" if again.exit == Exit.DONE else f"killed at {step} {status}: exit {again.exit}: {again.out}{again.err}"


def all_killed(fleet: Fleet, command: str, points: list[tuple[str, str]]) -> None:
    """The first alone, since it installs the agent; the others four at a time."""
    first, *others = enumerate(points)
    wrong = [killed_then_again(fleet, command, first[0], *first[1])]
    with ThreadPoolExecutor(4) as pool:
        wrong += pool.map(lambda one: killed_then_again(fleet, command, one[0], *one[1]), others)
    assert [text for text in wrong if text] == []


def changes(fleet: Fleet) -> Counter[tuple[str, str]]:
    """Changes that AWS carried out: operation and the role or ServiceAccount they were for."""
    made: Counter[tuple[str, str]] = Counter()
    for call in fleet.calls():
        if call["mutating"] and call["status"] < 300 and call["service"] in {"iam", "eks"}:
            whose = call["params"].get("RoleName") or call["params"].get("serviceAccount") or ""
            made[call["operation"], whose] += 1
    return made


def revisions(fleet: Fleet) -> dict[str, str]:
    items = fleet.kube("main").list("/apis/apps/v1/namespaces/shop/deployments")["items"]
    return {
        one["metadata"]["name"]: one["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for one in items
    }


@pytest.mark.timeout(600)
def test_each_change_is_made_once_there_and_back(fleet: Fleet) -> None:
    before = changes(fleet)
    all_killed(fleet, "apply", POINTS_THERE[:1] + POINTS_THERE[2:])
    names = [f"s{number:02}" for number in range(len(POINTS_THERE) - 1)]
    there = changes(fleet) - before
    assert there["CreateAddon", ""] == 1
    assert {name: there["UpdateAssumeRolePolicy", name] for name in names} == dict.fromkeys(names, 1)
    assert {name: there["CreatePodIdentityAssociation", name] for name in names} == dict.fromkeys(names, 1)
    assert {name: revisions(fleet)[name] for name in names} == dict.fromkeys(names, "2")
    assert standings(fleet, names) == {"migrated"}

    before = changes(fleet)
    all_killed(fleet, "rollback", POINTS_BACK)
    back = changes(fleet) - before
    walked = names[: len(POINTS_BACK)]
    assert back["DeletePodIdentityAssociation", ""] == len(walked)
    assert {name: back["UpdateAssumeRolePolicy", name] for name in walked} == dict.fromkeys(walked, 1)
    assert {name: revisions(fleet)[name] for name in walked} == dict.fromkeys(walked, "3")
    assert standings(fleet, walked) == {"rolled-back"}
    assert no_lock_left(fleet)


def standings(fleet: Fleet, names: list[str]) -> set[str]:
    rows = fleet.migrate("status", "--output", "json").ok().data["services"]
    return {row["standing"] for row in rows if row["service"].rpartition("/")[2] in names}


def no_lock_left(fleet: Fleet) -> bool:
    """A row of a dead process may be left; it holds nothing."""
    database = Database(Path(fleet.environment["MIGRATE_FLEET"]).parent / "state.db")
    try:
        return list(SqliteLocks(database, "test").holders()) == []
    finally:
        database.close()
