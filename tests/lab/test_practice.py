"""A whole practice fleet in this process: the reference exercise, used as a person would use it."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.signers import RequestSigner

from migrator.lab import daemon, files, watching
from migrator.lab.kubeclient import KubeClient, KubeError
from migrator.lab.record import Lab, LabError, RunningCluster
from migrator.lab.world.load import load_world, world_file

_SCAN = ("aws", "dynamodb", "scan", "--table-name", "dojo-orders")
_ROWS = ("--query", "Items[].[orderId.S,customer.S]", "--output", "text")
_ROOT = Path(__file__).parents[2]
_ORDERS = {("ORD-001", "Alice"), ("ORD-002", "Bob"), ("ORD-003", "Carol")}
Runner = Callable[..., Any]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    directory = tmp_path_factory.mktemp("practice") / "lab"
    yield daemon.up(world_file("exercise"), directory, detach=True, ready=lambda _lab: None)
    assert daemon.down(directory)


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> RunningCluster:
    return lab.clusters[0]


@pytest.fixture(scope="module")
def kube(cluster: RunningCluster) -> Iterator[KubeClient]:
    with KubeClient(cluster.url, cluster.ca_pem, cluster.token) as client:
        yield client


def _aws(lab: Lab, service: str, account: str = "111111111111", region: str = "us-east-1") -> Any:
    session: Any = boto3.Session(f"LABKEY00{account}", "lab-secret-key-for-practice-only", region_name=region)
    config = Config(retries={"total_max_attempts": 1}, proxies={})
    return session.client(service, endpoint_url=lab.aws_endpoint, config=config)


def _pods(kube: KubeClient, namespace: str) -> list[Any]:
    found: list[Any] = kube.list(f"/api/v1/namespaces/{namespace}/pods")["items"]
    return found


def _rows(text: str) -> set[Sequence[str]]:
    return {tuple(line.split("\t")) for line in text.splitlines()}


def _variables(pod: Any) -> set[str]:
    return {one["name"] for one in pod["spec"]["containers"][0].get("env", [])}


@pytest.mark.parametrize("namespace", ["demo", "demo-bare"])
def test_scan_from_inside_reads_the_orders_by_irsa(
    cluster: RunningCluster, kube: KubeClient, run_in_pod: Runner, namespace: str
) -> None:
    (pod,) = _pods(kube, namespace)

    ran = run_in_pod(cluster, namespace, pod["metadata"]["name"], *_SCAN, *_ROWS)
    who = run_in_pod(cluster, namespace, pod["metadata"]["name"], "aws", "sts", "get-caller-identity")

    assert {"AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"} <= _variables(pod)
    assert (ran.code, _rows(ran.stdout)) == (0, _ORDERS), ran.stderr
    assert ":assumed-role/DojoOrderReader/" in json.loads(who.stdout)["Arn"]


def test_operator_reaches_the_cluster_as_eks_lets_him(lab: Lab, cluster: RunningCluster) -> None:
    described = _aws(lab, "eks").describe_cluster(name="my-cluster")["cluster"]
    ca_pem = base64.b64decode(described["certificateAuthority"]["data"]).decode()

    with KubeClient(described["endpoint"], ca_pem, _eks_token(lab, "my-cluster")) as kube:
        names = [one["metadata"]["name"] for one in kube.list("/api/v1/namespaces")["items"]]
    with (
        KubeClient(described["endpoint"], ca_pem, _eks_token(lab, "other")) as kube,
        pytest.raises(KubeError) as refused,
    ):
        kube.list("/api/v1/namespaces")

    assert described["endpoint"] == cluster.url
    assert {"demo", "demo-bare", "kube-system"} <= set(names)
    assert refused.value.status == 401


def _eks_token(lab: Lab, cluster: str) -> str:
    """A token as `aws eks get-token` makes it."""
    sts = _aws(lab, "sts")
    signer = RequestSigner(
        sts.meta.service_model.service_id, "us-east-1", "sts", "v4", sts._request_signer._credentials, sts.meta.events
    )
    request = {
        "method": "GET",
        "url": f"{lab.aws_endpoint}/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster},
        "context": {},
    }
    url = signer.generate_presigned_url(request, region_name="us-east-1", expires_in=60, operation_name="")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def test_association_is_seen_late_and_a_new_pod_then_has_pod_identity(
    lab: Lab, cluster: RunningCluster, kube: KubeClient, run_in_pod: Runner
) -> None:
    eks, iam = _aws(lab, "eks"), _aws(lab, "iam")
    eks.create_addon(clusterName="my-cluster", addonName="eks-pod-identity-agent")
    _let_pods_in(iam)
    made = eks.create_pod_identity_association(
        clusterName="my-cluster",
        namespace="demo",
        serviceAccount="order-sa",
        roleArn="arn:aws:iam::111111111111:role/DojoOrderReader",
    )

    seen_at_once = _admitted(kube)
    _wait(lambda: "AWS_CONTAINER_CREDENTIALS_FULL_URI" in _admitted(kube))
    _wait(
        lambda: (
            eks.describe_addon(clusterName="my-cluster", addonName="eks-pod-identity-agent")["addon"]["status"]
            == "ACTIVE"
        )
    )
    (old,) = _pods(kube, "demo")
    kube.delete(f"/api/v1/namespaces/demo/pods/{old['metadata']['name']}")
    _wait(lambda: _fresh(kube, old))
    (pod,) = (one for one in _pods(kube, "demo") if _ready(one))
    ran = run_in_pod(cluster, "demo", pod["metadata"]["name"], *_SCAN, *_ROWS)

    events = _aws(lab, "cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleForPodIdentity"}]
    )["Events"]

    assert made["association"]["associationId"].startswith("a-")
    assert {event["Username"][:2] for event in events} == {"i-"}
    assert "AWS_ROLE_ARN" in seen_at_once
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" not in _variables(pod)
    assert (ran.code, _rows(ran.stdout)) == (0, _ORDERS), ran.stderr


def _let_pods_in(iam: Any) -> None:
    document = iam.get_role(RoleName="DojoOrderReader")["Role"]["AssumeRolePolicyDocument"]
    document["Statement"].append(
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    )
    iam.update_assume_role_policy(RoleName="DojoOrderReader", PolicyDocument=json.dumps(document))


def _admitted(kube: KubeClient) -> set[str]:
    """The variables a pod would be given now."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "probe-", "namespace": "demo"},
        "spec": {"serviceAccountName": "order-sa", "containers": [{"name": "app", "image": "none"}]},
    }
    return _variables(kube.create("/api/v1/namespaces/demo/pods", pod, dryRun="All"))


def _ready(pod: Any) -> bool:
    conditions = pod["status"].get("conditions", [])
    alive = "deletionTimestamp" not in pod["metadata"]
    return alive and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _fresh(kube: KubeClient, old: Any) -> bool:
    return any(_ready(one) and one["metadata"]["uid"] != old["metadata"]["uid"] for one in _pods(kube, "demo"))


def _wait(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.1)


@pytest.mark.kubectl
def test_kubectl_works_with_the_written_kubeconfig(lab: Lab) -> None:
    kubectl = ["kubectl", "--kubeconfig", lab.env["KUBECONFIG"], "--context", "my-cluster", "-n", "demo"]

    told = subprocess.run([*kubectl, "get", "deploy,sa"], capture_output=True, text=True, check=True)

    assert "deployment.apps/order-reader" in told.stdout
    assert "serviceaccount/order-sa" in told.stdout


def test_every_written_profile_reaches_its_account(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in lab.env.items():
        monkeypatch.setenv(name, value)

    accounts = [
        boto3.Session(profile_name=name).client("sts").get_caller_identity()["Account"]
        for name in ("dojo", "lab-111111111111", None)
    ]

    assert accounts == ["111111111111"] * 3


def test_profile_without_endpoint_is_never_written(tmp_path: Path) -> None:
    world = load_world(world_file("exercise"))

    with pytest.raises(LabError, match="no profile is written"):
        files.aws_config(world, "https://sts.amazonaws.com")


def test_status_counts_pods_and_calls(lab: Lab) -> None:
    told = watching.status(lab.directory)

    assert told is not None
    assert told.answering
    assert told.calls > 0
    assert [(one.alias, one.answering, one.pods >= 2) for one in told.clusters] == [("my-cluster", True, True)]


_STOPPED = """
import gc, pathlib, socket, sys, threading
from migrator.lab.fleet import Practice
from migrator.lab.world.load import load_world, world_file

fleet = Practice(load_world(world_file("exercise")), pathlib.Path(sys.argv[1]))
fleet.start()
fleet.stop()
threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
sockets = [found for found in gc.get_objects() if isinstance(found, socket.socket) and found.fileno() != -1]
print(threads, sockets)
"""


def test_stop_leaves_no_thread_and_no_socket(tmp_path: Path) -> None:
    """In a process of its own: moto's memory is the process's, and other tests may have a front alive here."""
    told = subprocess.run(
        [sys.executable, "-c", _STOPPED, str(tmp_path)], capture_output=True, text=True, check=True, cwd=_ROOT
    )

    assert told.stdout == "[] []\n"
