"""Our own reads and writes of workloads, over HTTP: rollouts of every built-in kind, and evictions."""

from collections.abc import Iterator
from typing import Any

import pytest

from migrator.lab.kubeclient import resource_path
from migrator.model.errors import Rejected
from migrator.model.facts import Pod
from tests.contract.kube.sides import WITHOUT_ARGO, Side, operator, sided
from tests.contract.kube.support import eventually
from tests.contract.kube.work import changed, path_of
from tests.fakes.kube import Opened, open_cluster, wait_for

Json = dict[str, Any]


@pytest.fixture(scope="module")
def opened(kube_target: Any) -> Iterator[Opened]:
    with open_cluster(kube_target, delay=0.02, backoff=0.1) as cluster:
        yield cluster


@pytest.fixture
def here(opened: Opened) -> Iterator[Side]:
    yield from sided(opened)


# --- workloads and their rollouts


def test_a_cluster_without_argo_has_none(here: Side) -> None:
    ref = here.make("Deployment")
    assert [one.ref for one in here.reads.workloads(here.namespace)] == [ref]
    assert here.reads.rollout(here.ref("Rollout")) is None


def test_without_argo_nobody_needs_to_be_permitted(opened: Opened, here: Side) -> None:
    with operator(opened, here.namespace, WITHOUT_ARGO) as ours:
        assert list(ours.reads.workloads(here.namespace)) == []


def test_a_replicaset_of_nobody(here: Side) -> None:
    ref = here.make("ReplicaSet", {"replicas": 2})
    assert here.complete(ref).stamp == ""
    assert [(one.ref, one.replicas) for one in here.reads.workloads_of(here.namespace, "default")] == [(ref, 2)]
    gone = here.pods()[0]
    assert gone.owner == ref
    here.writes.evict(gone)
    eventually(lambda: here.pod(gone.name) is None)
    assert here.complete(ref).ready == 2


def test_a_replicaset_is_not_restarted(here: Side) -> None:
    with pytest.raises(Rejected) as refused:
        here.writes.restart(here.make("ReplicaSet"), "run-1")
    assert refused.value.reason == "no-rollout"


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_on_delete_is_whole_though_pods_are_old(here: Side, kind: str) -> None:
    ref = here.make(
        kind, {"updateStrategy": {"type": "OnDelete"}, **({"replicas": 2} if kind == "StatefulSet" else {})}
    )
    here.complete(ref)
    here.kube.patch(path_of(kind, here.namespace), changed("yes"))
    eventually(lambda: (found := here.reads.rollout(ref)) is not None and found.old == 2 and found.complete)
    first, second = here.pods()
    here.writes.evict(first)
    eventually(lambda: first.uid not in {pod.uid for pod in here.pods()})
    eventually(lambda: (found := here.reads.rollout(ref)) is not None and found.old == 1 and found.complete)
    assert second.uid in {pod.uid for pod in here.pods()}
    (workload,) = here.reads.workloads(here.namespace)
    assert workload.strategy == "OnDelete"


def test_replicas_changed_by_somebody_else_in_the_middle(here: Side) -> None:
    """A HorizontalPodAutoscaler writes the scale; the rollout is complete at the new size."""
    ref = here.make("Deployment", {"replicas": 2})
    here.complete(ref)
    here.writes.restart(ref, "run-1")
    scale = {"spec": {"replicas": 4}}
    here.kube.patch(f"{path_of('Deployment', here.namespace)}/scale", scale)
    done = eventually(lambda: (found := here.reads.rollout(ref)) and found.desired == 4 and found.complete and found)
    assert (done.updated, done.ready, done.old, done.stamp) == (4, 4, 0, "run-1")


def test_a_rollout_past_its_progress_deadline_is_a_failure(here: Side) -> None:
    ref = here.make("Deployment", {"progressDeadlineSeconds": 1, "minReadySeconds": 0})
    here.complete(ref)
    container = {"name": "main", "image": "registry.example/app:1", "command": ["false"]}
    here.kube.patch(
        path_of("Deployment", here.namespace), {"spec": {"template": {"spec": {"containers": [container]}}}}
    )
    failed = eventually(lambda: (found := here.reads.rollout(ref)) and found.failure and found)
    assert (failed.failure, failed.complete) == ("ProgressDeadlineExceeded", False)


# --- evictions


def budget(here: Side, **spec: Any) -> str:
    meta = {"name": "keep", "namespace": here.namespace}
    whole = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    here.kube.create_object({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": whole})
    return resource_path("policy/v1", "poddisruptionbudgets", here.namespace, "keep")


def test_a_budget_holds_a_pod_and_is_named(here: Side) -> None:
    here.complete(here.make("Deployment", {"replicas": 1}))
    path = budget(here, minAvailable=1)
    wait_for(here.kube, path, lambda one: (one.get("status") or {}).get("currentHealthy") == 1)
    (pod,) = here.pods()
    with pytest.raises(Rejected, match="disruption budget keep needs 1 healthy pods and has 1") as held:
        here.writes.evict(pod)
    assert held.value.reason == "budget"
    here.kube.patch(path, {"spec": {"minAvailable": 0}})
    wait_for(here.kube, path, lambda one: one["status"]["disruptionsAllowed"] == 1)
    here.writes.evict(pod)
    eventually(lambda: pod.uid not in {one.uid for one in here.pods()})


def test_an_eviction_of_what_is_gone_or_another_is_well(here: Side) -> None:
    here.complete(here.make("StatefulSet", {"replicas": 1}))
    (old,) = here.pods()
    here.writes.evict(old)
    new = eventually(lambda: (one := here.pod("web-0")) and one.uid != old.uid and one.ready and one)
    here.writes.evict(old)
    here.writes.evict(Pod(namespace=here.namespace, name="never-was", uid="u", spec=old.spec))
    assert here.pods() == [new]
