"""A fleet over the three partitions: planned, moved and taken back in each, by its own ARNs and issuers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrator.documents.emit import emit
from tests.lab import flocks, harness
from tests.lab.harness import Fleet

PLACES = {
    "aws": ("111111111111", "eu-west-1"),
    "aws-cn": ("222222222222", "cn-north-1"),
    "aws-us-gov": ("333333333333", "us-gov-west-1"),
}
ISSUERS = {
    "aws": "https://oidc.eks.eu-west-1.amazonaws.com/id/",
    "aws-cn": "https://oidc.eks.cn-north-1.amazonaws.com.cn/id/",
    "aws-us-gov": "https://oidc.eks.us-gov-west-1.amazonaws.com/id/",
}


def _cluster(partition: str) -> dict[str, Any]:
    account, region = PLACES[partition]
    namespace = {
        "name": "shop",
        "serviceAccounts": [{"name": "web", "role": "web", "labels": {"team": "shop"}}],
        "workloads": [{"name": "web", "serviceAccount": "web"}],
    }
    return {
        "name": partition,
        "account": account,
        "region": region,
        "associationDelay": 0.2,
        "nodes": [{"name": f"{partition}-n"}],
        "namespaces": [namespace],
    }


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("partitions")
    world = folder / "world.yaml"
    table = {"name": "orders", "key": "id", "items": [{"id": "1"}]}
    accounts = [
        {"id": account, "tables": [table], "roles": [{"name": "web", "reads": ["orders"]}]}
        for account, _ in PLACES.values()
    ]
    data = {"version": 1, "accounts": accounts, "clusters": [_cluster(partition) for partition in PLACES]}
    world.write_text(emit(data), encoding="utf-8")
    with harness.fleet(world, folder) as running:
        flocks.policy(running)
        running.migrate("plan").ok()
        yield running


def trust(fleet: Fleet, partition: str) -> str:
    role = fleet.aws("iam", *PLACES[partition]).get_role(RoleName="web")["Role"]
    return json.dumps(role["AssumeRolePolicyDocument"])


@pytest.mark.parametrize("partition", PLACES)
def test_there_and_back(fleet: Fleet, partition: str) -> None:
    account, region = PLACES[partition]
    service, arn = f"{partition}/shop/web", f"arn:{partition}:iam::{account}:role/web"
    plan = yaml.safe_load(fleet.plan_file(service).read_text(encoding="utf-8"))
    before = trust(fleet, partition)

    assert (plan["verdict"], plan["facts"]["role"]["arn"]) == ("ready", arn)
    assert plan["facts"]["cluster"]["arn"] == f"arn:{partition}:eks:{region}:{account}:cluster/{partition}"
    assert plan["facts"]["cluster"]["issuer"].startswith(ISSUERS[partition])
    assert f"arn:{partition}:iam::{account}:oidc-provider/{ISSUERS[partition][8:]}" in before

    fleet.migrate("apply", "--service", service, "--yes").ok()

    assert f"arn:{partition}:eks:{region}:{account}:cluster/{partition}" in trust(fleet, partition)
    [listed] = fleet.aws("eks", account, region).list_pod_identity_associations(clusterName=partition)["associations"]
    assert listed["associationArn"].startswith(f"arn:{partition}:eks:{region}:{account}:podidentityassociation/")
    seen = fleet.migrate("verify", "--service", service, "--output", "json").ok().data
    assert "pod-identity" in json.dumps(seen)

    fleet.migrate("rollback", "--service", service, "--yes").ok()

    assert trust(fleet, partition) == before


def test_discover_looks_for_each_account_in_its_own_partition(fleet: Fleet, tmp_path: Path) -> None:
    """With regions of all three, nobody is asked where he cannot be."""
    accounts = [option for account, _ in PLACES.values() for option in ("--account", f"{account}=lab-{account}")]
    regions = [option for _, region in PLACES.values() for option in ("--region", region)]
    file = tmp_path / "fleet.yaml"
    found = fleet.migrate("fleet", "discover", *accounts, *regions, "--fleet", str(file), "--output", "json").ok().data

    assert {one["alias"]: (one["account"], one["region"]) for one in found["clusters"]} == PLACES
