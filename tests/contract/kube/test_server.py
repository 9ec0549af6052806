"""Discovery, health, OpenAPI, custom resources, and the exec tunnel."""

from __future__ import annotations

import contextlib
import http.server
import threading
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from migrator.lab.certs import Authority, server_context
from tests.contract.kube.support import Api, eventually, pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.lab.kubeapi import ApiServer
    from tests.contract.kube.support import Target

Json = dict[str, Any]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/livez", "/version"])
def test_health_and_version_need_no_token(kube_target: Target, path: str) -> None:
    answer = urllib3.PoolManager(ca_certs=str(kube_target.ca_file)).request("GET", kube_target.url + path)
    assert answer.status == 200


def test_version_can_be_parsed(api: Api) -> None:
    body = api.ok("GET", "/version")
    assert body["major"] == "1"
    assert body["gitVersion"].startswith("v1.")
    assert body["buildDate"]


def test_discovery(api: Api) -> None:
    groups = {g["name"] for g in api.ok("GET", "/apis")["groups"]}
    assert {"apps", "batch", "policy", "rbac.authorization.k8s.io", "coordination.k8s.io"} <= groups
    resources = {r["name"]: r for r in api.ok("GET", "/api/v1")["resources"]}
    assert resources["pods"]["shortNames"] == ["po"]
    assert {"pods/exec", "pods/eviction", "serviceaccounts/token"} <= set(resources)
    assert api.ok("GET", "/api")["versions"] == ["v1"]
    assert api.call("GET", "/apis/none/v1").status == 404


def test_aggregated_discovery(api: Api) -> None:
    body = api.ok("GET", "/apis", Accept=AGGREGATED)
    assert body["kind"] == "APIGroupDiscoveryList"
    apps = next(item for item in body["items"] if item["metadata"]["name"] == "apps")
    assert "deployments" in {r["resource"] for r in apps["versions"][0]["resources"]}


def test_openapi_documents(api: Api) -> None:
    paths = api.ok("GET", "/openapi/v3")["paths"]
    document = api.ok("GET", paths["apis/apps/v1"]["serverRelativeURL"])
    kinds = [
        gvk["kind"]
        for schema in document["components"]["schemas"].values()
        for gvk in schema.get("x-kubernetes-group-version-kind", [])
    ]
    assert "Deployment" in kinds


def definition(group: str) -> Json:
    schema = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "minimum": 1}}},
            "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
        },
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "gadgets", "kind": "Gadget", "shortNames": ["gd"]},
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }


def test_custom_resources(api: Api, namespace: str) -> None:
    group = f"g{uuid.uuid4().hex[:6]}.example.com"
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    api.ok("POST", crds, definition(group))
    try:
        path = f"/apis/{group}/v1/namespaces/{namespace}/gadgets"
        eventually(lambda: api.call("GET", path).status == 200)
        gadget = {"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": {"name": "a"}, "spec": {"size": 1}}
        made = eventually(lambda: (a := api.call("POST", path, gadget)).status == 201 and a.body)
        assert made["metadata"]["generation"] == 1
        answer = api.call("POST", path, {**gadget, "metadata": {"name": "b"}, "spec": {"size": 0}})
        assert (answer.status, answer.body["reason"]) == (422, "Invalid")
        assert api.patch(f"{path}/a", {"spec": {"size": 2}}).body["metadata"]["generation"] == 2
        body = api.patch(f"{path}/a/status", {"status": {"phase": "Good"}, "spec": {"size": 9}}).body
        assert (body["spec"]["size"], body["status"]["phase"]) == (2, "Good")
        assert body["metadata"]["generation"] == 2
        assert api.patch(f"{path}/a", {"spec": {"size": 3}}, "strategic-merge-patch+json").status == 415
        assert api.ok("GET", path)["kind"] == "GadgetList"
    finally:
        api.ok("DELETE", f"{crds}/gadgets.{group}")
    eventually(lambda: api.call("GET", path).status == 404)


def test_a_kind_is_served_once_its_definition_is_established(api: Api) -> None:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for _ in range(3):
        group = f"g{uuid.uuid4().hex[:6]}.example.com"
        api.ok("POST", crds, definition(group))
        while api.call("GET", f"/apis/{group}/v1/gadgets").status != 200:
            pass
        said = api.ok("DELETE", f"{crds}/gadgets.{group}")["status"]["conditions"]
        assert {one["type"] for one in said} >= {"Established", "NamesAccepted"}


class Echo:
    """A node's kubelet that upgrades anything and sends back what it gets, after telling what it was asked."""

    def __init__(self) -> None:
        self.authority = Authority("node")
        echo = self
        self.paths: list[str] = []
        self.protocols: list[str | None] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                echo.paths.append(self.path)
                echo.protocols.append(self.headers.get("Sec-WebSocket-Protocol"))
                self.wfile.write(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                )
                self.wfile.flush()
                while data := self.connection.recv(1024):
                    self.connection.sendall(data)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = server_context(self.authority.issue()).wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def echo() -> Iterator[Echo]:
    found = Echo()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_exec_is_piped_to_the_node(api: Api, core: str, namespace: str, echo: Echo, own_server: ApiServer) -> None:
    node = f"node-{namespace}"
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": echo.server.server_address[1]}},
    }
    api.ok("POST", "/api/v1/nodes", {"metadata": {"name": node}, "status": status})
    api.ok("POST", f"{core}/pods", pod("a", nodeName=node))
    pool = urllib3.PoolManager(ca_certs=str(api.target.ca_file))
    connection: Any = pool.connection_from_url(own_server.url)._get_conn()
    with contextlib.closing(connection):
        connection.connect()
        head = (
            f"GET {core}/pods/a/exec?command=echo&command=hi&stdout=true&stderr=true HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {own_server.admin_token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
        )
        connection.sock.sendall(head.encode())
        received = connection.sock.recv(4096)
        connection.sock.sendall(b"over and back")
        assert received.startswith(b"HTTP/1.1 101 ")
        assert connection.sock.recv(100) == b"over and back"
    assert echo.paths == [f"/exec/{namespace}/a/app?command=echo&command=hi&output=1&error=1"]
    assert echo.protocols == ["v5.channel.k8s.io"]
    api.ok("DELETE", f"/api/v1/nodes/{node}")


def test_exec_wants_an_upgrade_and_a_known_container(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/pods", pod("a"))
    assert api.call("POST", f"{core}/pods/a/exec?command=x&container=none").status == 400
    assert api.call("POST", f"{core}/pods/none/exec?command=x").status == 404


def test_issuer_and_keys_are_published(api: Api, own_server: ApiServer) -> None:
    document = api.ok("GET", "/.well-known/openid-configuration")
    assert document["issuer"].startswith("https://oidc.eks.")
    assert api.ok("GET", "/openid/v1/jwks", Accept="application/jwk-set+json") == own_server.jwks()
    assert own_server.jwks()["keys"][0]["alg"] == "RS256"


def test_anonymous_is_401(kube_target: Target) -> None:
    answer = urllib3.PoolManager(ca_certs=str(kube_target.ca_file)).request("GET", kube_target.url + "/api/v1/pods")
    assert answer.status in (401, 403)
