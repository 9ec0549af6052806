"""Workloads that are no plain matter: canaries, budgets, missed pods, sick and bare ones, those left to their owner."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import Fleet
from tests.lab.invariants import Invariant
from tests.scenarios.workloads import ON_DELETE, moving, named, pods, verified

WORKLOADS: Mapping[str, Mapping[str, Any]] = {
    "missed": {"replicas": 3},
    "missed-always": {"replicas": 1},
    "tight": {"kind": "StatefulSet", "replicas": 3, "strategy": ON_DELETE},
    "shut": {"kind": "StatefulSet", "replicas": 2, "strategy": ON_DELETE},
    "sick": {"kind": "StatefulSet", "replicas": 2},
    "natural": {"replicas": 2},
    "nightly": {"kind": "CronJob", "schedule": "0 3 1 1 *"},
    "paused": {"spec": {"paused": True}},
}


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    services = [scenes.service(name, **workload) for name, workload in WORKLOADS.items()]
    bare = scenes.service("bare")
    bare["workloads"].append({"kind": "Pod", "name": "alone", "serviceAccount": "bare"})
    crew = scenes.service("crew", replicas=3)
    crew["workloads"].append({"name": "canary", "serviceAccount": "crew"})
    budgets = budget("tight", 2), budget("shut", 2)
    with moving(plane, tmp_path_factory.mktemp("workloads"), [*services, bare, crew], *budgets) as running:
        yield running


def budget(name: str, fewest: int) -> dict[str, Any]:
    """A PodDisruptionBudget for the pods of the service's workload."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": f"{name}-budget", "namespace": "shop"},
        "spec": {"minAvailable": fewest, "selector": {"matchLabels": {"app.kubernetes.io/name": name}}},
    }


def test_the_smallest_workload_is_the_canary_of_the_others(fleet: Fleet) -> None:
    order = fleet.migrate("show", "main/shop/crew").ok().out
    assert order.index("Deployment canary") < order.index("Deployment crew")
    with fleet.faults({"crashLoop": {"workload": "shop/canary", "identity": "podIdentity"}}):
        scenes.waits(fleet, rollout=6)
        before = {pod["metadata"]["uid"] for pod in pods(fleet, "crew") if pod["metadata"]["name"].startswith("crew")}
        ran = fleet.migrate("apply", *named("crew")).ended(Exit.ROLLED_BACK)
        scenes.waits(fleet, rollout=30)

    assert "Deployment canary" in ran.err
    assert before <= {pod["metadata"]["uid"] for pod in pods(fleet, "crew")}
    verified(fleet, "crew", "irsa")


def test_a_stateful_set_whose_new_pod_never_gets_ready_is_taken_back(fleet: Fleet) -> None:
    with fleet.faults({"crashLoop": {"workload": "shop/sick", "identity": "podIdentity"}}) as names:
        scenes.waits(fleet, rollout=8)
        ran = fleet.migrate("apply", *named("sick")).ended(Exit.ROLLED_BACK)
        scenes.waits(fleet, rollout=30)
        assert fleet.played(*names)

    assert "StatefulSet sick" in ran.err
    assert len(pods(fleet, "sick")) == 2
    verified(fleet, "sick", "irsa")


def test_missed_pods_are_made_anew_once(fleet: Fleet) -> None:
    fleet.waive(Invariant.CREDENTIALS, "main/shop/missed", "the webhook gives one pod nothing")
    with fleet.faults({"webhookMisses": {"serviceAccount": "shop/missed", "first": 1}}) as names:
        ran = fleet.migrate("apply", *named("missed")).ok()
        assert fleet.played(*names)

    assert "missed" in fleet.migrate("history", "main/shop/missed").ok().out
    assert "3 pods on pod-identity" in ran.out
    verified(fleet, "missed", "pod-identity")


def test_pods_that_are_missed_again_end_in_the_way_back(fleet: Fleet) -> None:
    fleet.waive(Invariant.CREDENTIALS, "main/shop/missed-always", "the webhook gives every pod nothing")
    with fleet.faults({"webhookMisses": {"serviceAccount": "shop/missed-always"}}):
        ran = fleet.migrate("apply", *named("missed-always")).ended(Exit.ROLLED_BACK)

    assert "made anew once already" in ran.err
    verified(fleet, "missed-always", "irsa")


def test_a_budget_that_allows_one_at_a_time_is_kept_to(fleet: Fleet) -> None:
    fleet.migrate("apply", *named("tight")).ok()
    verified(fleet, "tight", "pod-identity")


def test_a_budget_that_allows_none_ends_in_the_way_back_and_is_named(fleet: Fleet) -> None:
    scenes.waits(fleet, rollout=3)
    ran = fleet.migrate("apply", *named("shut")).ended(Exit.ROLLED_BACK)
    scenes.waits(fleet, rollout=30)

    assert "shut-budget" in ran.err
    verified(fleet, "shut", "irsa")


def test_natural_restarts_wait_for_their_owner(fleet: Fleet) -> None:
    scenes.edit(fleet, "main/shop/natural", restart="natural")
    ran = fleet.migrate("apply", *named("natural")).ended(Exit.UNFINISHED)
    assert "2 of 2 pods of Deployment natural" in ran.out + ran.err
    fleet.kube("main").patch(
        "/apis/apps/v1/namespaces/shop/deployments/natural",
        {"spec": {"template": {"metadata": {"annotations": {"their": "release"}}}}},
    )
    harness.wait_for("the owner's rollout", lambda: owner_rolled(fleet))

    fleet.migrate("apply", *named("natural")).ok()
    verified(fleet, "natural", "pod-identity")


def owner_rolled(fleet: Fleet) -> bool:
    found = pods(fleet, "natural")
    return len(found) == 2 and all(pod["metadata"].get("annotations", {}).get("their") for pod in found)


def test_a_cron_job_is_proven_by_its_next_pod(fleet: Fleet) -> None:
    fleet.migrate("apply", *named("nightly")).ended(Exit.UNFINISHED)
    kube = fleet.kube("main")
    cron = kube.get("/apis/batch/v1/namespaces/shop/cronjobs/nightly")
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": cron["metadata"]["uid"]}
    meta = {"name": "nightly-1", "namespace": "shop", "ownerReferences": [{**owner, "controller": True}]}
    kube.create_object(
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": cron["spec"]["jobTemplate"]["spec"]}
    )
    harness.wait_for("the Job's pod", lambda: pods(fleet, "nightly"))

    fleet.migrate("apply", *named("nightly")).ok()


def test_a_paused_deployment_is_reported_and_left_alone(fleet: Fleet) -> None:
    ran = fleet.migrate("apply", *named("paused")).ended(Exit.BLOCKED)
    assert "paused" in ran.out + ran.err


def test_a_bare_pod_is_made_anew_where_a_person_says_so(fleet: Fleet) -> None:
    ran = fleet.migrate("apply", *named("bare")).ended(Exit.BLOCKED)
    assert "bare-pods" in ran.out + ran.err
    before = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods(fleet, "bare")}

    fleet.migrate("apply", *named("bare"), "--recreate-bare-pods").ok()
    verified(fleet, "bare", "pod-identity")
    assert before["alone"] not in {pod["metadata"]["uid"] for pod in pods(fleet, "bare")}
    fleet.migrate("rollback", *named("bare")).ended(Exit.BLOCKED)
    fleet.migrate("rollback", *named("bare"), "--recreate-bare-pods").ok()

    verified(fleet, "bare", "irsa")
    assert fleet.kube("main").list("/api/v1/namespaces/shop/podtemplates")["items"] == []
