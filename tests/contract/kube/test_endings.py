"""How objects end: namespaces with their content, what owners leave behind, and pods in their own time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.kube.support import config_map, eventually, pod

if TYPE_CHECKING:
    from tests.contract.kube.support import Api


def test_namespace_takes_its_content_along(api: Api, namespace: str, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a"))
    body = api.ok("DELETE", f"/api/v1/namespaces/{namespace}")
    assert body["kind"] in ("Namespace", "Status")
    path = f"/api/v1/namespaces/{namespace}"
    eventually(lambda: api.call("GET", path).status == 404, 60)  # a real controller takes its time, and tries again
    assert api.call("GET", f"{core}/configmaps/a").status == 404


def test_nothing_new_in_an_ending_namespace(api: Api, namespace: str, core: str) -> None:
    body = config_map("a")
    body["metadata"]["finalizers"] = ["example.com/wait"]
    api.ok("POST", f"{core}/configmaps", body)
    api.ok("DELETE", f"/api/v1/namespaces/{namespace}")
    answer = api.call("POST", f"{core}/configmaps", config_map("b"))
    api.patch(f"{core}/configmaps/a", {"metadata": {"finalizers": None}})
    assert answer.status == 403
    assert "because it is being terminated" in answer.body["message"]


def test_owned_objects_go_with_their_owner(api: Api, core: str) -> None:
    owner = api.ok("POST", f"{core}/configmaps", config_map("owner"))
    for name in ("one", "two"):
        body = config_map(name)
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
        body["metadata"]["ownerReferences"] = [reference]
        api.ok("POST", f"{core}/configmaps", body)
    api.ok("DELETE", f"{core}/configmaps/owner", {"propagationPolicy": "Background"})
    eventually(lambda: api.call("GET", f"{core}/configmaps/one").status == 404)
    eventually(lambda: api.call("GET", f"{core}/configmaps/two").status == 404)


def test_an_object_stays_whose_owner_is_of_a_kind_that_is_not_served(api: Api, core: str) -> None:
    for name, kind in (("of-unknown", "Database"), ("of-absent", "Secret")):
        body = config_map(name)
        version = "shop.example/v1" if kind == "Database" else "v1"
        reference = {
            "apiVersion": version,
            "kind": kind,
            "name": "owner",
            "uid": "0b5e2b7e-7d4f-4c58-9f5c-0a2f6c1a9b11",
        }
        body["metadata"]["ownerReferences"] = [reference]
        api.ok("POST", f"{core}/configmaps", body)
    eventually(lambda: api.call("GET", f"{core}/configmaps/of-absent").status == 404)
    assert api.call("GET", f"{core}/configmaps/of-unknown").status == 200


def test_orphans_stay(api: Api, core: str) -> None:
    owner = api.ok("POST", f"{core}/configmaps", config_map("owner"))
    body = config_map("one")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    body["metadata"]["ownerReferences"] = [reference]
    api.ok("POST", f"{core}/configmaps", body)
    api.ok("DELETE", f"{core}/configmaps/owner", {"propagationPolicy": "Orphan"})
    eventually(lambda: api.call("GET", f"{core}/configmaps/owner").status == 404)
    assert "ownerReferences" not in api.ok("GET", f"{core}/configmaps/one")["metadata"]


def test_foreground_deletion_waits_for_what_is_owned(api: Api, core: str) -> None:
    owner = api.ok("POST", f"{core}/configmaps", config_map("owner"))
    body = config_map("one")
    body["metadata"]["finalizers"] = ["example.com/wait"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    body["metadata"]["ownerReferences"] = [{**reference, "blockOwnerDeletion": True}]
    api.ok("POST", f"{core}/configmaps", body)
    api.ok("DELETE", f"{core}/configmaps/owner", {"propagationPolicy": "Foreground"})
    eventually(lambda: "deletionTimestamp" in api.ok("GET", f"{core}/configmaps/one")["metadata"])
    assert api.ok("GET", f"{core}/configmaps/owner")["metadata"]["finalizers"] == ["foregroundDeletion"]
    api.patch(f"{core}/configmaps/one", {"metadata": {"finalizers": None}})
    eventually(lambda: api.call("GET", f"{core}/configmaps/owner").status == 404)


def test_pod_without_a_node_goes_at_once(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/pods", pod("a"))
    answered = api.ok("DELETE", f"{core}/pods/a")
    assert answered["kind"] == "Pod"
    assert api.call("GET", f"{core}/pods/a").status == 404


def test_bound_pod_ends_gracefully(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/pods", pod("a", nodeName="nowhere"))
    metadata = api.ok("DELETE", f"{core}/pods/a")["metadata"]
    assert metadata["deletionGracePeriodSeconds"] == 30
    assert "deletionTimestamp" in metadata
    api.ok("DELETE", f"{core}/pods/a", {"gracePeriodSeconds": 0})
    assert api.call("GET", f"{core}/pods/a").status == 404
