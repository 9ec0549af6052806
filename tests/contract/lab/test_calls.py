"""Faults of calls are played as they were declared: errors, lost connections, expired credentials."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
from botocore.exceptions import ClientError, ConnectionClosedError

from migrator.lab.kubeclient import KubeError
from tests.contract.lab.looks import account_path, code_of, restarted, status_of
from tests.contract.lab.support import CLUSTER, Json, Lab, eventually

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("service", "operation", "what", "code", "status"),
    [
        ("iam", "GetRole", "throttled", "Throttling", 400),
        ("iam", "GetRole", "internal", "ServiceFailure", 500),
        ("iam", "GetRole", "unavailable", "ServiceUnavailable", 503),
        ("eks", "ListClusters", "throttled", "ThrottlingException", 429),
        ("eks", "ListClusters", "internal", "ServerException", 500),
        ("eks", "ListClusters", "unavailable", "ServiceUnavailableException", 503),
        ("sts", "GetCallerIdentity", "throttled", "Throttling", 400),
        ("eks", "ListClusters", "denied", "AccessDeniedException", 403),
    ],
)
def test_aws_calls_fail_as_the_service_spells_it(
    lab: Lab, *, service: str, operation: str, what: str, code: str, status: int
) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "GetRole": lambda: lab.aws("iam").get_role(RoleName="Orders"),
        "ListClusters": lambda: lab.aws("eks").list_clusters(),
        "GetCallerIdentity": lambda: lab.aws("sts").get_caller_identity(),
    }
    fault = {"fail": {"aws": {"service": service, "operation": operation}, "with": what, "first": 1}}
    with lab.faults(fault) as played:
        with pytest.raises(ClientError) as refused:
            calls[operation]()
        calls[operation]()
        assert len(played()) == 1
    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


@pytest.mark.parametrize(
    ("often", "wanted"),
    [
        ({"first": 2}, "FF......"),
        ({"every": 3}, "..F..F.."),
        ({"share": 0.25}, "...F...F"),
        ({"skip": 2, "first": 1}, "..F....."),
        ({"share": 1}, "FFFFFFFF"),
    ],
)
def test_which_calls_fail_is_not_left_to_chance(lab: Lab, often: Json, wanted: str) -> None:
    iam = lab.aws("iam")
    with lab.faults({"fail": {"aws": {"service": "iam", "role": "Mail"}, "with": "throttled", **often}}):
        seen = ["F" if code_of(lambda: iam.get_role(RoleName="Mail")) else "." for _ in wanted]
        assert "".join(seen) == wanted
        assert code_of(lambda: iam.get_role(RoleName="Stock")) == ""


@pytest.mark.parametrize(
    ("what", "status", "reason"),
    [
        ("throttled", 429, "TooManyRequests"),
        ("internal", 500, "InternalError"),
        ("unavailable", 503, "ServiceUnavailable"),
        ("timeout", 504, "Timeout"),
    ],
)
def test_kubernetes_calls_fail(lab: Lab, what: str, status: int, reason: str) -> None:
    calls = {"verb": "get", "resource": "serviceaccounts", "name": "orders"}
    with lab.faults({"fail": {"kube": calls, "with": what, "first": 1}}) as played, lab.kube() as client:
        with pytest.raises(KubeError) as refused:
            client.get(account_path("orders"))
        client.get(account_path("orders"))
        assert len(played()) == 1
    assert (refused.value.status, refused.value.reason) == (status, reason)


def test_a_throttled_kubernetes_call_says_when_to_come_back(lab: Lab) -> None:
    calls = {"resource": "pods", "by": "anyone"}
    api = lab.practice.clusters[CLUSTER].api
    with lab.faults({"fail": {"kube": calls, "with": "throttled", "retryAfter": 7}}):
        with urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_cert_data=api.ca_pem) as pool:
            headers = {"Authorization": f"Bearer {api.admin_token}"}
            answer = pool.request("GET", f"{api.url}/api/v1/namespaces/shop/pods", headers=headers, retries=False)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert json.loads(answer.data)["details"]["retryAfterSeconds"] == 7


def test_faults_strike_neither_the_fleet_itself_nor_the_kubeconfig_of_its_administrator(lab: Lab) -> None:
    with lab.faults({"fail": {"kube": {}, "with": "unavailable"}}), lab.kube(operator=False) as client:
        lab.restart_as(client, "billing", "during an outage")
        eventually("a new pod", lambda: restarted(lab, "billing", "during an outage"))


@pytest.mark.parametrize(("side", "made"), [("before", 0), ("after", 1)])
def test_aws_connection_is_dropped_before_or_after_the_server_acted(lab: Lab, side: str, made: int) -> None:
    eks = lab.aws("eks")
    call = {"service": "eks", "operation": "CreatePodIdentityAssociation", "serviceAccount": "shop/mail"}
    with lab.faults({"drop": {"aws": call, "side": side, "first": 1}}) as played:
        with pytest.raises(ConnectionClosedError):
            lab.associate("mail")
        found = eks.list_pod_identity_associations(clusterName=CLUSTER, serviceAccount="mail")["associations"]
        assert len(found) == made
        assert len(played()) == 1
    for one in found:
        eks.delete_pod_identity_association(clusterName=CLUSTER, associationId=one["associationId"])
    logged = [one for one in lab.page("calls") if one["lost"]][-1]
    assert (logged["operation"], logged["status"]) == ("CreatePodIdentityAssociation", 200 if made else 0)


@pytest.mark.parametrize(("side", "value"), [("before", None), ("after", "x")])
def test_kubernetes_connection_is_dropped_before_or_after_the_server_acted(
    lab: Lab, side: str, value: str | None
) -> None:
    patch = {"metadata": {"annotations": {f"test/{side}": "x"}}}
    calls = {"verb": "patch", "resource": "serviceaccounts", "namespace": "shop", "name": "orders"}
    with lab.faults({"drop": {"kube": calls, "side": side, "first": 1}}), lab.kube() as client:
        assert status_of(lambda: client.patch(account_path("orders"), patch)) == 0
    with lab.kube(operator=False) as client:
        annotations = client.get(account_path("orders"))["metadata"]["annotations"]
    assert annotations.get(f"test/{side}") == value
    logged = [one for one in lab.page("kube-calls") if one["lost"]][-1]
    assert (logged["verb"], logged["name"], logged["status"]) == ("patch", "orders", 200 if value else 0)


@pytest.mark.parametrize("side", ["before", "after"])
def test_answers_are_late_and_nobody_else_waits_for_them(lab: Lab, side: str) -> None:
    iam = lab.aws("iam")
    late = {"service": "iam", "operation": "GetRole"}
    calls = {"verb": "get", "resource": "serviceaccounts"}
    faults = (
        {"slow": {"aws": late, "side": side, "seconds": 2, "first": 1}},
        {"slow": {"kube": calls, "side": side, "seconds": 2, "first": 1}},
    )
    with lab.faults(*faults) as played, lab.kube() as client, ThreadPoolExecutor(2) as pool:
        began = time.monotonic()
        slow = [
            pool.submit(lambda: iam.get_role(RoleName="Mail")),
            pool.submit(lambda: client.get(account_path("orders"))),
        ]
        eventually("both wait", lambda: len(played()) == 2)
        iam.list_roles()
        client.list(account_path("orders").rpartition("/")[0])
        assert not any(one.done() for one in slow)
        assert [one.result() for one in slow]
        assert time.monotonic() - began >= 2


def test_the_operators_aws_credentials_expire_after_some_calls_until_they_are_renewed(lab: Lab) -> None:
    iam, eks = lab.aws("iam"), lab.aws("eks")
    with lab.faults({"expire": {"aws": {}, "skip": 2}}):
        codes = [code_of(lambda: iam.get_role(RoleName="Mail")) for _ in range(3)]
        assert codes == ["", "", "ExpiredToken"]
        assert code_of(eks.list_clusters) == "ExpiredTokenException"
        assert all(one["answers"] for one in lab.page("credentials?service_account=orders"))
    assert code_of(eks.list_clusters) == ""


def test_the_operators_credentials_expire_after_a_time_and_for_a_time(lab: Lab) -> None:
    eks = lab.aws("eks")
    with lab.faults({"afterSeconds": 0.5, "expire": {"aws": {"service": "eks"}}}):
        eventually("they expire", lambda: code_of(eks.list_clusters) == "ExpiredTokenException")
    with lab.faults({"forSeconds": 0.5, "expire": {"aws": {"service": "eks"}}}):
        eventually("they are renewed", lambda: code_of(eks.list_clusters) == "")


def test_the_operators_kubernetes_token_expires(lab: Lab) -> None:
    with lab.faults({"expire": {"kube": {}, "first": 1}}), lab.kube() as client:
        assert [status_of(lambda: client.get(account_path("orders"))) for _ in range(2)] == [401, 200]
