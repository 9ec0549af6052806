"""What other people and controllers do at a declared moment is done, once, and is told."""

from __future__ import annotations

from migrator.lab.kubeclient import resource_path
from tests.contract.lab.looks import (
    POD_STATEMENT,
    ROLE_ARN,
    account_path,
    annotation,
    code_of,
    remove_annotation,
    set_trust,
    sids,
    trust_of,
    with_pods,
)
from tests.contract.lab.support import ACCOUNT, CLUSTER, Json, Lab, eventually


def test_gitops_puts_the_annotation_back_before_the_answer_comes(lab: Lab) -> None:
    with lab.faults({"putBack": {"annotation": "shop/orders", "times": 1}}) as played, lab.kube() as client:
        before = annotation(client)
        assert before
        assert remove_annotation(client) == before
        assert remove_annotation(client) is None, "only once"
        assert len(played()) == 1
        client.patch(account_path("orders"), {"metadata": {"annotations": {ROLE_ARN: before}}})


def test_gitops_puts_the_annotation_back_later(lab: Lab) -> None:
    with lab.faults({"putBack": {"annotation": "shop/orders", "delay": 4}}) as played, lab.kube() as client:
        assert remove_annotation(client) is None
        eventually("put back", lambda: annotation(client))
        assert len(played()) == 1


def test_terraform_puts_the_trust_policy_back(lab: Lab, trust: Json) -> None:
    with lab.faults({"putBack": {"trust": "Fresh"}}) as played:
        set_trust(lab, "Fresh", with_pods(trust))
        assert trust_of(lab, "Fresh") == trust
        set_trust(lab, "Fresh", trust)
        assert len(played()) == 1, "what is as it was needs no putting back"


def test_gitops_puts_the_pod_template_back(lab: Lab) -> None:
    path = resource_path("apps/v1", "deployments", "shop", "mail")
    with lab.faults({"putBack": {"template": "shop/mail"}}) as played, lab.kube() as client:
        before = client.get(path)["spec"]["template"]
        lab.restart("mail", "in vain")
        assert client.get(path)["spec"]["template"] == before
        assert len(played()) == 1


def test_an_edit_after_a_call_is_made_once_and_before_its_answer(lab: Lab, trust: Json) -> None:
    moment = {"aws": {"service": "iam", "operation": "UpdateAssumeRolePolicy", "role": "Fresh"}}
    foreign = {**POD_STATEMENT, "Sid": "Foreign"}
    with lab.faults({"when": moment, "edit": [{"trust": {"role": "Fresh", "add": foreign}}]}) as played:
        set_trust(lab, "Fresh", with_pods(trust))
        assert sids(trust_of(lab, "Fresh"))[1:] == ["Pods", "Foreign"]
        set_trust(lab, "Fresh", with_pods(trust))
        assert sids(trust_of(lab, "Fresh"))[1:] == ["Pods"]
        assert played() == [f"trust: Fresh in {ACCOUNT}"]


def test_an_edit_before_a_call_is_there_when_the_server_acts(lab: Lab) -> None:
    call = {"service": "eks", "operation": "CreatePodIdentityAssociation", "serviceAccount": "shop/mail"}
    edit = [{"associate": {"serviceAccount": "shop/mail", "role": "Stock"}}]
    with lab.faults({"when": {"side": "before", "aws": call}, "edit": edit}):
        assert code_of(lambda: lab.associate("mail")) == "ResourceInUseException"
    with lab.faults({"edit": [{"dissociate": "shop/mail"}]}):
        found = lab.aws("eks").list_pod_identity_associations(clusterName=CLUSTER, serviceAccount="mail")
        assert found["associations"] == []


def test_trust_can_be_replaced_and_statements_taken_out(lab: Lab, trust: Json) -> None:
    with lab.faults({"edit": [{"trust": {"role": "Fresh", "replace": with_pods(trust)}}]}):
        assert trust_of(lab, "Fresh") == with_pods(trust)
    with lab.faults({"edit": [{"trust": {"role": "Fresh", "remove": "P*"}}]}):
        assert trust_of(lab, "Fresh") == trust


def test_a_service_account_is_made_anew_after_it_was_patched(lab: Lab) -> None:
    moment = {"kube": {"verb": "patch", "resource": "serviceaccounts", "name": "billing"}}
    with lab.faults({"when": moment, "edit": [{"recreate": "shop/billing"}]}), lab.kube() as client:
        before = client.get(account_path("billing"))["metadata"]
        client.patch(account_path("billing"), {"metadata": {"annotations": {"test/touched": "yes"}}})
        after = client.get(account_path("billing"))["metadata"]
        assert after["uid"] != before["uid"]
        assert after["annotations"] == {**before["annotations"], "test/touched": "yes"}
        client.patch(account_path("billing"), {"metadata": {"annotations": {"test/touched": None}}})


def test_association_is_repointed(lab: Lab) -> None:
    with lab.associated("mail") as made:
        with lab.faults({"edit": [{"associate": {"serviceAccount": "shop/mail", "role": "Stock"}}]}):
            found = lab.aws("eks").describe_pod_identity_association(clusterName=CLUSTER, associationId=made)
        assert found["association"]["roleArn"].endswith(":role/Stock")


def test_kubernetes_objects_are_annotated_scaled_made_patched_and_deleted(lab: Lab) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "foreign", "namespace": "shop"}}
    named = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "foreign"}
    edits = [
        {"annotate": {"serviceAccount": "shop/mail", "key": "test/foreign", "value": "${cluster:main}"}},
        {"scale": {"workload": "shop/mail", "replicas": 2}},
        {"create": config},
        {"patch": {**named, "patch": {"data": {"key": "value"}}}},
        {"deletePods": "shop/stock-*"},
    ]
    before = {pod["metadata"]["uid"] for pod in lab.pods("stock")}
    with lab.faults({"name": "foreign", "edit": edits}) as played, lab.kube(operator=False) as client:
        assert len(played()) == len(edits), played()
        assert client.get(account_path("mail"))["metadata"]["annotations"]["test/foreign"].endswith(":cluster/main")
        assert client.get(resource_path("v1", "configmaps", "shop", "foreign"))["data"] == {"key": "value"}
        eventually("two pods", lambda: len(lab.pods("mail")) == 2)
        eventually("a new pod", lambda: {pod["metadata"]["uid"] for pod in lab.pods("stock")} - before)
        with lab.faults({"edit": [{"delete": named}, {"scale": {"workload": "shop/mail", "replicas": 1}}]}):
            assert client.find(resource_path("v1", "configmaps", "shop", "foreign")) is None


def test_an_edit_that_is_refused_is_told_in_the_log(lab: Lab) -> None:
    named = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "nowhere", "patch": {}}
    with lab.faults({"edit": [{"patch": named}]}) as played:
        (told,) = played()
        assert "was refused" in told
        assert "nowhere" in told


def test_any_fault_can_wait_for_a_call(lab: Lab) -> None:
    moment = {"kube": {"verb": "get", "resource": "serviceaccounts", "name": "stock"}, "skip": 1}
    with lab.faults({"when": moment, "webhookOff": {}}), lab.kube() as client:
        client.get(account_path("stock"))
        assert lab.probe("orders") == "irsa"
        client.get(account_path("stock"))
        assert lab.probe("orders") == "none"
