"""Deletions: what is asked with them, what they wait for, and whole collections of them."""

from typing import Any

from tests.controlplane.asking import JSON, MERGE, PARTIAL_LIST, TABLE, Ask, apps, core, delete, get, patch, post, put
from tests.controlplane.requests.manifests import CONTAINER, JOB, PODS_OF, small

Json = dict[str, Any]

SECRETS, SECRET = core("secrets"), core("secrets/a")
PODS, POD = core("pods"), core("pods/a")
JOBS = "/apis/batch/v1/namespaces/{ns}/jobs"
OPTIONS = {"kind": "DeleteOptions", "apiVersion": "v1"}
BOUND = {"containers": [CONTAINER], "nodeName": "n1"}
FOUR = tuple(
    post(SECRETS, {**small(name), "metadata": {"name": name, "labels": {"half": half}}})
    for name, half in (("m1", "a"), ("m2", "a"), ("m3", "b"), ("m4", "b"))
)


def held(name: str = "a", *finalizers: str) -> Json:
    return {"metadata": {"name": name, "finalizers": list(finalizers or ("example.com/wait",))}}


def options(**given: Any) -> Json:
    return {**OPTIONS, **given}


CASES: dict[str, tuple[Ask, ...]] = {
    "[delete] of what there is": (
        post(SECRETS, small()),
        delete(SECRET),
        delete(SECRET),
        post(apps("deployments"), small(spec=PODS_OF)),
        delete(apps("deployments/a")),
        post(core("serviceaccounts"), small()),
        delete(core("serviceaccounts/a")),
        delete(core("serviceaccounts/a")),
        post(core("serviceaccounts"), small()),
        Ask("DELETE", core("serviceaccounts/a"), headers={"Accept": TABLE}),
        post(core("serviceaccounts"), small()),
        Ask("DELETE", core("serviceaccounts"), headers={"Accept": PARTIAL_LIST}),
    ),
    "[delete] only under a condition": (
        post(SECRETS, small()),
        delete(SECRET, options(preconditions={"uid": "00000000-0000-0000-0000-000000000000"})),
        delete(SECRET, options(preconditions={"resourceVersion": "1"})),
        delete(SECRET, options(preconditions={"uid": "x", "resourceVersion": "1"})),
        delete(SECRET, options(preconditions={"uid": ""})),
        post(SECRETS, small("b")),
        delete(core("secrets/b"), options(preconditions={"uid": "$5.metadata.uid"})),
        post(SECRETS, small("c")),
        delete(core("secrets/c"), options(preconditions={"resourceVersion": "$7.metadata.resourceVersion"})),
        delete("/api/v1/namespaces/{ns}", options(preconditions={"uid": "00000000-0000-0000-0000-000000000000"})),
        delete("/api/v1/namespaces/{ns}", options(preconditions={"resourceVersion": "1"})),
        post(PODS, small(spec=BOUND)),
        delete(POD, options(preconditions={"uid": "00000000-0000-0000-0000-000000000000"})),
        delete(POD, options(preconditions={"resourceVersion": "1"})),
        delete(POD, options(preconditions={"uid": "$11.metadata.uid"}, gracePeriodSeconds=0)),
    ),
    "[delete] as a dry run": (
        post(SECRETS, small()),
        delete(f"{SECRET}?dryRun=All"),
        delete(SECRET, options(dryRun=["All"])),
        delete(SECRET, options(dryRun=["Some"])),
        delete(f"{SECRET}?dryRun=Some"),
        delete(f"{SECRET}?dryRun=All&dryRun=All"),
        delete(f"{SECRET}?dryRun="),
        get(SECRET),
        post(PODS, small(spec=BOUND)),
        delete(f"{POD}?dryRun=All"),
        delete(f"{POD}?dryRun=All&gracePeriodSeconds=0"),
        get(POD),
        delete(f"{SECRETS}?dryRun=All"),
        get(SECRETS, PARTIAL_LIST),
    ),
    "[delete] of what a finalizer holds": (
        post(SECRETS, held()),
        delete(SECRET),
        delete(SECRET),
        get(SECRET),
        patch(SECRET, {"metadata": {"labels": {"k": "v"}}}, MERGE),
        patch(SECRET, {"metadata": {"finalizers": ["example.com/wait", "example.com/more"]}}, MERGE),
        patch(SECRET, {"metadata": {"finalizers": None}}, MERGE),
        get(SECRET),
        post(SECRETS, held("b")),
        delete(core("secrets/b")),
        put(core("secrets/b"), small("b")),
        get(core("secrets/b")),
    ),
    "[delete] with what becomes of the dependents": (
        *(post(SECRETS, small(name)) for name in ("m1", "m2", "m3", "m4", "m5", "m6", "m7")),
        delete(core("secrets/m1?propagationPolicy=Foreground")),
        delete(core("secrets/m2?propagationPolicy=Orphan")),
        delete(core("secrets/m3"), options(propagationPolicy="Background")),
        delete(core("secrets/m4"), options(propagationPolicy="Sometimes")),
        delete(core("secrets/m4?propagationPolicy=Sometimes")),
        delete(core("secrets/m5"), options(orphanDependents=True)),
        delete(core("secrets/m6?orphanDependents=false")),
        delete(core("secrets/m7"), options(orphanDependents=True, propagationPolicy="Orphan")),
        delete(core("secrets/m7?orphanDependents=maybe")),
        get(SECRETS),
    ),
    "[delete] of workloads, and what becomes of their pods": (
        *(post(apps("replicasets"), small(name, spec=PODS_OF)) for name in ("a", "b", "c")),
        delete(apps("replicasets/a"), options(propagationPolicy="Foreground")),
        delete(apps("replicasets/a"), options(propagationPolicy="Background")),
        delete(apps("replicasets/b"), options(propagationPolicy="Orphan")),
        delete(apps("replicasets/b"), options(propagationPolicy="Foreground")),
        delete(apps("replicasets/c")),
        get(apps("replicasets")),
        *(post(JOBS, small(name, spec=JOB)) for name in ("a", "b", "c")),
        delete(f"{JOBS}/a"),
        delete(f"{JOBS}/b?propagationPolicy=Background"),
        delete(f"{JOBS}/c", OPTIONS),
        get(JOBS),
    ),
    "[delete] of a pod that is nowhere": (
        post(PODS, small(spec={"containers": [CONTAINER]})),
        delete(POD),
        get(POD),
        post(PODS, small(spec={"containers": [CONTAINER]})),
        delete(f"{POD}?gracePeriodSeconds=5"),
        get(POD),
    ),
    "[delete] of a pod on a node": (
        post(PODS, small(spec=BOUND)),
        delete(POD),
        get(POD),
        get(POD, TABLE),
        delete(POD),
        delete(f"{POD}?gracePeriodSeconds=60"),
        delete(f"{POD}?gracePeriodSeconds=5"),
        delete(f"{POD}?gracePeriodSeconds=9"),
        delete(POD, options(gracePeriodSeconds=0)),
        get(POD),
    ),
    "[delete] of a pod with its own grace": (
        post(PODS, small(spec={**BOUND, "terminationGracePeriodSeconds": 0})),
        delete(POD),
        get(POD),
        post(PODS, small(spec=BOUND)),
        delete(f"{POD}?gracePeriodSeconds=-1"),
        post(PODS, small("b", spec={**BOUND, "terminationGracePeriodSeconds": 120})),
        delete(core("pods/b")),
        post(PODS, small("c", spec=BOUND)),
        patch(core("pods/c/status"), {"status": {"phase": "Succeeded"}}),
        delete(core("pods/c")),
        get(core("pods/c")),
    ),
    "[delete] of a pod that a finalizer holds": (
        post(PODS, {**held(), "spec": BOUND}),
        delete(POD, options(gracePeriodSeconds=0)),
        get(POD),
        patch(POD, {"metadata": {"finalizers": ["example.com/wait", "example.com/b"]}}, MERGE),
        patch(POD, {"metadata": {"finalizers": []}}, MERGE),
        get(POD),
    ),
    "[delete] with options nobody understands": (
        post(SECRETS, small()),
        delete(SECRET, "no json"),
        delete(SECRET, []),
        delete(SECRET, {"kind": "ConfigMap", "apiVersion": "v1", "dryRun": ["All"]}),
        delete(SECRET, {"kind": "Nothing", "apiVersion": "v1", "dryRun": ["All"]}),
        delete(SECRET, {"kind": "Nothing", "dryRun": ["All"]}),
        delete(SECRET, {"kind": "DeleteOptions", "dryRun": ["All"]}),
        delete(SECRET, {"apiVersion": "v1", "dryRun": ["All"]}),
        delete(SECRET, {"kind": "DeleteOptions", "apiVersion": "v9", "dryRun": ["All"]}),
        delete(SECRET, {"kind": "DeleteOptions", "apiVersion": "apps/v1", "dryRun": ["All"]}),
        delete(SECRET, {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "dryRun": ["All"]}),
        delete(SECRET, {"kind": "DeleteOptions", "apiVersion": "x/y/z", "dryRun": ["All"]}),
        delete(SECRET, options(gracePeriodSeconds="x", dryRun=["All"])),
        delete(SECRET, options(preconditions=[], dryRun=["All"])),
        delete(SECRET, options(dryRun="All")),
        delete(SECRET, options(nothing=True, dryRun=["All"])),
        delete(f"{SECRET}?dryRun=All&gracePeriodSeconds=x"),
        delete(f"{SECRET}?dryRun=All&gracePeriodSeconds=5&", options(gracePeriodSeconds=1)),
        delete(f"{SECRET}?gracePeriodSeconds=5&", options(gracePeriodSeconds=1, dryRun=["All"])),
        Ask(
            "DELETE", f"{SECRET}?dryRun=All", "kind: DeleteOptions\napiVersion: v1\ndryRun: [All]\n", "application/yaml"
        ),
        Ask("DELETE", SECRET, {}, "text/plain"),
        Ask("DELETE", f"{SECRET}?dryRun=All", "", JSON),
        get(SECRET),
    ),
    "[delete] of a collection": (
        *FOUR,
        delete(f"{SECRETS}?labelSelector=half%3Da"),
        get(SECRETS, PARTIAL_LIST),
        delete(f"{SECRETS}?fieldSelector=metadata.name%3Dm3"),
        delete(f"{SECRETS}?labelSelector=half%3Dnone"),
        delete(f"{SECRETS}?labelSelector=!!"),
        delete(f"{SECRETS}?fieldSelector=data.x%3Dm3"),
        post(SECRETS, small("m5")),
        delete(f"{SECRETS}?limit=1"),
        get(SECRETS, PARTIAL_LIST),
        delete("/api/v1/namespaces"),
        delete("/api/v1/namespaces/nowhere/configmaps"),
    ),
    "[delete] of a collection that is held, or of pods": (
        post(SECRETS, held("m1")),
        post(SECRETS, small("m2")),
        delete(SECRETS),
        get(SECRETS),
        delete(SECRETS),
        post(PODS, small("p1", spec=BOUND)),
        post(PODS, small("p2", spec={"containers": [CONTAINER]})),
        delete(PODS, options(gracePeriodSeconds=7)),
        get(PODS),
        delete(f"{PODS}?gracePeriodSeconds=0"),
        get(PODS),
        delete(SECRETS, options(preconditions={"uid": "x"})),
        delete(SECRETS, options(preconditions={"resourceVersion": "1"})),
    ),
    "[delete] of a namespace": (
        post("/api/v1/namespaces", small("{ns}-b")),
        post("/api/v1/namespaces/{ns}-b/configmaps", held()),
        delete("/api/v1/namespaces/{ns}-b"),
        get("/api/v1/namespaces/{ns}-b"),
        post("/api/v1/namespaces/{ns}-b/configmaps", small("b")),
        post("/api/v1/namespaces/{ns}-b/pods?dryRun=All", small("b", spec=BOUND)),
        delete("/api/v1/namespaces/{ns}-b"),
        get("/api/v1/namespaces/{ns}-b", TABLE),
        delete("/api/v1/namespaces/default"),
        delete("/api/v1/namespaces/kube-system"),
        delete("/api/v1/namespaces/kube-public"),
    ),
}
