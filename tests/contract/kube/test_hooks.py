"""Admission webhooks: which are asked, in which order, and what comes of their answers."""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from migrator.lab.certs import Authority, server_context
from tests.contract.kube.support import Api, config_map, pod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrator.lab.kubeapi import ApiServer

Json = dict[str, Any]


class Hook:
    """An admission webhook that answers as a test says and keeps what it was sent."""

    def __init__(self) -> None:
        self.authority = Authority("hook")
        self.seen: list[Json] = []
        self.respond: Callable[[Json], Json] = lambda _: {"allowed": True}
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.seen.append(review["request"])
                response = {"uid": review["request"]["uid"], **hook.respond(review["request"])}
                body = json.dumps(
                    {"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response}
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = server_context(self.authority.issue()).wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server.server_address[1]}/hook"


def patching(operations: list[Json]) -> Json:
    patch = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": patch}


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def register(api: Api, hook: Hook, namespace: str) -> Iterator[Callable[..., None]]:
    made: list[str] = []

    def register_hook(kind: str = "mutating", order: str = "m", **changes: Any) -> None:
        name = f"{order}-{namespace}"
        plural = f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations"
        ca = base64.b64encode(hook.authority.ca_pem.encode()).decode()
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods", "configmaps"]}
        webhook = {
            "name": f"{order}.example.com",
            "clientConfig": {"url": hook.url, "caBundle": ca},
            "rules": [rule],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "failurePolicy": "Fail",
            "timeoutSeconds": 5,
            **changes,
        }
        api.ok("POST", plural, {"metadata": {"name": name}, "webhooks": [webhook]})
        made.append(f"{plural}/{name}")
        if api.target.server is None:
            time.sleep(1.5)  # a real server takes note of new webhooks after a moment

    yield register_hook
    for path in made:
        api.call("DELETE", path)


def test_mutating_webhook_changes_a_pod(api: Api, core: str, hook: Hook, register: Callable[..., None]) -> None:
    hook.respond = lambda _: patching([{"op": "add", "path": "/metadata/labels/touched", "value": "yes"}])
    register()
    made = api.ok("POST", f"{core}/pods", pod("a"))
    assert made["metadata"]["labels"]["touched"] == "yes"
    request = hook.seen[0]
    assert (request["operation"], request["kind"]["kind"], request["name"]) == ("CREATE", "Pod", "a")
    assert request["object"]["spec"]["serviceAccountName"] == "default"
    assert request["object"]["spec"]["volumes"][0]["name"].startswith("kube-api-access-")
    assert request["dryRun"] is False


def test_webhook_is_asked_on_dry_run(api: Api, core: str, hook: Hook, register: Callable[..., None]) -> None:
    hook.respond = lambda _: patching([{"op": "add", "path": "/metadata/labels/touched", "value": "yes"}])
    register()
    made = api.ok("POST", f"{core}/pods?dryRun=All", pod("a"))
    assert made["metadata"]["labels"]["touched"] == "yes"
    assert hook.seen[0]["dryRun"] is True


def test_webhook_without_side_effects_on_dry_run_is_asked(
    api: Api, core: str, hook: Hook, register: Callable[..., None]
) -> None:
    register(sideEffects="NoneOnDryRun")
    assert api.call("POST", f"{core}/pods?dryRun=All", pod("a")).status == 201
    assert len(hook.seen) == 1


def test_webhook_may_not_register_with_side_effects(api: Api) -> None:
    hook = {
        "name": "m.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/hook"},
        "sideEffects": "Some",
        "admissionReviewVersions": ["v1"],
    }
    path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    answer = api.call("POST", path, {"metadata": {"name": f"m-{uuid.uuid4().hex[:8]}"}, "webhooks": [hook]})
    assert answer.status == 422
    assert 'webhooks[0].sideEffects: Unsupported value: "Some"' in answer.body["message"]


def test_webhook_with_side_effects_fails_dry_runs(api: Api, core: str, namespace: str, own_server: ApiServer) -> None:
    hook = {
        "name": "old.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/hook"},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "sideEffects": "Unknown",
        "failurePolicy": "Ignore",
        "admissionReviewVersions": ["v1beta1"],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
    }
    api_version, kind = "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"
    name = f"old-{namespace}"
    own_server.place({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "webhooks": [hook]})
    answer = api.call("POST", f"{core}/pods?dryRun=All", pod("a"))
    assert answer.status == 400
    assert answer.body["message"] == 'admission webhook "old.example.com" does not support dry run'
    assert api.call("POST", f"{core}/pods", pod("a")).status == 201
    api.ok("DELETE", f"/apis/{api_version}/mutatingwebhookconfigurations/{name}")


def test_refusal(api: Api, core: str, hook: Hook, register: Callable[..., None]) -> None:
    hook.respond = lambda _: {"allowed": False, "status": {"message": "not today"}}
    register("validating")
    answer = api.call("POST", f"{core}/configmaps", config_map("a"))
    assert answer.status in (400, 403)
    assert answer.body["message"] == 'admission webhook "m.example.com" denied the request: not today'


def unreachable(hook: Hook) -> Json:
    bundle = base64.b64encode(hook.authority.ca_pem.encode()).decode()
    return {"url": "https://127.0.0.1:1/hook", "caBundle": bundle}


def test_unreachable_webhook_fails_the_write(api: Api, core: str, hook: Hook, register: Callable[..., None]) -> None:
    register(clientConfig=unreachable(hook), failurePolicy="Fail")
    answer = api.call("POST", f"{core}/configmaps", config_map("a"))
    assert answer.status == 500
    assert 'failed calling webhook "m.example.com"' in answer.body["message"]


def test_unreachable_webhook_is_ignored(api: Api, core: str, hook: Hook, register: Callable[..., None]) -> None:
    register(clientConfig=unreachable(hook), failurePolicy="Ignore")
    assert api.call("POST", f"{core}/configmaps", config_map("a")).status == 201


def test_object_selector_and_rules_decide(api: Api, core: str, hook: Hook, register: Callable[..., None]) -> None:
    register(objectSelector={"matchExpressions": [{"key": "skip", "operator": "DoesNotExist"}]})
    api.ok("POST", f"{core}/secrets", {"metadata": {"name": "a"}})
    body = config_map("a")
    body["metadata"]["labels"] = {"skip": "me"}
    api.ok("POST", f"{core}/configmaps", body)
    assert not hook.seen
    api.ok("POST", f"{core}/configmaps", config_map("b"))
    assert len(hook.seen) == 1


def test_webhooks_go_in_order_and_are_asked_again(
    api: Api, core: str, hook: Hook, register: Callable[..., None]
) -> None:
    def respond(request: Json) -> Json:
        labels = request["object"]["metadata"].get("labels") or {}
        operation = {"op": "add", "path": "/metadata/labels", "value": {**labels, f"l{len(labels)}": "x"}}
        return patching([operation]) if len(labels) < 2 else {"allowed": True}

    hook.respond = respond
    register(order="a", reinvocationPolicy="IfNeeded")
    register(order="b")
    api.ok("POST", f"{core}/configmaps", config_map("a"))
    assert [len(r["object"]["metadata"].get("labels") or {}) for r in hook.seen] == [0, 1, 2]


def test_generated_name_is_not_known_to_mutating_webhooks(
    api: Api, core: str, hook: Hook, register: Callable[..., None]
) -> None:
    register()
    body = pod("a")
    body["metadata"] = {"generateName": "a-"}
    api.ok("POST", f"{core}/pods", body)
    assert not hook.seen[0].get("name")
