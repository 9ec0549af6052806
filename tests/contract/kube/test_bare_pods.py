"""Bare pods, set aside and made again, over HTTP; each step may come twice, as after a kill."""

from collections.abc import Iterator
from typing import Any

import pytest

from migrator.lab.kubeclient import resource_path
from migrator.model.errors import Rejected
from migrator.model.facts import SetAside
from tests.contract.kube.sides import Side, bare, sided
from tests.contract.kube.support import eventually
from tests.fakes.kube import Opened, open_cluster

Json = dict[str, Any]


@pytest.fixture(scope="module")
def opened(kube_target: Any) -> Iterator[Opened]:
    with open_cluster(kube_target, delay=0.02, backoff=0.1) as cluster:
        yield cluster


@pytest.fixture
def here(opened: Opened) -> Iterator[Side]:
    yield from sided(opened)


def written(here: Side) -> Json:
    """What the pod's author would know of it."""
    live = here.kube.get(resource_path("v1", "pods", here.namespace, "tool"))
    spec = {key: value for key, value in live["spec"].items() if key not in {"nodeName", "volumes"}}
    for container in spec["containers"]:
        container.pop("volumeMounts", None)
    return {"labels": live["metadata"]["labels"], "spec": spec}


def test_a_bare_pod_is_made_again(here: Side) -> None:
    old = bare(here)
    before = written(here)
    here.aside.keep(old)
    (kept,) = here.kept()
    assert kept == SetAside(namespace=here.namespace, name="tool", uid=old.uid)
    assert not here.aside.recreate(kept), "the old pod is still there"
    here.writes.evict(old)
    eventually(lambda: here.aside.recreate(kept))
    new = eventually(lambda: (pod := here.pod("tool")) and pod.ready and pod)
    assert new.uid != old.uid
    assert written(here) == before
    assert here.kept() == []


def test_setting_aside_twice_changes_nothing(here: Side) -> None:
    old = bare(here)
    here.aside.keep(old)
    here.aside.keep(old)
    here.writes.evict(old)
    eventually(lambda: here.pod("tool") is None)
    here.aside.keep(old)
    assert [kept.uid for kept in here.kept()] == [old.uid]


def test_a_kill_after_the_pod_was_made_leaves_nothing_but_the_manifest_to_drop(here: Side) -> None:
    old = bare(here)
    here.aside.keep(old)
    (kept,) = here.kept()
    (template,) = here.kube.list(resource_path("v1", "podtemplates", here.namespace))["items"]
    here.writes.evict(old)
    eventually(lambda: here.aside.recreate(kept))
    new = here.pod("tool")
    left = {key: template["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    here.kube.create(
        resource_path("v1", "podtemplates", here.namespace), {"metadata": left, "template": template["template"]}
    )
    assert here.aside.recreate(kept)
    assert here.kept() == []
    again = here.pod("tool")
    assert new is not None
    assert again is not None
    assert again.uid == new.uid


def test_a_pod_that_somebody_else_made_again_stays(here: Side) -> None:
    old = bare(here)
    here.aside.keep(old)
    here.writes.evict(old)
    eventually(lambda: here.pod("tool") is None)
    theirs = bare(here, priority=0)
    (kept,) = here.kept()
    assert here.aside.recreate(kept)
    now = here.pod("tool")
    assert now is not None
    assert now.uid == theirs.uid
    assert here.kept() == []


def test_a_pod_that_is_refused_stays_set_aside(here: Side) -> None:
    old = bare(here)
    here.aside.keep(old)
    here.writes.evict(old)
    eventually(lambda: here.pod("tool") is None)
    (kept,) = here.kept()
    (template,) = here.kube.list(resource_path("v1", "podtemplates", here.namespace))["items"]
    path = resource_path("v1", "podtemplates", here.namespace, template["metadata"]["name"])
    here.kube.patch(path, {"template": {"spec": {"serviceAccountName": "nobody"}}})
    with pytest.raises(Rejected) as refused:
        here.aside.recreate(kept)
    assert template["metadata"]["name"] in str(refused.value.doing)
    assert here.pod("tool") is None
    assert here.kube.find(path) is not None


def test_what_is_gone_cannot_be_set_aside(here: Side) -> None:
    old = bare(here)
    here.writes.evict(old)
    eventually(lambda: here.pod("tool") is None)
    with pytest.raises(Rejected) as refused:
        here.aside.keep(old)
    assert refused.value.reason == "NotFound"


def test_a_nodes_own_pod_is_not_set_aside(here: Side) -> None:
    mirror = {"kubernetes.io/config.mirror": "x"}
    meta = {"name": "tool", "namespace": here.namespace, "annotations": mirror}
    container = {"name": "main", "image": "registry.example/app:1"}
    spec = {"containers": [container], "nodeName": "node-a", "terminationGracePeriodSeconds": 0}
    here.kube.create_object({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    old = eventually(lambda: here.pod("tool"))
    with pytest.raises(Rejected) as refused:
        here.aside.keep(old)
    assert (refused.value.reason, here.kept()) == ("static", [])
