"""The golden cases of the real webhook, end to end: pods created through an API server that calls ours."""

import base64
import http.client
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonpatch
import pytest

from migrator.lab.certs import Authority, server_context
from migrator.lab.kubeclient import KubeClient, KubeError, resource_path
from migrator.lab.listener import Exchange, Listener
from migrator.lab.webhook.server import PodIdentityWebhook, registration
from migrator.lab.webhook.settings import ComposeRoleArn, Flags
from migrator.lab.webhook.sources import ServiceAccountCache, association_document
from tests.fakes.kube import add_namespace, open_kube

CASES = json.loads((Path(__file__).parents[2] / "cases" / "webhook.json").read_text())
JITTERED = 81111
CONFIGURATIONS = resource_path("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations")
PODS = resource_path("v1", "pods", "shop")
Json = dict[str, Any]


class Watched:
    """A ServiceAccount cache that counts questions and can be blind."""

    def __init__(self, cache: ServiceAccountCache, *, blind: bool) -> None:
        self._cache, self._blind, self.asked = cache, blind, 0

    def annotations(self, namespace: str, name: str) -> Mapping[str, str] | None:
        self.asked += 1
        return None if self._blind else self._cache.annotations(namespace, name)


class Stage:
    """One API server, on which each case puts its own webhook, ServiceAccount and associations.

    What is registered is a switch before the case's webhook: a real API server hears late of a new registration.
    """

    def __init__(self, kube: KubeClient, folder: Path) -> None:
        self.kube = kube
        self.authority = Authority("webhook")
        self.cache = ServiceAccountCache(kube)
        self.cache.start()
        self.file = folder / "identities.json"
        self.asked = 0
        self._current: PodIdentityWebhook | None = None
        self._switch = Listener(self._respond, server_context(self.authority.issue()))
        add_namespace(kube, "shop")

    def open(self) -> None:
        """Registers the switch, and returns when the API server asks it."""
        self._switch.start()
        self.kube.create(CONFIGURATIONS, registration(f"{self._switch.url}/mutate", self.authority.ca_pem))
        pod = {"metadata": {"name": "asked"}, "spec": {"containers": [{"name": "main", "image": "example/app:1"}]}}
        until = time.monotonic() + 30
        while not self.asked:
            assert time.monotonic() < until
            self.kube.create(PODS, pod, dryRun="All")

    def close(self) -> None:
        """Takes everything away again."""
        self.cache.stop()
        self.kube.delete(f"{CONFIGURATIONS}/pod-identity-webhook")
        self._switch.stop()
        self.kube.delete(resource_path("v1", "namespaces", None, "shop"))

    def _respond(self, exchange: Exchange) -> None:
        self.asked += 1
        if self._current is None:
            exchange.read_body()
            exchange.refuse(503, "no case is on")
        else:
            self._current._respond(exchange)

    def account(self, case: Json) -> None:
        wanted = case["serviceAccount"]
        path = resource_path("v1", "serviceaccounts", "shop", wanted["name"])
        if self.kube.find(path):
            self.kube.delete(path)
        metadata = {"name": wanted["name"], "namespace": "shop", "annotations": wanted["annotations"]}
        self.kube.create_object({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        ours = {key: text for key, text in wanted["annotations"].items() if key.startswith("eks.amazonaws.com/")}
        until = time.monotonic() + 5
        while self.cache.annotations("shop", wanted["name"]) != ours:
            assert time.monotonic() < until
            time.sleep(0.005)

    def webhook(self, case: Json) -> tuple[PodIdentityWebhook, Watched]:
        pairs = {(one["namespace"], one["serviceAccount"]) for one in case.get("associations", ())}
        if case["association"]:
            pairs.add(("shop", "app"))
        self.file.write_text(association_document(frozenset(pairs)))
        accounts = Watched(self.cache, blind=not case["serviceAccount"].get("inCache", True))
        webhook = PodIdentityWebhook(
            self.kube,
            flags_of(case),
            self.file,
            self.authority.issue(),
            accounts=accounts,
            jitter=lambda _low, _high: JITTERED,
        )
        webhook.start()
        self._current = webhook
        return webhook, accounts


@pytest.fixture(scope="module")
def stage(kube_target: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_kube(kube_target) as opened:
        made = Stage(opened.kube, tmp_path_factory.mktemp("webhook"))
        made.open()
        yield made
        made.close()


def flags_of(case: Json) -> Flags:
    compose = case["webhook"].get("composeRoleArn")
    return Flags(
        region=case["webhook"]["region"],
        sts_regional_endpoint=case["webhook"]["stsRegionalEndpoint"],
        token_expiration=case["webhook"]["tokenExpiration"],
        compose_role_arn=ComposeRoleArn(compose["partition"], compose["accountId"]) if compose else None,
    )


def raw(case: Json) -> bool:
    """Cases that describe a request no API server makes."""
    return bool(case["name"].endswith("-raw-call"))


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry-run", "create"])
@pytest.mark.parametrize("case", [one for one in CASES if not raw(one)], ids=lambda case: case["name"])
def test_golden_case_through_the_api_server(stage: Stage, case: Json, dry_run: bool) -> None:
    stage.account(case)
    webhook, accounts = stage.webhook(case)
    query = {"dryRun": "All"} if dry_run else {}
    name = f"{PODS}/{case['pod']['metadata']['name']}"
    try:
        if case["expect"].get("apiServerRejects"):
            with pytest.raises(KubeError, match="must be unique") as caught:
                stage.kube.create(PODS, case["pod"], **query)
            assert caught.value.status == 422
            return
        pod = stage.kube.create(PODS, case["pod"], **query)
        assert (stage.kube.find(name) is None) is dry_run
    finally:
        webhook.stop()
        if stage.kube.find(name):
            stage.kube.delete(name, gracePeriodSeconds=0)
    assert (accounts.asked > 0) is case["expect"]["webhookCalled"]
    assert_as_expected(case, without_defaults(pod, case["pod"]))


POSTED = [(case, "v1beta1") for case in CASES if case["expect"]["webhookCalled"]]
POSTED += [(case, "v1") for case in CASES if raw(case)]


@pytest.mark.parametrize(("case", "version"), POSTED, ids=[f"{case['name']}-{version}" for case, version in POSTED])
def test_golden_case_posted_to_the_webhook(stage: Stage, case: Json, version: str) -> None:
    stage.account(case)
    webhook, _ = stage.webhook(case)
    request = {"uid": "u-1", "namespace": "shop", "object": case["pod"], **case.get("request", {})}
    review = {"apiVersion": f"admission.k8s.io/{version}", "kind": "AdmissionReview", "request": request}
    try:
        status, answer = post(webhook.url, stage.authority.ca_pem, json.dumps(review))
    finally:
        webhook.stop()
    response = json.loads(answer)["response"]
    assert (status, response["uid"], response["allowed"]) == (200, "u-1", True)
    if case["expect"]["patch"] is None:
        assert "patch" not in response
        return
    patch = json.loads(base64.b64decode(response["patch"]))
    assert response["patchType"] == "JSONPatch"
    assert [operation["path"] for operation in patch] == case["expect"]["patch"]
    assert_as_expected(case, jsonpatch.apply_patch(case["pod"], patch))


def test_every_case_is_run() -> None:
    assert len(CASES) == 52
    assert sum(map(raw, CASES)) == 2


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        ("{}", "text/plain", 415, None),
        ("{}", "application/json; charset=utf-8", 415, None),
        ("not json", "application/json", 200, "Expecting value: line 1 column 1 (char 0)"),
        ('{"apiVersion": "v2", "kind": "AdmissionReview"}', "application/json", 200, "bad content"),
        (
            '{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}',
            "application/json",
            200,
            "bad content",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(stage: Stage, body: str, kind: str, status: int, message: str | None) -> None:
    webhook, _ = stage.webhook(CASES[0])
    try:
        found, answer = post(webhook.url, stage.authority.ca_pem, body, kind)
    finally:
        webhook.stop()
    assert found == status
    if message:
        response = json.loads(answer)["response"]
        assert response["allowed"] is False
        assert message in response["status"]["message"]


def test_the_association_file_is_followed(stage: Stage) -> None:
    case = next(one for one in CASES if one["name"] == "both-podid-wins")
    stage.account(case)
    webhook, _ = stage.webhook(case)

    def mode() -> str:
        names = {
            one["name"] for one in stage.kube.create(PODS, case["pod"], dryRun="All")["spec"]["containers"][0]["env"]
        }
        return "pod-identity" if "AWS_CONTAINER_CREDENTIALS_FULL_URI" in names else "irsa"

    try:
        assert mode() == "pod-identity"
        stage.file.write_text('{"identities": [')
        assert mode() == "pod-identity", "a malformed file leaves the set as it was"
        stage.file.write_text("")
        assert mode() == "irsa"
        stage.file.write_text(association_document(frozenset({("shop", "app")})))
        assert mode() == "pod-identity"
        stage.file.unlink()
        assert mode() == "irsa"
    finally:
        webhook.stop()


def post(url: str, ca_pem: str, body: str, kind: str = "application/json") -> tuple[int, bytes]:
    parts = urlsplit(url)
    context = ssl.create_default_context(cadata=ca_pem)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=10)
    try:
        connection.request("POST", parts.path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def assert_as_expected(case: Json, pod: Json) -> None:
    expect = case["expect"]
    containers = pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
    assert (pod["metadata"].get("labels") or {}) == expect["labels"]
    assert {one["name"]: one.get("env", []) for one in containers} == expect["env"]
    assert {one["name"]: one.get("volumeMounts", []) for one in containers} == expect["mounts"]
    wanted = json.loads(json.dumps(expect["volumes"]).replace('{"min": 79200, "max": 86400}', str(JITTERED)))
    assert (pod["spec"].get("volumes") or []) == wanted


def without_defaults(pod: Json, given: Json) -> Json:
    """The pod without what an API server adds to every pod: its token volume and defaults of volumes and env."""
    own = {volume["name"] for volume in given["spec"].get("volumes") or []}
    spec = pod["spec"]
    added = {one["name"] for one in spec.get("volumes") or [] if one["name"].startswith("kube-api-access-")} - own
    spec["volumes"] = [plain(one, given) for one in spec.get("volumes") or [] if one["name"] not in added]
    for container in spec.get("initContainers", []) + spec["containers"]:
        mounts = container.get("volumeMounts") or []
        container["volumeMounts"] = [one for one in mounts if one["name"] not in added]
        for variable in container.get("env") or []:
            variable.get("valueFrom", {}).get("fieldRef", {}).pop("apiVersion", None)
    return pod


def plain(volume: Json, given: Json) -> Json:
    """A volume without the fields that the API server filled in."""
    before: Json = next((one for one in given["spec"].get("volumes") or [] if one["name"] == volume["name"]), {})
    for kind, source in volume.items():
        for field in ("defaultMode", "type"):
            if isinstance(source, dict) and field not in before.get(kind, {}):
                source.pop(field, None)
    return volume
