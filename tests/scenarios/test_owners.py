"""ServiceAccounts and roles that somebody has in a source of his own: moved, and nothing done behind his back."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import Fleet, Ran
from tests.lab.invariants import Invariant
from tests.lab.witness import identity_of
from tests.scenarios.reconciler import KEY, Reconciler

RELEASE = {"meta.helm.sh/release-name": "orders", "meta.helm.sh/release-namespace": "shop"}
HELM = {"labels": {**scenes.LABELS, "app.kubernetes.io/managed-by": "Helm"}, "annotations": RELEASE}
TRACKED = {"annotations": {"argocd.argoproj.io/tracking-id": "shop:/ServiceAccount:shop/tracked"}}
STACK = {"aws:cloudformation:stack-name": "shop-roles", "aws:cloudformation:logical-id": "StackedRole"}
OWNER = "Helm release shop/orders"
CLAIMANT = "platform-operator"
NOBODYS = ("stacked", "stale", "claimed")  # their ServiceAccounts, as far as the first plan knows


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("owners")
    services = [scenes.service(name) for name in ("released", "upgraded", "tracked", "batched", *NOBODYS)]
    for service in services:
        service["workloads"][0]["podSpec"] = {"terminationGracePeriodSeconds": 0}
        service["account"] = TRACKED if service["name"] == "tracked" else HELM
        if service["name"] in NOBODYS:
            service["account"] = {}
        if service["name"] == "stacked":
            service["role"] = {"name": service["name"], "tags": STACK}
    with harness.fleet(scenes.write(folder, services, addons=["eks-pod-identity-agent"]), folder, plane) as running:
        scenes.waits(running, **scenes.BRISK)
        running.migrate("plan").ok()
        yield running


def carry(fleet: Fleet, name: str, command: str = "apply") -> Ran:
    return fleet.migrate(command, "--service", f"main/shop/{name}", "--yes")


def data_of(fleet: Fleet, command: str, name: str) -> Any:
    chosen = (f"main/shop/{name}",) if command == "show" else ("--service", f"main/shop/{name}")
    return fleet.migrate(command, *chosen, "--output", "json").data


def row(fleet: Fleet, name: str) -> dict[str, Any]:
    rows = fleet.migrate("status", "--output", "json").ok().data["services"]
    found: dict[str, Any] = next(one for one in rows if one["service"] == f"main/shop/{name}")
    return found


def annotation(fleet: Fleet, name: str) -> str | None:
    found = fleet.kube("main").get(f"/api/v1/namespaces/shop/serviceaccounts/{name}")
    value: str | None = found["metadata"].get("annotations", {}).get(KEY)
    return value


def annotate(fleet: Fleet, name: str, value: str | None) -> None:
    """What the owner does at his source, as it arrives at the cluster."""
    body = {"metadata": {"annotations": {KEY: value}}}
    fleet.kube("main").patch(f"/api/v1/namespaces/shop/serviceaccounts/{name}", body)


def pods(fleet: Fleet, name: str) -> dict[str, str]:
    """Name to identity of the pods that stay."""
    found = fleet.kube("main").list("/api/v1/namespaces/shop/pods", fieldSelector=f"spec.serviceAccountName={name}")
    return {
        pod["metadata"]["name"]: identity_of(pod)
        for pod in found["items"]
        if "deletionTimestamp" not in pod["metadata"]
    }


def trust(fleet: Fleet, role: str) -> Any:
    return fleet.aws("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]


def test_a_helm_releases_annotation_is_left_to_it_and_everything_says_so(fleet: Fleet) -> None:
    before = annotation(fleet, "released")
    shown = data_of(fleet, "show", "released")
    assert [one["name"] for one in shown["owners"]] == [OWNER]
    values = yaml.safe_load(shown["owners"][0]["patches"][0]["text"])
    assert values == {"serviceAccount": {"annotations": {KEY: None}}}
    assert f"left to {OWNER}" in fleet.migrate("show", "main/shop/released").ok().out

    ran = carry(fleet, "released").ok()
    assert f"its annotation is left to {OWNER}" in " ".join(ran.out.split())
    assert annotation(fleet, "released") == before
    moved = pods(fleet, "released")
    assert set(moved.values()) == {"pod-identity"}

    assert (row(fleet, "released")["standing"], row(fleet, "released")["left_to"]) == ("migrated", OWNER)
    history = fleet.migrate("history", "main/shop/released", "--output", "json").ok().data["lines"]
    assert f"left to {OWNER}" in {line["note"] for line in history if line["step"] == "annotation"}
    assert data_of(fleet, "verify", "released")["services"][0]["left_to"] == OWNER

    planned = fleet.migrate("plan", "--output", "json").ok().data["services"]
    assert {one["plan"] for one in planned if one["service"] == "main/shop/released"} == {"in-hand"}
    assert "already migrated" in carry(fleet, "released").ok().out
    assert pods(fleet, "released") == moved

    carry(fleet, "released", "rollback").ok()
    assert (annotation(fleet, "released"), set(pods(fleet, "released").values())) == (before, {"irsa"})
    assert row(fleet, "released")["left_to"] is None


def test_what_its_owner_has_taken_out_since_he_must_put_back_before_the_way_back(fleet: Fleet) -> None:
    before = annotation(fleet, "upgraded")
    carry(fleet, "upgraded").ok()
    fleet.waive(Invariant.ONCE, "main/shop/upgraded", "its owner takes its annotation out, and puts it back")
    annotate(fleet, "upgraded", None)

    said = fleet.migrate("verify", "--service", "main/shop/upgraded").ok().out
    assert f"{OWNER} took its annotation out" in said
    assert f"{OWNER} has taken its annotation out since" in " ".join(carry(fleet, "upgraded").ok().out.split())
    assert row(fleet, "upgraded")["left_to"] is None
    assert "main/shop/upgraded" in fleet.migrate("plan", "--output", "json").ok().data["moved"]

    refused = " ".join(carry(fleet, "upgraded", "rollback").ended(Exit.DRIFT).err.split())
    assert f'was taken out by its owner, {OWNER}: have it put back there, with the value "{before}"' in refused
    assert set(pods(fleet, "upgraded").values()) == {"pod-identity"}

    annotate(fleet, "upgraded", before)
    carry(fleet, "upgraded", "rollback").ok()
    assert (annotation(fleet, "upgraded"), set(pods(fleet, "upgraded").values())) == (before, {"irsa"})


def test_argo_cd_has_nothing_to_put_back(fleet: Fleet) -> None:
    before = annotation(fleet, "tracked")
    with fleet.faults({"putBack": {"annotation": "shop/tracked"}}) as names:
        assert "Argo CD application shop" in carry(fleet, "tracked").ok().out
        assert set(pods(fleet, "tracked").values()) == {"pod-identity"}
        carry(fleet, "tracked", "rollback").ok()
        assert fleet.played(*names) == []
    assert (annotation(fleet, "tracked"), set(pods(fleet, "tracked").values())) == (before, {"irsa"})


@pytest.mark.slow
def test_who_puts_the_annotation_back_is_known_by_it_and_it_is_left_to_him(fleet: Fleet) -> None:
    before = annotation(fleet, "claimed")
    assert before
    with Reconciler(fleet.kube("main"), "shop", "claimed", before, CLAIMANT) as claimant:
        scenes.waits(fleet, reconcile=1.5)  # on a busy machine he may be late
        ran = carry(fleet, "claimed").ended(Exit.ROLLED_BACK)
        scenes.waits(fleet, **scenes.BRISK)
        assert "something reconciles it" in " ".join((ran.out + ran.err).split())
        assert (annotation(fleet, "claimed"), set(pods(fleet, "claimed").values())) == (before, {"irsa"})
        healed = claimant.healed
        assert healed

        fleet.migrate("plan").ok()
        (owner,) = data_of(fleet, "show", "claimed")["owners"]
        assert owner["name"] == f"field manager {CLAIMANT}"
        assert f"its annotation is left to {owner['name']}" in " ".join(carry(fleet, "claimed").ok().out.split())
        assert set(pods(fleet, "claimed").values()) == {"pod-identity"}
        carry(fleet, "claimed", "rollback").ok()
        assert claimant.healed == healed
    assert (annotation(fleet, "claimed"), set(pods(fleet, "claimed").values())) == (before, {"irsa"})


def test_a_stacks_role_is_moved_once_the_stack_lets_pod_identity_in(fleet: Fleet) -> None:
    before = trust(fleet, "stacked")
    refused = carry(fleet, "stacked").ended(Exit.BLOCKED)
    assert "role-cloudformation" in refused.out + refused.err
    (owner,) = data_of(fleet, "show", "stacked")["owners"]
    template = yaml.safe_load(owner["patches"][0]["text"])
    (statement,) = template["Resources"]["StackedRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust(fleet, "stacked") == before

    updated = {**before, "Statement": [*before["Statement"], statement]}
    fleet.aws("iam").update_assume_role_policy(RoleName="stacked", PolicyDocument=json.dumps(updated))
    fleet.migrate("plan").ok()
    carry(fleet, "stacked").ok()
    assert set(pods(fleet, "stacked").values()) == {"pod-identity"}
    carry(fleet, "stacked", "rollback").ok()
    assert trust(fleet, "stacked") == updated
    assert set(pods(fleet, "stacked").values()) == {"irsa"}


def test_a_plan_older_than_the_stack_does_not_edit_behind_it(fleet: Fleet) -> None:
    before = trust(fleet, "stale")
    fleet.aws("iam").tag_role(RoleName="stale", Tags=[{"Key": key, "Value": value} for key, value in STACK.items()])
    ran = carry(fleet, "stale").ended(Exit.ROLLED_BACK)
    assert "belongs to CloudFormation stack shop-roles" in " ".join((ran.out + ran.err).split())
    assert trust(fleet, "stale") == before


def test_a_batch_counts_the_annotations_that_it_left(fleet: Fleet) -> None:
    told = fleet.migrate("batch", "--role", "batched", "--output", "json").data
    (batched,) = (one for one in told["services"] if one["service"] == "main/shop/batched")
    assert (batched["exit"]["code"], batched["left_to"]) == (Exit.DONE, OWNER)
    assert set(pods(fleet, "batched").values()) == {"pod-identity"}
