"""The three patch languages."""

from typing import Any

from tests.controlplane.asking import JSON_PATCH, MERGE, STRATEGIC, Ask, apps, core, get, patch, post
from tests.controlplane.requests.manifests import CONTAINER, PODS_OF, small

Json = dict[str, Any]

MAPS, MAP = core("configmaps"), core("configmaps/a")
DEPLOYMENTS, DEPLOYMENT = apps("deployments"), apps("deployments/a")
ACCOUNTS, ACCOUNT = core("serviceaccounts"), core("serviceaccounts/a")
TEMPLATES, TEMPLATE = core("podtemplates"), core("podtemplates/a")
ROLE = "eks.amazonaws.com/role-arn"
ANNOTATION = "/metadata/annotations/eks.amazonaws.com~1role-arn"
MADE = post(MAPS, {"metadata": {"name": "a", "labels": {"x": "1"}, "annotations": {"n": "1"}}, "data": {"k": "v"}})
DEPLOYED = post(DEPLOYMENTS, small(spec=PODS_OF))
ANNOTATED = post(ACCOUNTS, {"metadata": {"name": "a", "annotations": {ROLE: "arn:1", "other": "y"}}})
ANNOTATED_TWICE = post(ACCOUNTS, {"metadata": {"name": "b", "annotations": {ROLE: "arn:1", "other": "y"}}})
RESTARTED, RESTARTED_LATER = (
    {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}}}
    for at in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
)
TEMPLATED = post(
    TEMPLATES,
    small(
        template={
            "metadata": {"labels": {"app": "a"}},
            "spec": {
                "containers": [
                    {
                        **CONTAINER,
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        "args": ["x", "y"],
                    },
                    {"name": "side", "image": "s:1", "ports": [{"containerPort": 80}, {"containerPort": 81}]},
                ],
                "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "secret": {"secretName": "s"}}],
                "imagePullSecrets": [{"name": "one"}],
                "tolerations": [{"key": "a", "operator": "Exists"}],
                "nodeSelector": {"a": "1", "b": "2"},
            },
        }
    ),
)


def merge(path: str, body: Any) -> Ask:
    return patch(path, body, MERGE)


def strategic(path: str, body: Any) -> Ask:
    return patch(path, body, STRATEGIC)


def jsonp(path: str, *operations: Json) -> Ask:
    return patch(path, list(operations), JSON_PATCH)


def op(name: str, path: str, **more: Any) -> Json:
    return {"op": name, "path": path, **more}


def in_template(spec: Json) -> Ask:
    return strategic(TEMPLATE, {"template": {"spec": spec}})


def app(**content: Any) -> Json:
    return {"containers": [{"name": "app", **content}]}


CASES = {
    "[merge] changes, additions, and null takes away": (
        MADE,
        merge(MAP, {"data": {"k": "w", "l": "1"}}),
        merge(MAP, {"data": {"k": None}, "metadata": {"labels": None, "annotations": {"n": None, "m": "2"}}}),
        merge(MAP, {"data": None}),
        merge(MAP, {}),
        merge(MAP, {"data": {"k": None}}),
        merge(MAP, {"immutable": True, "binaryData": {"b": "AAAA"}}),
        merge(MAP, {"data": {"x": "y"}}),
        merge(MAP, {"immutable": None}),
    ),
    "[merge] lists are replaced": (
        TEMPLATED,
        merge(TEMPLATE, {"template": {"spec": {"containers": [CONTAINER], "volumes": None, "tolerations": []}}}),
    ),
    "[merge] that makes no sense": (
        MADE,
        merge(MAP, "{"),
        merge(MAP, "[]"),
        merge(MAP, '"x"'),
        merge(MAP, ""),
        merge(MAP, {"data": {"k": 1}}),
        merge(MAP, {"data": "x"}),
        merge(MAP, {"kind": "Nothing"}),
        merge(MAP, {"apiVersion": "v2"}),
        merge(MAP, {"metadata": {"labels": {"a b": "c"}}}),
        merge(MAP, {"data": {"a b": "c"}}),
        merge(f"{MAP}?force=true", {}),
        merge(f"{MAP}?dryRun=some", {}),
    ),
    "[json] every operation": (
        MADE,
        jsonp(MAP, op("add", "/data/l", value="1")),
        jsonp(MAP, op("replace", "/data/l", value="2")),
        jsonp(MAP, op("test", "/data/l", value="2"), op("remove", "/data/l")),
        jsonp(MAP, op("copy", "/data/m", **{"from": "/data/k"}), op("move", "/data/n", **{"from": "/data/k"})),
        jsonp(MAP, op("add", "/data", value={"only": "1"})),
        jsonp(MAP, op("add", "/metadata/labels/y", value="2"), op("add", "/metadata/labels/z~1z", value="3")),
        jsonp(MAP),
    ),
    "[json] on lists": (
        TEMPLATED,
        jsonp(TEMPLATE, op("add", "/template/spec/containers/0", value={"name": "first", "image": "f:1"})),
        jsonp(TEMPLATE, op("add", "/template/spec/containers/-", value={"name": "last", "image": "l:1"})),
        jsonp(TEMPLATE, op("remove", "/template/spec/containers/1")),
        jsonp(TEMPLATE, op("remove", "/template/spec/containers/9")),
    ),
    "[json] an annotation, if it is as it was": (
        ANNOTATED,
        jsonp(ACCOUNT, op("test", ANNOTATION, value="arn:2"), op("remove", ANNOTATION)),
        jsonp(
            ACCOUNT,
            op("test", "/metadata/uid", value="11111111-1111-1111-1111-111111111111"),
            op("remove", ANNOTATION),
        ),
        jsonp(ACCOUNT, op("test", "/metadata/uid", value="$0.metadata.uid"), op("remove", ANNOTATION)),
        jsonp(ACCOUNT, op("remove", ANNOTATION)),
        jsonp(
            ACCOUNT,
            op("test", "/metadata/resourceVersion", value="$0.metadata.resourceVersion"),
            op("add", ANNOTATION, value="arn:3"),
        ),
        jsonp(
            ACCOUNT,
            op("test", "/metadata/resourceVersion", value="$3.metadata.resourceVersion"),
            op("add", ANNOTATION, value="arn:3"),
        ),
    ),
    "[json] that makes no sense": (
        MADE,
        patch(MAP, "{", JSON_PATCH),
        patch(MAP, {}, JSON_PATCH),
        patch(MAP, "", JSON_PATCH),
        jsonp(MAP, op("remove", "/data/none")),
        jsonp(MAP, op("replace", "/data/none", value="x")),
        jsonp(MAP, op("test", "/data/none", value="x")),
        jsonp(MAP, op("test", "/data/k", value="x")),
        jsonp(MAP, op("add", "/none/x", value="x")),
        jsonp(MAP, op("jump", "/data/k", value="x")),
        jsonp(MAP, op("add", "/data/n")),
        jsonp(MAP, op("add", "/data/k", value=7)),
        jsonp(MAP, op("replace", "/metadata/name", value="b")),
        jsonp(MAP, op("replace", "/kind", value="Nothing")),
    ),
    "[strategic] lists of named things": (
        TEMPLATED,
        in_template(app(image="app:2")),
        in_template(app(env=[{"name": "A", "value": "9"}, {"name": "C", "value": "3"}])),
        in_template(app(args=["z"])),
        in_template({"containers": [{"name": "new", "image": "n:1"}]}),
        in_template({"volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}, {"name": "x", "emptyDir": {}}]}),
        in_template({"imagePullSecrets": [{"name": "two"}]}),
        in_template({"tolerations": [{"key": "b", "operator": "Exists"}]}),
        in_template({"nodeSelector": {"b": None, "c": "3"}}),
        in_template({"containers": [{"name": "side", "ports": [{"containerPort": 80, "name": "http"}]}]}),
    ),
    "[strategic] directives": (
        TEMPLATED,
        in_template({"containers": [{"name": "side", "$patch": "delete"}]}),
        in_template(app(env=[{"name": "A", "$patch": "delete"}])),
        in_template(app(env=[{"$patch": "replace"}, {"name": "Z", "value": "9"}])),
        in_template({"volumes": [{"name": "w", "$retainKeys": ["name", "emptyDir"], "emptyDir": {}}]}),
        in_template({"$setElementOrder/volumes": [{"name": "w"}, {"name": "v"}], "volumes": [{"name": "v"}]}),
        in_template({"nodeSelector": {"$patch": "replace", "z": "1"}}),
        in_template({"$patch": "what"}),
        in_template({"containers": [{"image": "nameless"}]}),
        in_template({"containers": "app"}),
        strategic(TEMPLATE, {"metadata": {"finalizers": ["example.com/a"]}}),
        strategic(TEMPLATE, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}}),
    ),
    "[strategic] of a Deployment": (
        DEPLOYED,
        strategic(DEPLOYMENT, {"spec": {"replicas": 3}}),
        strategic(DEPLOYMENT, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        strategic(DEPLOYMENT, {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}),
        strategic(DEPLOYMENT, {"spec": {"template": {"metadata": {"annotations": {"at": "now"}}}}}),
        strategic(DEPLOYMENT, {"metadata": {"annotations": {"a": "b"}}}),
        strategic(DEPLOYMENT, {"metadata": {"labels": {"a": "b"}}}),
        strategic(DEPLOYMENT, {"spec": {"template": {"spec": {"serviceAccountName": "x"}}}}),
        strategic(DEPLOYMENT, {"spec": {"template": {"spec": {"serviceAccountName": None, "serviceAccount": None}}}}),
        strategic(DEPLOYMENT, {"spec": {"replicas": None, "revisionHistoryLimit": None}}),
    ),
    "[strategic] of a ServiceAccount": (
        ANNOTATED,
        strategic(ACCOUNT, {"imagePullSecrets": [{"name": "one"}], "secrets": [{"name": "s"}]}),
        strategic(ACCOUNT, {"imagePullSecrets": [{"name": "two"}], "secrets": [{"name": "t"}]}),
        strategic(ACCOUNT, {"automountServiceAccountToken": False}),
    ),
    "[strategic] that makes no sense": (
        DEPLOYED,
        strategic(DEPLOYMENT, "{"),
        strategic(DEPLOYMENT, "[]"),
        strategic(DEPLOYMENT, {"spec": {"replicas": "three"}}),
        strategic(DEPLOYMENT, {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": 7}]}}}}),
        strategic(DEPLOYMENT, {"spec": {"selector": {"matchLabels": {"app": "b"}}}}),
        strategic(DEPLOYMENT, {"spec": {"replicas": -1}}),
    ),
    "[patch] with and without a change": (
        MADE,
        merge(f"{MAP}?fieldManager=b", {"data": {"k": "v"}}),
        merge(f"{MAP}?fieldManager=b&dryRun=All", {"data": {"k": "w"}}),
        get(MAP),
        jsonp(f"{MAP}?dryRun=All", op("add", "/data/x", value="1")),
        strategic(f"{MAP}?dryRun=All", {"data": {"x": "1"}}),
    ),
    "[managed] an annotation that is taken out and put back": (
        post(ACCOUNTS, {"metadata": {"name": "a", "annotations": {ROLE: "arn:1"}}}),
        merge(ACCOUNT, {"metadata": {"annotations": {ROLE: None}}}),
        get(ACCOUNT),
        merge(ACCOUNT, {"metadata": {"annotations": {ROLE: "arn:1"}}}),
        get(ACCOUNT),
        ANNOTATED_TWICE,
        patch(core("serviceaccounts/b"), [{"op": "remove", "path": ANNOTATION}], JSON_PATCH),
        patch(core("serviceaccounts/b"), [{"op": "add", "path": ANNOTATION, "value": "arn:1"}], JSON_PATCH),
        DEPLOYED,
        patch(DEPLOYMENT, RESTARTED, STRATEGIC),
        patch(f"{DEPLOYMENT}?fieldManager=other", RESTARTED_LATER, STRATEGIC),
        get(DEPLOYMENT),
    ),
}
