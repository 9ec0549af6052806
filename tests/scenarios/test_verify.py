"""`migrate verify` over the wire: workloads short of pods, other roles than the plan's, nothing there to prove it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import Fleet, Ran

ROLE_ARN = "eks.amazonaws.com/role-arn"
NIGHTLY = {"kind": "CronJob", "schedule": "0 3 1 1 *"}


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("verify")
    orders = scenes.service("orders")
    orders["workloads"] += [
        {"name": "z-recreate", "serviceAccount": "orders", "strategy": {"type": "Recreate"}},
        {"name": "at-night", "serviceAccount": "orders", **NIGHTLY},
    ]
    services = [orders, scenes.service("nightly", **NIGHTLY), scenes.service("idle", replicas=0)]
    services.append(scenes.service("associated", replicas=0))
    world = scenes.write(folder, services, addons=["eks-pod-identity-agent"])
    with harness.fleet(world, folder, plane) as running:
        running.migrate("plan").ok()
        yield running


def verify(fleet: Fleet, name: str, expected: str = "irsa") -> Ran:
    return fleet.migrate("verify", "--service", f"main/shop/{name}", "--expect", expected)


def annotate(fleet: Fleet, name: str, role_arn: str | None) -> str | None:
    """Sets the annotation, or takes it out; returns what it was."""
    path = f"/api/v1/namespaces/shop/serviceaccounts/{name}"
    before: str | None = fleet.kube("main").get(path)["metadata"].get("annotations", {}).get(ROLE_ARN)
    fleet.kube("main").patch(path, {"metadata": {"annotations": {ROLE_ARN: role_arn}}})
    return before


def z_recreate(fleet: Fleet) -> list[dict[str, Any]]:
    found = fleet.kube("main").list("/api/v1/namespaces/shop/pods", fieldSelector="spec.serviceAccountName=orders")
    return [pod for pod in found["items"] if pod["metadata"]["name"].startswith("z-recreate")]


def sick(fleet: Fleet) -> bool:
    return any("waiting" in one.get("state", {}) for pod in z_recreate(fleet) for one in _statuses(pod))


def _statuses(pod: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pod["status"].get("containerStatuses", [])
    return found


def test_a_workload_without_a_ready_pod_blocks(fleet: Fleet) -> None:
    assert "not proven yet, for want of a pod: CronJob at-night" in verify(fleet, "orders").ok().out

    with fleet.faults({"crashLoop": {"workload": "shop/z-recreate"}}):
        for pod in z_recreate(fleet):
            fleet.kube("main").delete(f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}")
        harness.wait_for("a crashing pod", lambda: sick(fleet))
        ran = verify(fleet, "orders").ended(Exit.BLOCKED)

    assert "Deployment z-recreate: 0 of 1 pods ready" in ran.out


@pytest.mark.parametrize("name", ["nightly", "idle"])
def test_without_a_pod_it_is_pending(fleet: Fleet, name: str) -> None:
    assert "no pod now to prove it: the next one will" in verify(fleet, name).ended(Exit.UNFINISHED).out
    verify(fleet, name, "pod-identity").ended(Exit.BLOCKED)


@pytest.mark.parametrize("role", ["arn:aws:iam::111111111111:role/nightly-other", None])
def test_another_annotation_than_the_plans_blocks(fleet: Fleet, role: str | None) -> None:
    before = annotate(fleet, "nightly", role)
    ran = fleet.migrate("verify", "--service", "main/shop/nightly").ended(Exit.BLOCKED)
    annotate(fleet, "nightly", before)

    assert ("annotated with another role" if role else "is not annotated") in ran.out
    verify(fleet, "nightly").ended(Exit.UNFINISHED)


def other_role(fleet: Fleet, like: str) -> str:
    """Makes a role that trusts whom role `like` trusts; its ARN."""
    iam = fleet.aws("iam")
    trust = json.dumps(iam.get_role(RoleName=like)["Role"]["AssumeRolePolicyDocument"])
    arn: str = iam.create_role(RoleName="other", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    return arn


def test_an_association_with_another_role_blocks(fleet: Fleet) -> None:
    fleet.migrate("apply", "--service", "main/shop/associated", "--yes").ended(Exit.UNFINISHED)
    fleet.migrate("verify", "--service", "main/shop/associated").ended(Exit.UNFINISHED)
    eks = fleet.aws("eks")
    listed = eks.list_pod_identity_associations(clusterName="main", serviceAccount="associated", namespace="shop")
    (found,) = listed["associations"]
    key = {"clusterName": "main", "associationId": found["associationId"]}
    mine = eks.describe_pod_identity_association(**key)["association"]["roleArn"]

    eks.update_pod_identity_association(**key, roleArn=other_role(fleet, "associated"))
    ran = fleet.migrate("verify", "--service", "main/shop/associated").ended(Exit.BLOCKED)
    eks.update_pod_identity_association(**key, roleArn=mine)

    assert "its association names another role" in ran.out
    fleet.migrate("verify", "--service", "main/shop/associated").ended(Exit.UNFINISHED)
