"""Lists: page by page, and selected by labels and fields."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tests.controlplane.asking import PARTIAL_LIST, TABLE, Ask, apps, core, get, post
from tests.controlplane.requests.manifests import CONTAINER, NAMESPACED, small

Json = dict[str, Any]

LABELS: tuple[dict[str, str], ...] = ({"app": "web", "tier": "front"}, {"app": "web"}, {"app": "db", "size": "10"}, {})
SECRETS = core("secrets")
KEPT = "{}"  # a namespace is filled in later


def labelled(number: int) -> Json:
    return {"metadata": {"name": f"s{number}", "labels": LABELS[number]}, "type": f"example.com/{number % 2}"}


FOUR = tuple(post(SECRETS, labelled(number)) for number in range(4))


def page(query: str, accept: str = "") -> Ask:
    return get(f"{SECRETS}?{query}", accept)


LABEL_SELECTORS = (
    "app=web", "app==web", "app!=web", "app", "!app", "app in (web,db)", "app in (web)", "app notin (web)", "app,tier",
    "app=web,tier!=front", "app=web,!tier", "size>5", "size<5", "size>=5", "", " app = web ", "app=", "example.com/a=b",
    "app=we b", "a b", "=x", "app in web", "app in ()", "(app)", "-app=web", "app=-web", "app,,tier", "size>x",
    "a/b/c=d",
)  # fmt: skip
FIELD_SELECTORS = (
    "metadata.name=s1", "metadata.name==s1", "metadata.name!=s1", "metadata.namespace={ns}", "metadata.namespace=other",
    "type=example.com/0", "type!=example.com/0", "metadata.name=s1,type=example.com/1", "", "data=x", "spec.x=y",
    "metadata.labels.app=web", "metadata.uid=x", "metadata.name", "metadata.name>s1", "=x",
)  # fmt: skip
OTHER_FIELDS = {
    "pods": ("spec.nodeName=", "status.phase=Pending", "spec.serviceAccountName=default", "spec.hostNetwork=false",
             "spec.restartPolicy=Always", "spec.schedulerName=x", "status.podIP=", "spec.containers=x"),
    "configmaps": ("metadata.name=a", "data.k=v"),
    "deployments": ("metadata.name=a", "spec.replicas=1"),
    "replicasets": ("status.replicas=0", "spec.replicas=1"),
    "jobs": ("status.successful=0", "status.succeeded=0"),
    "events": ("involvedObject.name=a", "reason=Made", "type=", "involvedObject.kind=Node", "message=x"),
    "serviceaccounts": ("metadata.name=a", "secrets=x"),
}  # fmt: skip


def _of_other_kinds() -> Iterator[tuple[str, tuple[Ask, ...]]]:
    for plural, selectors in OTHER_FIELDS.items():
        version, manifest = NAMESPACED[plural]
        head = core(plural) if version == "v1" else f"/apis/{version}/namespaces/{{ns}}/{plural}"
        asks = tuple(get(f"{head}?fieldSelector={quote(selector)}", PARTIAL_LIST) for selector in selectors)
        yield f"[list] {plural} by their fields", (post(head, manifest), *asks)


CASES = {
    "[list] of nothing": (get(SECRETS), get(SECRETS, TABLE), get(SECRETS, PARTIAL_LIST), get(core("pods?limit=5"))),
    "[list] page by page": (
        *FOUR,
        page("limit=3"),
        page("limit=3&continue=$4.metadata.continue"),
        page("limit=1&continue=$4.metadata.continue"),
        page("limit=4"),
        page("limit=0"),
        page("limit=2", TABLE),
        page("limit=2", PARTIAL_LIST),
    ),
    "[list] page by page, selected": (
        *FOUR,
        page("limit=1&labelSelector=app"),
        page("limit=1&labelSelector=app&continue=$4.metadata.continue"),
        page("limit=1&labelSelector=app%3Ddb"),
        page("limit=1&fieldSelector=type%3Dexample.com/1"),
    ),
    "[list] a page goes on as it was begun": (
        *FOUR,
        page("limit=2"),
        post(SECRETS, small("s9")),
        page("limit=9&continue=$4.metadata.continue"),
    ),
    "[list] pages that make no sense": (
        *FOUR,
        page("limit=x"),
        page("limit=-1"),
        page("continue=x"),
        page("continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ"),
        page("limit=2&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJzMVx1MDAwMCJ9"),
        page("limit=1"),
        page("limit=1&resourceVersion=5&continue=$9.metadata.continue"),
    ),
    "[list] from a version": (
        *FOUR,
        page("resourceVersion=0"),
        page("resourceVersion=x"),
        page("resourceVersion=$3.metadata.resourceVersion&resourceVersionMatch=NotOlderThan"),
        page("resourceVersion=$3.metadata.resourceVersion&resourceVersionMatch=Exact"),
        page("resourceVersionMatch=Exact"),
        page("resourceVersion=1&resourceVersionMatch=Sometimes"),
    ),
    "[list] by labels": (*FOUR, *(page(f"labelSelector={quote(text)}", PARTIAL_LIST) for text in LABEL_SELECTORS)),
    "[list] by fields": (
        *FOUR,
        *(page(f"fieldSelector={quote(text, KEPT)}", PARTIAL_LIST) for text in FIELD_SELECTORS),
    ),
    "[list] of all namespaces": (
        post(core("podtemplates"), small(template={"spec": {"containers": [CONTAINER]}})),
        get("/api/v1/podtemplates?fieldSelector=metadata.namespace%3D{ns}"),
        get("/api/v1/podtemplates?fieldSelector=metadata.namespace%3D{ns}", TABLE),
        get("/api/v1/podtemplates/a"),
    ),
    "[list] of a namespace that is not there": (
        get("/api/v1/namespaces/nowhere/pods"),
        get("/api/v1/namespaces/nowhere/pods/a"),
        get("/apis/apps/v1/namespaces/nowhere/deployments", TABLE),
    ),
    "[list] of one by its name in the path": (*FOUR, get(f"{SECRETS}/s1"), get(f"{SECRETS}/s7"), get(apps("pods"))),
    **dict(_of_other_kinds()),
}
