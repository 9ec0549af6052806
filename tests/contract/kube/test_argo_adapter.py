"""Our own reads and writes of Argo Rollouts, over HTTP; and what an operator must be permitted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrator.model.errors import NotPermitted
from tests.contract.kube.sides import Side, bare, operator, sided
from tests.contract.kube.support import eventually
from tests.contract.kube.work import manifest, path_of
from tests.fakes.kube import Opened, open_cluster

Json = dict[str, Any]


@pytest.fixture(scope="module")
def opened(kube_target: Any) -> Iterator[Opened]:
    with open_cluster(kube_target, delay=0.02, backoff=0.1) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def argo(kube_target: Any) -> Iterator[Opened]:
    with open_cluster(kube_target, delay=0.02, backoff=0.1, argo=True) as cluster:
        yield cluster


@pytest.fixture
def here(opened: Opened) -> Iterator[Side]:
    yield from sided(opened)


@pytest.fixture
def with_argo(argo: Opened) -> Iterator[Side]:
    yield from sided(argo)


def test_a_cluster_without_argo_has_none(here: Side) -> None:
    ref = here.make("Deployment")
    assert [one.ref for one in here.reads.workloads(here.namespace)] == [ref]
    assert here.reads.rollout(here.ref("Rollout")) is None


def test_argo_pods_belong_to_the_rollout(with_argo: Side) -> None:
    ref = with_argo.make("Rollout", {"replicas": 2, "strategy": {"blueGreen": {}}})
    with_argo.complete(ref)
    (workload,) = with_argo.reads.workloads_of(with_argo.namespace, "default")
    assert (workload.ref, workload.replicas, workload.strategy) == (ref, 2, "BlueGreen")
    assert {pod.owner for pod in with_argo.pods()} == {ref}


def test_argo_restart_replaces_the_pods_and_bears_the_stamp(with_argo: Side) -> None:
    ref = with_argo.make("Rollout", {"replicas": 2, "strategy": {"canary": {}}})
    with_argo.complete(ref)
    before = {pod.uid for pod in with_argo.pods()}
    with_argo.writes.restart(ref, "run-1")
    begun = with_argo.reads.rollout(ref)
    assert begun is not None
    assert (begun.complete, begun.stamp) == (False, "run-1")
    assert with_argo.complete(ref).stamp == "run-1"
    assert before.isdisjoint(pod.uid for pod in with_argo.pods())


def test_argo_with_a_borrowed_template(with_argo: Side) -> None:
    """The Deployment that lends its template is no workload of its own, and the gate's pod is made from it."""
    pod = {"containers": [{"name": "lent", "image": "registry.example/lent:1"}]}
    with_argo.make("Deployment", {"replicas": 0}, pod=pod)
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    document = manifest("Rollout", with_argo.namespace, {"strategy": {"canary": {}}, "workloadRef": reference})
    document["spec"].pop("template")
    document["spec"].pop("selector")
    with_argo.kube.create(path_of("Rollout", with_argo.namespace, "").rstrip("/"), document)
    ref = with_argo.ref("Rollout")
    with_argo.complete(ref)
    (workload,) = with_argo.reads.workloads_of(with_argo.namespace, "default")
    assert workload.ref == ref
    assert [container.name for container in workload.spec.containers] == ["lent"]
    probe = with_argo.gate.probe(with_argo.namespace, "default").pod
    assert probe is not None
    assert [container.name for container in probe.spec.containers] == ["lent"]


WITHOUT_ARGO = [{"apiGroups": [group], "resources": ["*"], "verbs": ["get", "list"]} for group in ("", "apps", "batch")]


def test_without_argo_nobody_needs_to_be_permitted(opened: Opened, here: Side) -> None:
    with operator(opened, here.namespace, WITHOUT_ARGO) as ours:
        assert list(ours.reads.workloads(here.namespace)) == []


def test_with_argo_a_missing_permission_is_said(argo: Opened, with_argo: Side) -> None:
    with (
        operator(argo, with_argo.namespace, WITHOUT_ARGO) as ours,
        pytest.raises(NotPermitted, match='list "rollouts"'),
    ):
        ours.reads.workloads(with_argo.namespace)


def test_the_documented_role_is_enough_for_workloads(argo: Opened, with_argo: Side) -> None:
    page = (Path(__file__).parents[3] / "docs" / "kubernetes-permissions.md").read_text("utf-8")
    rules: list[Json] = yaml.safe_load(page.partition("```yaml")[2].partition("```")[0])["rules"]
    with_argo.make("Deployment", name="rolled")
    with_argo.make("Rollout", {"strategy": {"canary": {}}}, name="argo")
    with_argo.make("ReplicaSet", name="free")
    bare(with_argo)
    with operator(argo, with_argo.namespace, rules) as ours:
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
