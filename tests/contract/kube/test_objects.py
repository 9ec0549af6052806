"""Create, read, replace, delete: codes, bodies and what the server fills in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.kube.support import config_map, deployment

if TYPE_CHECKING:
    from migrator.lab.kubeapi import ApiServer
    from tests.contract.kube.support import Api


def test_create_fills_in_metadata(api: Api, core: str) -> None:
    made = api.ok("POST", f"{core}/configmaps", config_map("a", k="v"))
    metadata = made["metadata"]
    assert metadata["uid"]
    assert metadata["creationTimestamp"].endswith("Z")
    assert int(metadata["resourceVersion"]) > 0
    assert "generation" not in metadata
    assert made["kind"] == "ConfigMap"
    assert metadata["managedFields"][0]["manager"] == "contract"
    assert metadata["managedFields"][0]["operation"] == "Update"


def test_create_answers_201_and_replace_200(api: Api, core: str) -> None:
    assert api.call("POST", f"{core}/configmaps", config_map("a")).status == 201
    assert api.call("PUT", f"{core}/configmaps/a", config_map("a", k="v")).status == 200


def test_absent_object_is_404_with_details(api: Api, core: str, apps: str) -> None:
    body = api.call("GET", f"{core}/configmaps/none").body
    assert body["message"] == 'configmaps "none" not found'
    assert body["reason"] == "NotFound"
    assert body["details"] == {"name": "none", "kind": "configmaps"}
    assert body["code"] == 404
    body = api.call("DELETE", f"{apps}/deployments/none").body
    assert body["message"] == 'deployments.apps "none" not found'
    assert body["details"] == {"name": "none", "group": "apps", "kind": "deployments"}


def test_unknown_resource_is_404(api: Api, core: str) -> None:
    answer = api.call("GET", f"{core}/gadgets")
    assert answer.status == 404
    assert answer.body["message"] == "the server could not find the requested resource"


def test_taken_name_is_409(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a"))
    answer = api.call("POST", f"{core}/configmaps", config_map("a"))
    assert (answer.status, answer.body["reason"]) == (409, "AlreadyExists")
    assert answer.body["message"] == 'configmaps "a" already exists'


def test_bad_name_is_422(api: Api, core: str) -> None:
    answer = api.call("POST", f"{core}/configmaps", config_map("Not_A_Name"))
    assert (answer.status, answer.body["reason"]) == (422, "Invalid")
    assert answer.body["message"].startswith(
        'ConfigMap "Not_A_Name" is invalid: metadata.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain'
    )
    assert answer.body["details"]["causes"][0]["field"] == "metadata.name"


def test_name_is_required(api: Api, core: str) -> None:
    answer = api.call("POST", f"{core}/configmaps", {"metadata": {}})
    assert answer.status == 422
    assert "metadata.name: Required value: name or generateName is required" in answer.body["message"]


def test_generated_names_differ(api: Api, core: str) -> None:
    body = {"metadata": {"generateName": "many-"}}
    names = {api.ok("POST", f"{core}/configmaps", body)["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("many-") and len(name) == 10 for name in names)


def test_absent_namespace_is_404(api: Api) -> None:
    answer = api.call("POST", "/api/v1/namespaces/no-such/configmaps", config_map("a"))
    assert (answer.status, answer.body["message"]) == (404, 'namespaces "no-such" not found')


def test_foreign_namespace_in_body_is_400(api: Api, core: str) -> None:
    body = config_map("a")
    body["metadata"]["namespace"] = "elsewhere"
    answer = api.call("POST", f"{core}/configmaps", body)
    assert answer.status == 400
    assert "namespace of the provided object does not match" in answer.body["message"]


def test_foreign_kind_is_400(api: Api, core: str) -> None:
    answer = api.call("POST", f"{core}/secrets", config_map("a"))
    assert answer.status == 400
    assert "cannot be handled as a Secret" in answer.body["message"]


def test_foreign_version_is_400(api: Api, apps: str) -> None:
    answer = api.call("POST", f"{apps}/deployments", {**deployment("a"), "apiVersion": "v1"})
    assert answer.status == 400


def test_protobuf_body_is_refused_clearly_or_understood(api: Api, core: str) -> None:
    answer = api.call("POST", f"{core}/configmaps", b"k8s\x00x", Content_Type="application/vnd.kubernetes.protobuf")
    assert answer.status in (400, 415)


def test_protobuf_is_refused_with_a_word_on_what_to_do_instead(own_server: ApiServer, api: Api, core: str) -> None:
    del own_server  # a real server speaks it
    answer = api.call("POST", f"{core}/configmaps", b"k8s\x00x", Content_Type="application/vnd.kubernetes.protobuf")
    assert answer.status == 415
    assert 'make objects with "kubectl apply -f" or "kubectl create -f"' in answer.body["message"]


SCHEDULES = {
    "[five fields]": ("*/5 * * * *", 201, ""),
    "[word]": ("@daily", 201, ""),
    "[interval]": ("@every 1h", 201, ""),
    "[three fields]": ("* * *", 422, "expected exactly 5 fields, found 3: [* * *]"),
    "[six fields]": ("0 * * * * *", 422, "expected exactly 5 fields, found 6: [0 * * * * *]"),
    "[unknown word]": ("@dayly", 422, "unrecognized descriptor: @dayly"),
    "[empty]": ("", 422, "Required value"),
}


@pytest.mark.parametrize(("schedule", "status", "said"), SCHEDULES.values(), ids=SCHEDULES.keys())
def test_schedule_of_a_cronjob(api: Api, namespace: str, schedule: str, status: int, said: str) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/a:1"}]}}
    body = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "a"},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": template}}},
    }
    answer = api.call("POST", f"/apis/batch/v1/namespaces/{namespace}/cronjobs", body)
    assert answer.status == status
    if said:
        assert "spec.schedule" in answer.body["message"]
        assert said in answer.body["message"]


def test_unknown_media_type_is_415(api: Api, core: str) -> None:
    answer = api.call("POST", f"{core}/configmaps", b"k: v", Content_Type="text/csv")
    assert (answer.status, answer.body["reason"]) == (415, "UnsupportedMediaType")


def test_yaml_body_is_understood(api: Api, core: str) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-yaml\n"
    assert api.call("POST", f"{core}/configmaps", text, Content_Type="application/yaml").status == 201


def test_unknown_field_strict_is_400(api: Api, apps: str) -> None:
    body = deployment("a")
    body["spec"]["replicsa"] = 2
    answer = api.call("POST", f"{apps}/deployments?fieldValidation=Strict", body)
    assert answer.status == 400
    assert 'strict decoding error: unknown field "spec.replicsa"' in answer.body["message"]


def test_unknown_field_is_dropped_with_a_warning(api: Api, apps: str) -> None:
    body = deployment("a")
    body["spec"]["replicsa"] = 2
    answer = api.call("POST", f"{apps}/deployments", body)
    assert answer.status == 201
    assert "replicsa" not in answer.body["spec"]
    assert 'unknown field \\"spec.replicsa\\"' in answer.headers["Warning"]


def test_wrong_type_is_400(api: Api, apps: str) -> None:
    body = deployment("a")
    body["spec"]["replicas"] = "two"
    answer = api.call("POST", f"{apps}/deployments", body)
    assert answer.status == 400
    assert "cannot be handled as a Deployment" in answer.body["message"]


def test_stale_version_on_put_is_409(api: Api, core: str) -> None:
    made = api.ok("POST", f"{core}/configmaps", config_map("a"))
    api.ok("PUT", f"{core}/configmaps/a", {**made, "data": {"k": "1"}})
    answer = api.call("PUT", f"{core}/configmaps/a", {**made, "data": {"k": "2"}})
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert answer.body["message"] == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_put_without_a_version_wins(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a"))
    api.ok("PUT", f"{core}/configmaps/a", config_map("a", k="1"))
    assert api.ok("GET", f"{core}/configmaps/a")["data"] == {"k": "1"}


def test_put_of_the_same_changes_nothing(api: Api, core: str) -> None:
    made = api.ok("POST", f"{core}/configmaps", config_map("a", k="v"))
    again = api.ok("PUT", f"{core}/configmaps/a", made)
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_put_under_another_name_is_400(api: Api, core: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a"))
    answer = api.call("PUT", f"{core}/configmaps/a", config_map("b"))
    assert answer.status == 400
    assert "does not match the name on the URL" in answer.body["message"]


def test_dry_run_leaves_no_trace(api: Api, core: str) -> None:
    made = api.ok("POST", f"{core}/configmaps?dryRun=All", config_map("a"))
    assert made["metadata"]["uid"]
    assert api.call("GET", f"{core}/configmaps/a").status == 404
    api.ok("POST", f"{core}/configmaps", config_map("a", k="1"))
    changed = api.ok("PUT", f"{core}/configmaps/a?dryRun=All", config_map("a", k="2"))
    assert changed["data"] == {"k": "2"}
    api.ok("DELETE", f"{core}/configmaps/a?dryRun=All")
    assert api.ok("GET", f"{core}/configmaps/a")["data"] == {"k": "1"}


def test_delete_answers_with_a_status(api: Api, core: str) -> None:
    made = api.ok("POST", f"{core}/configmaps", config_map("a"))
    body = api.ok("DELETE", f"{core}/configmaps/a")
    assert body["status"] == "Success"
    assert body["details"] == {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}


@pytest.mark.parametrize(("field", "said"), [("uid", "UID"), ("resourceVersion", "ResourceVersion")])
def test_delete_preconditions(api: Api, core: str, field: str, said: str) -> None:
    api.ok("POST", f"{core}/configmaps", config_map("a"))
    answer = api.call("DELETE", f"{core}/configmaps/a", {"preconditions": {field: "1"}})
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert f"the {said} in the precondition (1)" in answer.body["message"]


def test_finalizer_delays_the_end(api: Api, core: str) -> None:
    body = config_map("a")
    body["metadata"]["finalizers"] = ["example.com/wait"]
    api.ok("POST", f"{core}/configmaps", body)
    api.ok("DELETE", f"{core}/configmaps/a")
    assert "deletionTimestamp" in api.ok("GET", f"{core}/configmaps/a")["metadata"]
    api.patch(f"{core}/configmaps/a", {"metadata": {"finalizers": None}})
    assert api.call("GET", f"{core}/configmaps/a").status == 404


def test_delete_collection_takes_what_is_selected(api: Api, core: str) -> None:
    for name, group in (("a", "x"), ("b", "x"), ("c", "y")):
        body = config_map(name)
        body["metadata"]["labels"] = {"group": group}
        api.ok("POST", f"{core}/configmaps", body)
    api.ok("DELETE", f"{core}/configmaps?labelSelector=group%3Dx")
    left = api.ok("GET", f"{core}/configmaps?labelSelector=group")["items"]
    assert [item["metadata"]["name"] for item in left] == ["c"]


def test_generation_rises_with_the_spec_and_a_deployments_annotations(api: Api, apps: str) -> None:
    path = f"{apps}/deployments/a"
    assert api.ok("POST", f"{apps}/deployments", deployment("a", 0))["metadata"]["generation"] == 1

    def generation(change: dict[str, object]) -> int:
        return int(api.patch(path, change).body["metadata"]["generation"])

    assert generation({"metadata": {"labels": {"x": "y"}}}) == 1
    assert generation({"metadata": {"annotations": {"x": "y"}}}) == 2
    assert generation({"spec": {"minReadySeconds": 1}}) == 3
    assert generation({"spec": {"minReadySeconds": 1}}) == 3


def test_defaults_of_a_deployment(api: Api, apps: str) -> None:
    spec = api.ok("POST", f"{apps}/deployments", deployment("a", 0))["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
    template = spec["template"]["spec"]
    assert (template["restartPolicy"], template["dnsPolicy"]) == ("Always", "ClusterFirst")
    assert template["terminationGracePeriodSeconds"] == 30
    assert template["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert template["containers"][0]["resources"] == {}


def test_selector_must_match_the_template(api: Api, apps: str) -> None:
    body = deployment("a")
    body["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    answer = api.call("POST", f"{apps}/deployments", body)
    assert answer.status == 422
    assert answer.body["message"].startswith(
        'Deployment.apps "a" is invalid: spec.template.metadata.labels: Invalid value:'
    )
    assert "`selector` does not match template `labels`" in answer.body["message"]


def test_selector_may_not_change(api: Api, apps: str) -> None:
    api.ok("POST", f"{apps}/deployments", deployment("a", 0))
    change = {
        "spec": {
            "selector": {"matchLabels": {"app": "b"}},
            "template": {"metadata": {"labels": {"app": "b"}}},
        }
    }
    answer = api.patch(f"{apps}/deployments/a", change)
    assert answer.status == 422
    assert "field is immutable" in answer.body["message"]


def test_status_is_written_apart(api: Api, apps: str) -> None:
    made = api.ok("POST", f"{apps}/deployments", deployment("a", 0))
    made["status"] = {"replicas": 7, "observedGeneration": 1}
    made["metadata"].pop("resourceVersion")  # a controller may have written its status meanwhile
    assert api.ok("PUT", f"{apps}/deployments/a", made)["status"].get("replicas") is None
    answer = api.patch(
        f"{apps}/deployments/a/status", {"status": {"replicas": 0, "observedGeneration": 1}, "spec": {"replicas": 5}}
    )
    assert answer.body["spec"]["replicas"] == 0
    assert answer.body["status"]["observedGeneration"] == 1


def test_scale_subresource(api: Api, apps: str) -> None:
    api.ok("POST", f"{apps}/deployments", deployment("a", 0))
    scale = api.ok("GET", f"{apps}/deployments/a/scale")
    assert (scale["kind"], scale["spec"], scale["status"]) == ("Scale", {}, {"replicas": 0, "selector": "app=a"})
    scale["spec"]["replicas"] = 3
    scale["metadata"].pop("resourceVersion")  # a controller may have written its status meanwhile
    assert api.ok("PUT", f"{apps}/deployments/a/scale", scale)["spec"]["replicas"] == 3
    changed = api.patch(f"{apps}/deployments/a/scale", {"spec": {"replicas": 0}}).body
    assert changed["spec"] == {}, "a wish for none is left out"
    assert api.ok("GET", f"{apps}/deployments/a")["spec"]["replicas"] == 0


def test_secret_string_data(api: Api, core: str) -> None:
    made = api.ok("POST", f"{core}/secrets", {"metadata": {"name": "a"}, "stringData": {"k": "v"}})
    assert (made["data"], made["type"]) == ({"k": "dg=="}, "Opaque")
    assert "stringData" not in made


def test_lease_times_need_microseconds(api: Api, namespace: str) -> None:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    lease = {"metadata": {"name": "a"}, "spec": {"holderIdentity": "me", "renewTime": "2026-01-01T00:00:00Z"}}
    answer = api.call("POST", path, lease)
    assert answer.status == 400
    assert 'cannot parse "Z" as ".000000"' in answer.body["message"]
    lease["spec"] = {"holderIdentity": "me", "renewTime": "2026-01-01T00:00:00.000000Z"}
    assert api.call("POST", path, lease).status == 201
