"""Server-side apply, who owns which fields, and fields that nobody knows."""

from typing import Any

from tests.controlplane.asking import APPLY, Ask, apply, core, patch, post, put
from tests.controlplane.requests.manifests import PODS_OF, SELECTOR, small
from tests.controlplane.requests.patches import (
    ACCOUNT,
    ACCOUNTS,
    DEPLOYMENT,
    DEPLOYMENTS,
    MADE,
    MAP,
    MAPS,
    jsonp,
    merge,
    op,
    strategic,
)

Json = dict[str, Any]


def config(name: str = "a", **content: Any) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **content}


def deployment(image: str, **spec: Any) -> Json:
    pod = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "app", "image": image}]}}
    whole = {"selector": SELECTOR, "template": pod, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": whole}


CASES: dict[str, tuple[Ask, ...]] = {
    "[validation] of unknown fields": (
        MADE,
        merge(f"{MAP}?fieldValidation=Strict", {"datas": {}}),
        merge(f"{MAP}?fieldValidation=Warn", {"datas": {}}),
        merge(f"{MAP}?fieldValidation=Ignore", {"datas": {}}),
        merge(f"{MAP}?fieldValidation=Never", {"datas": {}}),
        strategic(f"{MAP}?fieldValidation=Strict", {"datas": {}, "metadata": {"x": 1}}),
        strategic(f"{MAP}?fieldValidation=Warn", {"datas": {}, "metadata": {"x": 1}}),
        jsonp(f"{MAP}?fieldValidation=Strict", op("add", "/datas", value={})),
        post(f"{MAPS}?fieldValidation=Strict", {"metadata": {"name": "b", "x": 1}, "datas": {}}),
        post(f"{MAPS}?fieldValidation=Warn", {"metadata": {"name": "b", "x": 1}, "datas": {}}),
        post(f"{MAPS}?fieldValidation=Ignore", {"metadata": {"name": "c"}, "datas": {}}),
        post(MAPS, {"metadata": {"name": "d"}, "datas": {}}),
        post(f"{MAPS}?fieldValidation=Strict", '{"metadata":{"name":"e","name":"e"},"data":{"k":"1","k":"2"}}'),
        post(f"{MAPS}?fieldValidation=Warn", '{"metadata":{"name":"e","name":"e"},"data":{"k":"1","k":"2"}}'),
        put(f"{MAP}?fieldValidation=Strict", {"metadata": {"name": "a"}, "datas": {}}),
        put(f"{MAP}?fieldValidation=Warn", {"metadata": {"name": "a"}, "datas": {}}),
        apply(f"{MAP}?fieldValidation=Strict", config(datas={})),
        post(f"{DEPLOYMENTS}?fieldValidation=Strict", small(spec={**PODS_OF, "replica": 1})),
    ),
    "[managers] who wrote what": (
        post(f"{MAPS}?fieldManager=a-maker", config(data={"k": "v", "l": "1"})),
        merge(f"{MAP}?fieldManager=b-changer", {"data": {"k": "w", "m": "1"}}),
        put(f"{MAP}?fieldManager=c-replacer", config(data={"k": "w", "n": "1"})),
        merge(f"{MAP}?fieldManager=d-remover", {"data": None}),
        merge(f"{MAP}?fieldManager={'x' * 129}", {}),
        merge(f"{MAP}?fieldManager=a%0Ab", {}),
        put(MAP, {"metadata": {"name": "a", "managedFields": [{}]}}),
    ),
    "[apply] makes and changes": (
        apply(MAP, config(data={"k": "v", "l": "1"})),
        apply(MAP, config(data={"k": "w"})),
        apply(MAP, config(data={"k": "w"})),
        apply(MAP, config()),
        apply(f"{MAP}?dryRun=All", config(data={"z": "1"})),
        apply(core("configmaps/b?dryRun=All"), config("b", data={"z": "1"})),
    ),
    "[apply] two appliers": (
        apply(MAP, config(data={"k": "v"}), "a-one"),
        apply(MAP, config(data={"k": "v", "l": "1"}), "b-two"),
        apply(MAP, config(data={"k": "x"}), "b-two"),
        apply(MAP, config(data={"k": "x"}), "b-two", force=True),
        apply(MAP, config(data={"m": "1"}), "a-one"),
        apply(MAP, config(), "b-two"),
    ),
    "[apply] over what others wrote": (
        post(f"{MAPS}?fieldManager=a-maker", config(data={"k": "v", "l": "1"})),
        apply(MAP, config(data={"k": "w"}), "b-applier"),
        apply(MAP, config(data={"k": "w", "l": "2"}), "b-applier"),
        apply(MAP, config(data={"k": "w"}), "b-applier", force=True),
        merge(f"{MAP}?fieldManager=c-patcher", {"data": {"k": "z"}}),
        apply(MAP, config(data={"k": "y"}), "b-applier"),
    ),
    "[apply] over what nobody owned": (
        post(ACCOUNTS, small()),
        apply(
            ACCOUNT,
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a", "annotations": {"x": "1"}}},
        ),
    ),
    "[apply] a Deployment": (
        apply(DEPLOYMENT, deployment("app:1"), "a-one"),
        apply(DEPLOYMENT, deployment("app:2", replicas=2), "a-one"),
        apply(DEPLOYMENT, deployment("app:3"), "b-two"),
        strategic(f"{DEPLOYMENT}?fieldManager=c-scaler", {"spec": {"replicas": 5}}),
        apply(DEPLOYMENT, deployment("app:2", replicas=2), "a-one"),
        apply(DEPLOYMENT, deployment("app:2"), "a-one"),
        apply(f"{DEPLOYMENT}/status", {**deployment("app:2"), "status": {"replicas": 1}}, "d-status"),
    ),
    "[apply] that makes no sense": (
        MADE,
        patch(MAP, config(), APPLY),
        apply(MAP, "{"),
        apply(MAP, "- x"),
        apply(MAP, config("b")),
        apply(MAP, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}),
        apply(MAP, {"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "a"}}),
        apply(MAP, {"kind": "ConfigMap", "metadata": {"name": "a"}}),
        apply(MAP, {"metadata": {"name": "a"}}),
        apply(MAP, {**config(), "metadata": {"name": "a", "managedFields": [{}]}}),
        apply(MAP, config(data={"k": 1})),
        apply(MAP, config(datas={})),
        apply(MAP, {**config(), "metadata": {"name": "a", "resourceVersion": "1"}}),
        apply(core("configmaps/b"), {**config("b"), "metadata": {"name": "b", "uid": "x"}}),
        apply(MAP, {"apiVersion": "v1", "kind": "ConfigMap"}),
        apply(MAP, {"apiVersion": "v1", "kind": "ConfigMap", "data": {"x": "y"}}, "other"),
        apply(core("configmaps/b"), {"apiVersion": "v1", "kind": "ConfigMap"}),
        apply(core("configmaps/b"), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "b-"}}),
    ),
}
