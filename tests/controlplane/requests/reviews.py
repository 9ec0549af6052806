"""Questions that are put by creating an object: who am I, who is that, may I, may he."""

from typing import Any

from tests.controlplane.asking import TABLE, Ask, core, get, post
from tests.controlplane.requests.manifests import RBAC, small

Json = dict[str, Any]

AUTHENTICATION, AUTHORIZATION = "/apis/authentication.k8s.io/v1/", "/apis/authorization.k8s.io/v1/"
WHO, WHOSE = f"{AUTHENTICATION}selfsubjectreviews", f"{AUTHENTICATION}tokenreviews"
MAY_I, MAY_HE = f"{AUTHORIZATION}selfsubjectaccessreviews", f"{AUTHORIZATION}subjectaccessreviews"
MAY_HE_HERE = AUTHORIZATION + "namespaces/{ns}/localsubjectaccessreviews"
RULES = f"{AUTHORIZATION}selfsubjectrulesreviews"
ROLES, BINDINGS = (f"/apis/{RBAC}/v1/namespaces/{{ns}}/{plural}" for plural in ("roles", "rolebindings"))
READING = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "pods/log"]}
ONE = {"verbs": ["update"], "apiGroups": ["apps"], "resources": ["*/scale"], "resourceNames": ["web"]}
HE = "system:serviceaccount:{ns}:a"


def about(verb: str, resource: str, **more: Any) -> Json:
    plural, _, part = resource.partition("/")
    found = {"verb": verb, "resource": plural, "namespace": "{ns}", **more}
    return {"resourceAttributes": {**found, "subresource": part} if part else found}


SUBJECT = {"kind": "ServiceAccount", "name": "a", "namespace": "{ns}"}
PLAYERS = (
    post(core("serviceaccounts"), small()),
    post(ROLES, small(rules=[READING, ONE])),
    post(
        BINDINGS,
        small(
            roleRef={"kind": "Role", "name": "a", "apiGroup": RBAC},
            subjects=[SUBJECT],
        ),
    ),
    post(core("serviceaccounts/a/token"), {"spec": {}}),
    # a real server takes note of roles a moment later
    Ask("POST", MAY_HE, {"spec": {"user": HE, **about("get", "pods")}}, until="status.allowed"),
)
TOKEN = {"Authorization": "Bearer $3.status.token.raw"}


def mine(**spec: Any) -> Ask:
    return post(MAY_I, {"spec": spec})


def his(**spec: Any) -> Ask:
    return post(MAY_HE, {"spec": {"user": HE, **spec}})


def as_him(path: str, body: Any) -> Ask:
    return Ask("POST", path, body, headers=TOKEN)


CASES: dict[str, tuple[Ask, ...]] = {
    "[who] am I": (
        post(WHO, {}),
        post(WHO, {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {"name": "x"}}),
        post(WHO, {"kind": "Pod", "apiVersion": "v1"}),
        post(f"{WHO}?dryRun=All", {}),
        post(WHO, {"spec": 1}),
        Ask("POST", WHO, {}, headers={"Authorization": ""}),
        Ask("POST", WHO, {}, headers={"Accept": TABLE}),
        post(WHO, "{"),
        get(WHO),
    ),
    "[who] is he": (
        *PLAYERS,
        as_him(WHO, {}),
        post(WHOSE, {"spec": {"token": "$3.status.token.raw"}}),
        post(WHOSE, {"spec": {"token": "$3.status.token.raw", "audiences": ["https://kubernetes.default.svc"]}}),
        post(WHOSE, {"spec": {"token": "$3.status.token.raw", "audiences": ["sts.amazonaws.com"]}}),
        post(WHOSE, {"spec": {"token": "x"}}),
        post(WHOSE, {"spec": {"token": "a.b.c"}}),
        post(WHOSE, {"spec": {"token": ""}}),
        post(WHOSE, {"spec": {}}),
        post(WHOSE, {}),
        post(WHOSE, {"spec": {"token": 1}}),
    ),
    "[may] what everybody may": tuple(
        get(f"/apis/{RBAC}/v1/{kind}/{name}")
        for name in (
            "cluster-admin",
            "system:basic-user",
            "system:discovery",
            "system:public-info-viewer",
            "system:service-account-issuer-discovery",
        )
        for kind in ("clusterroles", "clusterrolebindings")
    ),
    "[may] what every cluster has": (
        *(get(f"/api/v1/namespaces/{name}") for name in ("default", "kube-system", "kube-public", "kube-node-lease")),
        *(get(f"/apis/scheduling.k8s.io/v1/priorityclasses/system-{name}-critical") for name in ("node", "cluster")),
    ),
    "[may] what he was promised, but nobody knows": (
        *PLAYERS,
        post(BINDINGS, small("b", roleRef={"kind": "Role", "name": "none", "apiGroup": RBAC}, subjects=[SUBJECT])),
        Ask("POST", MAY_HE, {"spec": {"user": HE, **about("get", "nodes")}}, until="status.reason"),
        as_him(MAY_I, {"spec": about("delete", "pods")}),
        Ask("DELETE", core("pods/a"), headers=TOKEN),
        Ask("DELETE", core("pods"), headers=TOKEN),
    ),
    "[may] I": (
        mine(**about("get", "pods")),
        mine(**about("get", "pods/log", name="a")),
        mine(**about("deletecollection", "nothing", group="example.com", version="v1")),
        mine(nonResourceAttributes={"verb": "get", "path": "/healthz"}),
        mine(),
        mine(**about("get", "pods"), nonResourceAttributes={"verb": "get", "path": "/healthz"}),
        mine(resourceAttributes={}),
        mine(**about("get", "pods", fieldSelector={"rawSelector": "a=b"})),
        mine(resourceAttributes={"verb": 1}),
        post(MAY_I, {}),
        post(MAY_I, {"metadata": {"name": "a"}, "spec": about("get", "pods")}),
        post(MAY_I, {"metadata": {"namespace": "{ns}"}, "spec": about("get", "pods")}),
        post(f"{MAY_I}?dryRun=All", {"spec": about("get", "pods")}),
        get(MAY_I),
    ),
    "[may] he ask himself": (
        *PLAYERS,
        as_him(MAY_I, {"spec": about("get", "pods")}),
        as_him(MAY_I, {"spec": about("get", "pods/log")}),
        as_him(MAY_I, {"spec": about("get", "pods/exec")}),
        as_him(MAY_I, {"spec": about("create", "pods")}),
        as_him(MAY_I, {"spec": about("update", "deployments/scale", group="apps", name="web")}),
        as_him(MAY_I, {"spec": about("update", "deployments/scale", group="apps", name="db")}),
        as_him(MAY_I, {"spec": about("update", "deployments/scale", group="apps")}),
        as_him(MAY_I, {"spec": about("get", "pods", namespace="default")}),
        as_him(MAY_I, {"spec": about("*", "*", group="*")}),
        as_him(MAY_I, {"spec": {"nonResourceAttributes": {"verb": "get", "path": "/api/v1"}}}),
        as_him(MAY_I, {"spec": {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}}),
        as_him(MAY_HE, {"spec": {"user": "somebody", **about("get", "pods")}}),
        as_him(WHOSE, {"spec": {"token": "x"}}),
    ),
    "[may] he": (
        *PLAYERS,
        his(**about("get", "pods")),
        his(**about("delete", "pods")),
        his(**about("get", "pods"), groups=["system:masters"]),
        his(**about("delete", "pods"), groups=["system:masters"], uid="1", extra={"a": ["b"]}),
        his(nonResourceAttributes={"verb": "get", "path": "/healthz"}),
        his(),
        post(MAY_HE, {"spec": about("get", "pods")}),
        post(MAY_HE, {"spec": {"groups": ["system:masters"], **about("get", "pods")}}),
        post(MAY_HE_HERE, {"spec": {"user": HE, **about("list", "pods")}}),
        post(MAY_HE_HERE, {"metadata": {"namespace": "{ns}"}, "spec": {"user": HE, **about("list", "pods")}}),
        post(MAY_HE_HERE, {"spec": {"user": HE, **about("list", "pods", namespace="default")}}),
        post(MAY_HE_HERE, {"spec": {"user": HE, "nonResourceAttributes": {"verb": "get", "path": "/"}}}),
        post(MAY_HE_HERE, {"metadata": {"namespace": "default"}, "spec": {"user": HE, **about("list", "pods")}}),
    ),
    "[may] what may he": (
        *PLAYERS,
        as_him(RULES, {"spec": {"namespace": "{ns}"}}),
        as_him(RULES, {"spec": {"namespace": "default"}}),
        as_him(RULES, {"spec": {}}),
        post(RULES, {"spec": {"namespace": "{ns}"}}),
        post(RULES, {}),
    ),
}
