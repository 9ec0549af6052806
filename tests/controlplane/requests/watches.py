"""Watches, each for a second: what is there, what has happened since a version, and what cannot be watched."""

from typing import Any
from urllib.parse import quote

from tests.controlplane.asking import PARTIAL, PARTIAL_LIST, TABLE, Ask, apps, core, delete, get, patch, post
from tests.controlplane.requests.manifests import CONTAINER, NAMESPACED, PODS_OF, collection, small

Json = dict[str, Any]

SECRETS = core("secrets")
SINCE = "resourceVersion=$0.metadata.resourceVersion"
INITIAL = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
BOOKMARKS = "allowWatchBookmarks=true"


def labelled(name: str, half: str) -> Ask:
    return post(SECRETS, {"metadata": {"name": name, "labels": {"half": half}}})


def watch(query: str = "", accept: str = "", path: str = SECRETS) -> Ask:
    return get(f"{path}?watch=true&timeoutSeconds=1&{query}", accept)


COLLECTIONS = tuple(
    (collection(version, plural), manifest)
    for plural, (version, manifest) in NAMESPACED.items()
    if plural != "configmaps"  # every namespace has one
)
FOUR = (labelled("s1", "a"), labelled("s2", "a"), labelled("s3", "b"), labelled("s4", "b"))
HISTORY = (
    *FOUR,
    patch(f"{SECRETS}/s1", {"metadata": {"labels": {"half": "b"}}}),
    patch(f"{SECRETS}/s3", {"metadata": {"labels": {"half": "a"}}}),
    patch(f"{SECRETS}/s2", {"metadata": {"labels": {"more": "x"}}}),
    delete(f"{SECRETS}/s4"),
    patch(f"{SECRETS}/s2", {"metadata": {"labels": {"more": "x"}}}),
    delete(f"{SECRETS}/s2"),
)

CASES: dict[str, tuple[Ask, ...]] = {
    "[watch] what is there": (
        *FOUR,
        watch(),
        watch("resourceVersion=0"),
        watch("labelSelector=half%3Da"),
        watch("fieldSelector=metadata.name%3Ds3"),
        watch("fieldSelector=type%3DOpaque&labelSelector=half"),
        watch(path=f"{SECRETS}/s1"),
        watch(path=core("secrets/none")),
        get("/api/v1/watch/namespaces/{ns}/secrets?timeoutSeconds=1"),
        get("/api/v1/watch/namespaces/{ns}/secrets/s1?timeoutSeconds=1"),
        watch("fieldSelector=metadata.namespace%3D{ns}", path="/api/v1/secrets"),
        watch(accept=TABLE),
        watch("includeObject=Object", TABLE),
        watch("includeObject=None", TABLE),
        watch(accept=PARTIAL),
        watch(accept=PARTIAL_LIST),
    ),
    "[watch] what has happened": (
        *HISTORY,
        watch(SINCE),
        watch(f"{SINCE}&labelSelector=half%3Da"),
        watch(f"{SINCE}&labelSelector=half%3Db"),
        watch(f"{SINCE}&labelSelector=more"),
        watch(f"{SINCE}&fieldSelector=metadata.name%3Ds2"),
        watch(SINCE, path=f"{SECRETS}/s4"),
        watch(SINCE, TABLE),
        watch(SINCE, PARTIAL),
        watch(SINCE, path=core("pods")),
        watch("resourceVersion=$8.metadata.resourceVersion"),
    ),
    "[watch] of a pod that goes": (
        post(core("pods"), small(spec={"containers": [CONTAINER], "nodeName": "n1"})),
        patch(core("pods/a/status"), {"status": {"phase": "Running"}}),
        delete(core("pods/a?gracePeriodSeconds=5")),
        delete(core("pods/a?gracePeriodSeconds=0")),
        watch(SINCE, path=core("pods")),
        watch(f"{SINCE}&fieldSelector={quote('status.phase=Running')}", path=core("pods")),
        watch(f"{SINCE}&fieldSelector={quote('spec.nodeName=n1')}", path=core("pods")),
        watch(SINCE, TABLE, path=core("pods")),
    ),
    "[watch] of a deployment": (
        post(apps("deployments"), small(spec=PODS_OF)),
        patch(apps("deployments/a"), {"spec": {"replicas": 2}}),
        patch(apps("deployments/a/status"), {"status": {"replicas": 1}}),
        delete(apps("deployments/a"), {"propagationPolicy": "Foreground"}),
        watch(SINCE, path=apps("deployments")),
        watch(SINCE, TABLE, path=apps("deployments")),
    ),
    "[watch] beginning with a list": (
        *FOUR,
        watch("sendInitialEvents=true&resourceVersionMatch=NotOlderThan"),
        watch(f"{INITIAL}&{BOOKMARKS}"),
        watch(f"sendInitialEvents=false&resourceVersionMatch=NotOlderThan&{BOOKMARKS}"),
        watch(f"{INITIAL}&{BOOKMARKS}&{SINCE}"),
        watch(f"{INITIAL}&{BOOKMARKS}&labelSelector=half%3Da"),
        watch(f"{INITIAL}&{BOOKMARKS}", TABLE),
        watch(f"{INITIAL}&{BOOKMARKS}", PARTIAL),
    ),
    "[watch] of every kind, beginning with a list": (
        *(post(path, manifest) for path, manifest in COLLECTIONS),
        *(watch(f"{INITIAL}&{BOOKMARKS}", path=path) for path, _ in COLLECTIONS),
        *(watch(f"{INITIAL}&{BOOKMARKS}", TABLE, path) for path, _ in COLLECTIONS),
    ),
    "[watch] that makes no sense": (
        *FOUR,
        watch("resourceVersion=x"),
        watch("resourceVersion=-1"),
        watch("resourceVersionMatch=NotOlderThan"),
        watch("resourceVersionMatch=Exact&resourceVersion=1"),
        watch("sendInitialEvents=true"),
        watch("sendInitialEvents=true&resourceVersionMatch=Exact"),
        watch("labelSelector=!!"),
        watch("fieldSelector=data.x%3Dy"),
        watch("fieldSelector=metadata.name%3Ds2", path=f"{SECRETS}/s1"),
        watch("limit=x"),
        watch("continue=x"),
        watch(accept="text/html"),
        get(f"{SECRETS}?watch=false"),
        get(f"{SECRETS}?watch=1&timeoutSeconds=x"),
        get("/api/v1/namespaces/nowhere/secrets?watch=1&timeoutSeconds=1"),
        get("/api/v1/namespaces/{ns}/nothing?watch=1&timeoutSeconds=1"),
    ),
}
