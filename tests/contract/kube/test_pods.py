"""What happens to pods on their way in: accounts, defaults, checks, eviction, tokens."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.kube.support import config_map, pod

if TYPE_CHECKING:
    from tests.contract.kube.support import Api

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
Json = dict[str, Any]


def test_pod_gets_account_token_and_tolerations(api: Api, core: str) -> None:
    spec = api.ok("POST", f"{core}/pods", pod("a"))["spec"]
    assert spec["serviceAccountName"] == "default"
    volume = spec["volumes"][0]
    assert volume["name"].startswith("kube-api-access-")
    assert volume["projected"]["defaultMode"] == 420
    assert volume["projected"]["sources"][0]["serviceAccountToken"] == {"expirationSeconds": 3607, "path": "token"}
    mount = spec["containers"][0]["volumeMounts"][0]
    assert mount == {"name": volume["name"], "readOnly": True, "mountPath": TOKEN_PATH}
    assert {t["key"]: t["tolerationSeconds"] for t in spec["tolerations"]} == {
        "node.kubernetes.io/not-ready": 300,
        "node.kubernetes.io/unreachable": 300,
    }


def test_pod_starts_pending(api: Api, core: str) -> None:
    status = api.ok("POST", f"{core}/pods", pod("a"))["status"]
    assert (status["phase"], status["qosClass"]) == ("Pending", "BestEffort")


def test_pod_without_token_on_request(api: Api, core: str) -> None:
    spec = api.ok("POST", f"{core}/pods", pod("a", automountServiceAccountToken=False))["spec"]
    assert "volumes" not in spec
    api.ok("POST", f"{core}/serviceaccounts", {"metadata": {"name": "quiet"}, "automountServiceAccountToken": False})
    spec = api.ok("POST", f"{core}/pods", pod("b", serviceAccountName="quiet"))["spec"]
    assert "volumes" not in spec


def test_pull_secrets_come_from_the_account(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/serviceaccounts", {"metadata": {"name": "a"}, "imagePullSecrets": [{"name": "s"}]})
    spec = api.ok("POST", f"{core}/pods", pod("a", serviceAccountName="a"))["spec"]
    assert spec["imagePullSecrets"] == [{"name": "s"}]


def test_absent_account_is_403(api: Api, core: str, namespace: str) -> None:
    answer = api.call("POST", f"{core}/pods", pod("a", serviceAccountName="none"))
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["message"] == (
        f'pods "a" is forbidden: error looking up service account {namespace}/none: serviceaccount "none" not found'
    )


def broken(**changes: Any) -> Json:
    body = pod("a")
    body["spec"].update(changes)
    return body


MOUNTS: list[Json] = [{"name": "v", "mountPath": "/x"}]


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        ({"containers": []}, "spec.containers", "FieldValueRequired"),
        ({"containers": [{"name": "app"}]}, "spec.containers[0].image", "FieldValueRequired"),
        ({"containers": [{"image": "i"}]}, "spec.containers[0].name", "FieldValueRequired"),
        (
            {"containers": [{"name": "a", "image": "i"}, {"name": "a", "image": "i"}]},
            "spec.containers[1].name",
            "FieldValueDuplicate",
        ),
        (
            {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}]},
            "spec.volumes[1].name",
            "FieldValueDuplicate",
        ),
        (
            {"containers": [{"name": "a", "image": "i", "volumeMounts": MOUNTS}]},
            "spec.containers[0].volumeMounts[0].name",
            "FieldValueNotFound",
        ),
        (
            {
                "volumes": [{"name": "v", "emptyDir": {}}],
                "containers": [{"name": "a", "image": "i", "volumeMounts": MOUNTS * 2}],
            },
            "spec.containers[0].volumeMounts[1].mountPath",
            "FieldValueInvalid",
        ),
    ],
)
def test_broken_pods_are_422(api: Api, core: str, spec: Json, field: str, reason: str) -> None:
    answer = api.call("POST", f"{core}/pods", broken(**spec))
    assert (answer.status, answer.body["reason"]) == (422, "Invalid")
    assert (field, reason) in {(c["field"], c["reason"]) for c in answer.body["details"]["causes"]}


def test_pod_spec_is_fixed_but_for_a_few_fields(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/pods", pod("a"))
    change: Json = {"spec": {"containers": [{"name": "app", "image": "other:2"}]}}
    assert api.patch(f"{core}/pods/a", change, "strategic-merge-patch+json").status == 200
    change = {"spec": {"containers": [{"name": "app", "env": [{"name": "A", "value": "1"}]}]}}
    answer = api.patch(f"{core}/pods/a", change, "strategic-merge-patch+json")
    assert answer.status == 422
    assert "spec: Forbidden: pod updates may not change fields other than" in answer.body["message"]


def test_binding_a_pod(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/pods", pod("a"))
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "a"},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "nowhere"},
    }
    assert api.call("POST", f"{core}/pods/a/binding", binding).status == 201
    assert api.ok("GET", f"{core}/pods/a")["spec"]["nodeName"] == "nowhere"
    assert api.call("POST", f"{core}/pods/a/binding", binding).status == 409


def eviction(name: str) -> Json:
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}


def ready(api: Api, core: str, name: str) -> None:
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    answer = api.patch(f"{core}/pods/{name}/status", {"status": {"phase": "Running", "conditions": [condition]}})
    assert answer.status == 200


def test_eviction(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/pods", pod("a"))
    assert api.call("POST", f"{core}/pods/a/eviction", eviction("a")).status == 201
    assert api.call("GET", f"{core}/pods/a").status == 404
    assert api.call("POST", f"{core}/pods/a/eviction", eviction("a")).status == 404


def test_eviction_against_a_budget_is_429(api: Api, core: str, namespace: str) -> None:
    budget = {"metadata": {"name": "keep"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}}
    api.ok("POST", f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets", budget)
    api.ok("POST", f"{core}/pods", pod("a", nodeName="nowhere"))
    ready(api, core, "a")
    answer = api.call("POST", f"{core}/pods/a/eviction", eviction("a"))
    assert (answer.status, answer.body["reason"]) == (429, "TooManyRequests")
    assert "disruption budget" in answer.body["message"]


def claims(token: str) -> Json:
    payload = token.split(".")[1]
    found: Json = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def test_token_for_an_account(api: Api, core: str, namespace: str) -> None:
    made = api.ok("POST", f"{core}/pods", pod("a"))
    request = {
        "spec": {
            "audiences": ["pods.eks.amazonaws.com"],
            "expirationSeconds": 3600,
            "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "a", "uid": made["metadata"]["uid"]},
        }
    }
    answer = api.call("POST", f"{core}/serviceaccounts/default/token", request)
    assert answer.status == 201
    found = claims(answer.body["status"]["token"])
    assert found["sub"] == f"system:serviceaccount:{namespace}:default"
    assert found["aud"] == ["pods.eks.amazonaws.com"]
    assert 3500 < found["exp"] - found["iat"] <= 3600
    assert found["kubernetes.io"]["namespace"] == namespace
    assert found["kubernetes.io"]["pod"] == {"name": "a", "uid": made["metadata"]["uid"]}


def test_token_for_an_absent_account_is_404(api: Api, core: str) -> None:
    assert api.call("POST", f"{core}/serviceaccounts/none/token", {"spec": {}}).status == 404


def test_token_of_short_life_is_422(api: Api, core: str) -> None:
    answer = api.call("POST", f"{core}/serviceaccounts/default/token", {"spec": {"expirationSeconds": 60}})
    assert answer.status == 422
    assert "may not specify a duration less than 10 minutes" in answer.body["message"]


def test_log_of_an_unknown_container_is_400(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/pods", pod("a"))
    answer = api.call("GET", f"{core}/pods/a/log?container=none")
    assert answer.status == 400
    assert "container none is not valid for pod a" in answer.body["message"]


def test_immutable_config_map(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", {**config_map("a", k="1"), "immutable": True})
    answer = api.patch(f"{core}/configmaps/a", {"data": {"k": "2"}})
    assert answer.status == 422
    assert "field is immutable when `immutable` is set" in answer.body["message"]
