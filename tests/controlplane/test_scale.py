"""A cluster of the size that people have: planning it costs as many calls as there are pages, however many services.

kwok plays the nodes here: hundreds of pods cost it nothing, and nobody asks them for anything.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from migrator.lab.controlplane import programs
from migrator.lab.controlplane.children import Child
from migrator.lab.kubeclient import resource_path
from tests.lab import harness, scenes
from tests.lab.harness import Fleet

pytestmark = [pytest.mark.controlplane, pytest.mark.slow]
SERVICES, PODS, NODES = 200, 4, 4
PER_ROLE = 10
NAMESPACE = "bulk"
STAGES = Path(__file__).with_name("stages.yaml")
Json = dict[str, Any]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("scale")
    world = scenes.write(folder, [scenes.service("orders")])
    with harness.unwatched(world, folder, "real") as running, kwok(running, folder):
        fill(running)
        yield running


@contextmanager
def kwok(fleet: Fleet, folder: Path) -> Iterator[None]:
    """kwok plays the nodes with its label for the block."""
    command = [
        str(programs.have(programs.KWOK, programs.say)),
        f"--kubeconfig={fleet.environment['KUBECONFIG']}",
        "--manage-nodes-with-label-selector=played=by-kwok",
        f"--config={STAGES}",
        "--server-address=127.0.0.1:0",
    ]
    child = Child(command, folder / "kwok.log")
    child.start()
    try:
        yield
    finally:
        child.stop()


def fill(fleet: Fleet) -> None:
    """Nodes, roles, ServiceAccounts and Deployments; returns when every pod is ready."""
    kube = fleet.kube("main")
    for number in range(NODES):
        kube.create_object(node(f"kwok-{number}"))
    kube.create_object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    trust = json.dumps(fleet.aws("iam").get_role(RoleName="orders")["Role"]["AssumeRolePolicyDocument"])
    for number in range(SERVICES // PER_ROLE):
        whole = trust.replace("system:serviceaccount:shop:orders", f"system:serviceaccount:{NAMESPACE}:*")
        document = whole.replace("StringEquals", "StringLike")
        fleet.aws("iam").create_role(RoleName=f"bulk-{number}", AssumeRolePolicyDocument=document)
    for number in range(SERVICES):
        kube.create_object(account(number))
        kube.create_object(deployment(number))
    harness.wait_for("every pod", lambda: ready(fleet) == SERVICES, limit=240)


def ready(fleet: Fleet) -> int:
    found = fleet.kube("main").list(resource_path("apps/v1", "deployments", NAMESPACE))["items"]
    return sum(one["status"].get("readyReplicas") == PODS for one in found)


def node(name: str) -> Json:
    labels = {"played": "by-kwok", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def account(number: int) -> Json:
    role = f"arn:aws:iam::{scenes.ACCOUNT}:role/bulk-{number // PER_ROLE}"
    meta = {"name": f"s{number:03}", "namespace": NAMESPACE, "annotations": {"eks.amazonaws.com/role-arn": role}}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}


def deployment(number: int) -> Json:
    name, labels = f"s{number:03}", {"app": f"s{number:03}"}
    spec = {
        "serviceAccountName": name,
        "nodeName": f"kwok-{number % NODES}",
        "containers": [{"name": "app", "image": "registry.example/app:1"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": PODS,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


@pytest.mark.timeout(600)
def test_planning_costs_pages(fleet: Fleet) -> None:
    asked, called = len(fleet.kube_calls()), len(fleet.calls())
    began = time.monotonic()
    plan = fleet.migrate("plan", "--output", "json").ok().data
    took = time.monotonic() - began
    of_kube = Counter(call["resource"] for call in fleet.kube_calls()[asked:] if call["by"] == "operator")
    of_aws = Counter(call["operation"] for call in fleet.calls()[called:])
    sys.stdout.write(f"\n{SERVICES} services, {SERVICES * PODS} pods planned in {took:.1f} s; calls: ")
    sys.stdout.write(f"{dict(of_kube)}, {dict(of_aws)}\n")
    assert len(plan["services"]) == SERVICES + 1
    assert of_kube.total() <= 40
    assert of_aws.total() <= 40

    files = {path: path.read_bytes() for path in Path(fleet.environment["MIGRATE_PLANS"]).rglob("*.yaml")}
    assert len(files) == SERVICES + 1
    fleet.migrate("plan").ok()
    assert {path: path.read_bytes() for path in files} == files
