"""The admission gate's pods: the workload's own with the volumes its controller would add, or a minimal one."""

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from migrator.adapters.kube.connection import JSON, KubeConnection
from migrator.adapters.kube.errors import Refusal, Where
from migrator.adapters.kube.gate import Gate
from migrator.adapters.kube.paths import path_of
from migrator.adapters.kube.reads import KubeReads
from migrator.adapters.retry import Retry
from migrator.model.errors import EnvironmentFault, MigrateError, NotPermitted

RBAC = 'pods is forbidden: User "ann" cannot create resource "pods" in API group "" in the namespace "shop"'
SPEC: dict[str, Any] = {
    "serviceAccountName": "web",
    "containers": [{"name": "app", "image": "app:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
}
Json = dict[str, Any]
Judge = Callable[[Json], tuple[int, str] | None]  # of a pod: the refusal's status and message, or None


class NoAuth:
    """A server that asks nobody who he is."""

    def header(self) -> str:
        return ""

    def renew(self, refused: str) -> None:
        raise AssertionError(refused)

    def complaint(self, *, worked: bool) -> MigrateError:
        raise AssertionError(worked)


def all_well(_pod: Json) -> None:
    return None


@dataclass
class Shop:
    """Namespace `shop` with one workload, and an API server that asks `judge` about each pod."""

    kind: str = "StatefulSet"
    spec: Json = field(default_factory=dict)
    judge: Judge = all_well
    pods: list[Json] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any) -> Any:
        """What the API server says."""
        if method == "POST":
            self.pods.append(json.loads(json.dumps(body)))
            refused = self.judge(body)
            if refused is not None:
                code, message = refused
                text = json.dumps({"kind": "Status", "reason": "No", "message": message})
                raise Refusal(method, path, code, text.encode())
            return body
        workload = {"metadata": {"namespace": "shop", "name": "web"}, "spec": self.spec}
        if path == path_of(self.kind, "shop", "web"):
            return workload
        return {"metadata": {}, "items": [workload] if self.spec and path == path_of(self.kind, "shop") else []}

    def gate(self) -> Gate:
        """The gate of this cluster."""
        where = Where(cluster="prod", endpoint="https://k.example")
        connection = Talk(
            where=where, context=ssl.create_default_context(), auth=NoAuth(), retry=Retry(sleep=lambda _seconds: None)
        )
        connection.shop = self
        return Gate(KubeReads(lambda: connection))


class Talk(KubeConnection):
    """A connection without a network."""

    shop: Shop

    def once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        fresh: bool = False,
    ) -> bytes:
        assert content_type == JSON
        assert accept
        if method == "POST":
            assert fresh
            assert query == {"dryRun": "All", "fieldManager": "irsa-migrator"}
        return json.dumps(self.shop.answer(method, path, body)).encode()


def stateful(*claims: str, volumes: list[Json] | None = None) -> Json:
    spec = {**SPEC, **({} if volumes is None else {"volumes": volumes})}
    return {
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec},
        "volumeClaimTemplates": [{"metadata": {"name": name}, "spec": {}} for name in claims],
    }


SCRATCH = {"name": "scratch", "emptyDir": {}}
DATA = {"name": "data", "persistentVolumeClaim": {"claimName": "shared"}}
VOLUMES: dict[str, tuple[Json, list[Json] | None]] = {
    "[claim] becomes an emptyDir": (stateful("data"), [{"name": "data", "emptyDir": {}}]),
    "[claims] beside the template's own": (
        stateful("data", "logs", volumes=[SCRATCH]),
        [SCRATCH, {"name": "data", "emptyDir": {}}, {"name": "logs", "emptyDir": {}}],
    ),
    "[there already] is left as it is": (stateful("data", volumes=[DATA]), [DATA]),
    "[no claims] nothing is added": (stateful(), None),
}


@pytest.mark.parametrize(("spec", "volumes"), VOLUMES.values(), ids=VOLUMES.keys())
def test_a_stateful_sets_claims(spec: Json, volumes: list[Json] | None) -> None:
    shop = Shop(spec=spec)

    assert shop.gate().probe("shop", "web").pod is not None
    assert [pod["spec"].get("volumes") for pod in shop.pods] == [volumes]


def test_a_cron_jobs_template_is_one_floor_down() -> None:
    template = {"metadata": {"labels": {"app": "nightly"}}, "spec": {**SPEC, "nodeName": "n", "hostname": "h"}}
    shop = Shop(kind="CronJob", spec={"jobTemplate": {"spec": {"template": template}}})

    assert shop.gate().probe("shop", "web").pod is not None
    assert [(pod["metadata"]["labels"], pod["spec"]) for pod in shop.pods] == [({"app": "nightly"}, SPEC)]


def only_own(code: int, message: str) -> Judge:
    """Refuses the workload's own pod only."""
    return lambda pod: (code, message) if pod["spec"]["containers"][0]["name"] == "app" else None


BESIDE_THE_POINT: dict[str, tuple[int, str]] = {
    "[quota]": (403, 'pods "x" is forbidden: exceeded quota: compute'),
    "[pod security]": (403, 'pods "x" is forbidden: violates PodSecurity "restricted:latest"'),
    "[webhook] with a code of its own": (400, 'admission webhook "policy.example" denied the request: no'),
    "[webhook] that fails": (500, 'failed calling webhook: admission webhook "policy.example" is away'),
    "[invalid]": (422, 'Pod "x" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "data"'),
}


@pytest.mark.parametrize(("code", "message"), BESIDE_THE_POINT.values(), ids=BESIDE_THE_POINT.keys())
def test_what_has_nothing_to_do_with_identity_is_gone_round(code: int, message: str) -> None:
    shop = Shop(spec=stateful("data"), judge=only_own(code, message))
    probe = shop.gate().probe("shop", "web")

    assert probe.refusal == ""
    assert probe.pod is not None
    assert probe.pod.spec.service_account == "web"
    assert [pod["spec"]["containers"][0]["name"] for pod in shop.pods] == ["app", "probe"]
    assert "labels" not in shop.pods[1]["metadata"]


def test_both_refusals_are_said() -> None:
    shop = Shop(
        spec=stateful("data"),
        judge=lambda pod: (403, f"no room for {pod['spec']['containers'][0]['name']}"),
    )
    probe = shop.gate().probe("shop", "web")

    assert probe.pod is None
    assert probe.refusal == "no room for app; a minimal pod is refused too: no room for probe"
    assert len(shop.pods) == 2


def test_without_a_workload_the_minimal_pod_is_tried_once() -> None:
    shop = Shop(judge=lambda _pod: (403, "exceeded quota"))
    probe = shop.gate().probe("shop", "web")

    assert (probe.pod, probe.refusal, len(shop.pods)) == (None, "exceeded quota", 1)


def test_another_refusal_is_the_answer() -> None:
    shop = Shop(spec=stateful(), judge=lambda _pod: (404, 'namespaces "shop" not found'))
    probe = shop.gate().probe("shop", "web")

    assert (probe.pod, probe.refusal, len(shop.pods)) == (None, 'namespaces "shop" not found', 1)


def test_a_missing_permission_is_no_answer() -> None:
    shop = Shop(spec=stateful(), judge=lambda _pod: (403, RBAC))

    with pytest.raises(NotPermitted, match='create "pods" in namespace "shop" is not permitted'):
        shop.gate().probe("shop", "web")
    assert len(shop.pods) == 1


def test_a_server_in_trouble_is_no_answer_either() -> None:
    shop = Shop(spec=stateful(), judge=lambda _pod: (503, "etcd is away"))

    with pytest.raises(EnvironmentFault, match="went on answering 503"):
        shop.gate().probe("shop", "web")
