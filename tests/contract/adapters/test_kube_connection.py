"""One API server over a real socket: retries, tokens, certificates, pages, guarded writes."""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import Where
from migrator.adapters.kube.execute import run_in
from migrator.adapters.kube.gate import Gate
from migrator.adapters.kube.pages import listed
from migrator.adapters.kube.reads import KubeReads
from migrator.adapters.kube.structs import MetaOnly
from migrator.adapters.kube.tls import trusting
from migrator.adapters.kube.writes import KubeWrites
from migrator.lab.certs import Authority
from migrator.model.errors import EnvironmentFault, NotPermitted, Rejected
from migrator.model.facts import Container, Pod, PodSpec, ServiceAccount, WorkloadRef
from tests.contract.adapters.scripted import Asked, Said, Server, serving, tunnelling
from tests.contract.adapters.support import Time, Tokens, in_turn, status

KEY = "eks.amazonaws.com/role-arn"
ROLE = "arn:aws:iam::111111111111:role/web"
ACCOUNT = ServiceAccount(namespace="shop", name="web", uid="u1", annotations={KEY: ROLE, "other": "x"})
TEST_FAILED = "the server rejected our request due to an error in our request"
FORBIDDEN = 'pods is forbidden: User "ann" cannot create resource "pods" in API group "" in the namespace "shop"'


def listing(*names: str, token: str = "") -> Said:
    items = [{"metadata": {"name": name}} for name in names]
    return Said(body=json.dumps({"metadata": {"continue": token} if token else {}, "items": items}).encode())


def test_failing_server_is_asked_again(server: Server, connection: KubeConnection, time: Time) -> None:
    server.answer = in_turn(status(503, "ServiceUnavailable"), Said(lost=True), status(500, "InternalError"), Said())
    assert connection.get("/x", doing="trying") == b"{}"
    assert (len(server.asked), len(time.slept)) == (4, 3)


def test_retry_after_is_kept(server: Server, connection: KubeConnection, time: Time) -> None:
    server.answer = in_turn(status(429, "TooManyRequests", Retry_After="6"), Said())
    connection.get("/x", doing="trying")
    assert time.slept == [6.0]


def test_failing_server_to_the_end(server: Server, connection: KubeConnection, time: Time) -> None:
    server.answer = in_turn(status(503, "ServiceUnavailable", "etcd is away"))
    with pytest.raises(EnvironmentFault, match="went on answering 503: etcd is away"):
        connection.get("/x", doing="trying")
    assert time.now < 45


def test_asks_for_gzip_and_says_who_it_is(server: Server, connection: KubeConnection) -> None:
    server.answer = in_turn(Said(body=gzip.compress(b'{"a":1}'), headers={"Content-Encoding": "gzip"}))
    assert connection.get("/x", doing="trying") == b'{"a":1}'
    (asked,) = server.asked
    assert asked.headers["accept-encoding"] == "gzip"
    assert asked.headers["user-agent"].startswith("irsa-migrator/")


def test_refused_token_is_renewed_once(server: Server, connection: KubeConnection) -> None:
    server.answer = lambda asked: (
        Said() if asked.headers["authorization"] == "Bearer 2" else status(401, "Unauthorized")
    )
    assert connection.get("/x", doing="trying") == b"{}"
    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer 1", "Bearer 2"]


@pytest.mark.parametrize("before", [False, True])
def test_refused_twice_is_a_complaint(server: Server, connection: KubeConnection, tokens: Tokens, before: bool) -> None:
    if before:
        connection.get("/x", doing="trying")
    server.answer = in_turn(status(401, "Unauthorized"))
    with pytest.raises(EnvironmentFault, match=f"worked before: {before}"):
        connection.get("/x", doing="trying")
    assert tokens.number == 2


def test_foreign_certificate_is_refused_at_once(server: Server, time: Time, tokens: Tokens) -> None:
    foreign = trusting(Authority("other").ca_pem)
    connection = KubeConnection(
        where=Where(cluster="prod", endpoint=server.url), context=foreign, auth=tokens, retry=time.retry
    )
    with pytest.raises(EnvironmentFault, match="shows a certificate that is not of this cluster"):
        connection.get("/x", doing="trying")
    assert time.slept == []
    assert server.asked == []


def test_nobody_listens(time: Time, tokens: Tokens) -> None:
    where = Where(cluster="prod", endpoint="https://127.0.0.1:1")
    connection = KubeConnection(where=where, context=trusting(""), auth=tokens, retry=time.retry)
    with pytest.raises(EnvironmentFault, match=r'its endpoint "https://127.0.0.1:1" could not be reached'):
        connection.get("/x", doing="trying")
    assert 20 < time.now < 45


def test_pages(server: Server, connection: KubeConnection) -> None:
    server.answer = in_turn(listing("a", "b", token="t1"), listing("c", token="t2"), listing("d"))
    found = listed(connection, "/api/v1/pods", MetaOnly, doing="listing")
    assert [entry.metadata.name for entry in found] == ["a", "b", "c", "d"]
    assert [asked.query for asked in server.asked] == [
        {"limit": "500"},
        {"limit": "500", "continue": "t1"},
        {"limit": "500", "continue": "t2"},
    ]


def test_expired_pages_start_anew_and_end_without_pages(server: Server, connection: KubeConnection) -> None:
    def answer(asked: Asked) -> Said:
        if "continue" in asked.query:
            return status(410, "Expired", "too old")
        return listing("a", token="t") if "limit" in asked.query else listing("a", "b")

    server.answer = answer
    found = listed(connection, "/api/v1/pods", MetaOnly, doing="listing")
    assert [entry.metadata.name for entry in found] == ["a", "b"]
    assert server.asked[-1].query == {}


def test_unreadable_list_is_an_environment_fault(server: Server, connection: KubeConnection) -> None:
    server.answer = in_turn(Said(body=b"<html>"))
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        listed(connection, "/api/v1/pods", MetaOnly, doing="listing")


class Account:
    """A ServiceAccount behind the server; `mishap` may lose an answer, or change the object before a patch."""

    def __init__(
        self, annotations: dict[str, str], mishap: Callable[["Account"], bool] = lambda _account: False
    ) -> None:
        self.annotations = annotations
        self.version = 1
        self.patches = 0
        self.mishap = mishap

    def __call__(self, asked: Asked) -> Said:
        if asked.method == "GET":
            return self._shown()
        self.patches += 1
        lost = self.mishap(self)
        said = self._patched(json.loads(asked.body))
        return Said(lost=True) if lost else said

    def _shown(self) -> Said:
        meta: dict[str, Any] = {"namespace": "shop", "name": "web", "uid": "u1", "resourceVersion": str(self.version)}
        if self.annotations:
            meta["annotations"] = self.annotations
        return Said(body=json.dumps({"metadata": meta}).encode())

    def _patched(self, operations: list[dict[str, Any]]) -> Said:
        seen = {"/metadata/uid": "u1", "/metadata/resourceVersion": str(self.version)}
        seen |= {f"/metadata/annotations/{key.replace('/', '~1')}": value for key, value in self.annotations.items()}
        for operation in operations:
            if operation["op"] == "test" and seen.get(operation["path"]) != operation["value"]:
                return status(422, "Invalid", TEST_FAILED)
        change = operations[-1]
        if change["op"] == "remove":
            del self.annotations[KEY]
        else:
            self.annotations |= change["value"] if isinstance(change["value"], dict) else {KEY: change["value"]}
        self.version += 1
        return self._shown()


def writes(connection: KubeConnection) -> KubeWrites:
    return KubeWrites(lambda: connection, lambda: "2026-01-02T03:04:05Z")


def lost_once(account: Account) -> bool:
    return account.patches == 1


def test_annotation_comes_out(server: Server, connection: KubeConnection) -> None:
    account = server.answer = Account({KEY: ROLE, "other": "x"})
    writes(connection).remove_annotation(ACCOUNT, KEY)
    assert account.annotations == {"other": "x"}
    (asked,) = server.asked
    assert asked.headers["content-type"] == "application/json-patch+json"
    assert asked.query == {"fieldManager": "irsa-migrator"}


def test_annotation_comes_out_once_though_the_answer_was_lost(server: Server, connection: KubeConnection) -> None:
    account = server.answer = Account({KEY: ROLE}, lost_once)
    writes(connection).remove_annotation(ACCOUNT, KEY)
    assert (account.annotations, account.patches) == ({}, 1)


def test_changed_value_is_left_alone(server: Server, connection: KubeConnection) -> None:
    account = server.answer = Account({KEY: "another"})
    with pytest.raises(Rejected, match="was changed meanwhile") as refused:
        writes(connection).remove_annotation(ACCOUNT, KEY)
    assert (refused.value.reason, account.annotations) == ("conflict", {KEY: "another"})


@pytest.mark.parametrize("others", [{}, {"other": "x"}])
def test_annotation_goes_back_in(server: Server, connection: KubeConnection, others: dict[str, str]) -> None:
    account = server.answer = Account(dict(others))
    writes(connection).add_annotation(ACCOUNT, KEY, ROLE)
    assert account.annotations == {**others, KEY: ROLE}


def test_annotation_goes_in_once_though_the_answer_was_lost(server: Server, connection: KubeConnection) -> None:
    account = server.answer = Account({}, lost_once)
    writes(connection).add_annotation(ACCOUNT, KEY, ROLE)
    assert (account.annotations, account.patches) == ({KEY: ROLE}, 1)


def test_unrelated_change_in_between_is_survived(server: Server, connection: KubeConnection) -> None:
    def meanwhile(account: Account) -> bool:
        if account.patches == 1:
            account.annotations["other"] = "new"
            account.version += 1
        return False

    account = server.answer = Account({}, meanwhile)
    writes(connection).add_annotation(ACCOUNT, KEY, ROLE)
    assert account.annotations == {"other": "new", KEY: ROLE}


def test_foreign_value_is_not_overwritten(server: Server, connection: KubeConnection) -> None:
    account = server.answer = Account({KEY: ROLE})
    with pytest.raises(Rejected) as refused:
        writes(connection).add_annotation(ACCOUNT, KEY, ROLE)
    assert (refused.value.reason, account.patches) == ("conflict", 0)


@dataclass
class Controller:
    """One workload that an API server has; what happens just before each patch is up to the test."""

    meanwhile: Callable[["Controller"], None] = lambda _self: None
    version: int = 1
    stamps: dict[str, str] = field(default_factory=dict)
    patches: list[Asked] = field(default_factory=list)

    def __call__(self, request: Asked) -> Said:
        if request.method == "PATCH":
            self.patches.append(request)
            self.meanwhile(self)
            body = json.loads(request.body)
            if body["metadata"]["resourceVersion"] != str(self.version):
                return status(409, "Conflict", "the object has been modified")
            self.version += 1
            self.stamps = body.get("spec", {}).get("template", body)["metadata"]["annotations"]
        meta = {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": str(self.version)}
        template = {"metadata": {"annotations": self.stamps}}
        return Said(
            200, json.dumps({"metadata": {**meta, "annotations": self.stamps}, "spec": {"template": template}}).encode()
        )


DAEMONS = WorkloadRef(kind="DaemonSet", namespace="shop", name="web")
SEEN = {"resourceVersion": "1", "uid": "u1"}


def test_restart_stamps_the_template(server: Server, connection: KubeConnection) -> None:
    controller = server.answer = Controller()
    writes(connection).restart(DAEMONS, "run-1")
    (asked,) = controller.patches
    stamps = {"kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z", "irsa-migrator/restart": "run-1"}
    body = {"metadata": SEEN, "spec": {"template": {"metadata": {"annotations": stamps}}}}
    assert json.loads(asked.body) == body
    assert asked.headers["content-type"] == "application/strategic-merge-patch+json"
    assert asked.path == "/apis/apps/v1/namespaces/shop/daemonsets/web"


def test_restart_of_an_argo_rollout_is_one_patch(server: Server, connection: KubeConnection) -> None:
    """Time and stamp together; the second after now, since a pod made in this very second would not be older."""
    controller = server.answer = Controller()
    writes(connection).restart(WorkloadRef(kind="Rollout", namespace="shop", name="web"), "run-1")
    (asked,) = controller.patches
    assert json.loads(asked.body) == {
        "metadata": {"annotations": {"irsa-migrator/restart": "run-1"}, **SEEN},
        "spec": {"restartAt": "2026-01-02T03:04:06Z"},
    }
    assert asked.headers["content-type"] == "application/merge-patch+json"
    assert asked.path == "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web"


def test_restart_holds_for_the_version_that_was_seen(server: Server, connection: KubeConnection) -> None:
    """Somebody else's change meanwhile: it is looked at again."""

    def scaled(controller: Controller) -> None:
        controller.version += len(controller.patches) == 1

    controller = server.answer = Controller(scaled)
    writes(connection).restart(DAEMONS, "run-1")
    assert (len(controller.patches), controller.stamps["irsa-migrator/restart"]) == (2, "run-1")


def test_a_restart_that_another_runner_made_meanwhile_is_not_made_again(
    server: Server, connection: KubeConnection
) -> None:
    def stamped(controller: Controller) -> None:
        controller.stamps, controller.version = {"irsa-migrator/restart": "run-1", "by": "another"}, 2

    controller = server.answer = Controller(stamped)
    writes(connection).restart(DAEMONS, "run-1")
    assert (len(controller.patches), controller.stamps["by"]) == (1, "another")


def test_a_workload_that_is_changed_all_the_time_is_not_restarted(server: Server, connection: KubeConnection) -> None:
    def changed(controller: Controller) -> None:
        controller.version += 1

    controller = server.answer = Controller(changed)
    with pytest.raises(Rejected, match="went on being changed") as refused:
        writes(connection).restart(DAEMONS, "run-1")
    assert (refused.value.reason, controller.stamps) == ("conflict", {})


POD = Pod(namespace="shop", name="web-1", uid="u1", spec=PodSpec())


def test_eviction_is_asked_again_of_a_busy_server(server: Server, connection: KubeConnection, time: Time) -> None:
    busy = status(429, "TooManyRequests", "too many requests, please try again later", Retry_After="7")
    server.answer = in_turn(busy, Said(201))
    writes(connection).evict(POD)
    first, second = (json.loads(asked.body) for asked in server.asked)
    assert first == second
    assert first["deleteOptions"]["preconditions"] == {"uid": "u1"}
    assert time.slept == [7]


@pytest.mark.parametrize(
    "said",
    [
        status(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."),
        status(500, "InternalError", "This pod has more than one PodDisruptionBudget, which the eviction subresource"),
    ],
    ids=["one budget", "several"],
)
def test_eviction_held_by_a_budget_is_asked_once(server: Server, connection: KubeConnection, said: Said) -> None:
    server.answer = in_turn(said)
    with pytest.raises(Rejected) as refused:
        writes(connection).evict(POD)
    assert (refused.value.reason, len(server.asked)) == ("budget", 1)


def test_jobs_are_not_restarted(connection: KubeConnection) -> None:
    with pytest.raises(Rejected, match="has no rollout"):
        writes(connection).restart(WorkloadRef(kind="Job", namespace="shop", name="web"), "run-1")


TEMPLATE = {
    "metadata": {"labels": {"app": "web"}, "annotations": {"a": "b"}, "creationTimestamp": None},
    "spec": {"serviceAccountName": "web", "nodeName": "n1", "containers": [{"name": "app", "image": "app:1"}]},
}


def cluster_with(create: Callable[[Asked], Said], *workloads: str) -> Callable[[Asked], Said]:
    def answer(asked: Asked) -> Said:
        if asked.method == "POST":
            return create(asked)
        objects = [
            {"metadata": {"namespace": "shop", "name": name}, "spec": {"template": TEMPLATE}} for name in workloads
        ]
        if asked.path.endswith("/deployments"):
            return Said(body=json.dumps({"metadata": {}, "items": objects}).encode())
        name = asked.path.rpartition("/deployments/")[2]
        found = [entry for entry in objects if entry["metadata"] == {"namespace": "shop", "name": name}]
        return Said(body=json.dumps(found[0]).encode()) if found else listing()

    return answer


def echo(asked: Asked) -> Said:
    return Said(201, asked.body)


def test_probe_is_the_workloads_own_pod_each_time_on_a_fresh_connection(
    server: Server, connection: KubeConnection
) -> None:
    server.answer = cluster_with(echo, "web")
    gate = Gate(KubeReads(lambda: connection))
    first, second = (gate.probe("shop", "web") for _ in range(2))
    posts = [asked for asked in server.asked if asked.method == "POST"]
    assert first == second
    assert first.pod is not None
    assert (first.pod.labels, first.pod.annotations, first.pod.node) == ({"app": "web"}, {"a": "b"}, "")
    assert [container.image for container in first.pod.spec.containers] == ["app:1"]
    assert {asked.query["dryRun"] for asked in posts} == {"All"}
    assert len({asked.port for asked in server.asked if asked.method == "POST"}) == 2
    assert "nodeName" not in json.loads(posts[0].body)["spec"]


def test_probe_without_a_workload_is_a_minimal_pod(server: Server, connection: KubeConnection) -> None:
    server.answer = cluster_with(echo)
    probe = Gate(KubeReads(lambda: connection)).probe("shop", "web")
    assert probe.pod is not None
    assert probe.pod.spec.service_account == "web"


def test_probe_falls_back_on_a_minimal_pod(server: Server, connection: KubeConnection) -> None:
    def own_is_refused(asked: Asked) -> Said:
        own = json.loads(asked.body)["spec"]["containers"][0]["name"] == "app"
        return status(403, "Forbidden", "exceeded quota: compute") if own else echo(asked)

    server.answer = cluster_with(own_is_refused, "web")
    probe = Gate(KubeReads(lambda: connection)).probe("shop", "web")
    assert probe.pod is not None
    assert [container.name for container in probe.pod.spec.containers] == ["probe"]
    assert len({asked.port for asked in server.asked if asked.method == "POST"}) == 2


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(status(403, "Forbidden", "exceeded quota: compute"), "exceeded quota", id="quota"),
        pytest.param(status(400, "BadRequest", "webhook does not support dry run"), "dry run", id="foreign webhook"),
        pytest.param(status(500, "InternalError", "failed calling webhook x"), "failed calling", id="webhook fails"),
        pytest.param(status(404, "NotFound", 'namespaces "shop" not found'), "not found", id="no namespace"),
    ],
)
def test_probe_refused(server: Server, connection: KubeConnection, said: Said, words: str) -> None:
    server.answer = cluster_with(lambda _asked: said, "web")
    probe = Gate(KubeReads(lambda: connection)).probe("shop", "web")
    assert probe.pod is None
    assert words in probe.refusal


def test_probe_not_permitted(server: Server, connection: KubeConnection) -> None:
    server.answer = cluster_with(lambda _asked: status(403, "Forbidden", FORBIDDEN), "web")
    with pytest.raises(NotPermitted, match='create "pods" in namespace "shop" is not permitted'):
        Gate(KubeReads(lambda: connection)).probe("shop", "web")


def test_exec_not_permitted(server: Server, connection: KubeConnection) -> None:
    first = FORBIDDEN.replace('create resource "pods"', 'get resource "pods/exec"')
    second = 'pods "web-1" is forbidden: '
    server.answer = in_turn(*(status(403, "Forbidden", text) for text in (first, second)))
    pod = Pod(namespace="shop", name="web-1", uid="u", spec=PodSpec())
    for verb in ("get", "create"):
        with pytest.raises(NotPermitted, match=f'{verb} "pods/exec" in namespace "shop" is not permitted'):
            run_in(connection, pod, "app", ["true"], 5)
    assert server.asked[0].headers["authorization"] == "Bearer 1"


def test_exec_renews_a_refused_token(server: Server, connection: KubeConnection) -> None:
    server.answer = in_turn(status(401, "Unauthorized"))
    pod = Pod(namespace="shop", name="web-1", uid="u", spec=PodSpec())
    with pytest.raises(EnvironmentFault, match="not let in"):
        run_in(connection, pod, "app", ["true"], 5)
    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer 1", "Bearer 2"]


WEB = Pod(namespace="shop", name="web-1", uid="u", spec=PodSpec(containers=(Container(name="app"),)))


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(Said(lost=True), id="lost"),
        pytest.param(status(503, "ServiceUnavailable"), id="a proxy on the way"),
        pytest.param(status(429, "TooManyRequests"), id="too many"),
        pytest.param(Said(302, headers={"Location": "wss://127.0.0.1:1/"}), id="redirect"),
    ],
)
def test_exec_is_asked_once_whatever_comes_back(
    server: Server, connection: KubeConnection, time: Time, said: Said
) -> None:
    server.answer = in_turn(said)
    with pytest.raises(EnvironmentFault):
        run_in(connection, WEB, "app", ["true"], 5)
    assert (len(server.asked), time.slept) == (1, [])


def test_exec_tries_again_to_reach_the_server(time: Time, tokens: Tokens) -> None:
    where = Where(cluster="prod", endpoint="https://127.0.0.1:1")
    connection = KubeConnection(where=where, context=trusting(""), auth=tokens, retry=time.retry)
    with pytest.raises(EnvironmentFault, match="could not be reached"):
        run_in(connection, WEB, "app", ["true"], 5)
    assert len(time.slept) > 3


def proxied(server: Server, time: Time, tokens: Tokens, proxy: str) -> KubeConnection:
    where = Where(cluster="prod", endpoint=server.url)
    return KubeConnection(where=where, context=trusting(server.ca_pem), auth=tokens, retry=time.retry, proxy=proxy)


def test_exec_goes_through_the_proxy(server: Server, time: Time, tokens: Tokens) -> None:
    server.answer = in_turn(status(404, "NotFound", "seen by the server"))
    with tunnelling() as proxy:
        connection = proxied(server, time, tokens, proxy.url.replace("//", "//ann:p%40ss@"))
        with pytest.raises(Rejected, match="seen by the server"):
            run_in(connection, WEB, "app", ["true"], 5)
    (head,) = proxy.heads
    assert head[0].startswith(f"CONNECT {server.url.removeprefix('https://')} HTTP/1.")
    assert f"proxy-authorization: Basic {base64.b64encode(b'ann:p@ss').decode()}" in head


def test_exec_through_a_proxy_that_refuses(server: Server, time: Time, tokens: Tokens) -> None:
    refused = pytest.raises(EnvironmentFault, match=r"could not be reached: .*Tunnel connection failed")
    with serving(in_turn(Said()), tls=False) as proxy, refused:  # knows no CONNECT
        run_in(proxied(server, time, tokens, proxy.url), WEB, "app", ["true"], 5)
    assert server.asked == []


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(status(404, "NotFound", 'pods "web-1" not found'), id="pod"),
        pytest.param(Said(404, b"pod does not exist"), id="pod: the node says so"),
        pytest.param(status(400, "BadRequest", "container app is not valid for pod web-1"), id="another pod by now"),
        pytest.param(Said(500, b'container not found ("app")'), id="container"),
    ],
)
def test_exec_in_what_is_gone(server: Server, connection: KubeConnection, said: Said) -> None:
    server.answer = in_turn(said)
    with pytest.raises(Rejected) as refused:
        run_in(connection, WEB, "app", ["true"], 5)
    assert refused.value.reason == "NotFound"
    assert refused.value.sentence().startswith('cluster "prod": running a command in pod "shop/web-1"')


def test_exec_in_a_container_that_never_was(server: Server, connection: KubeConnection) -> None:
    server.answer = in_turn(status(400, "BadRequest", "container side is not valid for pod web-1"))
    with pytest.raises(Rejected, match="container side is not valid") as refused:
        run_in(connection, WEB, "side", ["true"], 5)
    assert refused.value.reason == "BadRequest"
