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

from migrator.documents.emit import emit
from migrator.model.exits import Exit
from migrator.model.trust import ours
from tests.lab import harness, scenes
from tests.lab.harness import Fleet

NAMES = ("one", "two")
ROUNDS = 2
MANY = 100
FEWER = 30
ROUNDS_AT_ONCE = 3
LATE = 20
FOREIGN = [
    {"Sid": "Ci", "Effect": "Allow", "Principal": {"Service": ["codebuild.amazonaws.com"]}, "Action": "sts:AssumeRole"},
    {
        "Action": ["sts:AssumeRole"],
        "Principal": {"AWS": f"arn:aws:iam::{scenes.ACCOUNT}:root"},
        "Effect": "Allow",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringLike": {"aws:userid": ["AIDA*"]}},
    },
]
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


@contextmanager
def pairs(folder: Path, rounds: int, clusters: tuple[str, str]) -> Iterator[Fleet]:
    """Two clusters, and for each round a role of two services, one in each of `clusters`, that others trust too."""
    roles = [
        {
            "name": f"Shared{number}",
            "trust": {
                "irsa": [
                    {"cluster": cluster, "namespace": "shop", "serviceAccount": name}
                    for cluster, name in members(number, clusters)
                ],
                "statements": FOREIGN,
            },
        }
        for number in range(rounds)
    ]
    accounts: dict[str, list[Any]] = {alias: [] for alias in ("main", "east")}
    for number in range(rounds):
        for cluster, name in members(number, clusters):
            accounts[cluster].append({"name": name, "role": f"Shared{number}", "labels": scenes.LABELS})
    world = {
        "version": 1,
        "accounts": [{"id": scenes.ACCOUNT, "roles": roles}],
        "clusters": [
            {
                "name": alias,
                "region": region,
                "addons": ["eks-pod-identity-agent"],
                "nodes": [{"name": "n", "count": 1}],
                "namespaces": [{"name": "shop", "serviceAccounts": accounts[alias]}],
            }
            for alias, region in (("main", "eu-west-1"), ("east", "us-east-1"))
        ],
    }
    path = folder / "world.yaml"
    path.write_text(emit(world), encoding="utf-8")
    with harness.fleet(path, folder) as running:
        running.migrate("plan").ok()
        yield running


def members(number: int, clusters: tuple[str, str]) -> list[tuple[str, str]]:
    """Cluster and name of the round's services."""
    return [(cluster, f"{name}-{number}") for cluster, name in zip(clusters, NAMES, strict=True)]


def one_round(fleet: Fleet, number: int, clusters: tuple[str, str]) -> None:
    commands = [
        ("apply", "--service", f"{cluster}/shop/{name}", "--to", "trust") for cluster, name in members(number, clusters)
    ]
    at_once(fleet, dict.fromkeys(commands, Exit.UNFINISHED))
    assert granted(fleet, number) == set(members(number, clusters))


def granted(fleet: Fleet, number: int) -> set[tuple[str, str]]:
    """Cluster and name of each whom our statements of that round's role let in, and nobody else."""
    document = json.dumps({"Statement": statements(fleet, f"Shared{number}")})
    return {(one.cluster_arn.rpartition("/")[2], one.name) for one in ours(document)}


def foreign(fleet: Fleet, number: int) -> list[str]:
    """What others wrote into that round's role, each statement to the letter."""
    every = statements(fleet, f"Shared{number}")
    return [json.dumps(one) for one in every if not ours(json.dumps({"Statement": [one]}))]


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
@pytest.mark.apart
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("clusters", "rounds"),
    [(("main", "main"), MANY), (("main", "east"), FEWER)],
    ids=["a hundred in one cluster", "across two clusters"],
)
def test_rounds_of_two_processes(tmp_path: Path, clusters: tuple[str, str], rounds: int) -> None:
    """Each round has a role of its own, so that several are played at once; what others wrote stays to the letter."""
    with pairs(tmp_path, rounds, clusters) as fleet:
        before = [foreign(fleet, number) for number in range(rounds)]
        began = time.monotonic()
        with ThreadPoolExecutor(ROUNDS_AT_ONCE) as pool:
            list(pool.map(lambda number: one_round(fleet, number, clusters), range(rounds)))
        took = time.monotonic() - began
        for number in range(rounds):
            assert foreign(fleet, number) == before[number]
            assert granted(fleet, number) == set(members(number, clusters))
    tell(f"{rounds} rounds of two processes in {' and '.join(clusters)}: both there each time, {took:.0f} s")


@pytest.mark.slow
@pytest.mark.apart
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
