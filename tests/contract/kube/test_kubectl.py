"""The real kubectl against the API."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.kube.support import config_map, deployment, eventually, pod

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi import ApiServer
    from tests.contract.kube.support import Api

    Kubectl = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.kubectl
Json = dict[str, Any]


def test_get_prints_columns(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=deployment("web", 0))
    lines = kubectl("get", "deployments").stdout.splitlines()
    assert lines[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert lines[1].split()[:2] == ["web", "0/0"]
    wide = kubectl("get", "deploy", "-o", "wide").stdout.splitlines()[0]
    assert wide.split()[5:] == ["CONTAINERS", "IMAGES", "SELECTOR"]


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("pods", "NAME READY STATUS RESTARTS AGE"),
        ("sa", "NAME AGE"),
        ("cm", "NAME DATA AGE"),
        ("ns", "NAME STATUS AGE"),
    ],
)
def test_get_of_other_kinds(kubectl: Kubectl, kind: str, columns: str) -> None:
    kubectl("create", "-f", "-", stdin=pod("a"))
    assert kubectl("get", kind).stdout.splitlines()[0].split() == columns.split()


def test_get_of_nothing(kubectl: Kubectl, namespace: str) -> None:
    assert kubectl("get", "pods").stderr == f"No resources found in {namespace} namespace.\n"
    absent = kubectl("get", "pod", "none", code=1)
    assert absent.stderr == 'Error from server (NotFound): pods "none" not found\n'


def test_get_in_every_format(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=config_map("a", k="v"))
    assert json.loads(kubectl("get", "cm", "a", "-o", "json").stdout)["data"] == {"k": "v"}
    assert kubectl("get", "cm", "a", "-o", "jsonpath={.data.k}").stdout == "v"
    assert kubectl("get", "cm", "a", "-o", "name").stdout == "configmap/a\n"
    assert "k: v" in kubectl("get", "cm", "a", "-o", "yaml").stdout
    assert "a" in kubectl("get", "cm", "-o", "custom-columns=N:.metadata.name").stdout.split()


def test_apply_three_times(kubectl: Kubectl) -> None:
    body = deployment("web", 0)
    assert "created" in kubectl("apply", "-f", "-", stdin=body).stdout
    assert "unchanged" in kubectl("apply", "-f", "-", stdin=body).stdout
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/app:2"
    assert "configured" in kubectl("apply", "-f", "-", stdin=body).stdout
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert kubectl("get", "deploy", "web", "-o", image).stdout == "registry.example/app:2"


def test_apply_server_side_and_its_conflict(kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "--field-manager=one", "-f", "-", stdin=config_map("a", k="1"))
    body = config_map("a", k="2")
    failed = kubectl("apply", "--server-side", "--field-manager=two", "-f", "-", stdin=body, code=1)
    assert 'conflict with "one": .data.k' in failed.stderr
    kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=two", "-f", "-", stdin=body)
    assert kubectl("get", "cm", "a", "-o", "jsonpath={.data.k}").stdout == "2"


def test_apply_dry_run(kubectl: Kubectl) -> None:
    kubectl("apply", "--dry-run=server", "-f", "-", stdin=deployment("web"))
    kubectl("get", "deploy", "web", code=1)


def test_apply_refuses_unknown_fields(kubectl: Kubectl) -> None:
    body = deployment("web", 0)
    body["spec"]["replicsa"] = 2
    failed = kubectl("apply", "-f", "-", stdin=body, code=1)
    assert 'unknown field "spec.replicsa"' in failed.stderr


def test_diff(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=config_map("a", k="1"))
    kubectl("diff", "-f", "-", stdin=config_map("a", k="1"))
    changed = kubectl("diff", "-f", "-", stdin=config_map("a", k="2"), code=1)
    assert '-  k: "1"' in changed.stdout
    assert '+  k: "2"' in changed.stdout


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"new:1"}]}}}}'),
        ("merge", '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"new:1"}]}}}}'),
        ("json", '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"new:1"}]'),
    ],
)
def test_patch(kubectl: Kubectl, kind: str, patch: str) -> None:
    kubectl("create", "-f", "-", stdin=deployment("web", 0))
    assert kubectl("patch", "deploy", "web", "--type", kind, "-p", patch).stdout == "deployment.apps/web patched\n"
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert kubectl("get", "deploy", "web", "-o", image).stdout == "new:1"


def test_annotate_and_label(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=config_map("a"))
    kubectl("annotate", "cm", "a", "x=1")
    kubectl("annotate", "cm", "a", "x=2", code=1)
    kubectl("annotate", "cm", "a", "x=2", "--overwrite")
    kubectl("label", "cm", "a", "tier=back")
    assert kubectl("get", "cm", "-l", "tier=back", "-o", "name").stdout == "configmap/a\n"
    kubectl("annotate", "cm", "a", "x-")
    assert kubectl("get", "cm", "a", "-o", "jsonpath={.metadata.annotations.x}").stdout == ""


def test_scale_and_restart(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=deployment("web", 0))
    assert kubectl("scale", "deploy", "web", "--replicas=2").stdout == "deployment.apps/web scaled\n"
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}").stdout == "2"
    assert kubectl("rollout", "restart", "deploy/web").stdout == "deployment.apps/web restarted\n"
    stamp = r"jsonpath={.spec.template.metadata.annotations.kubectl\.kubernetes\.io/restartedAt}"
    assert kubectl("get", "deploy", "web", "-o", stamp).stdout


def test_rollout_status_of_what_is_done(kubectl: Kubectl, api: Api, apps: str) -> None:
    kubectl("create", "-f", "-", stdin=deployment("web", 0))
    # whoever runs the controllers here, this is what they would say
    api.patch(f"{apps}/deployments/web/status", {"status": {"observedGeneration": 1}})
    done = kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    assert "successfully rolled out" in done.stdout


def test_set_image_and_env(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=deployment("web", 0))
    kubectl("set", "image", "deploy/web", "app=new:3")
    kubectl("set", "env", "deploy/web", "A=1")
    found = json.loads(kubectl("get", "deploy", "web", "-o", "json").stdout)
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["env"]) == ("new:3", [{"name": "A", "value": "1"}])


def test_describe(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=pod("a"))
    kubectl("create", "-f", "-", stdin=deployment("web", 0))
    text = kubectl("describe", "pod", "a").stdout
    assert "Service Account:" in text
    assert "kube-api-access-" in text
    assert "StrategyType:" in kubectl("describe", "deploy", "web").stdout
    assert "Image pull secrets:" in kubectl("describe", "sa", "default").stdout


def test_delete(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=config_map("a"))
    kubectl("create", "-f", "-", stdin=pod("p"))
    assert kubectl("delete", "cm", "a").stdout.startswith('configmap "a" deleted')
    assert kubectl("delete", "pod", "p", "--wait=true").stdout.startswith('pod "p" deleted')
    failed = kubectl("delete", "cm", "a", code=1)
    assert "not found" in failed.stderr


def test_delete_by_label(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=pod("one"))
    kubectl("create", "-f", "-", stdin=pod("two"))
    kubectl("delete", "pods", "-l", "app=one")
    assert kubectl("get", "pods", "-o", "name").stdout == "pod/two\n"


def test_get_watch(kubectl: Kubectl, api: Api, core: str) -> None:
    found: list[str] = []

    def watch() -> None:
        found.append(kubectl("get", "cm", "-w", "--request-timeout=3s", "-o", "name", code=0).stdout)

    thread = threading.Thread(target=watch)
    thread.start()
    threading.Timer(1.0, lambda: api.call("POST", f"{core}/configmaps", config_map("late"))).start()
    thread.join(30)
    assert "configmap/late" in found[0].splitlines()


def test_wait_for_a_condition(kubectl: Kubectl, api: Api, core: str) -> None:
    kubectl("create", "-f", "-", stdin=pod("a"))
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    change = {"status": {"conditions": [condition]}}
    threading.Timer(0.5, lambda: api.patch(f"{core}/pods/a/status", change)).start()
    assert "condition met" in kubectl("wait", "pod/a", "--for=condition=Ready", "--timeout=20s").stdout


def test_api_resources_and_explain(kubectl: Kubectl) -> None:
    names = kubectl("api-resources", "-o", "name").stdout.split()
    assert {"pods", "deployments.apps", "customresourcedefinitions.apiextensions.k8s.io"} <= set(names)
    text = kubectl("explain", "deployment.spec.strategy").stdout
    assert "rollingUpdate" in text
    assert "v1" in kubectl("api-versions").stdout.split()


def test_version_and_cluster_info(kubectl: Kubectl) -> None:
    assert json.loads(kubectl("version", "-o", "json").stdout)["serverVersion"]["major"] == "1"
    assert "is running at" in kubectl("cluster-info").stdout


def test_events(kubectl: Kubectl, namespace: str) -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "a.1"},
        "involvedObject": {"kind": "Pod", "name": "a", "namespace": namespace},
        "reason": "Tried",
        "message": "it was tried",
        "type": "Normal",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    kubectl("create", "-f", "-", stdin=event)
    assert "it was tried" in kubectl("get", "events").stdout
    assert "pod/a" in kubectl("events").stdout.lower()


def test_cordon(kubectl: Kubectl, api: Api, namespace: str) -> None:
    node = f"node-{namespace}"
    api.ok("POST", "/api/v1/nodes", {"metadata": {"name": node}})
    kubectl("cordon", node)
    assert "SchedulingDisabled" in eventually(lambda: kubectl("get", "node", node).stdout)
    api.ok("DELETE", f"/api/v1/nodes/{node}")


IMPERATIVE = {
    "[create configmap]": ("create", "configmap", "a", "--from-literal=k=v"),
    "[create sa]": ("create", "sa", "a"),
    "[create token]": ("create", "token", "default"),
    "[auth can-i]": ("auth", "can-i", "get", "pods"),
}


@pytest.mark.parametrize("words", IMPERATIVE.values(), ids=IMPERATIVE.keys())
def test_protobuf_is_refused_with_a_word_on_what_to_do_instead(
    own_server: ApiServer, kubectl: Kubectl, words: tuple[str, ...]
) -> None:
    del own_server  # a real server speaks it
    said = kubectl(*words, code=1).stderr

    assert "application/vnd.kubernetes.protobuf" in said
    assert 'make objects with "kubectl apply -f" or "kubectl create -f"' in said


def test_what_the_refusal_of_protobuf_says_to_do_works(kubectl: Kubectl) -> None:
    made = kubectl("create", "configmap", "a", "--from-literal=k=v", "--dry-run=client", "-o", "json").stdout
    kubectl("apply", "-f", "-", stdin=json.loads(made))

    assert kubectl("get", "cm", "a", "-o", "jsonpath={.data.k}").stdout == "v"
