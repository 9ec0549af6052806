"""What the audit of a real API server tells, as the rest of a practice fleet hears it."""

from typing import Any

from migrator.lab.controlplane.audit import asked_of
from migrator.lab.faults.matching import kube_who

EVENT: dict[str, Any] = {
    "kind": "Event",
    "level": "Metadata",
    "auditID": "7f3c",
    "stage": "RequestReceived",
    "requestURI": "/api/v1/namespaces/shop/pods/web-1/exec?command=env&container=app",
    "verb": "get",
    "user": {"username": "arn:aws:iam::1:root", "uid": "aws-iam-authenticator:1:x", "groups": ["system:masters"]},
    "objectRef": {
        "resource": "pods",
        "namespace": "shop",
        "name": "web-1",
        "apiVersion": "v1",
        "subresource": "exec",
    },
}


def test_a_call_of_a_subresource() -> None:
    asked = asked_of(EVENT)
    assert (asked.verb, asked.group, asked.resource, asked.namespace, asked.name) == (
        "get",
        "",
        "pods/exec",
        "shop",
        "web-1",
    )
    assert asked.path == "/api/v1/namespaces/shop/pods/web-1/exec"
    assert (asked.dry_run, asked.instance, asked.writes, kube_who(asked)) == (False, 0, False, "operator")


def test_a_dry_run_and_a_group() -> None:
    about = {"resource": "deployments", "apiGroup": "apps", "apiVersion": "v1", "namespace": "shop"}
    uri = "/apis/apps/v1/namespaces/shop/deployments?dryRun=All&fieldManager=x"
    asked = asked_of({**EVENT, "verb": "create", "requestURI": uri, "objectRef": about})
    assert (asked.group, asked.resource, asked.name, asked.dry_run) == ("apps", "deployments", "", True)


def test_a_path_that_is_no_resource() -> None:
    event = {**EVENT, "requestURI": "/.well-known/openid-configuration", "user": {"username": "kubernetes-admin"}}
    del event["objectRef"]
    asked = asked_of(event)
    assert (asked.resource, asked.path) == ("", "/.well-known/openid-configuration")
    assert kube_who(asked) == "administrator"
