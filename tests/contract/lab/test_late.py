"""Faults of lateness are played as they were declared: associations, IAM, and EKS's view of it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from migrator.lab.kubeclient import resource_path
from tests.contract.lab.looks import (
    POD_STATEMENT,
    accepted,
    asked,
    code_of,
    session,
    set_trust,
    sids,
    trust_of,
    with_pods,
)
from tests.contract.lab.support import ACCOUNT, CLUSTER, Json, Lab, bare_pod, eventually, identity


def test_association_is_seen_by_one_api_server_and_never_by_the_other(lab: Lab) -> None:
    late = {"serviceAccount": "shop/orders", "create": [0, "never"]}
    with lab.faults({"associationLate": late}) as played, lab.associated("orders"):
        seen = [lab.probe("orders") for _ in range(6)]
        assert seen in (["pod-identity", "irsa"] * 3, ["irsa", "pod-identity"] * 3)
        assert played()


def test_association_is_seen_late_then_by_every_api_server(lab: Lab) -> None:
    with lab.faults({"associationLate": {"create": 600}}), lab.associated("orders"):
        assert {lab.probe("orders") for _ in range(2)} == {"irsa"}
    with lab.faults({"associationLate": {"create": 0.5}}), lab.associated("orders"):
        eventually("both servers see it", lambda: {lab.probe("orders") for _ in range(4)} == {"pod-identity"})


def test_deleted_association_lives_on_for_one_api_server(lab: Lab) -> None:
    with lab.faults({"associationLate": {"delete": [0, "never"]}}):
        with lab.associated("orders"):
            assert {lab.probe("orders") for _ in range(2)} == {"pod-identity"}
        assert {lab.probe("orders") for _ in range(2)} == {"pod-identity", "irsa"}
    assert {lab.probe("orders") for _ in range(2)} == {"irsa"}


def test_one_connection_stays_with_one_api_server(lab: Lab) -> None:
    late = {"associationLate": {"create": [0, "never"]}}
    with lab.faults(late), lab.associated("orders"), lab.kube() as client:
        path = resource_path("v1", "pods", "shop")
        pods = [client.create(path, bare_pod("same", "orders"), dryRun="All") for _ in range(4)]
        assert len({identity(pod) for pod in pods}) == 1


def test_eks_auth_does_not_know_a_new_association_yet(lab: Lab) -> None:
    with lab.faults({"associationLate": {"serviceAccount": "shop/stock", "credentials": "never"}}) as played:
        with lab.associated("stock"):
            lab.restart("stock", "late credentials")
            told = eventually("a pod that asks in vain", lambda: asked(lab, "stock", "pod-identity"))
        assert not told["answers"]
        assert "ResourceNotFoundException" in told["why"]
        assert played()


def test_eks_auth_goes_on_with_the_role_from_before_an_update(lab: Lab) -> None:
    with lab.associated("mail") as made:
        lab.restart("mail", "an update")
        eventually("credentials of Mail", lambda: session(lab, "mail").startswith("Mail/"))
        with lab.faults({"associationLate": {"update": "never"}}) as played:
            role = f"arn:aws:iam::{ACCOUNT}:role/Stock"
            lab.aws("eks").update_pod_identity_association(clusterName=CLUSTER, associationId=made, roleArn=role)
            lab.restart("mail", "another update")
            eventually("a new pod with the old role", lambda: session(lab, "mail").startswith("Mail/") and played())
        lab.restart("mail", "and another")
        eventually("a new pod with the new role", lambda: session(lab, "mail").startswith("Stock/"))


def test_iam_reads_are_behind_for_a_share_of_the_reads(lab: Lab, trust: Json) -> None:
    with lab.faults({"iamLate": {"role": "Fresh", "seconds": "never", "every": 2}}) as played:
        set_trust(lab, "Fresh", with_pods(trust))
        seen = [len(trust_of(lab, "Fresh")["Statement"]) for _ in range(4)]
        assert seen == [2, 1, 2, 1]
        assert len(played()) == 2
    assert sids(trust_of(lab, "Fresh"))[-1] == "Pods"


def test_iam_catches_up(lab: Lab, trust: Json) -> None:
    with lab.faults({"iamLate": {"role": "Fresh", "seconds": 600}}):
        set_trust(lab, "Fresh", with_pods(trust))
        assert trust_of(lab, "Fresh") == trust
        set_trust(lab, "Fresh", trust)
    with lab.faults({"iamLate": {"role": "Fresh", "seconds": 0.5}}):
        set_trust(lab, "Fresh", with_pods(trust))
        eventually("the new document", lambda: trust_of(lab, "Fresh") == with_pods(trust))


def test_a_new_role_is_not_visible_yet_one_by_one_and_in_bulk(lab: Lab) -> None:
    iam = lab.aws("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [POD_STATEMENT]})
    with lab.faults({"iamLate": {"seconds": "never"}}):
        iam.create_role(RoleName="Brand-new", AssumeRolePolicyDocument=document)
        assert code_of(lambda: iam.get_role(RoleName="Brand-new")) == "NoSuchEntity"
        details = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
        assert "Brand-new" not in {one["RoleName"] for one in [*details, *iam.list_roles()["Roles"]]}
    assert iam.get_role(RoleName="Brand-new")["Role"]["RoleName"] == "Brand-new"
    iam.delete_role(RoleName="Brand-new")


def test_eks_accepts_a_fresh_trust_late(lab: Lab, trust: Json) -> None:
    with lab.faults({"trustLate": {"role": "Fresh", "association": 600}}) as played:
        set_trust(lab, "Fresh", with_pods(trust))
        with pytest.raises(ClientError, match="Trust policy of the role provided is invalid") as refused:
            lab.associate("fresh")
        assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
        assert played()
    set_trust(lab, "Fresh", trust)
    with lab.faults({"trustLate": {"role": "Fresh", "association": 0.5}}):
        set_trust(lab, "Fresh", with_pods(trust))
        made = eventually("EKS accepts it", lambda: accepted(lab))
    lab.aws("eks").delete_pod_identity_association(clusterName=CLUSTER, associationId=made)


def test_eks_auth_judges_by_the_old_trust(lab: Lab, trust: Json) -> None:
    with lab.faults({"trustLate": {"role": "Fresh", "credentials": "never"}}):
        set_trust(lab, "Fresh", with_pods(trust))
        made = lab.associate("fresh")
        lab.restart("fresh", "old trust")
        told = eventually("a pod that asks in vain", lambda: asked(lab, "fresh", "pod-identity"))
        assert "AccessDeniedException" in told["why"]
    lab.aws("eks").delete_pod_identity_association(clusterName=CLUSTER, associationId=made)
