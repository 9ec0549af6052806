"""The API server's refusals, lost connections, and what they become; paths and JSON pointers."""

import json
import socket
import ssl

import pytest
from urllib3 import exceptions as u3

from migrator.adapters.kube.errors import Refusal, Where, mapped, transient
from migrator.adapters.kube.paths import Access, access_of, path_of, pointer
from migrator.model.errors import EnvironmentFault, MigrateError, NotPermitted, Rejected

WHERE = Where(cluster="prod", endpoint="https://k.example")
PODS = "/api/v1/namespaces/shop/pods"
RBAC = 'pods is forbidden: User "ann" cannot create resource "pods" in API group "" in the namespace "shop"'
TEST_FAILED = "the server rejected our request due to an error in our request"


def said(status: int, reason: str, message: str, method: str = "POST", path: str = PODS) -> Refusal:
    body = json.dumps({"kind": "Status", "reason": reason, "message": message, "code": status}).encode()
    return Refusal(method, path, status, body)


CASES: dict[str, tuple[Exception, type[MigrateError], str]] = {
    "403: RBAC": (said(403, "Forbidden", RBAC), NotPermitted, 'create "pods" in namespace "shop" is not permitted'),
    "403: quota": (said(403, "Forbidden", "exceeded quota: compute"), Rejected, "exceeded quota"),
    "404": (said(404, "NotFound", 'pods "x" not found'), Rejected, 'pods "x" not found'),
    "503 to the end": (said(503, "ServiceUnavailable", "etcd is away"), EnvironmentFault, "went on answering 503"),
    "no JSON": (Refusal("GET", PODS, 502, b"<html>bad\n gateway"), EnvironmentFault, "<html>bad gateway"),
    "refused": (
        u3.NewConnectionError(None, "Connection refused"),  # type: ignore[arg-type]  # no pool to name
        EnvironmentFault,
        '"https://k.example" could not be reached: ',
    ),
    "name": (socket.gaierror(-2, "Name or service not known"), EnvironmentFault, "does not resolve"),
    "certificate": (
        u3.SSLError(ssl.SSLCertVerificationError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")),
        EnvironmentFault,
        "not of this cluster",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_becomes(name: str) -> None:
    error, kind, words = CASES[name]
    found = mapped(error, where=WHERE, doing="trying")
    assert type(found) is kind
    assert words in found.sentence()
    assert found.sentence().startswith('cluster "prod": trying: ')


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(said(409, "Conflict", "modified", "PATCH"), "conflict", id="stale version"),
        pytest.param(said(422, "Invalid", TEST_FAILED, "PATCH"), "conflict", id="failed test of a JSON patch"),
        pytest.param(said(422, "Invalid", "Deployment x is invalid: spec", "PATCH"), "Invalid", id="invalid object"),
        pytest.param(said(409, "AlreadyExists", "pods x already exists"), "AlreadyExists", id="exists"),
        pytest.param(said(410, "Expired", "too old"), "Expired", id="expired continue token"),
    ],
)
def test_reason(error: Refusal, reason: str) -> None:
    found = mapped(error, where=WHERE, doing="trying")
    assert isinstance(found, Rejected)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("error", "again"),
    [
        *(pytest.param(said(status, "", ""), True, id=str(status)) for status in (429, 500, 502, 503, 504)),
        *(pytest.param(said(status, "", ""), False, id=str(status)) for status in (400, 401, 403, 404, 409, 422)),
        pytest.param(ConnectionResetError(), True, id="reset"),
        pytest.param(u3.ProtocolError("closed"), True, id="closed"),
        pytest.param(u3.SSLError("EOF occurred"), True, id="TLS cut off"),
        pytest.param(u3.SSLError("CERTIFICATE_VERIFY_FAILED"), False, id="certificate"),
    ],
)
def test_worth_another_try(error: Exception, again: bool) -> None:
    assert transient(error) is again


@pytest.mark.parametrize(
    ("method", "path", "access"),
    [
        ("GET", "/api/v1/pods?limit=5", Access(verb="list", resource="pods")),
        ("GET", PODS, Access(verb="list", resource="pods", namespace="shop")),
        ("GET", PODS + "/x/exec", Access(verb="get", resource="pods/exec", namespace="shop", name="x")),
        ("GET", "/api/v1/namespaces/shop", Access(verb="get", resource="namespaces", name="shop")),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/shop/deployments/web",
            Access(verb="patch", resource="deployments", namespace="shop", name="web"),
        ),
        ("GET", "/.well-known/openid-configuration", Access(verb="get", resource="/.well-known/openid-configuration")),
    ],
)
def test_access_of(method: str, path: str, access: Access) -> None:
    assert access_of(method, path) == access


def test_paths_and_pointers_are_escaped() -> None:
    assert path_of("CronJob", "a/b", "x y") == "/apis/batch/v1/namespaces/a%2Fb/cronjobs/x%20y"
    assert (
        pointer("metadata", "annotations", "eks.amazonaws.com/a~b") == "/metadata/annotations/eks.amazonaws.com~1a~0b"
    )
