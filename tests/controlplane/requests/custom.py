"""Kinds that a definition adds, as Argo Rollouts adds its own: their objects, columns, status, scale, and their end."""

from typing import Any

from tests.controlplane.asking import (
    JSON_PATCH,
    MERGE,
    PARTIAL,
    PARTIAL_LIST,
    STRATEGIC,
    TABLE,
    Ask,
    apply,
    delete,
    get,
    patch,
    post,
    put,
    wait,
)
from tests.controlplane.requests.manifests import SELECTOR, TEMPLATE, small

Json = dict[str, Any]

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
FREE: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
COLUMNS: list[Json] = [
    {"name": "Desired", "type": "integer", "jsonPath": ".spec.replicas", "description": "how many there are to be"},
    {"name": "Phase", "type": "string", "jsonPath": ".status.phase", "priority": 1},
    {"name": "Paused", "type": "boolean", "jsonPath": ".spec.paused"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]
SCALE: Json = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.HPAReplicas",
    "labelSelectorPath": ".status.selector",
}


def definition(number: int, **more: Any) -> Json:
    """A definition of a kind that only one case knows."""
    group = f"g{number}.example.com"
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": FREE}}
    return {
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [version],
            **more,
        },
    }


def group(number: int, version: str = "v1") -> str:
    return f"/apis/g{number}.example.com/{version}"


def widgets(number: int, version: str = "v1") -> str:
    return f"{group(number, version)}/namespaces/{{ns}}/widgets"


def widget(number: int, name: str = "a", version: str = "v1", **content: Any) -> Json:
    return {"apiVersion": f"g{number}.example.com/{version}", "kind": "Widget", "metadata": {"name": name}, **content}


def served(number: int, definition_: Json, version: str = "v1") -> tuple[Ask, ...]:
    """Makes the definition, and waits until its kind can be listed."""
    name = definition_["metadata"]["name"]
    return (
        post(DEFINITIONS, definition_),
        wait(group(number, version), "resources"),
        wait(widgets(number, version), "metadata.resourceVersion"),
        get(f"{DEFINITIONS}/{name}"),
    )


def rollout(**more: Any) -> Json:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": FREE},
        "additionalPrinterColumns": COLUMNS,
        "subresources": {"status": {}, "scale": SCALE},
    }
    names = {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wd"], "categories": ["all"]}
    return {"versions": [version], "names": names, **more}


SPEC: Json = {"replicas": 2, "selector": SELECTOR, "template": TEMPLATE}

CASES: dict[str, tuple[Ask, ...]] = {
    "[custom] a definition": (
        *served(1, definition(1)),
        get(f"{DEFINITIONS}/widgets.g1.example.com", TABLE),
        get("/apis/g1.example.com"),
        get(f"{DEFINITIONS}/widgets.g1.example.com/status", PARTIAL),
        patch(f"{DEFINITIONS}/widgets.g1.example.com", {"metadata": {"labels": {"a": "b"}}}),
        delete(f"{DEFINITIONS}/widgets.g1.example.com"),
    ),
    "[custom] objects": (
        *served(3, definition(3)),
        post(widgets(3), widget(3, data={"any": ["thing", 1, None]})),
        get(f"{widgets(3)}/a"),
        get(widgets(3)),
        get(widgets(3), TABLE),
        get(widgets(3), PARTIAL_LIST),
        get(f"{widgets(3)}?limit=1"),
        post(widgets(3), widget(3)),
        post(widgets(3), {"metadata": {"name": "b"}}),
        post(widgets(3), {"kind": "Widget", "metadata": {"name": "b"}}),
        post(widgets(3), {"apiVersion": "g3.example.com/v1", "metadata": {"name": "b"}}),
        post(widgets(3), {**widget(3, "b"), "kind": "Other"}),
        post(widgets(3), widget(3, "Upper")),
        post(f"{widgets(3)}?dryRun=All", widget(3, "c")),
        put(f"{widgets(3)}/a", widget(3, data={})),
        put(
            f"{widgets(3)}/a",
            {**widget(3, data={"x": 1}), "metadata": {"name": "a", "resourceVersion": "$4.metadata.resourceVersion"}},
        ),
        put(f"{widgets(3)}/a", {**widget(3), "metadata": {"name": "a", "resourceVersion": "1"}}),
        put(f"{widgets(3)}/none", widget(3, "none")),
        patch(f"{widgets(3)}/a", {"data": {"y": 2}}),
        patch(f"{widgets(3)}/a", {"data": {"y": None}, "status": {"z": 1}}),
        patch(f"{widgets(3)}/a", [{"op": "add", "path": "/data/z", "value": [1]}], JSON_PATCH),
        patch(f"{widgets(3)}/a", [{"op": "test", "path": "/data/z", "value": [2]}], JSON_PATCH),
        patch(f"{widgets(3)}/a", {"data": {"y": 3}}, STRATEGIC),
        patch(f"{widgets(3)}/a", {"metadata": {"resourceVersion": "1"}}),
        apply(f"{widgets(3)}/a", widget(3, data={"q": 1})),
        apply(f"{widgets(3)}/a", widget(3, data={"q": 2}), "other"),
        apply(f"{widgets(3)}/new", widget(3, "new", data={"q": 1, "list": [1, 2]})),
        get(f"{widgets(3)}/a/status"),
        get(f"{widgets(3)}/a/scale"),
        delete(f"{widgets(3)}/new", {"propagationPolicy": "Foreground"}),
        delete(f"{widgets(3)}/a"),
        delete(f"{widgets(3)}/a"),
        get(f"{widgets(3)}?watch=1&timeoutSeconds=1&resourceVersion=$4.metadata.resourceVersion"),
        delete(f"{DEFINITIONS}/widgets.g3.example.com"),
    ),
    "[custom] a Rollout": (
        *served(4, definition(4, **rollout())),
        get(f"{DEFINITIONS}/widgets.g4.example.com", TABLE),
        post(widgets(4), widget(4, spec=SPEC, status={"phase": "x"})),
        get(widgets(4), TABLE),
        get(f"{widgets(4)}/a", TABLE),
        patch(f"{widgets(4)}/a/status", {"status": {"phase": "Paused", "HPAReplicas": 1, "selector": "app=a"}}),
        patch(f"{widgets(4)}/a/status", {"spec": {"replicas": 9}, "metadata": {"labels": {"a": "b"}}}),
        patch(f"{widgets(4)}/a", {"status": {"phase": "y"}, "spec": {"paused": True}}),
        get(f"{widgets(4)}/a/scale"),
        put(
            f"{widgets(4)}/a/scale",
            {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "a"}, "spec": {"replicas": 3}},
        ),
        patch(f"{widgets(4)}/a/scale", {"spec": {"replicas": 4}}),
        patch(f"{widgets(4)}/a/scale", {"spec": {"replicas": 0}}),
        get(f"{widgets(4)}/a"),
        get(widgets(4), TABLE),
        patch(f"{widgets(4)}/a", {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}, MERGE),
        delete(f"{DEFINITIONS}/widgets.g4.example.com"),
    ),
    "[custom] of the whole cluster": (
        post(DEFINITIONS, definition(6, scope="Cluster")),
        wait(f"{group(6)}/widgets", "metadata.resourceVersion"),
        get(f"{DEFINITIONS}/widgets.g6.example.com"),
        post(f"{group(6)}/widgets", widget(6)),
        get(f"{group(6)}/widgets/a"),
        get(f"{group(6)}/widgets", TABLE),
        get(widgets(6)),
        patch(f"{group(6)}/widgets/a", {"metadata": {"finalizers": ["example.com/x"]}}),
        delete(f"{DEFINITIONS}/widgets.g6.example.com"),
        wait(f"{DEFINITIONS}/widgets.g6.example.com", "status.conditions.2.reason=InstanceDeletionInProgress"),
        # said before it is done
        wait(f"{group(6)}/widgets/a", "metadata.deletionTimestamp"),
        post(f"{group(6)}/widgets", widget(6, "b")),
        patch(f"{group(6)}/widgets/a", {"metadata": {"finalizers": None}}),
    ),
    "[custom] in two versions": (
        *served(
            7,
            definition(
                7,
                versions=[
                    {"name": "v1", "served": True, "storage": False, "schema": {"openAPIV3Schema": FREE}},
                    {"name": "v2", "served": True, "storage": True, "schema": {"openAPIV3Schema": FREE}},
                    {"name": "v1alpha1", "served": False, "storage": False, "schema": {"openAPIV3Schema": FREE}},
                ],
            ),
            "v2",
        ),
        get("/apis/g7.example.com"),
        get(group(7)),
        post(widgets(7), widget(7, spec={"a": 1})),
        get(f"{widgets(7, 'v2')}/a"),
        get(widgets(7, "v2")),
        get(f"{widgets(7, 'v1alpha1')}/a"),
        post(widgets(7), widget(7, "b", "v2")),
        patch(f"{widgets(7, 'v2')}/a", {"spec": {"a": 2}}),
        get(f"{widgets(7)}/a"),
        delete(f"{DEFINITIONS}/widgets.g7.example.com"),
    ),
    "[custom] of no definition": (
        get("/apis/none.example.com"),
        get("/apis/none.example.com/v1"),
        get("/apis/none.example.com/v1/namespaces/{ns}/widgets"),
        post("/apis/none.example.com/v1/namespaces/{ns}/widgets", small()),
    ),
}
