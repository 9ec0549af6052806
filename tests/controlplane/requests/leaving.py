"""Evictions, and the tokens with which pods speak."""

from typing import Any

from tests.controlplane.asking import Ask, core, get, patch, post
from tests.controlplane.requests.manifests import CONTAINER, SELECTOR, small

Json = dict[str, Any]

PODS, POD = core("pods"), core("pods/a")
BUDGETS = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
BUDGET = f"{BUDGETS}/a"
ACCOUNT = core("serviceaccounts/a")
TOKEN = f"{ACCOUNT}/token"
READY = {"type": "Ready", "status": "True"}
NOBODY = "00000000-0000-0000-0000-000000000000"


def eviction(name: str = "a", **options: Any) -> Json:
    return {**small(name), **({"deleteOptions": options} if options else {})}


def pod(name: str = "a", labels: Json | None = None) -> Ask:
    spec = {"containers": [CONTAINER], "nodeName": "n1"}
    return post(PODS, {"metadata": {"name": name, "labels": labels or {"app": "a"}}, "spec": spec})


def running(name: str = "a", *conditions: Json) -> Ask:
    return patch(core(f"pods/{name}/status"), {"status": {"phase": "Running", "conditions": list(conditions)}})


def evict(name: str = "a", query: str = "", **options: Any) -> Ask:
    return post(core(f"pods/{name}/eviction{query}"), eviction(name, **options))


def budget(name: str = "a", **spec: Any) -> Ask:
    return post(BUDGETS, small(name, spec={"minAvailable": 1, "selector": SELECTOR, **spec}))


def counted(name: str = "a", **status: Any) -> Ask:
    whole = {"currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1, "disruptionsAllowed": 0, **status}
    return patch(f"{BUDGETS}/{name}/status", {"status": whole})


def token(path: str = TOKEN, **spec: Any) -> Ask:
    return post(path, {"spec": spec})


CASES: dict[str, tuple[Ask, ...]] = {
    "[evict] a pod nobody protects": (
        pod(),
        evict(query="?dryRun=All"),
        evict(dryRun=["All"]),
        evict(dryRun=["Some"]),
        evict(preconditions={"uid": NOBODY, "resourceVersion": "1"}),
        evict(preconditions={"resourceVersion": "1"}),
        get(POD),
        evict(gracePeriodSeconds=7),
        get(POD),
        evict(),
        evict(gracePeriodSeconds=0),
        evict(),
    ),
    "[evict] a pod that has a budget": (
        pod(),
        running("a", READY),
        budget(),
        evict(),
        counted(observedGeneration=1),
        evict(),
        evict(query="?dryRun=All"),
        counted(observedGeneration=1, disruptionsAllowed=1),
        evict(dryRun=["All"]),
        get(BUDGET),
        evict(),
        get(BUDGET),
        get(POD),
        evict(),
    ),
    "[evict] one after the other": (
        pod(),
        pod("b"),
        running("a", READY),
        running("b", READY),
        budget(),
        counted(observedGeneration=1, disruptionsAllowed=1),
        evict(),
        evict("b"),
        get(BUDGET),
    ),
    "[evict] a pod that is not ready": (
        pod(),
        running(),
        budget(),
        counted(observedGeneration=1),
        evict(),
        counted(observedGeneration=1, currentHealthy=0),
        evict(query="?dryRun=All"),
        patch(BUDGET, {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}),
        evict(query="?dryRun=All"),
        patch(BUDGET, {"spec": {"unhealthyPodEvictionPolicy": "IfHealthyBudget"}}),
        evict(query="?dryRun=All"),
    ),
    "[evict] a pod that waits, has ended, or goes already": (
        budget(),
        pod(),
        evict(),
        pod("b"),
        patch(core("pods/b/status"), {"status": {"phase": "Succeeded"}}),
        evict("b"),
        pod("c"),
        running("c", READY),
        Ask("DELETE", core("pods/c")),
        evict("c"),
        get(core("pods/c")),
    ),
    "[evict] a pod that has two budgets": (
        pod(),
        running("a", READY),
        budget(),
        budget("b"),
        evict(),
        budget("c", selector={}),
        budget("d", selector=None),
        budget("e", selector={"matchLabels": {"app": "x"}}),
    ),
    "[evict] nobody, or nonsense": (
        pod(),
        evict("none"),
        post(f"{POD}/eviction", eviction("b")),
        post(f"{POD}/eviction", {}),
        post(f"{POD}/eviction", {"metadata": {"name": "a", "namespace": "other"}}),
        post(f"{POD}/eviction", {**eviction(), "apiVersion": "policy/v1", "kind": "Eviction"}),
        post(f"{POD}/eviction", {**eviction(), "apiVersion": "policy/v1beta1", "kind": "Eviction"}),
        post(f"{POD}/eviction", {**eviction(), "apiVersion": "v1", "kind": "Pod"}),
        post(f"{POD}/eviction", {"metadata": {"name": "a"}, "deleteOptions": []}),
        post(f"{POD}/eviction", {"metadata": {"name": "a"}, "deleteOptions": {"gracePeriodSeconds": "x"}}),
        post(f"{POD}/eviction", "{"),
        post(f"{POD}/eviction?dryRun=Some", eviction()),
        get(f"{POD}/eviction"),
        evict(propagationPolicy="Sometimes"),
    ),
    "[token] of a ServiceAccount": (
        post(core("serviceaccounts"), small()),
        token(),
        token(audiences=["sts.amazonaws.com"]),
        token(audiences=["a", "b"], expirationSeconds=600),
        token(audiences=["pods.eks.amazonaws.com"], expirationSeconds=86400),
        token(expirationSeconds=599),
        token(expirationSeconds=4294967297),
        token(expirationSeconds="x"),
        token(audiences="x"),
        token(audiences=[""]),
        token(f"{TOKEN}?dryRun=All"),
        post(TOKEN, {}),
        post(TOKEN, {"metadata": {"name": "b"}, "spec": {}}),
        post(TOKEN, {"metadata": {"name": "a", "namespace": "other"}, "spec": {}}),
        post(TOKEN, {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "a"}}),
        post(TOKEN, {"spec": {"nothing": 1}}),
        token(core("serviceaccounts/none/token")),
        get(TOKEN),
    ),
    "[token] as a node asks for it": (
        post(core("serviceaccounts"), small()),
        post("/api/v1/nodes", small("{ns}")),
        post(PODS, small(spec={"containers": [CONTAINER], "serviceAccountName": "a", "nodeName": "{ns}"})),
        token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "a"}, expirationSeconds=3607),
        token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "a"}, expirationSeconds=3607, audiences=["x"]),
        token(expirationSeconds=3607),
        token(boundObjectRef={"kind": "Node", "apiVersion": "v1", "name": "{ns}"}),
        Ask("DELETE", "/api/v1/nodes/{ns}"),
    ),
    "[token] bound to something": (
        post(core("serviceaccounts"), small()),
        post(PODS, small(spec={"containers": [CONTAINER], "serviceAccountName": "a", "nodeName": "n1"})),
        post(PODS, small("other", spec={"containers": [CONTAINER]})),
        post(core("secrets"), small("s")),
        token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "a"}),
        token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "a", "uid": "$1.metadata.uid"}),
        token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "a", "uid": NOBODY}),
        token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "other"}),
        token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "none"}),
        token(boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "s"}),
        token(boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "none"}),
        token(boundObjectRef={"kind": "ConfigMap", "apiVersion": "v1", "name": "a"}),
        token(boundObjectRef={"name": "a"}),
    ),
}
