"""The controllers and the nodes over the public API: rollouts, order, placement, jobs."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrator.lab.kubeclient import KubeClient, resource_path
from migrator.lab.nodes import NodeSpec
from migrator.lab.nodes.agent_daemonset import daemonset
from tests.contract.kube.work import changed, manifest, path_of, pods
from tests.fakes.kube import Kubectl, Opened, add_namespace, open_cluster, wait_for
from tests.fakes.kubectl import kubectl_program

Json = dict[str, Any]
NODES = (
    NodeSpec("node-a"),
    NodeSpec("node-b"),
    NodeSpec("tainted", taints=({"key": "team", "value": "x", "effect": "NoSchedule"},)),
    NodeSpec("windows", os="windows", taints=({"key": "os", "value": "windows", "effect": "NoSchedule"},)),
    NodeSpec("fargate", compute_type="fargate"),
)


@pytest.fixture(scope="module")
def opened(kube_target: Any) -> Iterator[Opened]:
    with open_cluster(kube_target, NODES, delay=0.02, backoff=0.1) as cluster:
        yield cluster


@pytest.fixture
def kube(opened: Opened) -> KubeClient:
    return opened.kube


@pytest.fixture
def namespace(kube: KubeClient) -> Iterator[str]:
    name = add_namespace(kube, f"work-{uuid.uuid4().hex[:8]}")
    yield name
    kube.delete(resource_path("v1", "namespaces", None, name))


@pytest.fixture
def kubectl(opened: Opened, tmp_path: Path) -> Kubectl:
    program = kubectl_program()
    return Kubectl(program, tmp_path, opened)


def rolled_out(deployment: Json) -> bool:
    """What `kubectl rollout status` waits for."""
    status, wanted = deployment.get("status") or {}, deployment["spec"]["replicas"]
    counts = {status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")}
    return counts == {wanted} and status.get("observedGeneration", 0) >= int(deployment["metadata"]["generation"])


def test_a_deployment_rolls_out_and_scales(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("Deployment", namespace, {"replicas": 3}))
    path = path_of("Deployment", namespace)
    done = wait_for(kube, path, rolled_out)
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    reasons = {one["type"]: one["reason"] for one in done["status"]["conditions"]}
    wait_for(kube, path, lambda one: progressing(one)["reason"] == "NewReplicaSetAvailable")
    assert reasons["Available"] == "MinimumReplicasAvailable"
    assert "unavailableReplicas" not in done["status"]
    assert {pod["spec"]["nodeName"] for pod in pods(kube, namespace)} == {"node-a", "node-b"}
    kube.patch(path, {"spec": {"replicas": 1}})
    wait_for(kube, path, rolled_out)
    wait_for(kube, resource_path("v1", "pods", namespace), lambda page: len(page["items"]) == 1)


def progressing(deployment: Json) -> Json:
    found: Json = next(one for one in deployment["status"]["conditions"] if one["type"] == "Progressing")
    return found


def test_a_new_template_replaces_every_pod(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("Deployment", namespace, {"replicas": 4}))
    path = path_of("Deployment", namespace)
    wait_for(kube, path, rolled_out)
    before = {pod["metadata"]["uid"] for pod in pods(kube, namespace)}
    kube.patch(path, changed("yes"))
    done = wait_for(kube, path, rolled_out)
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    wait_for(kube, resource_path("v1", "pods", namespace), lambda page: len(page["items"]) == 4)
    assert before.isdisjoint(pod["metadata"]["uid"] for pod in pods(kube, namespace))
    sets = kube.list(resource_path("apps/v1", "replicasets", namespace))["items"]
    assert sorted(one["spec"]["replicas"] for one in sets) == [0, 4]
    assert all(one["metadata"]["labels"]["pod-template-hash"] in one["metadata"]["name"] for one in sets)


def test_going_back_reuses_the_old_replicaset_with_a_new_revision(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("Deployment", namespace, {"replicas": 1}))
    path = path_of("Deployment", namespace)
    wait_for(kube, path, rolled_out)
    kube.patch(path, changed("yes"))
    wait_for(kube, path, rolled_out)
    kube.patch(path, {"spec": {"template": {"metadata": {"annotations": None}}}})
    done = wait_for(
        kube,
        path,
        lambda one: one["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3" and rolled_out(one),
    )
    assert done["status"]["replicas"] == 1
    assert len(kube.list(resource_path("apps/v1", "replicasets", namespace))["items"]) == 2


def test_history_is_limited(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("Deployment", namespace, {"replicas": 1, "revisionHistoryLimit": 1}))
    path = path_of("Deployment", namespace)
    for text in ("1", "2", "3"):
        wait_for(kube, path, rolled_out)
        kube.patch(path, changed(text))
    wait_for(kube, path, rolled_out)
    sets = resource_path("apps/v1", "replicasets", namespace)
    wait_for(kube, sets, lambda page: len(page["items"]) == 2)


def test_recreate_never_runs_old_and_new_together(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("Deployment", namespace, {"replicas": 2, "strategy": {"type": "Recreate"}}))
    path = path_of("Deployment", namespace)
    wait_for(kube, path, rolled_out)
    page = kube.list(resource_path("v1", "pods", namespace))
    present = {one["metadata"]["name"]: one["metadata"]["labels"]["pod-template-hash"] for one in page["items"]}
    watch = kube.watch(resource_path("v1", "pods", namespace), page["metadata"]["resourceVersion"])
    kube.patch(path, changed("yes"))
    added = 0
    for event in watch:
        metadata = event["object"]["metadata"]
        if event["type"] == "DELETED":
            del present[metadata["name"]]
        elif event["type"] == "ADDED":
            present[metadata["name"]] = metadata["labels"]["pod-template-hash"]
            assert len(set(present.values())) == 1
            added += 1
        if added == 2:
            break
    watch.close()


def test_recreate_goes_on_when_the_last_old_pod_has_taken_its_time(kube: KubeClient, namespace: str) -> None:
    document = manifest("Deployment", namespace, {"replicas": 1, "strategy": {"type": "Recreate"}})
    document["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 2
    kube.create_object(document)
    path = path_of("Deployment", namespace)
    wait_for(kube, path, rolled_out)
    kube.patch(path, changed("yes"))
    wait_for(kube, path, lambda found: rolled_out(found) and found["status"]["observedGeneration"] > 1)


def test_a_paused_deployment_waits(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("Deployment", namespace, {"replicas": 1}))
    path = path_of("Deployment", namespace)
    wait_for(kube, path, rolled_out)
    kube.patch(path, {"spec": {"paused": True, **changed("yes")["spec"]}})
    paused = wait_for(kube, path, lambda one: progressing(one)["reason"] == "DeploymentPaused")
    wait_for(kube, path, lambda one: one["status"]["observedGeneration"] >= paused["metadata"]["generation"])
    assert len(kube.list(resource_path("apps/v1", "replicasets", namespace))["items"]) == 1
    kube.patch(path, {"spec": {"paused": False}})
    wait_for(kube, path, rolled_out)


def test_a_rollout_that_does_not_come_up_misses_its_deadline(kube: KubeClient, namespace: str) -> None:
    spec = {"replicas": 2, "progressDeadlineSeconds": 1}
    kube.create_object(manifest("Deployment", namespace, spec))
    path = path_of("Deployment", namespace)
    wait_for(kube, path, rolled_out)
    container = {"name": "main", "image": "registry.example/app:2", "command": ["false"]}
    kube.patch(path, {"spec": {"template": {"spec": {"containers": [container]}}}})
    failed = wait_for(kube, path, lambda one: progressing(one)["reason"] == "ProgressDeadlineExceeded")
    assert progressing(failed)["status"] == "False"
    assert failed["status"]["availableReplicas"] == 2, "no old pod goes before a new one is available"
    broken = [pod for pod in pods(kube, namespace) if pod["spec"]["containers"][0]["image"].endswith(":2")]
    state = broken[0]["status"]["containerStatuses"][0]
    assert state["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert state["restartCount"] > 0
    assert state["lastState"]["terminated"]["exitCode"] == 1


def test_a_statefulset_comes_up_in_order_and_rolls_back_to_front(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("StatefulSet", namespace, {"replicas": 3, "serviceName": "web"}))
    path = path_of("StatefulSet", namespace)
    done = wait_for(kube, path, lambda one: (one.get("status") or {}).get("availableReplicas") == 3)
    wait_for(kube, path, lambda one: one["status"].get("currentRevision") == one["status"]["updateRevision"])
    names = sorted(pod["metadata"]["name"] for pod in pods(kube, namespace))
    assert names == ["web-0", "web-1", "web-2"]
    version = done["metadata"]["resourceVersion"]
    kube.patch(path, changed("yes"))
    updated = wait_for(
        kube,
        path,
        lambda one: (
            one["status"].get("updatedReplicas") == 3
            and one["status"].get("readyReplicas") == 3
            and one["status"]["currentRevision"] == one["status"]["updateRevision"] != done["status"]["updateRevision"]
        ),
    )
    assert updated["status"]["currentReplicas"] == 3
    deleted = []
    watch = kube.watch(resource_path("v1", "pods", namespace), version)
    for event in watch:
        if event["type"] == "DELETED":
            deleted.append(event["object"]["metadata"]["name"])
        if len(deleted) == 3:
            break
    watch.close()
    assert deleted == ["web-2", "web-1", "web-0"]


def test_a_partition_holds_lower_pods_back(kube: KubeClient, namespace: str) -> None:
    spec = {"replicas": 2, "serviceName": "web", "updateStrategy": {"rollingUpdate": {"partition": 1}}}
    kube.create_object(manifest("StatefulSet", namespace, spec))
    path = path_of("StatefulSet", namespace)
    first = wait_for(kube, path, lambda one: (one.get("status") or {}).get("readyReplicas") == 2)
    kube.patch(path, changed("yes"))
    wait_for(
        kube,
        path,
        lambda one: (
            one["status"].get("updatedReplicas") == 1
            and one["status"]["readyReplicas"] == 2
            and one["status"]["observedGeneration"] > first["metadata"]["generation"]
        ),
    )
    revisions = {
        pod["metadata"]["name"]: pod["metadata"]["labels"]["controller-revision-hash"] for pod in pods(kube, namespace)
    }
    assert revisions["web-0"] == first["status"]["updateRevision"] != revisions["web-1"]


def test_on_delete_leaves_the_replacing_to_people(kube: KubeClient, namespace: str) -> None:
    spec = {"replicas": 1, "serviceName": "web", "updateStrategy": {"type": "OnDelete"}}
    kube.create_object(manifest("StatefulSet", namespace, spec))
    path = path_of("StatefulSet", namespace)
    wait_for(kube, path, lambda one: (one.get("status") or {}).get("readyReplicas") == 1)
    before = pods(kube, namespace)[0]["metadata"]["uid"]
    kube.patch(path, changed("yes"))
    wait_for(kube, path, lambda one: one["status"]["updateRevision"] != one["status"]["currentRevision"])
    assert pods(kube, namespace)[0]["metadata"]["uid"] == before
    kube.delete(resource_path("v1", "pods", namespace, "web-0"))
    wait_for(kube, path, lambda one: one["status"].get("updatedReplicas") == 1)


def test_the_agent_daemonset_lands_on_linux_ec2_nodes_only(kube: KubeClient, namespace: str) -> None:
    document = daemonset("practice", "v1.3.10-eksbuild.2")
    document["metadata"]["namespace"] = namespace
    document["spec"]["template"]["spec"].pop("priorityClassName")
    kube.create_object(document)
    path = path_of("DaemonSet", namespace, "eks-pod-identity-agent")
    done = wait_for(kube, path, lambda one: (one.get("status") or {}).get("numberReady") == 3)
    assert done["status"]["desiredNumberScheduled"] == 3
    assert {pod["spec"]["nodeName"] for pod in pods(kube, namespace)} == {"node-a", "node-b", "tainted"}


def test_a_daemonset_replaces_its_pods(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("DaemonSet", namespace, {}))
    path = path_of("DaemonSet", namespace)
    wait_for(kube, path, lambda one: (one.get("status") or {}).get("numberAvailable") == 2)
    before = {pod["metadata"]["uid"] for pod in pods(kube, namespace)}
    kube.patch(path, changed("yes"))
    wait_for(
        kube,
        path,
        lambda one: (
            one["status"].get("updatedNumberScheduled") == 2
            and one["status"].get("numberAvailable") == 2
            and one["status"]["observedGeneration"] == one["metadata"]["generation"]
        ),
    )
    wait_for(kube, resource_path("v1", "pods", namespace), lambda page: len(page["items"]) == 2)
    assert before.isdisjoint(pod["metadata"]["uid"] for pod in pods(kube, namespace))


def test_a_job_succeeds(kube: KubeClient, namespace: str) -> None:
    spec = {"completions": 3, "parallelism": 2}
    kube.create_object(manifest("Job", namespace, spec, pod={"restartPolicy": "Never"}))
    done = wait_for(kube, path_of("Job", namespace), lambda one: finished(one) == "Complete")
    assert done["status"]["succeeded"] == 3
    assert done["status"]["completionTime"]


def finished(job: Json) -> str:
    types = [one["type"] for one in (job.get("status") or {}).get("conditions", []) if one["status"] == "True"]
    return next((kind for kind in ("Complete", "Failed") if kind in types), "")


def test_a_job_gives_up(kube: KubeClient, namespace: str) -> None:
    container = {"name": "main", "image": "registry.example/app:1", "command": ["sh", "-c", "exit 3"]}
    pod = {"restartPolicy": "Never", "containers": [container]}
    kube.create_object(manifest("Job", namespace, {"backoffLimit": 0}, pod=pod))
    done = wait_for(kube, path_of("Job", namespace), lambda one: finished(one) == "Failed")
    assert done["status"]["failed"] == 1
    assert pods(kube, namespace)[0]["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3


def test_a_pod_that_fits_nowhere_says_why_and_moves_once_it_can(kube: KubeClient, namespace: str) -> None:
    spec = {"containers": [{"name": "main", "image": "app:1"}], "nodeSelector": {"disk": namespace}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "picky", "namespace": namespace}, "spec": spec}
    kube.create_object(pod)
    path = resource_path("v1", "pods", namespace, "picky")
    stuck = wait_for(kube, path, lambda one: one["status"].get("conditions"))
    assert stuck["status"]["conditions"][0]["reason"] == "Unschedulable"
    assert "node affinity/selector" in stuck["status"]["conditions"][0]["message"]
    kube.patch(resource_path("v1", "nodes", None, "node-a"), {"metadata": {"labels": {"disk": namespace}}})
    running = wait_for(kube, path, lambda one: one["status"].get("phase") == "Running")
    assert running["spec"]["nodeName"] == "node-a"


def test_a_missing_configmap_keeps_a_container_from_starting(kube: KubeClient, namespace: str) -> None:
    reference = {"name": "settings", "key": "colour"}
    variable = {"name": "COLOUR", "valueFrom": {"configMapKeyRef": reference}}
    spec = {"containers": [{"name": "main", "image": "app:1", "env": [variable]}]}
    kube.create_object(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "needy", "namespace": namespace}, "spec": spec}
    )
    path = resource_path("v1", "pods", namespace, "needy")
    waiting = wait_for(kube, path, lambda one: one["status"].get("containerStatuses"))
    state = waiting["status"]["containerStatuses"][0]["state"]["waiting"]
    assert state == {"reason": "CreateContainerConfigError", "message": 'configmap "settings" not found'}
    metadata = {"name": "settings", "namespace": namespace}
    kube.create_object({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"colour": "red"}})
    wait_for(kube, path, lambda one: one["status"]["phase"] == "Running")


def test_deleting_a_deployment_takes_its_pods(kube: KubeClient, namespace: str) -> None:
    kube.create_object(manifest("Deployment", namespace, {"replicas": 2}))
    wait_for(kube, path_of("Deployment", namespace), rolled_out)
    kube.delete(path_of("Deployment", namespace))
    wait_for(kube, resource_path("v1", "pods", namespace), lambda page: not page["items"])


@pytest.mark.kubectl
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_kubectl_restarts_and_waits(kube: KubeClient, namespace: str, kubectl: Kubectl, kind: str) -> None:
    spec = {} if kind == "DaemonSet" else {"replicas": 2}
    kubectl("apply", "-f", "-", stdin=json.dumps(manifest(kind, namespace, spec)))
    resource = f"{kind.lower()}/web"
    kubectl("-n", namespace, "rollout", "status", resource, "--timeout=20s")
    before = {pod["metadata"]["uid"] for pod in pods(kube, namespace)}
    kubectl("-n", namespace, "rollout", "restart", resource)
    kubectl("-n", namespace, "rollout", "status", resource, "--timeout=20s")
    wait_for(kube, resource_path("v1", "pods", namespace), lambda page: len(page["items"]) == 2)
    assert before.isdisjoint(pod["metadata"]["uid"] for pod in pods(kube, namespace))
    assert "REVISION" in kubectl("-n", namespace, "rollout", "history", resource)


@pytest.mark.kubectl
def test_kubectl_undoes_a_rollout(kube: KubeClient, namespace: str, kubectl: Kubectl) -> None:
    kube.create_object(manifest("Deployment", namespace, {"replicas": 1}))
    path = path_of("Deployment", namespace)
    wait_for(kube, path, rolled_out)
    kubectl("-n", namespace, "set", "image", "deployment/web", "main=registry.example/app:2")
    kubectl("-n", namespace, "rollout", "status", "deployment/web", "--timeout=20s")
    kubectl("-n", namespace, "rollout", "undo", "deployment/web")
    kubectl("-n", namespace, "rollout", "status", "deployment/web", "--timeout=20s")
    assert kube.get(path)["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/app:1"


def test_a_cronjob_starts_what_is_due(kube: KubeClient, namespace: str) -> None:
    job = manifest("Job", namespace, {}, pod={"restartPolicy": "Never"})["spec"]
    spec = {"schedule": "* * * * *", "jobTemplate": {"spec": job}, "suspend": True}
    metadata = {"name": "web", "namespace": namespace}
    kube.create_object({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec})
    path = path_of("CronJob", namespace)
    past = {"lastScheduleTime": "2026-01-01T00:00:00Z"}
    kube.patch(path + "/status", {"status": past})
    kube.patch(path, {"spec": {"suspend": False}})
    done = wait_for(kube, path, lambda one: (one.get("status") or {}).get("lastSuccessfulTime"))
    jobs = kube.list(resource_path("batch/v1", "jobs", namespace))["items"]
    assert jobs[0]["metadata"]["ownerReferences"][0]["uid"] == done["metadata"]["uid"]
    assert jobs[0]["metadata"]["name"].startswith("web-")
