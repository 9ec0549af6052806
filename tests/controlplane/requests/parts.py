"""The parts of an object that have a path of their own: status, scale, binding, logs and the like."""

from typing import Any

from tests.controlplane.asking import (
    APPLY,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    TABLE,
    Ask,
    apply,
    apps,
    core,
    delete,
    get,
    patch,
    post,
    put,
)
from tests.controlplane.requests.manifests import CONTAINER, PODS_OF, small

Json = dict[str, Any]

PODS, POD = core("pods"), core("pods/a")
WEB = apps("deployments/a")
SCALE = f"{WEB}/scale"
READY = {"type": "Ready", "status": "True", "lastProbeTime": None, "lastTransitionTime": "2026-01-01T00:00:00Z"}
NODE: Json = {"target": {"kind": "Node", "name": "n1"}}


def scale(replicas: Any, **metadata: str) -> Json:
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": {"replicas": replicas}}


def pod(name: str = "a", **spec: Any) -> Ask:
    return post(PODS, small(name, spec={"containers": [CONTAINER], **spec}))


CASES: dict[str, tuple[Ask, ...]] = {
    "[status] of a deployment": (
        post(apps("deployments"), small(spec=PODS_OF)),
        get(f"{WEB}/status"),
        patch(f"{WEB}/status", {"status": {"replicas": 2, "readyReplicas": 1}}),
        patch(
            f"{WEB}/status", {"spec": {"replicas": 5}, "metadata": {"labels": {"a": "b"}}, "status": {"replicas": 3}}
        ),
        patch(WEB, {"status": {"replicas": 9}, "spec": {"replicas": 3}}),
        put(f"{WEB}/status", {**small(spec=PODS_OF), "status": {"replicas": 4, "conditions": []}}),
        put(f"{WEB}/status", {**small("b", spec=PODS_OF)}),
        patch(f"{WEB}/status", {"metadata": {"resourceVersion": "1"}, "status": {"replicas": 1}}),
        patch(f"{WEB}/status", {"status": {"replicas": "x"}}),
        patch(f"{WEB}/status?dryRun=All", {"status": {"replicas": 8}}),
        patch(f"{WEB}/status", [{"op": "replace", "path": "/status/replicas", "value": 6}], JSON_PATCH),
        apply(
            f"{WEB}/status",
            {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "a"}, "status": {"readyReplicas": 2}},
        ),
        get(WEB, TABLE),
        get(f"{WEB}/status", TABLE),
        get(apps("deployments/none/status")),
        patch(apps("deployments/none/status"), {"status": {"replicas": 1}}),
    ),
    "[status] of a pod": (
        pod(nodeName="n1"),
        patch(f"{POD}/status", {"status": {"phase": "Running", "conditions": [READY]}}, STRATEGIC),
        patch(f"{POD}/status", {"status": {"conditions": [{**READY, "status": "False"}]}}, STRATEGIC),
        patch(f"{POD}/status", {"status": {"conditions": [{**READY, "type": "Other"}]}}, STRATEGIC),
        patch(
            f"{POD}/status",
            {
                "status": {
                    "containerStatuses": [
                        {"name": "app", "ready": True, "restartCount": 0, "image": "i", "imageID": ""}
                    ]
                }
            },
            STRATEGIC,
        ),
        patch(
            f"{POD}/status",
            {"spec": {"nodeName": "n2"}, "status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}},
        ),
        patch(f"{POD}/status", {"status": {"phase": "Sleeping"}}),
        get(POD, TABLE),
    ),
    "[status] of others": (
        *(
            patch(f"{path}/status", {"status": status})
            for path, status in (
                ("/api/v1/namespaces/{ns}", {"phase": "Active"}),
                (core("serviceaccounts/default"), {}),
                (core("secrets/a"), {}),
            )
        ),
        post("/api/v1/nodes", small("{ns}")),
        patch(
            "/api/v1/nodes/{ns}/status", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, STRATEGIC
        ),
        get("/api/v1/nodes/{ns}", TABLE),
        patch("/api/v1/nodes/{ns}", {"spec": {"unschedulable": True}}),
        delete("/api/v1/nodes/{ns}"),
    ),
    "[scale] of a deployment": (
        post(apps("deployments"), small(spec={**PODS_OF, "replicas": 2})),
        get(SCALE),
        put(SCALE, scale(3, name="a", namespace="{ns}")),
        put(SCALE, scale(4, name="a", resourceVersion="1")),
        put(SCALE, scale(4, name="a", resourceVersion="$2.metadata.resourceVersion")),
        put(SCALE, scale(5, name="b")),
        put(SCALE, scale(5)),
        put(SCALE, scale(5, name="a", namespace="other")),
        put(SCALE, scale(5, name="a", uid="00000000-0000-0000-0000-000000000000")),
        put(SCALE, scale(-1, name="a")),
        put(SCALE, scale("x", name="a")),
        put(SCALE, {**scale(1, name="a"), "kind": "Deployment"}),
        put(SCALE, {**scale(1, name="a"), "apiVersion": "apps/v1"}),
        put(f"{SCALE}?dryRun=All", scale(7, name="a")),
        put(SCALE, {"metadata": {"name": "a"}}),
        patch(SCALE, {"spec": {"replicas": 6}}),
        patch(SCALE, {"spec": {"replicas": 6}}),
        patch(SCALE, {"spec": {"replicas": 2}}, STRATEGIC),
        patch(SCALE, [{"op": "replace", "path": "/spec/replicas", "value": 1}], JSON_PATCH),
        patch(SCALE, [{"op": "test", "path": "/spec/replicas", "value": 9}], JSON_PATCH),
        patch(SCALE, {"spec": {"replicas": -3}}),
        patch(SCALE, {"spec": {"replicas": None}}),
        patch(SCALE, {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 3}}),
        patch(f"{SCALE}?dryRun=All", {"spec": {"replicas": 3}}),
        patch(SCALE, "{", MERGE),
        apply(SCALE, scale(2, name="a")),
        apply(SCALE, scale(3, name="a"), "other"),
        patch(f"{SCALE}?fieldManager=third", scale(3), APPLY),
        get(WEB),
        get(SCALE, TABLE),
        get(apps("deployments/none/scale")),
        put(apps("deployments/none/scale"), scale(1, name="none")),
        patch(apps("deployments/none/scale"), {"spec": {"replicas": 1}}),
    ),
    "[scale] of others": (
        post(apps("statefulsets"), small(spec={**PODS_OF, "serviceName": "a"})),
        patch(apps("statefulsets/a/scale"), {"spec": {"replicas": 0}}),
        get(apps("statefulsets/a")),
        post(apps("replicasets"), small(spec=PODS_OF)),
        put(apps("replicasets/a/scale"), scale(0, name="a")),
        post(core("replicationcontrollers"), small(spec={"template": PODS_OF["template"]})),
        get(core("replicationcontrollers/a/scale")),
        patch(core("replicationcontrollers/a/scale"), {"spec": {"replicas": 3}}),
        post(apps("daemonsets"), small(spec=PODS_OF)),
        get(apps("daemonsets/a/scale")),
    ),
    "[binding] of a pod": (
        pod(),
        post(f"{POD}/binding?dryRun=All", small(**NODE)),
        post(f"{POD}/binding", small("b", **NODE)),
        post(f"{POD}/binding", {"metadata": {"name": "a"}}),
        post(f"{POD}/binding", small(target={"kind": "Pod", "name": "n1"})),
        post(f"{POD}/binding", small(target={"name": ""})),
        post(f"{POD}/binding", small(**NODE)),
        get(POD),
        post(f"{POD}/binding", small(**NODE)),
        pod("b"),
        post(core("bindings"), small("b", **NODE)),
        post(core("bindings"), small("c", **NODE)),
        post(core("pods/none/binding"), small("none", **NODE)),
        post(core("bindings"), {"metadata": {}, **NODE}),
        get(core("pods/b")),
        pod("d", schedulingGates=[{"name": "example.com/wait"}]),
        post(core("pods/d/binding"), small("d", **NODE)),
    ),
    "[ephemeral] containers of a pod": (
        pod(nodeName="n1"),
        get(f"{POD}/ephemeralcontainers"),
        patch(
            f"{POD}/ephemeralcontainers",
            {"spec": {"ephemeralContainers": [{"name": "look", "image": "sh"}]}},
            STRATEGIC,
        ),
        patch(
            f"{POD}/ephemeralcontainers", {"spec": {"ephemeralContainers": [{"name": "app", "image": "sh"}]}}, STRATEGIC
        ),
        patch(f"{POD}/ephemeralcontainers", {"spec": {"ephemeralContainers": []}}),
        patch(f"{POD}/ephemeralcontainers", {"spec": {"nodeName": "n2"}}),
        get(POD),
        get(core("pods/none/ephemeralcontainers")),
        pod("b", ephemeralContainers=[{"name": "look", "image": "sh"}]),
        patch(POD, {"spec": {"ephemeralContainers": []}}),
        patch(
            f"{POD}/ephemeralcontainers", {"spec": {"ephemeralContainers": [{"name": "look", "image": "x"}]}}, STRATEGIC
        ),
    ),
    "[log] of a pod that runs nowhere": (
        pod(),
        get(f"{POD}/log"),
        get(f"{POD}/log?container=app"),
        get(f"{POD}/log?container=none"),
        get(f"{POD}/log?tailLines=x"),
        get(f"{POD}/log?tailLines=-1"),
        get(f"{POD}/log?limitBytes=0"),
        get(f"{POD}/log?sinceSeconds=0"),
        get(f"{POD}/log?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z"),
        get(f"{POD}/log?previous=true"),
        get(core("pods/none/log")),
        post(PODS, small("two", spec={"containers": [CONTAINER, {**CONTAINER, "name": "other"}]})),
        get(core("pods/two/log")),
        post(f"{POD}/log"),
        get(f"{POD}/exec"),
        get(f"{POD}/exec?command=ls"),
        post(
            PODS,
            {
                "metadata": {"name": "many", "annotations": {"kubectl.kubernetes.io/default-container": "app"}},
                "spec": {
                    "containers": [CONTAINER, {**CONTAINER, "name": "other"}],
                    "initContainers": [{**CONTAINER, "name": "first"}],
                },
            },
        ),
        get(core("pods/many/log")),
        get(core("pods/many/log?container=first")),
        get(core("pods/many/exec")),
        post(PODS, small("bound", spec={"containers": [CONTAINER], "nodeName": "nowhere"})),
        get(core("pods/bound/exec?command=ls")),
    ),
    "[finalize] a namespace": (
        post("/api/v1/namespaces", small("{ns}-f")),
        put("/api/v1/namespaces/{ns}-f/finalize", small("{ns}-f", spec={"finalizers": ["example.com/x"]})),
        put("/api/v1/namespaces/{ns}-f/finalize", small("{ns}-x", spec={"finalizers": []})),
        put("/api/v1/namespaces/{ns}-f/finalize", {**small("{ns}-f"), "spec": {"finalizers": ["short"]}}),
        put(
            "/api/v1/namespaces/{ns}-f/finalize",
            {"metadata": {"name": "{ns}-f", "resourceVersion": "1"}, "spec": {"finalizers": ["example.com/y"]}},
        ),
        put("/api/v1/namespaces/{ns}-f/finalize", {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "{ns}-f"}}),
        get("/api/v1/namespaces/{ns}-f"),
        delete("/api/v1/namespaces/{ns}-f"),
        put("/api/v1/namespaces/{ns}-f/finalize", small("{ns}-f", spec={"finalizers": []})),
        get("/api/v1/namespaces/{ns}-f"),
        put("/api/v1/namespaces/{ns}-f/finalize", small("{ns}-f", spec={"finalizers": []})),
        patch("/api/v1/namespaces/{ns}/finalize", {}),
    ),
}
