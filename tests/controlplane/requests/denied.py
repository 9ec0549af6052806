"""Callers who are nobody, and callers who may not."""

from tests.controlplane.asking import Ask, apps, core, delete, get, patch, post, put
from tests.controlplane.requests.errors import MAP, MAPS, ONE
from tests.controlplane.requests.manifests import RBAC, small

TOKEN = post(core("serviceaccounts/default/token"), {"spec": {"expirationSeconds": 3600}})
BY_TOKEN = {"Authorization": "Bearer $0.status.token.raw"}
ROLE = small(rules=[{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["get"]}])
BOUND = small(
    roleRef={"kind": "Role", "name": "a", "apiGroup": RBAC},
    subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": "{ns}"}],
)
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
MAY_GET = {
    "spec": {
        "user": "system:serviceaccount:{ns}:default",
        "resourceAttributes": {"verb": "get", "resource": "configmaps", "name": "a", "namespace": "{ns}"},
    }
}
ROLES = f"/apis/{RBAC}/v1/namespaces/{{ns}}"


def by(ask: Ask, **headers: str) -> Ask:
    return Ask(ask.verb, ask.path, ask.body, ask.content, {**ask.headers, **headers})


CASES: dict[str, tuple[Ask, ...]] = {
    "[401] nobody": (
        by(get(ONE), Authorization=""),
        by(get(ONE), Authorization="Bearer x"),
        by(get(ONE), Authorization="Bearer a.b.c"),
        by(get(ONE), Authorization="Basic eDp4"),
        by(get("/api"), Authorization="Bearer x"),
        by(get("/version"), Authorization="Bearer x"),
    ),
    "[403] nobody's own paths": (
        by(get("/version"), Authorization=""),
        by(get("/api"), Authorization=""),
        by(get("/healthz"), Authorization=""),
        by(get("/livez/ping"), Authorization=""),
        by(get("/metrics"), Authorization=""),
        by(get("/openapi/v2"), Authorization=""),
    ),
    "[403] a ServiceAccount without rules": (
        TOKEN,
        by(get(ONE), **BY_TOKEN),
        by(get(MAPS), **BY_TOKEN),
        by(get(f"{MAPS}?watch=1"), **BY_TOKEN),
        by(post(MAPS, MAP), **BY_TOKEN),
        by(put(ONE, MAP), **BY_TOKEN),
        by(patch(ONE, {}), **BY_TOKEN),
        by(delete(ONE), **BY_TOKEN),
        by(delete(MAPS), **BY_TOKEN),
        by(get(apps("deployments")), **BY_TOKEN),
        by(get(apps("deployments/a/scale")), **BY_TOKEN),
        by(get("/api/v1/nodes"), **BY_TOKEN),
        by(get("/api/v1/nodes/a"), **BY_TOKEN),
        by(get("/api/v1/namespaces"), **BY_TOKEN),
        by(get("/api/v1/namespaces/{ns}"), **BY_TOKEN),
        by(get("/api/v1/pods"), **BY_TOKEN),
        by(post(core("pods/a/eviction"), {}), **BY_TOKEN),
        by(get(core("pods/a/log")), **BY_TOKEN),
        by(get("/metrics"), **BY_TOKEN),
        by(get("/apis/example.com/v1/nothing"), **BY_TOKEN),
    ),
    "[403] a ServiceAccount with a rule": (
        TOKEN,
        post(f"{ROLES}/roles", ROLE),
        post(f"{ROLES}/rolebindings", BOUND),
        Ask("POST", REVIEWS, MAY_GET, until="status.allowed"),  # a real server takes note of it a moment later
        by(get(ONE), **BY_TOKEN),
        by(get(f"{MAPS}/b"), **BY_TOKEN),
        by(get("/api"), **BY_TOKEN),
        by(get("/version"), **BY_TOKEN),
    ),
}
