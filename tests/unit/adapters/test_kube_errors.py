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
            Access(verb="patch", resource="deployments", group="apps", namespace="shop", name="web"),
        ),
        ("GET", "/.well-known/openid-configuration", Access(verb="get", resource="/.well-known/openid-configuration")),
    ],
)
def test_access_of(method: str, path: str, access: Access) -> None:
    assert access_of(method, path) == access


EXEC, ROLLOUT = f"{PODS}/web/exec", "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web"
DISCOVERY = "/.well-known/openid-configuration"


def cannot(verb: str, what: str) -> str:
    return f'x is forbidden: User "ann" cannot {verb} {what}'


REFUSED: dict[str, tuple[Refusal, str, str]] = {
    "[core]": (
        said(403, "Forbidden", RBAC),
        'create "pods" in namespace "shop"',
        '{apiGroups: [""], resources: [pods], verbs: [create]}',
    ),
    "[group]": (
        said(403, "Forbidden", cannot("patch", 'resource "rollouts" in API group "argoproj.io"'), "PATCH", ROLLOUT),
        'patch "rollouts.argoproj.io" in namespace "shop"',
        "{apiGroups: [argoproj.io], resources: [rollouts], verbs: [patch]}",
    ),
    "[path]": (
        said(403, "Forbidden", cannot("get", f'path "{DISCOVERY}"'), "GET", DISCOVERY),
        f'get "{DISCOVERY}"',
        f"{{nonResourceURLs: [{DISCOVERY}], verbs: [get]}}",
    ),
    "[exec] its first verb": (
        said(403, "Forbidden", cannot("get", 'resource "pods/exec" in API group ""'), "GET", EXEC),
        'get "pods/exec" in namespace "shop"',
        '{apiGroups: [""], resources: [pods/exec], verbs: [get]}',
    ),
    "[exec] its second verb, of which nothing is said": (
        said(403, "Forbidden", 'pods "web" is forbidden: ', "GET", EXEC),
        'create "pods/exec" in namespace "shop"',
        '{apiGroups: [""], resources: [pods/exec], verbs: [create]}',
    ),
    "[exec] its second verb, and a role that is bound and not there": (
        said(403, "Forbidden", 'pods "web" is forbidden: RBAC: clusterrole "x" not found', "GET", EXEC),
        'create "pods/exec" in namespace "shop"',
        '{apiGroups: [""], resources: [pods/exec], verbs: [create]}',
    ),
}


@pytest.mark.parametrize(("error", "needed", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_permitted_is_named_with_the_rule_that_permits_it(error: Refusal, needed: str, rule: str) -> None:
    found = mapped(error, where=WHERE, doing="trying")

    assert isinstance(found, NotPermitted)
    assert found.sentence().startswith(f'cluster "prod": trying: {needed} is not permitted: ')
    assert found.sentence().endswith(f"; add to the operator's role: {rule}")
    assert ": ;" not in found.sentence()


@pytest.mark.parametrize(
    ("message", "path"),
    [
        pytest.param('admission webhook "no-exec.example" denied the request: no', EXEC, id="a webhook"),
        pytest.param('pods "web" is forbidden: exec is closed at night', EXEC, id="a plugin, with its reason"),
        pytest.param('pods "web" is forbidden: ', PODS, id="without a reason, elsewhere"),
    ],
)
def test_what_admission_refuses_is_no_missing_permission(message: str, path: str) -> None:
    assert isinstance(mapped(said(403, "Forbidden", message, "GET", path), where=WHERE, doing="trying"), Rejected)


def test_paths_and_pointers_are_escaped() -> None:
    assert path_of("CronJob", "a/b", "x y") == "/apis/batch/v1/namespaces/a%2Fb/cronjobs/x%20y"
    assert (
        pointer("metadata", "annotations", "eks.amazonaws.com/a~b") == "/metadata/annotations/eks.amazonaws.com~1a~0b"
    )
