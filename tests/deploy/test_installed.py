"""The chart on API servers: every object as one checks it, and installed by helm on a real one with its controllers."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrator.lab.kubeapi import ApiServer
from migrator.lab.kubeclient import KubeClient, KubeError, collection_of, resource_path
from migrator.lab.kubeconfigs import Access, kubeconfig
from tests.controlplane import tier
from tests.controlplane.plane import ISSUER, open_plane
from tests.controlplane.role import FINDINGS, NEEDED, Triple
from tests.deploy.helm import CHART, NAMESPACE, RELEASE, VALUES, helm, pod_of, template, written
from tests.lab.harness import wait_for

Json = dict[str, Any]
REAL = [getattr(pytest.mark, tier.MARK), getattr(pytest.mark, tier.HELM)]
STRICT = {"dryRun": "All", "fieldValidation": "Strict"}
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
JOBS = resource_path("batch/v1", "jobs", NAMESPACE)
CRONJOB = resource_path("batch/v1", "cronjobs", NAMESPACE, RELEASE)
PODS = resource_path("v1", "pods", NAMESPACE)


@dataclass(frozen=True)
class Server:
    """An API server, as its administrator has it; `config` is a kubeconfig."""

    kube: KubeClient
    config: Path


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("real")
    with open_plane(folder / "plane") as plane:
        way = Access("real", plane.api.url, plane.api.ca_pem, plane.api.admin_token)
        (folder / "kubeconfig").write_text(kubeconfig([way]))
        add_namespace(plane.kube)
        yield Server(plane.kube, folder / "kubeconfig")


@pytest.fixture(scope="module")
def ours() -> Iterator[KubeClient]:
    server = ApiServer("chart", ISSUER)
    server.start()
    with KubeClient(server.url, server.ca_pem, server.admin_token) as kube:
        add_namespace(kube)
        yield kube
    server.stop()


def add_namespace(kube: KubeClient) -> None:
    """The release's namespace, which lets in only pods that keep the Pod Security Standard `restricted`."""
    kube.create_object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": RESTRICTED}})


def accepted(kube: KubeClient, documents: list[Json]) -> list[Json]:
    return [kube.create(collection_of(one), one, **STRICT) for one in documents]


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
@pytest.mark.helm
def test_every_object_is_accepted_by_the_practice_fleet(ours: KubeClient, values: Path, tmp_path: Path) -> None:
    documents = template(tmp_path, values)

    assert [one["kind"] for one in accepted(ours, documents)] == [one["kind"] for one in documents]


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
@pytest.mark.controlplane
@pytest.mark.helm
def test_every_object_is_accepted_by_a_real_api_server(real: Server, values: Path, tmp_path: Path) -> None:
    documents = template(tmp_path, values)

    assert [one["kind"] for one in accepted(real.kube, documents)] == [one["kind"] for one in documents]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "namespace": NAMESPACE}}
    spec = {
        name: value
        for name, value in pod_of(documents).items()
        if name not in {"serviceAccountName", "priorityClassName"}
    }
    wait_for(
        "the namespace's own ServiceAccount",
        lambda: real.kube.find(resource_path("v1", "serviceaccounts", NAMESPACE, "default")),
    )
    real.kube.create(PODS, {**pod, "spec": spec}, **STRICT)  # "restricted" is enforced on pods alone
    spec["containers"] = [{**one, "securityContext": {}} for one in spec["containers"]]
    with pytest.raises(KubeError, match='violates PodSecurity "restricted'):
        real.kube.create(PODS, {**pod, "spec": spec}, **STRICT)


@dataclass(frozen=True)
class Release:
    """The chart installed under its name."""

    server: Server
    folder: Path

    def helm(self, *words: str) -> str:
        done = helm(self.folder, *words, "--namespace", NAMESPACE, "--kubeconfig", str(self.server.config))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def put(self, values: Path) -> str:
        """Installs or upgrades; the answer is what the user is told."""
        return self.helm("upgrade", "--install", RELEASE, str(CHART), "--values", str(values))

    def pods(self, count: int) -> list[Json]:
        """As many pods as the controllers are to make."""
        found: list[Json] = wait_for(f"{count} pods", lambda: len(self._pods()) == count and self._pods())
        return found

    def _pods(self) -> list[Json]:
        items: list[Json] = self.server.kube.list(PODS)["items"]
        return [one for one in items if "deletionTimestamp" not in one["metadata"]]


@pytest.fixture
def release(real: Server, tmp_path: Path) -> Iterator[Release]:
    made = Release(real, tmp_path)
    yield made
    made.helm("uninstall", RELEASE, "--ignore-not-found", "--wait")
    wait_for("no pods", lambda: not made._pods())


def values_of(name: str) -> Json:
    values: Json = yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text(encoding="utf-8"))
    return values


@pytest.mark.controlplane
@pytest.mark.helm
def test_the_cronjob_makes_one_pod_as_it_is_rendered(release: Release, tmp_path: Path) -> None:
    values = written(tmp_path, {**values_of("cron"), "cron": {"schedule": "* * * * *", "timeZone": "Europe/Berlin"}})
    told = release.put(values)
    kube = release.server.kube
    missed = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=3)
    kube.patch(f"{CRONJOB}/status", {"status": {"lastScheduleTime": missed.strftime("%Y-%m-%dT%H:%M:%SZ")}})
    [pod] = release.pods(1)

    assert 'runs by the schedule "* * * * *" (Europe/Berlin)' in told
    assert f"--service-account {RELEASE} --role-arn ROLE" in told
    assert pod["spec"]["serviceAccountName"] == RELEASE
    assert contains(pod["spec"], pod_of(template(tmp_path, values)))
    [job] = kube.list(JOBS)["items"]
    assert job["spec"]["backoffLimit"] == 0
    assert job["metadata"]["ownerReferences"][0]["kind"] == "CronJob"


@pytest.mark.controlplane
@pytest.mark.helm
def test_workers_are_pods_with_a_number_and_an_upgrade_puts_others_in_their_place(
    release: Release, tmp_path: Path
) -> None:
    values = {**values_of("workers"), "workers": {"count": 3}}
    release.put(written(tmp_path, values))
    index = "batch.kubernetes.io/job-completion-index"
    first = release.pods(3)
    assert sorted(pod["metadata"]["annotations"][index] for pod in first) == ["0", "1", "2"]

    values["batch"] = {"extraArgs": ["--wave", "2"]}
    release.put(written(tmp_path, values))
    after = wait_for("the new pods alone", lambda: newer(release.pods(3), first))

    assert all(pod["spec"]["containers"][0]["args"][-2:] == ["--wave", "2"] for pod in after)
    assert [job["metadata"]["name"] for job in release.server.kube.list(JOBS)["items"]] == [f"{RELEASE}-2"]


def newer(pods: list[Json], than: list[Json]) -> list[Json]:
    """The pods, if none is one of those."""
    old = {pod["metadata"]["uid"] for pod in than}
    return [] if old & {pod["metadata"]["uid"] for pod in pods} else pods


@pytest.mark.controlplane
@pytest.mark.helm
def test_the_journal_stays_when_the_release_goes(release: Release, tmp_path: Path) -> None:
    release.put(written(tmp_path, values_of("cron")))
    kube, claim = release.server.kube, resource_path("v1", "persistentvolumeclaims", NAMESPACE, f"{RELEASE}-state")
    before = kube.get(claim)
    release.helm("uninstall", RELEASE, "--wait")

    assert kube.find(CRONJOB) is None
    assert kube.get(claim)["metadata"]["uid"] == before["metadata"]["uid"]
    release.put(written(tmp_path, values_of("cron")))
    assert kube.get(claim)["metadata"]["uid"] == before["metadata"]["uid"]


@pytest.mark.controlplane
@pytest.mark.helm
def test_the_group_may_do_what_the_page_says_and_no_more(release: Release, tmp_path: Path) -> None:
    release.put(written(tmp_path, values_of("cron")))

    def allowed(one: Triple) -> bool:
        spec = {"user": "someone", "groups": ["irsa-migrator"], **one.asked}
        path = resource_path("authorization.k8s.io/v1", "subjectaccessreviews")
        return bool(release.server.kube.create(path, {"spec": spec})["status"]["allowed"])

    wait_for("the binding is in force", lambda: allowed(Triple("", "nodes", "list")))
    assert {one for one in NEEDED | FINDINGS if not allowed(one)} == set()
    beyond = {Triple("", "pods", "delete"), Triple("", "secrets", "get"), Triple("apps", "deployments", "update")}
    assert {one for one in beyond if allowed(one)} == set()


def contains(whole: Any, part: Any) -> bool:
    """Whether all of a part is in the whole; lists may be longer, since admission adds volumes and mounts."""
    if isinstance(part, dict):
        return all(name in whole and contains(whole[name], value) for name, value in part.items())
    if isinstance(part, list):
        return all(any(contains(one, value) for one in whole) for value in part)
    return json.dumps(whole) == json.dumps(part)
