"""What can be asked of a fleet while it runs, and how faults are switched; wrong ones are refused with their field."""

from __future__ import annotations

import pytest

from migrator.lab.kubeclient import resource_path
from tests.contract.lab.looks import POD_STATEMENT, asked, record, restarted, set_trust, status_of
from tests.contract.lab.support import CLUSTER, Json, Lab, bare_pod, eventually


def test_a_fault_of_the_world_file_is_there_from_the_start(lab: Lab) -> None:
    with lab.kube() as client:
        assert status_of(lambda: client.list(resource_path("v1", "secrets", "shop"))) == 503
    (shown,) = lab.page("faults")["faults"]
    assert (shown["name"], shown["state"], shown["played"]) == ("declared", "on", 1)


def test_every_pod_is_on_record(lab: Lab) -> None:
    path = resource_path("v1", "pods", "shop")
    with lab.kube() as client:
        client.create(path, bare_pod("recorded-dry", "orders"), dryRun="All")
        uid = client.create(path, bare_pod("recorded", "orders"))["metadata"]["uid"]
        eventually("it is ready", lambda: record(lab, uid)["ready_at"])
        client.delete(f"{path}/recorded")
        eventually("it is gone", lambda: record(lab, uid)["gone_at"])
    found = record(lab, uid)
    assert (found["cluster"], found["namespace"], found["name"], found["owner"]) == (CLUSTER, "shop", "recorded", "")
    assert (found["service_account"], found["identity"]) == ("orders", "irsa")
    assert found["admitted"] < found["ready_at"] < found["gone_at"]
    assert "recorded-dry" not in {one["name"] for one in lab.page("pods")}


def test_credentials_are_those_the_pods_would_get_now(lab: Lab, trust: Json) -> None:
    lab.restart("fresh", "asked")
    eventually("a pod by IRSA", lambda: restarted(lab, "fresh", "asked") and asked(lab, "fresh", "irsa"))
    told = asked(lab, "fresh", "irsa")
    assert told is not None
    assert told["answers"]
    assert ":assumed-role/Fresh/" in told["arn"]
    set_trust(lab, "Fresh", {**trust, "Statement": [POD_STATEMENT]})
    told = asked(lab, "fresh", "irsa")
    assert told is not None
    assert not told["answers"]
    assert "AccessDenied" in told["why"]


def test_faults_can_be_replaced_and_cleared(lab: Lab) -> None:
    off = {"name": "off", "webhookOff": {}}
    assert lab.page("faults", "POST", {"faults": [off]}) == {"added": ["off"]}
    assert 'there is a fault "off" already' in lab.refused({"faults": [off]})
    assert lab.page("faults", "PUT", {"faults": [{"expire": {"kube": {}}}]})["added"][0].startswith("expire-")
    assert lab.probe_status() == 401
    assert lab.page("faults", "DELETE")["removed"]
    assert lab.page("faults")["faults"] == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({}, "faults[0]: needs one kind"),
        ({"webhookOff": {}, "expire": {"aws": {}}}, "faults[0].webhookOff: a second kind beside expire"),
        ({"webhookOf": {}}, 'faults[0].webhookOf: unknown field; did you mean "webhookOff"?'),
        ({"cluster": "prod", "webhookOff": {}}, 'faults[0].cluster: no cluster is called "prod"'),
        ({"fail": {"with": "throttled"}}, "faults[0].fail: needs one sort of call: aws, kube"),
        ({"fail": {"aws": {"service": "eks"}, "with": "slow"}}, 'faults[0].fail.with: "slow" is not one of'),
        (
            {"fail": {"aws": {"service": "eks", "operation": "GetRole"}, "with": "throttled"}},
            'faults[0].fail.aws.operation: service eks has no operation "GetRole"',
        ),
        ({"drop": {"kube": {"verb": "apply"}}}, 'faults[0].drop.kube.verb: "apply" is not one of'),
        ({"crashLoop": {"workload": "shop/order"}}, 'faults[0].crashLoop.workload: no workload is called "shop/order"'),
        ({"iamLate": {"role": "Nobody", "seconds": 1}}, 'faults[0].iamLate.role: no account declares a role "Nobody"'),
        ({"agentMissing": {"node": "n9"}}, 'faults[0].agentMissing.node: no node is called "n9"'),
        ({"associationLate": {"create": "soon"}}, 'faults[0].associationLate.create: "soon" is not seconds, or never'),
        ({"webhookMisses": {"first": 1, "every": 2}}, "faults[0].webhookMisses.every: cannot be combined with first"),
        ({"edit": [{"recreate": "shop/*"}]}, "faults[0].edit[0].recreate: an edit is of one thing"),
        ({"edit": [{"trust": {"role": "Orders"}}]}, "faults[0].edit[0].trust: needs one sort of change"),
        ({"putBack": {"delay": 1}}, "faults[0].putBack: needs one thing to put back"),
    ],
)
def test_a_fault_that_does_not_fit_is_refused_with_its_field(lab: Lab, fault: Json, said: str) -> None:
    assert said in lab.refused({"faults": [fault]})
