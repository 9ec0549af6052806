"""Our own reads and writes of Argo Rollouts, over HTTP; and what an operator must be permitted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrator.model.errors import NotPermitted
from tests.contract.kube.sides import WITHOUT_ARGO, Side, bare, operator, sided
from tests.contract.kube.support import eventually
from tests.contract.kube.work import manifest, path_of
from tests.fakes.kube import Opened, open_cluster

Json = dict[str, Any]


@pytest.fixture(scope="module")
def opened(kube_target: Any) -> Iterator[Opened]:
    with open_cluster(kube_target, delay=0.02, backoff=0.1, argo=True) as cluster:
        yield cluster


@pytest.fixture
def here(opened: Opened) -> Iterator[Side]:
    yield from sided(opened)


def test_argo_pods_belong_to_the_rollout(here: Side) -> None:
    ref = here.make("Rollout", {"replicas": 2, "strategy": {"blueGreen": {}}})
    here.complete(ref)
    (workload,) = here.reads.workloads_of(here.namespace, "default")
    assert (workload.ref, workload.replicas, workload.strategy) == (ref, 2, "BlueGreen")
    assert {pod.owner for pod in here.pods()} == {ref}


def test_argo_restart_replaces_the_pods_and_bears_the_stamp(here: Side) -> None:
    ref = here.make("Rollout", {"replicas": 2, "strategy": {"canary": {}}})
    here.complete(ref)
    before = {pod.uid for pod in here.pods()}
    here.writes.restart(ref, "run-1")
    begun = here.reads.rollout(ref)
    assert begun is not None
    assert (begun.complete, begun.stamp) == (False, "run-1")
    assert here.complete(ref).stamp == "run-1"
    assert before.isdisjoint(pod.uid for pod in here.pods())


def test_argo_with_a_borrowed_template(here: Side) -> None:
    """The Deployment that lends its template is no workload of its own, and the gate's pod is made from it."""
    pod = {"containers": [{"name": "lent", "image": "registry.example/lent:1"}]}
    here.make("Deployment", {"replicas": 0}, pod=pod)
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    document = manifest("Rollout", here.namespace, {"strategy": {"canary": {}}, "workloadRef": reference})
    document["spec"].pop("template")
    document["spec"].pop("selector")
    here.kube.create(path_of("Rollout", here.namespace, "").rstrip("/"), document)
    ref = here.ref("Rollout")
    here.complete(ref)
    (workload,) = here.reads.workloads_of(here.namespace, "default")
    assert workload.ref == ref
    assert [container.name for container in workload.spec.containers] == ["lent"]
    probe = here.gate.probe(here.namespace, "default").pod
    assert probe is not None
    assert [container.name for container in probe.spec.containers] == ["lent"]


def test_a_missing_permission_is_said(opened: Opened, here: Side) -> None:
    with (
        operator(opened, here.namespace, WITHOUT_ARGO) as ours,
        pytest.raises(NotPermitted, match=r'list "rollouts\.argoproj\.io"'),
    ):
        ours.reads.workloads(here.namespace)


def test_the_documented_role_is_enough_for_workloads(opened: Opened, here: Side) -> None:
    page = (Path(__file__).parents[3] / "docs" / "kubernetes-permissions.md").read_text("utf-8")
    rules: list[Json] = yaml.safe_load(page.partition("```yaml")[2].partition("```")[0])["rules"]
    here.make("Deployment", name="rolled")
    here.make("Rollout", {"strategy": {"canary": {}}}, name="argo")
    here.make("ReplicaSet", name="free")
    bare(here)
    with operator(opened, here.namespace, rules) as ours:
        for ref in (ours.ref("Deployment", "rolled"), ours.ref("Rollout", "argo")):
            ours.complete(ref)
            ours.writes.restart(ref, "run-1")
        assert len(ours.reads.workloads_of(ours.namespace, "default")) == 3
        assert ours.gate.probe(ours.namespace, "default").pod is not None
        old = eventually(lambda: ours.pod("tool"))
        ours.aside.keep(old)
        ours.writes.evict(old)
        (kept,) = ours.kept()
        eventually(lambda: ours.aside.recreate(kept))
