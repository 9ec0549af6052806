"""The four patch languages, and who owns which field after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract.kube.support import config_map, deployment

if TYPE_CHECKING:
    from tests.contract.kube.support import Api

STRATEGIC = "strategic-merge-patch+json"
JSON = "json-patch+json"
Json = dict[str, Any]


def container(obj: Json) -> Json:
    found: Json = obj["spec"]["template"]["spec"]["containers"][0]
    return found


def in_pod(**spec: Any) -> Json:
    return {"spec": {"template": {"spec": spec}}}


def test_json_patch(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a", k="1"))
    change = [{"op": "test", "path": "/data/k", "value": "1"}, {"op": "replace", "path": "/data/k", "value": "2"}]
    assert api.patch(f"{core}/configmaps/a", change, JSON).body["data"] == {"k": "2"}


def test_json_patch_with_a_failing_test_is_422(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a", k="1"))
    answer = api.patch(f"{core}/configmaps/a", [{"op": "test", "path": "/data/k", "value": "9"}], JSON)
    assert (answer.status, answer.body["reason"]) == (422, "Invalid")
    assert answer.body["message"] == "the server rejected our request due to an error in our request"


def test_json_patch_that_is_none_is_400(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a", k="1"))
    assert api.patch(f"{core}/configmaps/a", {"op": "add"}, JSON).status == 400


def test_merge_patch_removes_with_null(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a", k="1", gone="x"))
    body = api.patch(f"{core}/configmaps/a", {"data": {"k": "2", "gone": None, "never": None}}).body
    assert body["data"] == {"k": "2"}


def test_merge_patch_replaces_lists(api: Api, apps: str) -> None:
    api.ok("POST", f"{apps}/deployments", deployment("a", 0))
    body = api.patch(f"{apps}/deployments/a", in_pod(containers=[{"name": "b", "image": "b"}])).body
    assert [c["name"] for c in body["spec"]["template"]["spec"]["containers"]] == ["b"]


def test_unknown_patch_type_is_415(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a"))
    assert api.patch(f"{core}/configmaps/a", {}, "json").status == 415


def test_patch_with_a_stale_version_is_409(api: Api, core: str) -> None:
    made = api.ok("POST", f"{core}/configmaps", config_map("a"))
    version = made["metadata"]["resourceVersion"]
    assert (
        api.patch(f"{core}/configmaps/a", {"metadata": {"resourceVersion": version}, "data": {"k": "1"}}).status == 200
    )
    answer = api.patch(f"{core}/configmaps/a", {"metadata": {"resourceVersion": version}, "data": {"k": "2"}})
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")


def test_patch_of_an_absent_object_is_404(api: Api, core: str) -> None:
    assert api.patch(f"{core}/configmaps/none", {"data": {}}).status == 404


def test_strategic_patch_merges_containers_and_variables(api: Api, apps: str) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
    api.ok("POST", f"{apps}/deployments", deployment("a", 0, env=env))
    change = in_pod(containers=[{"name": "app", "env": [{"name": "B", "value": "2"}, {"name": "C", "value": "3"}]}])
    body = api.patch(f"{apps}/deployments/a", change, STRATEGIC).body
    found = container(body)
    assert found["image"] == "registry.example/app:1"
    assert {e["name"]: e["value"] for e in found["env"]} == {"A": "1", "B": "2", "C": "3"}


def test_strategic_patch_merges_mounts_by_path_and_ports_by_number(api: Api, apps: str) -> None:
    body = deployment("a", 0, ports=[{"containerPort": 80, "name": "web"}])
    body["spec"]["template"]["spec"]["volumes"] = [{"name": "one", "emptyDir": {}}]
    container(body)["volumeMounts"] = [{"name": "one", "mountPath": "/one"}]
    api.ok("POST", f"{apps}/deployments", body)
    change = in_pod(
        volumes=[{"name": "two", "emptyDir": {}}],
        containers=[
            {
                "name": "app",
                "volumeMounts": [{"name": "two", "mountPath": "/two"}, {"mountPath": "/one", "readOnly": True}],
                "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}],
            }
        ],
    )
    answer = api.patch(f"{apps}/deployments/a", change, STRATEGIC)
    found = container(answer.body)
    assert {m["mountPath"]: m["name"] for m in found["volumeMounts"]} == {"/one": "one", "/two": "two"}
    assert {p["containerPort"]: p.get("name") for p in found["ports"]} == {80: "http", 81: None}


def test_strategic_patch_directives(api: Api, apps: str) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
    api.ok("POST", f"{apps}/deployments", deployment("a", 0, env=env))
    drop = in_pod(containers=[{"name": "app", "env": [{"name": "A", "$patch": "delete"}]}])
    body = api.patch(f"{apps}/deployments/a", drop, STRATEGIC).body
    assert [e["name"] for e in container(body)["env"]] == ["B"]
    replace = in_pod(containers=[{"name": "app", "env": [{"$patch": "replace"}, {"name": "Z", "value": "9"}]}])
    body = api.patch(f"{apps}/deployments/a", replace, STRATEGIC).body
    assert container(body)["env"] == [{"name": "Z", "value": "9"}]
    retain = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    body = api.patch(f"{apps}/deployments/a", retain, STRATEGIC).body
    assert body["spec"]["strategy"] == {"type": "Recreate"}


def pulling(secret: str) -> Json:
    return {"containers": [{"name": "a", "image": "i"}], "imagePullSecrets": [{"name": secret}]}


def test_strategic_patch_of_pull_secrets(api: Api, core: str) -> None:
    account = {"metadata": {"name": "a"}, "imagePullSecrets": [{"name": "one"}]}
    api.ok("POST", f"{core}/serviceaccounts", account)
    body = api.patch(f"{core}/serviceaccounts/a", {"imagePullSecrets": [{"name": "two"}]}, STRATEGIC).body
    assert body["imagePullSecrets"] == [{"name": "two"}], "those of a ServiceAccount are one value"
    api.ok("POST", f"{core}/podtemplates", {"metadata": {"name": "a"}, "template": {"spec": pulling("one")}})
    body = api.patch(f"{core}/podtemplates/a", {"template": {"spec": pulling("two")}}, STRATEGIC).body
    assert {s["name"] for s in body["template"]["spec"]["imagePullSecrets"]} == {"one", "two"}


def applied(name: str, **data: str) -> Json:
    return config_map(name, **data)


def test_apply_creates_and_owns(api: Api, core: str) -> None:
    answer = api.apply(f"{core}/configmaps/a", applied("a", k="1"), "one")
    assert answer.status == 201
    entry = answer.body["metadata"]["managedFields"][0]
    assert (entry["manager"], entry["operation"]) == ("one", "Apply")
    assert entry["fieldsV1"] == {"f:data": {"f:k": {}}}


def test_apply_again_changes_nothing(api: Api, core: str) -> None:
    first = api.apply(f"{core}/configmaps/a", applied("a", k="1"), "one").body
    second = api.apply(f"{core}/configmaps/a", applied("a", k="1"), "one")
    assert second.status == 200
    assert second.body["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_apply_removes_what_it_no_longer_says(api: Api, core: str) -> None:
    api.apply(f"{core}/configmaps/a", applied("a", k="1", gone="x"), "one")
    api.patch(f"{core}/configmaps/a", {"data": {"foreign": "y"}})
    body = api.apply(f"{core}/configmaps/a", applied("a", k="1"), "one").body
    assert body["data"] == {"k": "1", "foreign": "y"}


def test_apply_conflict_names_the_owner_and_the_field(api: Api, core: str) -> None:
    api.apply(f"{core}/configmaps/a", applied("a", k="1"), "one")
    answer = api.apply(f"{core}/configmaps/a", applied("a", k="2"), "two")
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert answer.body["message"] == 'Apply failed with 1 conflict: conflict with "one": .data.k'
    cause = answer.body["details"]["causes"][0]
    assert cause == {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.k"}


def test_apply_conflicts_with_ordinary_writes_too(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a", k="1"))
    answer = api.apply(f"{core}/configmaps/a", applied("a", k="2"), "two")
    assert answer.status == 409
    assert 'conflict with "contract" using v1' in answer.body["message"]


def test_apply_of_the_same_value_shares_the_field(api: Api, core: str) -> None:
    api.apply(f"{core}/configmaps/a", applied("a", k="1"), "one")
    body = api.apply(f"{core}/configmaps/a", applied("a", k="1"), "two").body
    assert {e["manager"] for e in body["metadata"]["managedFields"]} == {"one", "two"}
    left = api.apply(f"{core}/configmaps/a", applied("a"), "one").body
    assert left["data"] == {"k": "1"}


def test_forced_apply_takes_the_field(api: Api, core: str) -> None:
    api.apply(f"{core}/configmaps/a", applied("a", k="1"), "one")
    body = api.apply(f"{core}/configmaps/a", applied("a", k="2"), "two", force=True).body
    assert body["data"] == {"k": "2"}
    assert [e["manager"] for e in body["metadata"]["managedFields"]] == ["two"]


def test_apply_needs_a_manager(api: Api, core: str) -> None:
    answer = api.call("PATCH", f"{core}/configmaps/a", applied("a"), Content_Type="application/apply-patch+yaml")
    assert answer.status in (400, 422)
    assert "fieldManager" in answer.body["message"]


def test_apply_keeps_other_managers_list_elements(api: Api, apps: str) -> None:
    api.apply(f"{apps}/deployments/a", deployment("a", 0), "one")
    side = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        **in_pod(containers=[{"name": "side", "image": "side:1"}]),
    }
    body = api.apply(f"{apps}/deployments/a", side, "two").body
    assert [c["name"] for c in body["spec"]["template"]["spec"]["containers"]] == ["app", "side"]
    side["spec"]["template"]["spec"] = {}
    body = api.apply(f"{apps}/deployments/a", side, "two").body
    assert [c["name"] for c in body["spec"]["template"]["spec"]["containers"]] == ["app"]


def test_ordinary_writes_are_recorded(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps?fieldManager=maker", config_map("a", k="1"))
    body = api.patch(f"{core}/configmaps/a?fieldManager=changer", {"data": {"k": "2"}}).body
    owners = {e["manager"]: e["fieldsV1"] for e in body["metadata"]["managedFields"]}
    assert owners["changer"] == {"f:data": {"f:k": {}}}
    assert "f:k" not in owners.get("maker", {}).get("f:data", {})


def test_status_manager_is_kept_apart(api: Api, apps: str) -> None:
    api.ok("POST", f"{apps}/deployments", deployment("a", 0))
    change = {"status": {"collisionCount": 7}}  # nothing that a controller may have written before us
    body = api.patch(f"{apps}/deployments/a/status?fieldManager=controller", change).body
    entry = next(e for e in body["metadata"]["managedFields"] if e["manager"] == "controller")
    assert entry["subresource"] == "status"
