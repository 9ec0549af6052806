"""Faults of the webhook, of pods and of add-ons are played as they were declared."""

from __future__ import annotations

import pytest

from migrator.lab.kubeclient import resource_path
from tests.contract.lab.looks import addon, agent_there, agents, registered, restarted, waiting
from tests.contract.lab.support import CLUSTER, Lab, bare_pod, eventually, identity


@pytest.mark.parametrize(("leaves", "wanted"), [("nothing", "none"), ("annotation", "irsa")])
def test_the_webhook_misses_every_other_pod(lab: Lab, leaves: str, wanted: str) -> None:
    miss = {"serviceAccount": "shop/orders", "creates": "dryRun", "every": 2, "leaves": leaves}
    with lab.associated("orders"), lab.faults({"webhookMisses": miss}) as played:
        assert [lab.probe("orders") for _ in range(4)] == ["pod-identity", wanted] * 2
        assert len(played()) == 2


def test_the_webhook_misses_real_pods_by_name_and_no_dry_run(lab: Lab) -> None:
    path = resource_path("v1", "pods", "shop")
    miss = {"pods": "missed-*", "first": 1}
    with lab.associated("orders"), lab.faults({"webhookMisses": miss}), lab.kube() as client:
        assert identity(client.create(path, bare_pod("missed-0", "orders"), dryRun="All")) == "pod-identity"
        made = [identity(client.create(path, bare_pod(name, "orders"))) for name in ("hit-1", "missed-1", "missed-2")]
        assert made == ["pod-identity", "none", "pod-identity"]
        for name in ("hit-1", "missed-1", "missed-2"):
            client.delete(f"{path}/{name}")


@pytest.mark.parametrize("how", ["silent", "unregistered"])
def test_the_webhook_is_off_for_a_while(lab: Lab, how: str) -> None:
    with lab.faults({"webhookOff": {"how": how}}):
        assert lab.probe("orders") == "none"
        assert registered(lab) == (how == "silent")
    assert lab.probe("orders") == "irsa"
    assert registered(lab)


def test_new_pods_of_a_workload_crash_and_the_old_ones_go_on(lab: Lab) -> None:
    with lab.faults({"crashLoop": {"workload": "shop/billing"}}):
        assert len(lab.pods("billing")) == 1
        lab.restart("billing", "crash")
        eventually("a crash loop", lambda: "CrashLoopBackOff" in waiting(lab, "billing"))
        assert len(lab.pods("billing")) == 1
        assert restarted(lab, "billing", "crash") == []
    eventually("it is well again", lambda: restarted(lab, "billing", "crash"))


def test_only_pods_with_pod_identity_crash(lab: Lab) -> None:
    with lab.faults({"crashLoop": {"workload": "shop/stock", "identity": "podIdentity"}}):
        lab.restart("stock", "by IRSA")
        eventually("a pod with IRSA", lambda: restarted(lab, "stock", "by IRSA"))
        with lab.associated("stock"):
            lab.restart("stock", "by Pod Identity")
            eventually("a crash loop", lambda: "CrashLoopBackOff" in waiting(lab, "stock"))
    eventually("it is well again", lambda: restarted(lab, "stock", "by Pod Identity"))


def test_an_addon_is_degraded(lab: Lab) -> None:
    issue = {"code": "InsufficientNumberOfReplicas", "message": "not enough"}
    with lab.faults({"addonSick": {"status": "DEGRADED", "issues": [issue]}}):
        shown = addon(lab)
        assert (shown["status"], shown["health"]["issues"]) == ("DEGRADED", [issue])
    assert addon(lab)["status"] == "ACTIVE"


@pytest.mark.parametrize(("status", "puts"), [("CREATE_FAILED", False), ("DEGRADED", True), ("CREATING", True)])
def test_an_addon_cannot_be_made(lab: Lab, status: str, puts: bool) -> None:
    eks, name = lab.aws("eks"), "eks-pod-identity-agent"
    eks.delete_addon(clusterName=CLUSTER, addonName=name)
    with lab.faults({"addonSick": {"status": status}}):
        assert eks.create_addon(clusterName=CLUSTER, addonName=name)["addon"]["status"] == status
        assert addon(lab)["status"] == status
        assert agent_there(lab) == puts
    eks.delete_addon(clusterName=CLUSTER, addonName=name)
    eks.create_addon(clusterName=CLUSTER, addonName=name)
    eventually("the add-on", lambda: addon(lab)["status"] == "ACTIVE")


def test_the_agent_is_missing_on_one_node(lab: Lab) -> None:
    node = f"{CLUSTER}-n-1"
    with lab.faults({"agentMissing": {"node": node}}) as played:
        eventually("one agent less", lambda: agents(lab) == {f"{CLUSTER}-n-2"})
        assert played()
    eventually("all agents", lambda: len(agents(lab)) == 2)


def test_the_agent_is_not_ready_for_some_seconds(lab: Lab) -> None:
    with lab.faults({"agentMissing": {}, "forSeconds": 5}) as played:
        eventually("the agents are held", played)
        eventually("all agents", lambda: len(agents(lab)) == 2)
