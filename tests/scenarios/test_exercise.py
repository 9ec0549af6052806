"""The reference exercise: Task 1 and 2 are the world, `migrate` does Task 3 and shows what Task 4 asks for."""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from migrator.lab.asking import is_ready
from migrator.lab.record import RunningCluster
from migrator.lab.world.load import world_file
from migrator.model.exits import Exit
from tests.lab import harness
from tests.lab.conftest import InPod
from tests.lab.harness import Fleet

SERVICE = "my-cluster/demo/order-sa"
SCAN = ("aws", "dynamodb", "scan", "--table-name", "dojo-orders", "--query", "Items[].orderId.S", "--output", "text")
ORDERS = ["ORD-001", "ORD-002", "ORD-003"]


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with harness.fleet(world_file("exercise"), tmp_path_factory.mktemp("exercise"), plane) as running:
        yield running


@pytest.fixture(scope="module")
def cluster(fleet: Fleet) -> RunningCluster:
    return fleet.lab.clusters[0]


def pods(fleet: Fleet) -> list[Any]:
    """The reader's pods that are ready and stay."""
    items = fleet.kube("my-cluster").list("/api/v1/namespaces/demo/pods")["items"]
    return [pod for pod in items if is_ready(pod)]


def scan(fleet: Fleet, cluster: RunningCluster, run_in_pod: InPod) -> list[str]:
    """The scan from inside a ready pod, with its own identity."""
    ran = run_in_pod(cluster, "demo", pods(fleet)[0]["metadata"]["name"], *SCAN)
    assert ran.code == 0, ran.stderr
    return sorted(ran.stdout.split())


class Scanning(threading.Thread):
    """Scans over and over until told to stop; a pod that went away meanwhile does not count."""

    def __init__(self, once: Callable[[], list[str]]) -> None:
        super().__init__()
        self.once = once
        self.stopping = threading.Event()
        self.seen: list[list[str]] = []
        self.failed: list[str] = []

    def run(self) -> None:
        while not self.stopping.wait(0.05):
            try:
                self.seen.append(self.once())
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a gap and the test's to judge
                self.failed.append(repr(error))


def client(fleet: Fleet, service: str) -> Any:
    session: Any = boto3.Session("LABKEY00111111111111", "lab-secret-key-for-practice-only", region_name="us-east-1")
    return session.client(service, endpoint_url=fleet.lab.aws_endpoint, config=Config(proxies={}))


def test_from_irsa_to_pod_identity_and_back(fleet: Fleet, cluster: RunningCluster, run_in_pod: InPod) -> None:
    kube = fleet.kube("my-cluster")
    where = "/api/v1/namespaces/demo/serviceaccounts/order-sa"
    account_before = kube.get(where)
    assert scan(fleet, cluster, run_in_pod) == ORDERS
    fleet.migrate("plan").ok()
    fleet.migrate("verify", "--service", SERVICE, "--expect", "irsa").ok()

    scanning = Scanning(lambda: scan(fleet, cluster, run_in_pod))
    scanning.start()
    try:
        fleet.migrate("apply", "--service", SERVICE, "--yes").ok()
    finally:
        scanning.stopping.set()
        scanning.join()
    assert scanning.failed == []
    assert len(scanning.seen) > 10
    assert all(orders == ORDERS for orders in scanning.seen)

    (pod,) = pods(fleet)
    env = run_in_pod(cluster, "demo", pod["metadata"]["name"], "env").stdout
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials" in env
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" not in env
    assert scan(fleet, cluster, run_in_pod) == ORDERS
    caller = json.loads(
        run_in_pod(cluster, "demo", pod["metadata"]["name"], "aws", "sts", "get-caller-identity").stdout
    )
    assert "assumed-role/DojoOrderReader/eks-" in caller["Arn"]

    task_4(fleet, kube.get(where), account_before)

    fleet.migrate("rollback", "--service", SERVICE, "--yes").ok()
    assert without_bookkeeping(kube.get(where)) == without_bookkeeping(account_before)
    assert scan(fleet, cluster, run_in_pod) == ORDERS
    fleet.migrate("verify", "--service", SERVICE, "--expect", "irsa").ok()


def task_4(fleet: Fleet, account: Any, account_before: Any) -> None:
    """One association, no annotation and nothing else changed, and events in CloudTrail."""
    eks = client(fleet, "eks")
    (found,) = eks.list_pod_identity_associations(clusterName="my-cluster")["associations"]
    assert (found["namespace"], found["serviceAccount"]) == ("demo", "order-sa")

    expected = without_bookkeeping(account_before)
    del expected["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
    if not expected["metadata"]["annotations"]:
        del expected["metadata"]["annotations"]
    assert without_bookkeeping(account) == expected

    attribute = [{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleForPodIdentity"}]
    events = client(fleet, "cloudtrail").lookup_events(LookupAttributes=attribute)["Events"]
    assert events
    assert {event["EventSource"] for event in events} == {"eks-auth.amazonaws.com"}


def without_bookkeeping(account: Any) -> Any:
    """The object without the fields that count its changes."""
    kept = {key: value for key, value in account["metadata"].items() if key not in {"resourceVersion", "managedFields"}}
    return copy.deepcopy({**account, "metadata": kept})


def test_the_bare_pod_needs_a_person(fleet: Fleet) -> None:
    fleet.migrate("plan").ok()
    ran = fleet.migrate("apply", "--service", "my-cluster/demo-bare/order-sa", "--yes").ended(Exit.BLOCKED)
    assert "bare-pods" in ran.out + ran.err
