"""Two processes, two services of one role, at the same moment: neither loses the other's trust statement."""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import Fleet

NAMES = ("one", "two")
ROUNDS = 2
MANY = 100
LATE = 20
LAG = 0.5  # seconds by which half of IAM's readers are late; the fleet file gives them a little more


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("two")
    services = [{**scenes.service(name), "role": {"name": "Shared"}} for name in NAMES]
    with harness.fleet(scenes.write(folder, services, addons=["eks-pod-identity-agent"]), folder) as running:
        running.migrate("plan").ok()
        yield running


@contextmanager
def crowd(folder: Path, rounds: int, names: Sequence[str]) -> Iterator[Fleet]:
    """A fleet with a role for each round, shared by these services; they have no pods, for only trust is edited."""
    services = [
        {"name": f"{name}-{number}", "workloads": [], "role": {"name": f"Shared{number}"}}
        for number in range(rounds)
        for name in names
    ]
    with harness.fleet(scenes.write(folder, services, addons=["eks-pod-identity-agent"]), folder) as running:
        running.migrate("plan").ok()
        yield running


def statements(fleet: Fleet, role: str = "Shared") -> list[dict[str, Any]]:
    document = fleet.aws("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    found: list[dict[str, Any]] = document["Statement"]
    return found


def both(fleet: Fleet, command: str) -> None:
    at_once(fleet, {(command, "--service", f"main/shop/{name}"): Exit.DONE for name in NAMES})


def at_once(fleet: Fleet, commands: Mapping[tuple[str, ...], Exit]) -> None:
    """These commands, each as a process, all at the same time; each ends as it should."""
    with ThreadPoolExecutor(len(commands)) as pool:
        ran = list(pool.map(lambda command: fleet.migrate(*command, "--yes"), commands))
    assert [one.exit for one in ran] == list(commands.values()), [one.err for one in ran]


def to_trust(number: int, *names: str) -> dict[tuple[str, ...], Exit]:
    return {("apply", "--service", f"main/shop/{name}-{number}", "--to", "trust"): Exit.UNFINISHED for name in names}


def let_in(fleet: Fleet, number: int) -> set[str]:
    """Whom our statements of that round's role name."""
    ours = [one for one in statements(fleet, f"Shared{number}") if "IrsaMigrator" in one.get("Sid", "")]
    found = [one["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-service-account"] for one in ours]
    return {name for names in found for name in ([names] if isinstance(names, str) else names)}


def test_both_there_and_both_back(fleet: Fleet) -> None:
    before = statements(fleet)
    for _ in range(ROUNDS):
        both(fleet, "apply")
        there = json.dumps(statements(fleet))
        assert statements(fleet)[: len(before)] == before
        assert all(f'"{name}"' in there for name in NAMES)
        both(fleet, "rollback")
        assert statements(fleet) == before


def test_one_back_leaves_the_other(fleet: Fleet) -> None:
    both(fleet, "apply")
    fleet.migrate("rollback", "--service", "main/shop/one", "--yes").ok()
    ours = [one for one in statements(fleet) if "pods.eks.amazonaws.com" in json.dumps(one)]
    assert len(ours) == 1
    assert '"two"' in json.dumps(ours)
    assert '"one"' not in json.dumps(ours)
    fleet.migrate("verify", "--service", "main/shop/two", "--expect", "pod-identity").ok()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_rounds_of_two_processes(tmp_path: Path) -> None:
    with crowd(tmp_path, MANY, NAMES) as fleet:
        began = time.monotonic()
        for number in range(MANY):
            before = statements(fleet, f"Shared{number}")
            at_once(fleet, to_trust(number, *NAMES))
            assert statements(fleet, f"Shared{number}")[: len(before)] == before
            assert let_in(fleet, number) == {f"{name}-{number}" for name in NAMES}
        took = time.monotonic() - began
    tell(f"{MANY} rounds of two processes, two services of one role: both statements there each time, {took:.0f} s")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_rounds_with_readers_that_are_late(tmp_path: Path) -> None:
    """Two go there at once; then one goes back while a third goes there."""
    with crowd(tmp_path, LATE, (*NAMES, "three")) as fleet:
        file = Path(fleet.environment["MIGRATE_FLEET"])
        file.write_text(file.read_text().replace("trust_settle: 0.2", f"trust_settle: {LAG + 0.2}"))
        began = time.monotonic()
        with fleet.faults({"name": "late", "iamLate": {"seconds": LAG, "share": 0.5}}):
            for number in range(LATE):
                at_once(fleet, to_trust(number, *NAMES))
                back = {("rollback", "--service", f"main/shop/one-{number}"): Exit.DONE}
                at_once(fleet, back | to_trust(number, "three"))
        took, reads = time.monotonic() - began, len(fleet.played("late"))
        for number in range(LATE):
            assert let_in(fleet, number) == {f"two-{number}", f"three-{number}"}
        assert reads > LATE
    tell(f"{LATE} rounds with late readers ({reads} reads were old): nothing lost, nothing left over, {took:.0f} s")


def tell(figures: str) -> None:
    sys.stdout.write(f"\n{figures}\n")
