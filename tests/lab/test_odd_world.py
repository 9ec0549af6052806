"""A world nobody foresaw: roles that trust each other across accounts, a scalar trust, claims, several workloads."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from migrator.documents.emit import emit
from tests.lab import harness
from tests.lab.harness import Fleet

HOME, AWAY = "111111111111", "222222222222"
SCALAR = {
    "Version": "2012-10-17",
    "Id": "by-hand",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Federated": "${provider:main}"},
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Condition": {"StringLike": {"${issuer:main}:sub": "system:serviceaccount:shop:d*"}},
    },
}


def trusting(account: str, role: str) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{account}:role/{role}"}
    return {"statements": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}


WORLD = {
    "version": 1,
    "accounts": [
        {
            "id": HOME,
            "roles": [
                {"name": "First", "trust": trusting(AWAY, "Late")},
                {"name": "Db", "path": "/team/data/", "trust": SCALAR},
                {"name": "Pair"},
            ],
        },
        {"id": AWAY, "roles": [{"name": "Late", "trust": trusting(HOME, "First")}]},
    ],
    "clusters": [
        {
            "name": "main",
            "associationDelay": 0.3,
            "namespaces": [
                {
                    "name": "shop",
                    "serviceAccounts": [{"name": "db", "role": "Db"}, {"name": "pair", "role": "Pair"}],
                    "workloads": [
                        {"name": "pair", "serviceAccount": "pair", "replicas": 2},
                        {"name": "pair-worker", "kind": "DaemonSet", "serviceAccount": "pair"},
                    ],
                }
            ],
            "manifests": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "StatefulSet",
                    "metadata": {"name": "db", "namespace": "shop"},
                    "spec": {
                        "serviceName": "db",
                        "replicas": 2,
                        "selector": {"matchLabels": {"app": "db"}},
                        "template": {
                            "metadata": {"labels": {"app": "db"}},
                            "spec": {
                                "serviceAccountName": "db",
                                "containers": [
                                    {
                                        "name": "db",
                                        "image": "example/db:1",
                                        "command": ["sleep", "infinity"],
                                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                                    }
                                ],
                            },
                        },
                        "volumeClaimTemplates": [
                            {
                                "metadata": {"name": "data"},
                                "spec": {
                                    "accessModes": ["ReadWriteOnce"],
                                    "resources": {"requests": {"storage": "1Gi"}},
                                },
                            }
                        ],
                    },
                }
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("odd")
    world = folder / "world.yaml"
    Path(world).write_text(emit(WORLD), encoding="utf-8")
    with harness.fleet(world, folder) as running:
        running.migrate("plan").ok()
        yield running


def trust_of(fleet: Fleet, role: str) -> str:
    """The document as it is stored, forms and order included."""
    session: Any = boto3.Session(f"LABKEY00{HOME}", "lab-secret-key-for-practice-only", region_name="us-east-1")
    iam = session.client("iam", endpoint_url=fleet.lab.aws_endpoint, config=Config(proxies={}))
    return json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])


@pytest.mark.parametrize(("name", "role"), [("db", "Db"), ("pair", "Pair")])
def test_there_and_back_is_the_identity(fleet: Fleet, name: str, role: str) -> None:
    service = f"main/shop/{name}"
    trust = trust_of(fleet, role)
    account = fleet.kube("main").get(f"/api/v1/namespaces/shop/serviceaccounts/{name}")

    fleet.migrate("apply", "--service", service, "--yes").ok()
    fleet.migrate("verify", "--service", service, "--expect", "pod-identity").ok()
    assert trust_of(fleet, role) != trust
    fleet.migrate("rollback", "--service", service, "--yes").ok()
    fleet.migrate("verify", "--service", service, "--expect", "irsa").ok()

    assert trust_of(fleet, role) == trust
    again = fleet.kube("main").get(f"/api/v1/namespaces/shop/serviceaccounts/{name}")
    assert again["metadata"]["annotations"] == account["metadata"]["annotations"]
