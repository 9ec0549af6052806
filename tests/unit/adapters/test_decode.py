"""Kubernetes JSON to facts."""

import json
from typing import Any

import msgspec
import pytest

from migrator.adapters.kube import decode
from migrator.adapters.kube.agent import is_agent
from migrator.adapters.kube.structs import AccountObject, MetaOnly, NodeObject, Page, PodObject, Spec
from migrator.adapters.kube.workload_structs import WorkloadObject
from migrator.adapters.kube.workloads import heads, makes_pods_itself, workload
from migrator.model.facts import EnvVar, FieldManager, Node, PodVolume, WorkloadRef
from migrator.model.placement import NodeTerm, Requirement, Taint, Toleration

CONTROLLED = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7d", "uid": "u1", "controller": True}
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web-7d-x",
        "namespace": "shop",
        "uid": "u2",
        "labels": {"app": "web"},
        "annotations": None,
        "creationTimestamp": None,
        "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {}}}],
        "ownerReferences": [CONTROLLED],
    },
    "spec": {
        "serviceAccountName": "web",
        "nodeName": "n1",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "initContainers": [{"name": "migrate", "image": "db:1"}],
        "containers": [
            {
                "name": "app",
                "image": "app:2",
                "env": [
                    {"name": "PLAIN", "value": "1"},
                    {"name": "EMPTY"},
                    {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": True}}},
                    {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                ],
                "envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}, "prefix": "X_"}],
                "volumeMounts": [{"name": "tokens", "mountPath": "/var/run"}],
            }
        ],
        "volumes": [
            {"name": "data", "emptyDir": {}},
            {
                "name": "tokens",
                "projected": {
                    "sources": [
                        {"configMap": {"name": "ca"}},
                        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
                        {"serviceAccountToken": {"path": "aws", "audience": "sts.amazonaws.com"}},
                        {"serviceAccountToken": {"path": "vault", "audience": "vault"}},
                    ]
                },
            },
        ],
    },
    "status": {
        "phase": "Running",
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "app", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}],
    },
}


def read(document: Any, of: Any) -> Any:
    return msgspec.json.decode(json.dumps(document), type=of)


def pod_with(**status: Any) -> PodObject:
    found: PodObject = read({**POD, "status": status}, PodObject)
    return found


def test_pod() -> None:
    head = WorkloadRef(kind="Deployment", namespace="shop", name="web")
    pod = decode.pod(read(POD, PodObject), {("shop", "ReplicaSet", "web-7d"): head})
    assert (pod.owner, pod.node, pod.phase, pod.ready, pod.deleting, pod.trouble) == (
        head,
        "n1",
        "Running",
        True,
        False,
        "",
    )
    assert pod.spec.service_account == "web"
    assert [(c.name, c.init) for c in pod.spec.containers] == [("migrate", True), ("app", False)]
    assert pod.spec.containers[1].env == (
        EnvVar(name="PLAIN", value="1"),
        EnvVar(name="EMPTY", value=""),
        EnvVar(name="FIELD", source="field/metadata.name"),
        EnvVar(name="SECRET", source="secret/s:k"),
        EnvVar(name="MAP", source="configmap/c:k"),
        EnvVar(name="LIMIT", source="resource/limits.cpu"),
    )
    assert pod.spec.containers[1].env_from == ("configmap/c", "secret/s")
    assert pod.spec.containers[1].mounts == ("tokens",)
    assert pod.spec.token_audiences == {"tokens": "sts.amazonaws.com", "tokens/vault": "vault"}


def test_volumes_of_csi_drivers() -> None:
    volumes = [
        {"name": "secrets", "csi": {"driver": "d", "volumeAttributes": {"a": "b"}}},
        {"name": "plain", "csi": {"driver": "d", "volumeAttributes": None}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "empty", "emptyDir": {}},
    ]
    assert decode.pod_spec(read({"volumes": volumes}, Spec)).volumes == (
        PodVolume(name="secrets", driver="d", attributes={"a": "b"}),
        PodVolume(name="plain", driver="d"),
        PodVolume(name="data", claim="data"),
    )


def test_what_a_container_says_and_where_files_come_from() -> None:
    app = {
        "name": "app",
        "command": ["run"],
        "args": ["--now"],
        "envFrom": [{"prefix": "P_", "secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}],
        "volumeMounts": [{"name": "both", "mountPath": "/etc/both"}, {"name": "one", "mountPath": "/etc/one"}],
    }
    both = {"sources": [{"configMap": {"name": "c"}}, {"secret": {"name": "s"}}, {"downwardAPI": {"items": []}}]}
    volumes = [
        {"name": "both", "projected": both},
        {"name": "one", "secret": {"secretName": "s"}},
        {"name": "two", "configMap": {"name": "c"}},
        {"name": "none", "emptyDir": {}},
    ]
    spec = decode.pod_spec(read({"containers": [app], "volumes": volumes}, Spec))
    [container] = spec.containers

    assert container.words == ("run", "--now")
    assert "--now" not in repr(container)
    assert (container.env_from, container.prefixes) == (("secret/s", "configmap/c"), {"secret/s": "P_"})
    assert container.paths == {"/etc/both": "both", "/etc/one": "one"}
    assert spec.files == {"both": ("secret/s", "configmap/c"), "one": ("secret/s",), "two": ("configmap/c",)}


def test_where_a_pod_may_run() -> None:
    expression = {"key": "zone", "operator": "In", "values": ["a"]}
    field = {"key": "metadata.name", "operator": "NotIn", "values": ["n2"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression], "matchFields": [field]}]}
    spec = {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}},
        "tolerations": [{"key": "spot"}, {"operator": "Exists", "tolerationSeconds": 300}],
    }
    found = decode.pod_spec(read(spec, Spec))

    assert found.tolerations == (Toleration(key="spot"), Toleration(operator="Exists"))
    assert found.node_terms == (
        NodeTerm(
            requirements=(
                Requirement(key="zone", operator="In", values=("a",)),
                Requirement(key="metadata.name", operator="NotIn", values=("n2",)),
            )
        ),
    )
    node = decode.node(
        read({"metadata": {"name": "n1"}, "spec": {"taints": [{"key": "spot", "effect": "NoExecute"}]}}, NodeObject)
    )
    assert node.taints == (Taint(key="spot", effect="NoExecute"),)


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        pytest.param([], None, id="bare"),
        pytest.param([{"kind": "Node", "name": "n1", "controller": True}], None, id="static pod"),
        pytest.param([CONTROLLED], "ReplicaSet web-7d", id="head unknown"),
        pytest.param([{"kind": "Workflow", "name": "w", "controller": True}], "Workflow w", id="foreign kind"),
        pytest.param(
            [{"kind": "A", "name": "a"}, {"kind": "B", "name": "b", "controller": True}], "B b", id="controller"
        ),
    ],
)
def test_owner(owners: list[dict[str, Any]], expected: str | None) -> None:
    found = read({**POD, "metadata": {"name": "p", "namespace": "shop", "ownerReferences": owners}}, PodObject)
    owner = decode.pod(found, {}).owner
    assert (None if owner is None else str(owner)) == expected


def waiting(reason: str) -> list[dict[str, Any]]:
    return [{"name": "app", "state": {"waiting": {"reason": reason}}}]


def ended(code: int, reason: str = "") -> list[dict[str, Any]]:
    return [{"name": "app", "state": {"terminated": {"exitCode": code, "reason": reason}}}]


UNSCHEDULABLE = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param({"containerStatuses": waiting("ContainerCreating")}, "", id="starting"),
        pytest.param({"containerStatuses": waiting("CrashLoopBackOff")}, "CrashLoopBackOff", id="crash loop"),
        pytest.param({"containerStatuses": waiting("ImagePullBackOff")}, "ImagePullBackOff", id="image"),
        pytest.param({"containerStatuses": ended(137, "OOMKilled")}, "OOMKilled", id="between two crashes"),
        pytest.param({"containerStatuses": ended(0, "Completed")}, "", id="ended well"),
        pytest.param({"initContainerStatuses": waiting("CrashLoopBackOff")}, "CrashLoopBackOff", id="init container"),
        pytest.param({"conditions": UNSCHEDULABLE}, "Unschedulable", id="unschedulable"),
        pytest.param({"phase": "Failed", "reason": "Evicted"}, "Evicted", id="evicted"),
    ],
)
def test_trouble(status: dict[str, Any], expected: str) -> None:
    assert decode.trouble(pod_with(**status)) == expected


@pytest.mark.parametrize(
    ("kind", "spec", "status", "replicas"),
    [
        ("Deployment", {}, {}, 1),
        ("Deployment", {"replicas": 0}, {}, 0),
        ("StatefulSet", {"replicas": 3}, {}, 3),
        ("DaemonSet", {}, {"desiredNumberScheduled": 4}, 4),
        ("ReplicaSet", {"replicas": 2}, {}, 2),
        ("Job", {}, {}, 1),
        ("Job", {"parallelism": 5}, {}, 5),
        ("Job", {"parallelism": 5, "suspend": True}, {}, 0),
        ("CronJob", {}, {}, 0),
    ],
)
def test_wanted(kind: str, spec: dict[str, Any], status: dict[str, Any], replicas: int) -> None:
    found = read({"metadata": {"name": "w", "namespace": "n"}, "spec": spec, "status": status}, WorkloadObject)
    assert workload(kind, found).replicas == replicas


def test_templates() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"serviceAccountName": "web", "hostNetwork": True}}
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}
    deployment = {"metadata": {"name": "w"}, "spec": {"template": template, "paused": True, "strategy": rolling}}
    cron = {"metadata": {"name": "c"}, "spec": {"suspend": True, "jobTemplate": {"spec": {"template": template}}}}
    first = workload("Deployment", read(deployment, WorkloadObject))
    second = workload("CronJob", read(cron, WorkloadObject))
    assert (first.strategy, first.paused, second.strategy, second.paused) == ("RollingUpdate", True, "", False)
    assert first.spec == second.spec
    assert (first.spec.service_account, first.spec.host_network, first.labels) == ("web", True, {"a": "b"})


@pytest.mark.parametrize(
    ("kind", "strategy", "partition"),
    [
        pytest.param("StatefulSet", {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}, 2, id="partition"),
        pytest.param("StatefulSet", {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}, 0, id="none"),
        pytest.param("StatefulSet", {"type": "OnDelete"}, 0, id="by hand"),
        pytest.param("DaemonSet", {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}, 0, id="another kind"),
    ],
)
def test_partition(kind: str, strategy: dict[str, Any], partition: int) -> None:
    found = read({"metadata": {"name": "w"}, "spec": {"updateStrategy": strategy}}, WorkloadObject)
    assert workload(kind, found).partition == partition


@pytest.mark.parametrize(
    ("kind", "owner", "condition", "own"),
    [
        pytest.param("Deployment", {}, {}, True, id="deployment"),
        pytest.param("ReplicaSet", {}, {}, True, id="free replica set"),
        pytest.param("ReplicaSet", {"kind": "Rollout", "name": "r", "controller": True}, {}, False, id="a rollout's"),
        pytest.param("Job", {}, {}, True, id="free job"),
        pytest.param("Job", {"kind": "CronJob", "name": "c", "controller": True}, {}, False, id="a cron job's"),
        pytest.param("Job", {}, {"type": "Complete", "status": "True"}, False, id="finished job"),
        pytest.param("Job", {}, {"type": "Suspended", "status": "True"}, True, id="suspended job"),
    ],
)
def test_makes_pods_itself(kind: str, owner: dict[str, Any], condition: dict[str, Any], own: bool) -> None:
    meta = {"name": "x", "ownerReferences": [owner] if owner else []}
    found = read({"metadata": meta, "status": {"conditions": [condition] if condition else []}}, WorkloadObject)
    assert makes_pods_itself(kind, found) is own


def test_heads() -> None:
    owner = {"kind": "Deployment", "name": "web", "controller": True}
    parts = [
        read({"metadata": {"name": "web-7d", "namespace": "shop", "ownerReferences": [owner]}}, MetaOnly),
        read({"metadata": {"name": "free", "namespace": "shop"}}, MetaOnly),
    ]
    head = WorkloadRef(kind="Deployment", namespace="shop", name="web")
    assert heads("ReplicaSet", parts) == {("shop", "ReplicaSet", "web-7d"): head}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(
            {
                "metadata": {
                    "name": "n",
                    "labels": {"kubernetes.io/os": "windows", "eks.amazonaws.com/compute-type": "fargate"},
                },
                "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
            },
            Node(
                name="n",
                os="windows",
                compute_type="fargate",
                ready=False,
                labels={"kubernetes.io/os": "windows", "eks.amazonaws.com/compute-type": "fargate"},
            ),
            id="labels",
        ),
        pytest.param(
            {
                "metadata": {"name": "n"},
                "status": {
                    "nodeInfo": {"operatingSystem": "linux", "architecture": "arm64"},
                    "conditions": [{"type": "Ready", "status": "True"}],
                },
            },
            Node(name="n", arch="arm64"),
            id="no labels",
        ),
        pytest.param(
            {"metadata": {"name": "n", "labels": {"pool": "shop"}}, "spec": {"unschedulable": True}},
            Node(name="n", ready=False, schedulable=False, labels={"pool": "shop"}),
            id="cordoned",
        ),
    ],
)
def test_node(document: dict[str, Any], expected: Node) -> None:
    assert decode.node(read(document, NodeObject)) == expected


def test_who_wrote_the_role_annotation_and_who_makes_the_account() -> None:
    role: dict[str, Any] = {"f:annotations": {".": {}, "f:eks.amazonaws.com/role-arn": {}}}
    entries = [
        {"manager": "vault", "operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}, **role}}},
        {"manager": "helm", "operation": "Update", "fieldsV1": {"f:metadata": role}},
        {"manager": "helm", "operation": "Update", "subresource": "status", "fieldsV1": {"f:metadata": role}},
        {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:metadata": {"f:annotations": {"f:other": {}}}}},
        {"manager": "old", "operation": "Update", "fieldsV1": {"f:secrets": {}}},
        {"manager": "bare", "operation": "Update"},
    ]
    owners = [{"kind": "ConfigMap", "name": "c", "uid": "1"}, {"kind": "Vault", "name": "v", "controller": True}]
    meta = {"name": "web", "namespace": "shop", "uid": "u", "managedFields": entries, "ownerReferences": owners}
    account = decode.service_account(read({"metadata": meta}, AccountObject))
    assert account.managers == (FieldManager(name="helm"), FieldManager(name="vault", applies=True))
    assert account.controller == "Vault v"


def test_service_account_keeps_all_annotations() -> None:
    meta = {"name": "web", "namespace": "shop", "uid": "u", "annotations": {"a": "1", "b": ""}, "labels": None}
    account = decode.service_account(read({"metadata": meta, "secrets": [{"name": "s"}]}, AccountObject))
    assert (account.annotations, account.labels, account.uid) == ({"a": "1", "b": ""}, {}, "u")


@pytest.mark.parametrize(
    ("meta", "agent"),
    [
        pytest.param({"name": "eks-pod-identity-agent", "namespace": "kube-system"}, True, id="by name"),
        pytest.param({"name": "eks-pod-identity-agent-hybrid", "namespace": "kube-system"}, True, id="hybrid"),
        pytest.param({"name": "eks-pod-identity-agent", "namespace": "shop"}, False, id="name elsewhere"),
        pytest.param(
            {"name": "x", "namespace": "ops", "labels": {"app.kubernetes.io/name": "eks-pod-identity-agent"}},
            True,
            id="by label",
        ),
        pytest.param({"name": "kube-proxy", "namespace": "kube-system"}, False, id="another"),
    ],
)
def test_is_agent(meta: dict[str, Any], agent: bool) -> None:
    assert is_agent(read({"metadata": meta}, WorkloadObject)) is agent


def test_pages_take_null_for_empty() -> None:
    page = read({"metadata": {"continue": "abc", "remainingItemCount": 3}, "items": None}, Page[MetaOnly])
    assert (page.items, page.metadata.continue_) == (None, "abc")
