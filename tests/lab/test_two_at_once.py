"""Two processes, two services of one role, at the same moment: neither loses the other's trust statement."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import Fleet

NAMES = ("one", "two")
ROUNDS = 2


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("two")
    services = [{**scenes.service(name), "role": {"name": "Shared"}} for name in NAMES]
    with harness.fleet(scenes.write(folder, services, addons=["eks-pod-identity-agent"]), folder) as running:
        running.migrate("plan").ok()
        yield running


def statements(fleet: Fleet) -> list[dict[str, Any]]:
    session: Any = boto3.Session("LABKEY00111111111111", "lab-secret-key-for-practice-only", region_name="eu-west-1")
    iam = session.client("iam", endpoint_url=fleet.lab.aws_endpoint, config=Config(proxies={}))
    found: list[dict[str, Any]] = iam.get_role(RoleName="Shared")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    return found


def both(fleet: Fleet, command: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        ran = list(pool.map(lambda name: fleet.migrate(command, "--service", f"main/shop/{name}", "--yes"), NAMES))
    assert [one.exit for one in ran] == [Exit.DONE, Exit.DONE], [one.err for one in ran]


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
