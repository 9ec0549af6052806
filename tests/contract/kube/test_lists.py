"""Lists, pages, selectors, tables, and watching what changes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.contract.kube.support import config_map, pod

if TYPE_CHECKING:
    from migrator.lab.kubeapi import ApiServer
    from tests.contract.kube.support import Api

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.fixture
def many(api: Api, core: str) -> str:
    for number in range(7):
        body = config_map(f"n{number}")
        body["metadata"]["labels"] = {
            "number": str(number),
            "parity": "even" if number % 2 == 0 else "odd",
            "mine": "yes",
        }
        if number == 0:
            body["metadata"]["labels"]["zero"] = ""
        api.ok("POST", f"{core}/configmaps", body)
    return core


def names(body: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in body["items"]]


def test_pages_cover_everything_once(api: Api, many: str) -> None:
    found: list[str] = []
    token = ""
    while True:
        page = api.ok("GET", f"{many}/configmaps?limit=3&continue={quote(token)}")
        found += names(page)
        token = page["metadata"].get("continue", "")
        if not token:
            break
        assert page["metadata"]["remainingItemCount"] > 0
        assert len(page["items"]) == 3
    assert found == sorted(found)
    assert len(found) == len(set(found)) == 8


def test_pages_show_one_moment(api: Api, many: str) -> None:
    page = api.ok("GET", f"{many}/configmaps?limit=3")
    api.ok("POST", f"{many}/configmaps", config_map("zz-late"))
    rest = api.ok("GET", f"{many}/configmaps?limit=30&continue={quote(page['metadata']['continue'])}")
    assert "zz-late" not in names(rest)
    assert rest["metadata"]["resourceVersion"] == page["metadata"]["resourceVersion"]


def test_no_remaining_count_with_selectors(api: Api, many: str) -> None:
    page = api.ok("GET", f"{many}/configmaps?limit=2&labelSelector=mine")
    assert page["metadata"]["continue"]
    assert "remainingItemCount" not in page["metadata"]


def test_broken_continue_token_is_400(api: Api, many: str) -> None:
    assert api.call("GET", f"{many}/configmaps?limit=2&continue=broken!").status == 400


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("number=1", ["n1"]),
        ("number==1", ["n1"]),
        ("mine,number!=1,parity=odd", ["n3", "n5"]),
        ("number in (1, 2)", ["n1", "n2"]),
        ("mine,number notin (0,1,2,3,4)", ["n5", "n6"]),
        ("zero", ["n0"]),
        ("zero=", ["n0"]),
        ("mine,!zero,parity=even", ["n2", "n4", "n6"]),
    ],
)
def test_label_selectors(api: Api, many: str, selector: str, expected: list[str]) -> None:
    assert names(api.ok("GET", f"{many}/configmaps?labelSelector={quote(selector)}")) == expected


@pytest.mark.parametrize("selector", ["a b", "x in 1", "=x", "a=b=c"])
def test_broken_label_selector_is_400(api: Api, core: str, selector: str) -> None:
    answer = api.call("GET", f"{core}/configmaps?labelSelector={quote(selector)}")
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


def test_field_selectors(api: Api, core: str, namespace: str) -> None:
    api.ok("POST", f"{core}/serviceaccounts", {"metadata": {"name": "other"}})
    api.ok("POST", f"{core}/pods", pod("a"))
    api.ok("POST", f"{core}/pods", pod("b", serviceAccountName="other", nodeName="nowhere"))

    def found(selector: str) -> list[str]:
        return names(api.ok("GET", f"{core}/pods?fieldSelector={quote(selector)}"))

    assert found("metadata.name=a") == ["a"]
    assert found("metadata.name!=a") == ["b"]
    assert found("spec.nodeName=nowhere") == ["b"]
    assert found("spec.nodeName=") == ["a"]
    assert found("spec.serviceAccountName=other") == ["b"]
    assert found("status.phase=Pending,metadata.name=a") == ["a"]
    everywhere = api.ok("GET", f"/api/v1/pods?fieldSelector=metadata.namespace={namespace}")
    assert names(everywhere) == ["a", "b"]


def test_unsupported_field_selector_is_400(api: Api, core: str) -> None:
    answer = api.call("GET", f"{core}/pods?fieldSelector=spec.hostname=x")
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")
    assert "field label not supported: spec.hostname" in answer.body["message"]


def test_list_says_what_it_is(api: Api, many: str) -> None:
    body = api.ok("GET", f"{many}/configmaps")
    assert (body["kind"], body["apiVersion"]) == ("ConfigMapList", "v1")
    assert int(body["metadata"]["resourceVersion"]) > 0
    assert "kind" not in body["items"][0]


def test_table_of_pods(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/pods", pod("a"))
    body = api.ok("GET", f"{core}/pods", Accept=TABLE)
    shown = [c["name"] for c in body["columnDefinitions"] if not c["priority"]]
    assert (body["kind"], shown) == ("Table", ["Name", "Ready", "Status", "Restarts", "Age"])
    row = body["rows"][0]
    assert row["cells"][:4] == ["a", "0/1", "Pending", "0"] or row["cells"][3] in (0, "0")
    assert row["object"]["kind"] == "PartialObjectMetadata"


def test_metadata_only(api: Api, many: str) -> None:
    accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
    body = api.ok("GET", f"{many}/configmaps", Accept=accept)
    assert body["kind"] == "PartialObjectMetadataList"
    assert "data" not in body["items"][0]


def test_large_lists_are_compressed_on_request(api: Api, core: str) -> None:
    for number in range(4):
        api.ok("POST", f"{core}/configmaps", config_map(f"big{number}", k="x" * 60_000))
    answer = api.call("GET", f"{core}/configmaps", Accept_Encoding="gzip")
    assert answer.headers.get("Content-Encoding") == "gzip"
    assert len(answer.body["items"]) == 5


def later(action: Any) -> None:
    threading.Timer(0.2, action).start()


def test_watch_from_a_version(api: Api, core: str) -> None:
    version = api.ok("GET", f"{core}/configmaps")["metadata"]["resourceVersion"]
    api.ok("POST", f"{core}/configmaps", config_map("a", k="1"))
    api.patch(f"{core}/configmaps/a", {"data": {"k": "2"}})
    later(lambda: api.ok("DELETE", f"{core}/configmaps/a"))
    seen = []
    for event in api.watch(f"{core}/configmaps?watch=true&resourceVersion={version}&timeoutSeconds=10"):
        seen.append((event["type"], event["object"]["metadata"]["name"]))
        if event["type"] == "DELETED":
            break
    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_watch_without_a_version_begins_with_what_is_there(api: Api, many: str) -> None:
    path = f"{many}/configmaps?watch=1&labelSelector=mine&timeoutSeconds=2"
    seen = [(event["type"], event["object"]["metadata"]["name"]) for event in api.watch(path)]
    assert sorted(seen) == [("ADDED", f"n{n}") for n in range(7)]


def test_watch_with_selector_tells_of_leaving_it(api: Api, core: str) -> None:
    body = config_map("a")
    body["metadata"]["labels"] = {"x": "1"}
    version = api.ok("POST", f"{core}/configmaps", body)["metadata"]["resourceVersion"]
    api.patch(f"{core}/configmaps/a", {"metadata": {"labels": {"x": "2"}}})
    api.patch(f"{core}/configmaps/a", {"metadata": {"labels": {"x": "1"}}})
    path = f"{core}/configmaps?watch=True&labelSelector=x%3D1&resourceVersion={version}&timeoutSeconds=2"
    assert [event["type"] for event in api.watch(path)] == ["DELETED", "ADDED"]


def test_watch_of_one_object(api: Api, many: str) -> None:
    path = f"{many}/configmaps?watch=true&fieldSelector=metadata.name%3Dn3&timeoutSeconds=1"
    assert [event["object"]["metadata"]["name"] for event in api.watch(path)] == ["n3"]


def test_watch_ends_in_time_with_a_bookmark(api: Api, core: str) -> None:
    version = api.ok("GET", f"{core}/configmaps")["metadata"]["resourceVersion"]
    started = time.monotonic()
    path = f"{core}/configmaps?watch=true&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds=4"
    kinds = {event["type"] for event in api.watch(path)}
    assert kinds <= {"BOOKMARK"}
    assert 2 < time.monotonic() - started < 8


def test_watch_from_forgotten_history_is_gone(api: Api, core: str, own_server: ApiServer) -> None:
    version = api.ok("POST", f"{core}/configmaps", config_map("a"))["metadata"]["resourceVersion"]
    page = api.ok("GET", f"{core}/configmaps?limit=1")
    own_server.forget_history()
    event = next(api.watch(f"{core}/configmaps?watch=true&resourceVersion={version}&timeoutSeconds=5"))
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    answer = api.call("GET", f"{core}/configmaps?limit=1&continue={quote(page['metadata']['continue'])}")
    assert (answer.status, answer.body["reason"]) == (410, "Expired")
