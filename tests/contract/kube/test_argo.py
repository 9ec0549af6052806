"""Argo Rollouts as the lab plays them: pods of a ReplicaSet of a Rollout, replaced by `spec.restartAt`."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from migrator.lab.kubeclient import KubeClient, KubeError, resource_path
from tests.contract.kube.work import changed, manifest, path_of, pods
from tests.fakes.kube import Opened, add_namespace, open_cluster, wait_for

Json = dict[str, Any]


@pytest.fixture(scope="module")
def opened(kube_target: Any) -> Iterator[Opened]:
    with open_cluster(kube_target, delay=0.02, backoff=0.1, argo=True) as cluster:
        yield cluster


@pytest.fixture
def kube(opened: Opened) -> KubeClient:
    return opened.kube


@pytest.fixture
def namespace(kube: KubeClient) -> Iterator[str]:
    name = add_namespace(kube, f"work-{uuid.uuid4().hex[:8]}")
    yield name
    kube.delete(resource_path("v1", "namespaces", None, name))


def rollout(kube: KubeClient, namespace: str, replicas: int = 2, **spec: Any) -> str:
    """A Rollout `web`, made; its path."""
    strategy = {"canary": {"maxUnavailable": 1, "maxSurge": 1}}
    kube.create(
        resource_path("argoproj.io/v1alpha1", "rollouts", namespace),
        manifest("Rollout", namespace, {"replicas": replicas, "strategy": strategy, **spec}),
    )
    return path_of("Rollout", namespace)


def healthy(replicas: int) -> Any:
    """Whether all pods are of the newest template, available, and no restart is due."""

    def through(one: Json) -> bool:
        status = one.get("status") or {}
        counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas", "HPAReplicas")}
        seen = status.get("observedGeneration") == str(one["metadata"]["generation"])
        return seen and counts == {replicas} and status["phase"] == "Healthy"

    return through


def restart_at(kube: KubeClient, path: str, seconds: int = 1) -> str:
    moment = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    kube.patch(path, {"spec": {"restartAt": moment}})
    return moment


def uids(kube: KubeClient, namespace: str) -> set[str]:
    return {pod["metadata"]["uid"] for pod in pods(kube, namespace)}


def test_its_pods_belong_to_a_replicaset_of_its_own(kube: KubeClient, namespace: str) -> None:
    done = wait_for(kube, rollout(kube, namespace), healthy(2))
    (replicaset,) = kube.list(resource_path("apps/v1", "replicasets", namespace))["items"]
    (owner,) = replicaset["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Rollout", done["metadata"]["uid"])
    assert {pod["metadata"]["ownerReferences"][0]["name"] for pod in pods(kube, namespace)} == {
        replicaset["metadata"]["name"]
    }


def test_a_restart_replaces_every_pod_and_no_replicaset(kube: KubeClient, namespace: str) -> None:
    path = rollout(kube, namespace)
    wait_for(kube, path, healthy(2))
    before = uids(kube, namespace)
    sets = [one["metadata"]["uid"] for one in kube.list(resource_path("apps/v1", "replicasets", namespace))["items"]]
    moment = restart_at(kube, path)
    done = wait_for(kube, path, lambda one: one["status"].get("restartedAt") == moment and healthy(2)(one))
    assert done["spec"]["restartAt"] == moment
    assert before.isdisjoint(uids(kube, namespace))
    after = [one["metadata"]["uid"] for one in kube.list(resource_path("apps/v1", "replicasets", namespace))["items"]]
    assert after == sets


def test_a_restart_waits_for_its_time(kube: KubeClient, namespace: str) -> None:
    path = rollout(kube, namespace, 1)
    wait_for(kube, path, healthy(1))
    before = uids(kube, namespace)
    restart_at(kube, path, seconds=3600)
    wait_for(
        kube,
        path,
        lambda one: one["status"]["observedGeneration"] == str(one["metadata"]["generation"]),
    )
    assert uids(kube, namespace) == before
    assert "restartedAt" not in kube.get(path)["status"]


def test_a_restart_respects_a_budget(kube: KubeClient, namespace: str) -> None:
    path = rollout(kube, namespace, 1)
    wait_for(kube, path, healthy(1))
    meta = {"name": "keep", "namespace": namespace}
    spec = {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "web"}}}
    kube.create_object({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec})
    keep = resource_path("policy/v1", "poddisruptionbudgets", namespace, "keep")
    counted = wait_for(kube, keep, lambda one: (one.get("status") or {}).get("expectedPods") == 1)
    assert counted["status"]["disruptionsAllowed"] == 0
    before = uids(kube, namespace)
    moment = restart_at(kube, path)
    wait_for(kube, path, lambda one: one["status"]["phase"] == "Progressing")
    assert uids(kube, namespace) == before
    kube.delete(keep)
    wait_for(kube, path, lambda one: one["status"].get("restartedAt") == moment and healthy(1)(one))
    assert before.isdisjoint(uids(kube, namespace))


def test_a_new_template_rolls(kube: KubeClient, namespace: str) -> None:
    path = rollout(kube, namespace)
    wait_for(kube, path, healthy(2))
    before = uids(kube, namespace)
    kube.patch(path, changed("yes"))
    wait_for(kube, path, healthy(2))
    wait_for(kube, resource_path("v1", "pods", namespace), lambda page: len(page["items"]) == 2)
    assert before.isdisjoint(uids(kube, namespace))


def test_a_borrowed_template(kube: KubeClient, namespace: str) -> None:
    path = resource_path("argoproj.io/v1alpha1", "rollouts", namespace)
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"replicas": 1, "strategy": {"canary": {}}, "workloadRef": reference}
    meta = {"name": "web", "namespace": namespace}
    kube.create(path, {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": meta, "spec": spec})
    wait_for(kube, f"{path}/web", lambda one: (one.get("status") or {}).get("phase") == "Degraded")
    kube.create_object(manifest("Deployment", namespace, {"replicas": 0}))
    wait_for(kube, f"{path}/web", healthy(1))
    (pod,) = pods(kube, namespace)
    assert pod["spec"]["containers"][0]["image"] == "registry.example/app:1"


def test_it_takes_no_strategic_patch(kube: KubeClient, namespace: str) -> None:
    path = rollout(kube, namespace, 1)
    with pytest.raises(KubeError) as caught:
        kube.patch(path, {"spec": {"paused": True}}, content_type="application/strategic-merge-patch+json")
    assert caught.value.status == 415
