"""Pods that people have to replace, and pods that may not go yet: OnDelete, partitions, free ReplicaSets, budgets."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from migrator.lab.kubeclient import KubeClient, KubeError, resource_path
from tests.contract.kube.support import eventually
from tests.contract.kube.work import changed, manifest, path_of, pods
from tests.fakes.kube import Opened, add_namespace, open_cluster, wait_for

Json = dict[str, Any]
HASH = "controller-revision-hash"


@pytest.fixture(scope="module")
def opened(kube_target: Any) -> Iterator[Opened]:
    with open_cluster(kube_target, delay=0.02, backoff=0.1) as cluster:
        yield cluster


@pytest.fixture
def kube(opened: Opened) -> KubeClient:
    return opened.kube


@pytest.fixture
def namespace(kube: KubeClient) -> Iterator[str]:
    name = add_namespace(kube, f"work-{uuid.uuid4().hex[:8]}")
    yield name
    kube.delete(resource_path("v1", "namespaces", None, name))


def evict(kube: KubeClient, pod: Json) -> None:
    named = {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}
    options = {"preconditions": {"uid": pod["metadata"]["uid"]}}
    path = resource_path("v1", "pods", named["namespace"], named["name"], "eviction")
    kube.create(path, {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": named, "deleteOptions": options})


def refused(kube: KubeClient, pod: Json) -> KubeError:
    with pytest.raises(KubeError) as caught:
        evict(kube, pod)
    return caught.value


def has(name: str, count: int) -> Any:
    return lambda one: (one.get("status") or {}).get(name, 0) == count


def whole(count: int) -> Any:
    """Every pod of a workload ready, and its status that of the newest spec."""
    return lambda one: (
        (one.get("status") or {}).get("readyReplicas") == one["status"].get("replicas") == count
        and one["status"]["observedGeneration"] == one["metadata"]["generation"]
    )


def budget(kube: KubeClient, namespace: str, name: str = "keep", **spec: Any) -> str:
    """A PodDisruptionBudget over the pods of `web`; its path."""
    whole_spec = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    meta = {"name": name, "namespace": namespace}
    path = resource_path("policy/v1", "poddisruptionbudgets", namespace)
    kube.create(path, {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": whole_spec})
    return f"{path}/{name}"


def deployed(kube: KubeClient, namespace: str, replicas: int, pod: Json | None = None) -> str:
    kube.create_object(manifest("Deployment", namespace, {"replicas": replicas}, pod=pod))
    path = path_of("Deployment", namespace)
    wait_for(kube, path, whole(replicas))
    return path


def newly(kube: KubeClient, namespace: str, name: str, gone: str) -> Json:
    """The pod of that name that is there in place of the one with uid `gone`."""

    def found() -> Json | None:
        now = kube.find(resource_path("v1", "pods", namespace, name))
        return now if now is not None and now["metadata"]["uid"] != gone else None

    made: Json = eventually(found)
    return made


def test_below_the_partition_a_pod_comes_back_as_it_was(kube: KubeClient, namespace: str) -> None:
    spec = {"replicas": 2, "serviceName": "web", "updateStrategy": {"rollingUpdate": {"partition": 1}}}
    kube.create_object(manifest("StatefulSet", namespace, spec))
    path = path_of("StatefulSet", namespace)
    first = wait_for(kube, path, whole(2))["status"]["currentRevision"]
    kube.patch(path, changed("yes"))
    second = wait_for(kube, path, lambda one: has("updatedReplicas", 1)(one) and whole(2)(one))["status"]
    for name, revision in (("web-0", first), ("web-1", second["updateRevision"])):
        old = kube.get(resource_path("v1", "pods", namespace, name))
        evict(kube, old)
        assert newly(kube, namespace, name, old["metadata"]["uid"])["metadata"]["labels"][HASH] == revision
        wait_for(kube, path, whole(2))


def test_on_delete_a_statefulsets_pod_comes_back_new(kube: KubeClient, namespace: str) -> None:
    spec = {"replicas": 2, "serviceName": "web", "updateStrategy": {"type": "OnDelete"}}
    kube.create_object(manifest("StatefulSet", namespace, spec))
    path = path_of("StatefulSet", namespace)
    wait_for(kube, path, whole(2))
    kube.patch(path, changed("yes"))
    update = wait_for(kube, path, lambda one: one["status"]["updateRevision"] != one["status"]["currentRevision"])
    old = kube.get(resource_path("v1", "pods", namespace, "web-0"))
    evict(kube, old)
    new = newly(kube, namespace, "web-0", old["metadata"]["uid"])
    assert new["metadata"]["labels"][HASH] == update["status"]["updateRevision"]
    wait_for(kube, path, lambda one: has("updatedReplicas", 1)(one) and whole(2)(one))


def test_on_delete_a_daemonset_leaves_the_replacing_to_people(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("DaemonSet", namespace, {"updateStrategy": {"type": "OnDelete"}}))
    path = path_of("DaemonSet", namespace)
    wait_for(kube, path, has("numberAvailable", 2))
    before = pods(kube, namespace)
    kube.patch(path, changed("yes"))
    seen = wait_for(kube, path, lambda one: one["status"]["observedGeneration"] == one["metadata"]["generation"])
    assert seen["status"].get("updatedNumberScheduled", 0) == 0
    assert {pod["metadata"]["uid"] for pod in pods(kube, namespace)} == {pod["metadata"]["uid"] for pod in before}
    evict(kube, before[0])
    wait_for(kube, path, lambda one: has("updatedNumberScheduled", 1)(one) and has("numberAvailable", 2)(one))
    assert before[1]["metadata"]["uid"] in {pod["metadata"]["uid"] for pod in pods(kube, namespace)}


def test_a_replicaset_of_nobody_makes_up_for_what_goes(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("ReplicaSet", namespace, {"replicas": 2}))
    path = path_of("ReplicaSet", namespace)
    wait_for(kube, path, has("availableReplicas", 2))
    old = pods(kube, namespace)[0]
    evict(kube, old)
    eventually(lambda: kube.find(resource_path("v1", "pods", namespace, old["metadata"]["name"])) is None)
    wait_for(kube, path, has("availableReplicas", 2))


@pytest.mark.parametrize(
    ("spec", "replicas", "desired", "allowed"),
    [
        ({"minAvailable": 2}, 3, 2, 1),
        ({"minAvailable": "50%"}, 3, 2, 1),
        ({"minAvailable": "100%"}, 2, 2, 0),
        ({"maxUnavailable": 1}, 3, 2, 1),
        ({"maxUnavailable": 0}, 2, 2, 0),
        ({"maxUnavailable": "34%"}, 3, 1, 2),
        ({"minAvailable": 5}, 3, 5, 0),
    ],
    ids=str,
)
def test_a_budget_counts(  # noqa: PLR0917 - fixtures and cases
    kube: KubeClient, namespace: str, spec: Json, replicas: int, desired: int, allowed: int
) -> None:
    deployed(kube, namespace, replicas)
    path = budget(kube, namespace, **spec)
    wait_for(kube, path, lambda one: has("currentHealthy", replicas)(one) and has("disruptionsAllowed", allowed)(one))
    status = kube.get(path)["status"]
    assert (status["expectedPods"], status["desiredHealthy"]) == (replicas, desired)


def test_a_budget_lets_one_go_at_a_time(kube: KubeClient, namespace: str) -> None:
    # long enough for the second to be asked for while the first is still going, on a busy machine, too
    path = deployed(kube, namespace, 2, {"terminationGracePeriodSeconds": 6})
    watched = budget(kube, namespace, minAvailable=1)
    wait_for(kube, watched, has("disruptionsAllowed", 1))
    first, second = pods(kube, namespace)
    evict(kube, first)
    held = refused(kube, second)
    assert (held.status, held.reason) == (429, "TooManyRequests")
    assert "disruption budget" in held.message
    wait_for(kube, path, whole(2))
    wait_for(kube, watched, has("disruptionsAllowed", 1))
    evict(kube, second)
    wait_for(kube, path, whole(2))


def test_a_budget_that_allows_none_keeps_every_pod(kube: KubeClient, namespace: str) -> None:
    deployed(kube, namespace, 1)
    wait_for(kube, budget(kube, namespace, maxUnavailable=0), has("expectedPods", 1))
    (pod,) = pods(kube, namespace)
    assert refused(kube, pod).status == 429
    assert pods(kube, namespace)[0]["metadata"]["uid"] == pod["metadata"]["uid"]


def test_two_budgets_over_one_pod_are_an_error(kube: KubeClient, namespace: str) -> None:
    deployed(kube, namespace, 1)
    for name in ("one", "two"):
        wait_for(kube, budget(kube, namespace, name, minAvailable=0), has("expectedPods", 1))
    held = refused(kube, pods(kube, namespace)[0])
    assert held.status == 500
    assert "more than one PodDisruptionBudget" in held.message


CRASHING = {"containers": [{"name": "main", "image": "x"}, {"name": "bad", "image": "x", "command": ["false"]}]}


def crashing(kube: KubeClient, namespace: str, policy: str) -> Json:
    """A pod that runs and is not ready, and counts for a budget of one."""
    kube.create_object(manifest("Deployment", namespace, {"replicas": 1}, pod=CRASHING))
    path = resource_path("v1", "pods", namespace)
    page = wait_for(kube, path, lambda one: [pod for pod in one["items"] if pod["status"].get("phase") == "Running"])
    wait_for(kube, budget(kube, namespace, minAvailable=1, unhealthyPodEvictionPolicy=policy), has("expectedPods", 1))
    found: Json = page["items"][0]
    return found


def test_a_pod_that_is_not_ready_stays_while_its_budget_is_broken(kube: KubeClient, namespace: str) -> None:
    assert refused(kube, crashing(kube, namespace, "IfHealthyBudget")).status == 429


def test_a_pod_that_is_not_ready_always_goes_if_the_budget_says_so(kube: KubeClient, namespace: str) -> None:
    pod = crashing(kube, namespace, "AlwaysAllow")

    def gone() -> bool:
        try:
            evict(kube, pod)
        except KubeError as error:
            if error.status != 429:  # between two crashes it is ready for a moment, and counted
                raise
            return False
        return True

    eventually(gone)


def test_an_eviction_means_one_pod_only(kube: KubeClient, namespace: str) -> None:
    deployed(kube, namespace, 1)
    (pod,) = pods(kube, namespace)
    other = {"metadata": {**pod["metadata"], "uid": "another"}}
    assert refused(kube, other).status == 409
    assert pods(kube, namespace)[0]["metadata"]["uid"] == pod["metadata"]["uid"]
