"""What the short forms of a world's workloads become, where the kind is not one of the built-in rolling ones."""

from typing import Any

from migrator.lab.world.manifests import workload

Json = dict[str, Any]
LABELS = {"app.kubernetes.io/name": "web"}


def made(**raw: Any) -> Json:
    return workload({"name": "web", "serviceAccount": "app", **raw}, "shop")


def test_a_replicaset_of_its_own() -> None:
    found = made(kind="ReplicaSet", replicas=3)
    assert (found["apiVersion"], found["kind"], found["spec"]["replicas"]) == ("apps/v1", "ReplicaSet", 3)
    assert found["spec"]["selector"] == {"matchLabels": LABELS}
    assert found["spec"]["template"]["metadata"]["labels"] == LABELS
    assert found["spec"]["template"]["spec"]["serviceAccountName"] == "app"


def test_an_argo_rollout_has_a_strategy() -> None:
    found = made(kind="Rollout")
    assert found["apiVersion"] == "argoproj.io/v1alpha1"
    assert found["spec"]["strategy"] == {"canary": {}}
    assert made(kind="Rollout", strategy={"blueGreen": {}})["spec"]["strategy"] == {"blueGreen": {}}
    assert found["spec"]["template"]["spec"]["serviceAccountName"] == "app"


def test_an_argo_rollout_that_borrows_has_no_template_of_its_own() -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    found = made(kind="Rollout", spec={"workloadRef": reference})
    assert found["spec"] == {"replicas": 1, "strategy": {"canary": {}}, "workloadRef": reference}
