"""One API server over a real socket: retries, tokens, certificates, pages, guarded writes."""

import base64
import gzip
import json
from collections.abc import Callable

import pytest

from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import Where
from migrator.adapters.kube.execute import run_in
from migrator.adapters.kube.gate import Gate
from migrator.adapters.kube.logs import LONGEST, log
from migrator.adapters.kube.pages import listed
from migrator.adapters.kube.reads import KubeReads
from migrator.adapters.kube.structs import MetaOnly
from migrator.adapters.kube.tls import trusting
from migrator.lab.certs import Authority
from migrator.model.errors import EnvironmentFault, NotPermitted, Rejected
from migrator.model.facts import Container, Pod, PodSpec
from tests.contract.adapters.scripted import Asked, Said, Server, serving, tunnelling
from tests.contract.adapters.support import Time, Tokens, in_turn, status

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


def test_the_end_of_a_log(server: Server, connection: KubeConnection) -> None:
    server.answer = in_turn(Said(200, b"ready\n\xff\n"))
    assert log(connection, WEB, "app", 50) == "ready\n\ufffd\n"
    (asked,) = server.asked
    assert asked.path == "/api/v1/namespaces/shop/pods/web-1/log"
    assert asked.query == {"container": "app", "tailLines": "50", "limitBytes": str(LONGEST)}


@pytest.mark.parametrize(
    ("said", "error", "text"),
    [
        pytest.param(
            status(403, "Forbidden", FORBIDDEN.replace('create resource "pods"', 'get resource "pods/log"')),
            NotPermitted,
            'get "pods/log" in namespace "shop" is not permitted',
            id="not permitted",
        ),
        pytest.param(
            status(500, "InternalError", "dial tcp 10.0.0.7:10250: connect: connection refused"),
            EnvironmentFault,
            "connection refused",
            id="its node is out of reach",
        ),
        pytest.param(
            status(400, "BadRequest", 'container "app" in pod "web-1" is waiting to start: PodInitializing'),
            Rejected,
            "waiting to start",
            id="not begun",
        ),
    ],
)
def test_a_log_is_not_waited_for(
    server: Server, connection: KubeConnection, said: Said, error: type[Exception], text: str
) -> None:
    server.answer = in_turn(said)
    with pytest.raises(error, match=text):
        log(connection, WEB, "app", 50)
    assert len(server.asked) == 1


def test_a_busy_server_is_asked_for_the_log_again(server: Server, connection: KubeConnection) -> None:
    server.answer = in_turn(status(429, "TooManyRequests"), Said(200, b"ready\n"))
    assert log(connection, WEB, "app", 50) == "ready\n"
