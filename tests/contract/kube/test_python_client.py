"""The official Python client against the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kubernetes.client
import kubernetes.dynamic
import kubernetes.watch
import pytest

from tests.contract.kube.support import config_map, deployment, pod

if TYPE_CHECKING:
    from tests.contract.kube.support import Api


# the checks read as a user would write them, who has no type checker at hand
client: Any = kubernetes.client
watch: Any = kubernetes.watch
dynamic: Any = kubernetes.dynamic


def test_service_accounts(python_client: Any, namespace: str) -> None:
    core = client.CoreV1Api(python_client)
    body = {"metadata": {"name": "a", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r"}}}
    made = core.create_namespaced_service_account(namespace, body)
    assert made.metadata.annotations["eks.amazonaws.com/role-arn"].endswith("role/r")
    patched = core.patch_namespaced_service_account(
        "a", namespace, {"metadata": {"annotations": {"eks.amazonaws.com/role-arn": None}}}
    )
    assert not patched.metadata.annotations
    listed = core.list_namespaced_service_account(namespace, limit=1)
    assert listed.metadata._continue
    core.delete_namespaced_service_account("a", namespace)
    with pytest.raises(client.ApiException) as caught:
        core.read_namespaced_service_account("a", namespace)
    assert caught.value.status == 404


def test_all_namespaces_by_pages(python_client: Any, namespace: str) -> None:
    core = client.CoreV1Api(python_client)
    found, token = [], None
    while True:
        options: dict[str, Any] = {"_continue": token} if token else {}
        page = core.list_service_account_for_all_namespaces(limit=2, **options)
        found += [(i.metadata.namespace, i.metadata.name) for i in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert (namespace, "default") in found
    assert len(found) == len(set(found))


def test_workloads(python_client: Any, namespace: str) -> None:
    apps = client.AppsV1Api(python_client)
    made = apps.create_namespaced_deployment(namespace, deployment("web", 0))
    assert made.spec.strategy.type == "RollingUpdate"
    scaled = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 1}})
    assert scaled.spec.replicas == 1
    assert apps.read_namespaced_deployment_status("web", namespace).metadata.name == "web"
    assert [d.metadata.name for d in apps.list_namespaced_deployment(namespace).items] == ["web"]
    for listing in (
        apps.list_namespaced_stateful_set,
        apps.list_namespaced_daemon_set,
        apps.list_namespaced_replica_set,
        client.BatchV1Api(python_client).list_namespaced_job,
        client.BatchV1Api(python_client).list_namespaced_cron_job,
    ):
        assert listing(namespace).kind.endswith("List")


def test_pods_and_eviction(python_client: Any, namespace: str) -> None:
    core = client.CoreV1Api(python_client)
    made = core.create_namespaced_pod(namespace, pod("a"), dry_run="All")
    assert made.spec.service_account_name == "default"
    core.create_namespaced_pod(namespace, pod("a"))
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a", "namespace": namespace}}
    core.create_namespaced_pod_eviction("a", namespace, eviction)
    assert core.list_namespaced_pod(namespace).items == []


def test_lease(python_client: Any, namespace: str) -> None:
    leases = client.CoordinationV1Api(python_client)
    body = {
        "metadata": {"name": "a"},
        "spec": {"holderIdentity": "me", "leaseDurationSeconds": 30, "renewTime": "2026-01-01T00:00:00.123456Z"},
    }
    made = leases.create_namespaced_lease(namespace, body)
    assert made.spec.renew_time.microsecond == 123456
    assert leases.read_namespaced_lease("a", namespace).spec.holder_identity == "me"


def test_reviews_and_version(python_client: Any) -> None:
    assert client.VersionApi(python_client).get_code().major == "1"
    review = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    answer = client.AuthorizationV1Api(python_client).create_self_subject_access_review(review)
    assert answer.status.allowed


def test_token_request(python_client: Any, namespace: str) -> None:
    core = client.CoreV1Api(python_client)
    body = {"spec": {"audiences": ["pods.eks.amazonaws.com"], "expirationSeconds": 3600}}
    made = core.create_namespaced_service_account_token("default", namespace, body)
    assert made.status.token.count(".") == 2


def test_watch(python_client: Any, namespace: str, api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a"))
    lister = client.CoreV1Api(python_client).list_namespaced_config_map
    stream = watch.Watch().stream(lister, namespace, timeout_seconds=1)
    assert "a" in {event["object"].metadata.name for event in stream}


def test_dynamic_client(python_client: Any, namespace: str) -> None:
    maps = dynamic.DynamicClient(python_client).resources.get(api_version="v1", kind="ConfigMap")
    maps.create(config_map("a", k="1"), namespace=namespace)
    body = config_map("a", k="2")
    applied = maps.server_side_apply(body, namespace=namespace, field_manager="m", force_conflicts=True)
    assert applied.data.k == "2"
    assert maps.get(name="a", namespace=namespace).data.k == "2"


def test_webhook_configurations(python_client: Any) -> None:
    admission = client.AdmissionregistrationV1Api(python_client)
    assert admission.list_mutating_webhook_configuration().kind == "MutatingWebhookConfigurationList"
