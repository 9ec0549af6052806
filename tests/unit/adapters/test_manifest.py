"""A live pod's manifest as it was written: nothing of the identity webhook's or the API server's is left in it."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonpatch
import pytest

from migrator.adapters.kube.manifest import as_written
from migrator.lab.webhook.handler import mutate
from migrator.lab.webhook.settings import Account, Flags

CASES = json.loads((Path(__file__).parents[2] / "cases" / "webhook.json").read_text())
FLAGS = Flags(region="eu-west-1", sts_regional_endpoint=True, token_expiration=86400)
ACCOUNT = Account(
    role_arn="arn:aws:iam::111111111111:role/app", audience="sts.amazonaws.com", sts_regional=True, expiration=86400
)
# pods that write out what the webhook would put there: what they are after it is a matter of findings
BAKED = {
    "aws-iam-token",
    "eks-pod-identity-token",
    "eks.amazonaws.com/pod-identity",
    "kube-api-access-",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
}
Json = dict[str, Any]


def admitted(pod: Json, *, associated: bool) -> Json:
    """The pod as the webhook leaves it."""
    patch = mutate(pod, FLAGS, ACCOUNT, associated=associated, jitter=lambda _low, high: high)
    changed: Json = jsonpatch.apply_patch(pod, patch or [])
    return changed


def judged(pod: Json) -> Json:
    """What decides about a pod's identity, without regard to order; `resources` of an older client left out."""
    spec = pod["spec"]
    containers = [*spec.get("initContainers", []), *spec["containers"]]
    return {
        "labels": pod["metadata"].get("labels", {}),
        "annotations": pod["metadata"].get("annotations", {}),
        "volumes": sorted(json.dumps(one, sort_keys=True) for one in spec.get("volumes") or []),
        "env": {one["name"]: sorted(json.dumps(v, sort_keys=True) for v in one.get("env") or []) for one in containers},
        "mounts": {
            one["name"]: sorted(json.dumps(v, sort_keys=True) for v in one.get("volumeMounts") or [])
            for one in containers
        },
    }


def written(case: Json) -> bool:
    text = json.dumps(case["pod"])
    return not any(name in text for name in BAKED) and not case["name"].endswith("-raw-call")


@pytest.mark.parametrize("before", [False, True], ids=["from-irsa", "from-pod-identity"])
@pytest.mark.parametrize("case", [case for case in CASES if written(case)], ids=lambda case: case["name"])
def test_made_again_it_is_what_a_new_pod_would_be(case: Json, before: bool) -> None:
    pod: Json = case["pod"]
    live = admitted(pod, associated=before)
    again = admitted(as_written(live), associated=not before)
    assert judged(again) == judged(admitted(pod, associated=not before))


def live() -> Json:
    token = {
        "name": "kube-api-access-x",
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        "readOnly": True,
    }
    identity = {
        "name": "aws-iam-token",
        "mountPath": "/var/run/secrets/eks.amazonaws.com/serviceaccount",
        "readOnly": True,
    }
    env = [
        {"name": "DB", "value": "secret"},
        {"name": "AWS_REGION", "value": "eu-west-1"},
        {"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::111111111111:role/app"},
        {
            "name": "AWS_WEB_IDENTITY_TOKEN_FILE",
            "value": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        },
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "tool",
            "namespace": "shop",
            "uid": "u1",
            "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "managedFields": [{}],
            "labels": {"app": "tool"},
            "annotations": {"vpc.amazonaws.com/pod-ips": "10.0.0.1", "team": "a"},
        },
        "spec": {
            "serviceAccountName": "app",
            "serviceAccount": "app",
            "nodeName": "node-1",
            "priority": 1000,
            "priorityClassName": "high",
            "preemptionPolicy": "Never",
            "runtimeClassName": "gvisor",
            "overhead": {"cpu": "1"},
            "tolerations": [
                {"key": "team", "operator": "Exists"},
                *(
                    {
                        "key": f"node.kubernetes.io/{key}",
                        "operator": "Exists",
                        "effect": "NoExecute",
                        "tolerationSeconds": 300,
                    }
                    for key in ("not-ready", "unreachable")
                ),
            ],
            "containers": [{"name": "main", "image": "x", "env": env, "volumeMounts": [token, identity]}],
            "volumes": [
                {"name": "kube-api-access-x", "projected": {}},
                {"name": "aws-iam-token", "projected": {}},
                {"name": "data", "emptyDir": {}},
            ],
        },
        "status": {"phase": "Running"},
    }


def test_what_admission_and_the_nodes_added_is_gone() -> None:
    pod = live()
    kept = deepcopy(pod)
    assert as_written(pod) == {
        "metadata": {"name": "tool", "namespace": "shop", "labels": {"app": "tool"}, "annotations": {"team": "a"}},
        "spec": {
            "serviceAccountName": "app",
            "priorityClassName": "high",
            "runtimeClassName": "gvisor",
            "tolerations": [{"key": "team", "operator": "Exists"}],
            "containers": [
                {
                    "name": "main",
                    "image": "x",
                    "env": [{"name": "DB", "value": "secret"}, {"name": "AWS_REGION", "value": "eu-west-1"}],
                }
            ],
            "volumes": [{"name": "data", "emptyDir": {}}],
        },
    }
    assert pod == kept, "the live pod was changed"


def test_a_role_written_by_hand_stays() -> None:
    """Without the webhook's token file beside it the role is the pod's own."""
    pod = live()
    env = pod["spec"]["containers"][0]["env"]
    env[3]["value"] = "/var/run/own/token"
    assert as_written(pod)["spec"]["containers"][0]["env"] == env


def test_a_role_written_by_hand_with_the_webhooks_token_file_stays() -> None:
    """The webhook adds the mount and, behind what is written, the region."""
    pod = live()
    env = pod["spec"]["containers"][0]["env"]
    env.append(env.pop(1))
    assert as_written(pod)["spec"]["containers"][0]["env"] == env


def test_a_token_mounted_elsewhere_keeps_its_volume() -> None:
    pod = live()
    pod["spec"]["containers"][0]["volumeMounts"].append({"name": "aws-iam-token", "mountPath": "/own"})
    spec = as_written(pod)["spec"]
    assert spec["containers"][0]["volumeMounts"] == [{"name": "aws-iam-token", "mountPath": "/own"}]
    assert [volume["name"] for volume in spec["volumes"]] == ["aws-iam-token", "data"]


def test_windows_paths_are_known() -> None:
    pod = live()
    path = "C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token"
    pod["spec"]["containers"][0]["env"][3]["value"] = path
    names = [one["name"] for one in as_written(pod)["spec"]["containers"][0]["env"]]
    assert names == ["DB", "AWS_REGION"]


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        pytest.param({"manager": "kubectl", "fieldsV1": {"f:spec": {"f:nodeName": {}}}}, True, id="[pinned] by hand"),
        pytest.param({"manager": "kubectl", "fieldsV1": {"f:spec": {"f:containers": {}}}}, False, id="[scheduled]"),
        pytest.param(
            {"manager": "binder", "subresource": "binding", "fieldsV1": {"f:spec": {"f:nodeName": {}}}},
            False,
            id="[scheduled] by one whose binding is noted",
        ),
    ],
)
def test_the_node_stays_if_whoever_wrote_the_pod_named_it(entry: Json, kept: bool) -> None:
    pod = live()
    pod["spec"]["nodeName"] = "node-7"
    pod["metadata"]["managedFields"] = [entry]

    assert as_written(pod)["spec"].get("nodeName") == ("node-7" if kept else None)
