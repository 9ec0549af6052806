"""Mistakes that want a whole fleet to be made: objects blanked, roles mistaken, trust lost to another cluster's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from migrator.documents.emit import emit
from migrator.model.trust import ours
from tests.lab import harness
from tests.lab.harness import Fleet
from tests.lab.scenes import LABELS

HOME, AWAY = "111111111111", "222222222222"
CI = {
    "Effect": "Allow",
    "Principal": {"Federated": f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:shop/*"}},
}
ACCOUNT = "/api/v1/namespaces/shop/serviceaccounts"


def cluster(name: str, region: str, *services: tuple[str, str]) -> dict[str, Any]:
    accounts = [{"name": service, "role": role, "labels": LABELS} for service, role in services]
    return {
        "name": name,
        "account": HOME,
        "region": region,
        "addons": ["eks-pod-identity-agent"],
        "associationDelay": 0.3,
        "nodes": [{"name": "n", "count": 1}],
        "namespaces": [
            {
                "name": "shop",
                "serviceAccounts": accounts,
                "workloads": [{"name": service, "serviceAccount": service} for service, _ in services],
            }
        ],
    }


def subject(where: str, name: str) -> dict[str, Any]:
    return {"cluster": where, "namespace": "shop", "serviceAccount": name}


SHARED = [subject("main", "one"), subject("east", "two")]
WORLD = {
    "version": 1,
    "accounts": [
        {
            "id": HOME,
            "alias": "home",
            "roles": [
                {"name": "Pathed", "path": "/team/a/"},
                {"name": "Twin"},
                {"name": "Shared", "trust": {"irsa": SHARED, "statements": [CI]}},
            ],
        },
        {"id": AWAY, "alias": "away", "oidcProviders": [{"cluster": "main"}], "roles": [{"name": "Twin"}]},
    ],
    "clusters": [
        cluster("main", "eu-west-1", ("pathed", "Pathed"), ("twin", "away:Twin"), ("one", "Shared")),
        cluster("east", "us-east-1", ("two", "Shared")),
    ],
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("mistakes")
    world = folder / "world.yaml"
    world.write_text(emit(WORLD), encoding="utf-8")
    with harness.fleet(world, folder) as running:
        running.migrate("plan").ok()
        yield running


def trust(fleet: Fleet, role: str) -> list[str]:
    """Its statements in the clusters' own account, each to the letter."""
    document = fleet.aws("iam", HOME).get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    return [json.dumps(one) for one in document["Statement"]]


def test_a_role_with_a_path_goes_the_whole_way_and_stops_nobody(fleet: Fleet) -> None:
    services = fleet.migrate("plan", "--output", "json").ok().data["services"]
    planned = {one["service"]: one["verdict"] for one in services}
    assert planned["main/shop/pathed"] == planned["main/shop/one"] == planned["east/shop/two"] == "ready"
    fleet.migrate("apply", "--service", "main/shop/pathed", "--yes").ok()
    fleet.migrate("verify", "--service", "main/shop/pathed", "--expect", "pod-identity").ok()
    fleet.migrate("rollback", "--service", "main/shop/pathed", "--yes").ok()


def test_taking_the_annotation_off_leaves_every_other_field_of_the_service_account(fleet: Fleet) -> None:
    kube = fleet.kube("main")
    set_by_a_person = {
        "imagePullSecrets": [{"name": "registry"}],
        "secrets": [{"name": "legacy-token"}],
        "automountServiceAccountToken": False,
    }
    before = kube.patch(f"{ACCOUNT}/pathed", set_by_a_person)
    fleet.migrate("apply", "--service", "main/shop/pathed", "--yes").ok()
    after = kube.get(f"{ACCOUNT}/pathed")
    assert "eks.amazonaws.com/role-arn" not in (after["metadata"].get("annotations") or {})
    assert {name: after[name] for name in set_by_a_person} == set_by_a_person
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    fleet.migrate("rollback", "--service", "main/shop/pathed", "--yes").ok()


def test_a_role_of_the_same_name_in_the_own_account_is_never_edited(fleet: Fleet) -> None:
    """Whatever becomes of a role that lives elsewhere, its namesake here has nothing to do with it."""
    before = trust(fleet, "Twin")
    fleet.migrate("plan").ok()
    fleet.migrate("apply", "--service", "main/shop/twin", "--yes")
    assert trust(fleet, "Twin") == before


def test_the_second_cluster_of_a_role_does_not_undo_the_first(fleet: Fleet) -> None:
    """Both plans were made before either was applied; CI's and the other cluster's statements stay all the while."""
    before = trust(fleet, "Shared")
    for service in ("main/shop/one", "east/shop/two"):
        fleet.migrate("apply", "--service", service, "--yes").ok()
        assert trust(fleet, "Shared")[: len(before)] == before
    document = json.dumps({"Statement": [json.loads(one) for one in trust(fleet, "Shared")]})
    assert {one.name for one in ours(document)} == {"one", "two"}
    fleet.migrate("rollback", "--service", "main/shop/one", "--yes").ok()
    fleet.migrate("verify", "--service", "east/shop/two", "--expect", "pod-identity").ok()
    fleet.migrate("rollback", "--service", "east/shop/two", "--yes").ok()
    assert trust(fleet, "Shared") == before
