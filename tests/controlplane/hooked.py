"""The golden cases of the webhook for both sides: our webhook before our API server, EKS's own before a real one.

Everything that the webhooks go by is there before they start, so that nobody has to wait for them to hear of it.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migrator.lab.controlplane import programs
from migrator.lab.controlplane.settings import WEBHOOK
from migrator.lab.controlplane.webhook import WebhookProgram
from migrator.lab.kubeclient import KubeClient
from migrator.lab.listener import Exchange, Listener
from migrator.lab.webhook.server import PodIdentityWebhook, registration
from migrator.lab.webhook.settings import ComposeRoleArn, Flags
from migrator.lab.webhook.sources import association_document
from tests.controlplane.asking import JSON, Ask, Json, Server, post
from tests.controlplane.pair import Answers, Pair

CASES: list[Json] = json.loads((Path(__file__).parents[1] / "cases" / "webhook.json").read_text())
REGISTRATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
ACCOUNTS = "/api/v1/namespaces/{ns}/serviceaccounts"
PODS = "/api/v1/namespaces/{ns}/pods"
REVIEW = "/mutate"


def namespace(case: Json) -> str:
    """Every case has its own."""
    return f"hook-{CASES.index(case)}"


def placed(case: Json, value: Any) -> Any:
    """A part of a case, in the case's namespace."""
    return json.loads(json.dumps(value).replace('"shop"', f'"{namespace(case)}"'))


def flags_of(case: Json) -> Flags:
    """The command line of a case's webhook."""
    given = case["webhook"]
    compose = given.get("composeRoleArn")
    return Flags(
        given["region"],
        given["stsRegionalEndpoint"],
        given["tokenExpiration"],
        ComposeRoleArn(compose["partition"], compose["accountId"]) if compose else None,
    )


@dataclass(frozen=True)
class Hooked:
    """Both sides, and where each webhook is asked directly, by its flags."""

    pair: Pair
    ours: Mapping[Flags, Server]
    theirs: Mapping[Flags, Server]

    def review(self, asks: Sequence[Ask], flags: Flags) -> Answers:
        """The answers of both webhooks, asked directly."""
        ours, theirs = (side[flags].ask_all(asks, "") for side in (self.ours, self.theirs))
        return [_opened(one) for one in ours], [_opened(one) for one in theirs]


def _opened(answer: Json) -> Json:
    """An answer whose patch can be compared."""
    response = answer.get("body", {}).get("response", {})
    if "patch" in response:
        response["patch"] = json.loads(base64.b64decode(response["patch"]))
    return answer


def created(case: Json, both: Hooked) -> tuple[tuple[Ask, ...], Answers]:
    """A case's pod, made through the API server in and out of dry run."""
    pod = placed(case, case["pod"])
    asks = post(f"{PODS}?dryRun=All", pod), post(PODS, pod)
    return asks, both.pair.ask(asks, namespace(case))


def reviewed(case: Json, both: Hooked) -> tuple[tuple[Ask, ...], Answers]:
    """The reviews that an API server of either age would send for it, sent directly."""
    request = {"uid": "u-1", "namespace": namespace(case), "object": placed(case, case["pod"])}
    request |= case.get("request", {})
    asks = tuple(
        post(REVIEW, {"apiVersion": f"admission.k8s.io/{version}", "kind": "AdmissionReview", "request": request})
        for version in ("v1beta1", "v1")
    )
    return asks, both.review(asks, flags_of(case))


def misread(both: Hooked) -> tuple[tuple[Ask, ...], Answers]:
    """What no API server sends."""
    asks = (
        Ask("POST", REVIEW, "{}", "text/plain"),
        Ask("POST", REVIEW, "{}", "application/json; charset=utf-8"),
        post(REVIEW, "not json"),
        post(REVIEW, {"apiVersion": "admission.k8s.io/v2", "kind": "AdmissionReview"}),
        post(REVIEW, {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}),
        post(REVIEW, {}),
        post(REVIEW, []),
        post("/other", {}),
    )
    return asks, both.review(asks, flags_of(CASES[0]))


@contextmanager
def open_hooked(pair: Pair, folder: Path) -> Iterator[Hooked]:
    """Both sides with webhooks of every command line that a case names, for the block."""
    file = folder / "associations.json"
    file.write_text(association_document(frozenset(_associated())))
    for case in CASES:
        pair.add_namespace(namespace(case))
        if case["serviceAccount"].get("inCache", True):
            account = {key: case["serviceAccount"][key] for key in ("name", "annotations")}
            for answer in pair.ask([post(ACCOUNTS, {"metadata": account})], namespace(case)):
                assert answer[0]["status"] == 201, answer
    with ExitStack() as stack:
        stack.enter_context(_metadata())
        kube = stack.enter_context(KubeClient(pair.own.url, pair.own.ca_pem, pair.own.admin_token))
        ours, theirs = {}, {}
        for number, flags in enumerate({flags_of(case): None for case in CASES}):
            mine = PodIdentityWebhook(kube, flags, file, pair.authority.issue())
            real = _program(pair, flags, file)
            for webhook in (mine, real):
                stack.callback(webhook.stop)
                webhook.start()
            ours[flags] = _server(mine.url, pair.own.ca_pem)
            theirs[flags] = _server(real.url, pair.real.ca_pem)
            stack.enter_context(_registered(pair.ours, number, flags, registration(mine.url, pair.own.ca_pem)))
            stack.enter_context(_registered(pair.theirs, number, flags, registration(real.url, pair.real.ca_pem)))
        yield Hooked(pair, ours, theirs)


def _associated() -> Iterator[tuple[str, str]]:
    for case in CASES:
        if case["association"]:
            yield namespace(case), case["serviceAccount"]["name"]
        for one in case.get("associations", ()):
            yield placed(case, one["namespace"]), one["serviceAccount"]


def _program(pair: Pair, flags: Flags, file: Path) -> WebhookProgram:
    settings = pair.real.settings
    settings.write_kubeconfig("webhook", pair.real.url, pair.authority, pair.real.tokens[WEBHOOK.name])
    program = programs.find(programs.WEBHOOK)
    assert program is not None
    return WebhookProgram(program, settings, flags, file)


def _server(url: str, ca_pem: str) -> Server:
    return Server(url.removesuffix(REVIEW), ca_pem, "unused")


@contextmanager
def _registered(server: Server, number: int, flags: Flags, made: Json) -> Iterator[None]:
    """As EKS registers it, but for the namespaces of the cases that are about these flags."""
    name = f"{made['metadata']['name']}-{number}"
    here = [namespace(case) for case in CASES if flags_of(case) == flags]
    chosen = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": here}]}
    (webhook,) = made["webhooks"]
    body = {**made, "metadata": {"name": name}, "webhooks": [{**webhook, "namespaceSelector": chosen}]}
    answer = server.ask(post(REGISTRATIONS, body), "")
    assert answer["status"] == 201, answer
    yield
    server.ask(Ask("DELETE", f"{REGISTRATIONS}/{name}"), "")


@contextmanager
def _metadata() -> Iterator[None]:
    """The metadata of the instance on which the webhook would run: it asks them for its account."""
    (compose,) = {flags.compose_role_arn for flags in map(flags_of, CASES) if flags.compose_role_arn}
    document = json.dumps({"accountId": compose.account_id, "region": "eu-west-1"})

    def respond(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.reply(200, "token" if exchange.path.endswith("/token") else document, JSON)

    listener = Listener(respond)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", listener.url)
        listener.start()
        try:
            yield
        finally:
            listener.stop()
