"""Both orders, stops, waiting for the owner, planning again from drift: real processes, each with its exit code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import Fleet, Ran, wait_for
from tests.lab.invariants import Invariant

KEY = "eks.amazonaws.com/role-arn"
FIRST, LAST = "annotation-first", "annotation-last"
BOTH = pytest.mark.parametrize("order", [FIRST, LAST])
NAMES = ("plain", "failing", "stepwise", "natural", "undone", "midway")
IRSA, POD_IDENTITY = "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("orders")
    services = [scenes.service(f"{name}-{order}") for name in NAMES for order in (FIRST, LAST)]
    services += [scenes.service("moved"), scenes.service("reconciled"), scenes.service("other-role")]
    for service in services:
        service["workloads"][0]["podSpec"] = {"terminationGracePeriodSeconds": 0}
    with harness.fleet(scenes.write(folder, services, addons=["eks-pod-identity-agent"]), folder, plane) as running:
        scenes.waits(running, **scenes.BRISK)
        running.migrate("plan").ok()
        for service in services:
            if service["name"].endswith(LAST):
                scenes.edit(running, f"main/shop/{service['name']}", order=LAST)
        yield running


def carry(fleet: Fleet, name: str, *options: str, command: str = "apply") -> Ran:
    return fleet.migrate(command, "--service", f"main/shop/{name}", "--yes", *options)


def annotation(fleet: Fleet, name: str) -> str | None:
    found = fleet.kube("main").get(f"/api/v1/namespaces/shop/serviceaccounts/{name}")
    value: str | None = found["metadata"].get("annotations", {}).get(KEY)
    return value


def identities(fleet: Fleet, name: str) -> set[str]:
    pods = fleet.kube("main").list("/api/v1/namespaces/shop/pods", fieldSelector=f"spec.serviceAccountName={name}")
    live = [pod for pod in pods["items"] if "deletionTimestamp" not in pod["metadata"]]
    names = {env["name"] for pod in live for c in pod["spec"]["containers"] for env in c.get("env", ())}
    return names & {IRSA, POD_IDENTITY}


def row(fleet: Fleet, name: str) -> dict[str, Any]:
    rows = fleet.migrate("status", "--output", "json").ok().data["services"]
    found: dict[str, Any] = next(one for one in rows if one["service"] == f"main/shop/{name}")
    return found


def steps(fleet: Fleet, name: str, *options: str) -> list[str]:
    """What `apply --dry-run` says it would do."""
    arguments = ("apply", "--service", f"main/shop/{name}", "--dry-run", "--output", "json", *options)
    return [step["id"] for step in fleet.migrate(*arguments).ok().data["intended"][0]["steps"]]


def replace_pods(fleet: Fleet, name: str) -> None:
    """What the owner of the pods does in its own time."""
    kube = fleet.kube("main")
    pods = kube.list("/api/v1/namespaces/shop/pods", fieldSelector=f"spec.serviceAccountName={name}")["items"]
    old = {pod["metadata"]["uid"] for pod in pods}
    for pod in pods:
        kube.delete(f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}")

    def replaced() -> bool:
        now = kube.list("/api/v1/namespaces/shop/pods", fieldSelector=f"spec.serviceAccountName={name}")["items"]
        ready = [
            p
            for p in now
            if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions", ()))
        ]
        return len(ready) == len(old) and not old & {pod["metadata"]["uid"] for pod in now}

    wait_for(f"new pods of {name}", replaced)


@BOTH
def test_there_and_back(fleet: Fleet, order: str) -> None:
    name = f"plain-{order}"
    before = annotation(fleet, name)
    pods = ["restart", "verify"]
    expected = ["annotation", *pods] if order == FIRST else [*pods, "annotation"]
    assert steps(fleet, name) == ["agent", "trust", "association", *expected]

    carry(fleet, name).ok()
    assert (identities(fleet, name), annotation(fleet, name)) == ({POD_IDENTITY}, None)
    assert "already migrated" in carry(fleet, name).ok().out

    carry(fleet, name, command="rollback").ok()
    assert (identities(fleet, name), annotation(fleet, name)) == ({IRSA}, before)


@BOTH
def test_without_auto_rollback_the_same_command_goes_on_or_rollback_goes_back(fleet: Fleet, order: str) -> None:
    name = f"failing-{order}"
    service = f"main/shop/{name}"
    scenes.waits(fleet, verify=1)
    scenes.edit(fleet, service, verify={"command": ["false"]})
    failed = carry(fleet, name, "--no-auto-rollback").ended(Exit.BLOCKED)
    assert "migrate rollback" in failed.err
    assert identities(fleet, name) == {POD_IDENTITY}

    carry(fleet, name, command="rollback").ok()
    assert identities(fleet, name) == {IRSA}

    carry(fleet, name, "--no-auto-rollback").ended(Exit.BLOCKED)
    scenes.edit(fleet, service, verify=None)
    carry(fleet, name).ok()
    assert (identities(fleet, name), annotation(fleet, name)) == ({POD_IDENTITY}, None)


@BOTH
def test_step_by_step(fleet: Fleet, order: str) -> None:
    name = f"stepwise-{order}"
    assert steps(fleet, name, "--to", "association") == ["agent", "trust", "association"]
    for kind in ("agent", "trust", "association"):
        stopped = carry(fleet, name, "--to", kind).ended(Exit.UNFINISHED)
        assert f'stopped after step "{kind}", as asked' in stopped.out
        assert row(fleet, name)["standing"] == "waiting"
    assert (identities(fleet, name), annotation(fleet, name) is None) == ({IRSA}, False)

    back = carry(fleet, name, "--to", "trust").ended(Exit.UNFINISHED)
    assert 'it is past step "trust" already' in " ".join(back.err.split())
    carry(fleet, name, "--to", "restart").ended(Exit.UNFINISHED)
    assert (identities(fleet, name), annotation(fleet, name) is None) == ({POD_IDENTITY}, order == FIRST)
    carry(fleet, name).ok()
    assert (row(fleet, name)["standing"], annotation(fleet, name)) == ("migrated", None)


def test_a_step_that_there_is_not(fleet: Fleet) -> None:
    ran = carry(fleet, "plain-annotation-first", "--to", "restrat").ended(Exit.USAGE)
    for kind in ("agent", "trust", "association", "annotation", "restart", "verify"):
        assert kind in ran.err


@BOTH
def test_natural(fleet: Fleet, order: str) -> None:
    name = f"natural-{order}"
    scenes.edit(fleet, f"main/shop/{name}", restart="natural")
    waiting = carry(fleet, name).ended(Exit.UNFINISHED)
    assert "their owner has not replaced them" in " ".join(waiting.err.split())
    told = row(fleet, name)
    assert (told["standing"], told["step"]) == ("waiting", {"id": "restart", "status": "started"})
    assert "their owner has not replaced them" in told["note"]
    assert identities(fleet, name) == {IRSA}
    fleet.migrate("plan").ok()
    carry(fleet, name).ended(Exit.UNFINISHED)

    replace_pods(fleet, name)
    carry(fleet, name).ok()
    assert (identities(fleet, name), annotation(fleet, name)) == ({POD_IDENTITY}, None)
    carry(fleet, name, command="rollback").ok()
    assert identities(fleet, name) == {IRSA}


def test_last_with_a_reconciler_stays_on_pod_identity_and_says_what_to_do(fleet: Fleet) -> None:
    scenes.edit(fleet, "main/shop/reconciled", order=LAST)
    scenes.waits(fleet, reconcile=1.5)  # on a busy machine it is put back late
    with fleet.faults({"putBack": {"annotation": "shop/reconciled"}}) as names:
        ran = carry(fleet, "reconciled").ended(Exit.BLOCKED)
        assert fleet.played(*names)
    said = " ".join(ran.err.split())
    assert "the pods are proven on Pod Identity" in said
    assert "take it out at its source, then run the same command again" in said
    assert (identities(fleet, "reconciled"), annotation(fleet, "reconciled") is None) == ({POD_IDENTITY}, False)
    scenes.waits(fleet, **scenes.BRISK)
    carry(fleet, "reconciled").ok()
    assert annotation(fleet, "reconciled") is None


@BOTH
def test_what_somebody_undid_is_drift_and_made_again_when_asked_for(fleet: Fleet, order: str) -> None:
    name = f"undone-{order}"
    carry(fleet, name).ok()
    fleet.waive(Invariant.ONCE, f"main/shop/{name}", "somebody deleted its association, and it was made again")
    fleet.waive(Invariant.CREDENTIALS, f"main/shop/{name}", "somebody deleted its association")
    delete_association(fleet, name)

    drifted = carry(fleet, name).ended(Exit.DRIFT)
    assert f"migrate apply --service main/shop/{name} --from-drift" in " ".join(drifted.err.split())
    shown = carry(fleet, name, "--from-drift", "--dry-run", "--output", "json").ok().data["intended"][0]
    assert {"field": "trust.before.pod_identity", "before": False, "after": True} in shown["changes"]
    assert shown["steps"]

    carry(fleet, name, "--from-drift").ok()
    assert (identities(fleet, name), annotation(fleet, name)) == ({POD_IDENTITY}, None)
    assert "already migrated" in carry(fleet, name, "--from-drift").ok().out
    carry(fleet, name, command="rollback").ok()
    assert identities(fleet, name) == {IRSA}


def delete_association(fleet: Fleet, name: str) -> None:
    eks = fleet.aws("eks")
    found = eks.list_pod_identity_associations(clusterName="main", namespace="shop", serviceAccount=name)
    for one in found["associations"]:
        eks.delete_pod_identity_association(clusterName="main", associationId=one["associationId"])
    wait_for("the webhook to hear of it", lambda: POD_IDENTITY not in given(fleet, name))


def given(fleet: Fleet, name: str) -> set[str]:
    """The variables a pod of the ServiceAccount would get now."""
    container = {"name": "app", "image": "registry.example/app:1"}
    spec = {"serviceAccountName": name, "containers": [container]}
    pod = fleet.kube("main").create(
        "/api/v1/namespaces/shop/pods", {"metadata": {"name": "asked"}, "spec": spec}, dryRun="All"
    )
    return {env["name"] for env in pod["spec"]["containers"][0].get("env", ())}


@BOTH
def test_an_open_run_goes_on_from_drift(fleet: Fleet, order: str) -> None:
    name = f"midway-{order}"
    service = f"main/shop/{name}"
    carry(fleet, name, "--to", "association").ended(Exit.UNFINISHED)
    carry(fleet, name, "--from-drift", "--to", "association").ended(Exit.UNFINISHED)  # nothing drifted
    fleet.waive(Invariant.ONCE, service, "somebody deleted its association, and it was made again")
    fleet.waive(Invariant.AGREE, service, "the run that was replaced made an association that is gone")
    delete_association(fleet, name)

    carry(fleet, name, "--from-drift").ok()
    assert (identities(fleet, name), annotation(fleet, name)) == ({POD_IDENTITY}, None)


def test_a_new_plan_that_is_blocked_blocks(fleet: Fleet) -> None:
    where = "/api/v1/namespaces/shop/serviceaccounts/moved"
    other = "arn:aws:iam::111111111111:role/nowhere"
    fleet.kube("main").patch(where, {"metadata": {"annotations": {KEY: other}}})

    carry(fleet, "moved").ended(Exit.DRIFT)
    ran = carry(fleet, "moved", "--from-drift").ended(Exit.BLOCKED)
    assert "role-missing" in ran.out + ran.err
    assert annotation(fleet, "moved") == other


def test_a_policy_of_the_fleet_file_sets_the_order_of_new_plans(fleet: Fleet) -> None:
    file = Path(fleet.environment["MIGRATE_FLEET"])
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(f"{text}policy:\n  order: {LAST}\n  restart: natural\n", encoding="utf-8")
        folder = fleet.folder / "other-plans"
        fleet.migrate("plan", "--plans", str(folder)).ok()
        plan = (folder / "main/shop/other-role.yaml").read_text(encoding="utf-8")
    finally:
        file.write_text(text, encoding="utf-8")
    assert f"order: {LAST}" in plan
    assert "restart: natural" in plan
    assert plan.index("- id: verify") < plan.index("- id: annotation")
