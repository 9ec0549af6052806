"""What is changed on a cluster, against a server that says what it is told: annotations, restart stamps, evictions."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.writes import KubeWrites
from migrator.model.errors import Rejected
from migrator.model.facts import Pod, PodSpec, ServiceAccount, WorkloadRef
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.support import Time, in_turn, status

KEY = "eks.amazonaws.com/role-arn"
ROLE = "arn:aws:iam::111111111111:role/web"
ACCOUNT = ServiceAccount(namespace="shop", name="web", uid="u1", annotations={KEY: ROLE, "other": "x"})
TEST_FAILED = "the server rejected our request due to an error in our request"


class Account:
    """A ServiceAccount behind the server; `mishap` may lose an answer, or change the object before a patch."""

    def __init__(
        self, annotations: dict[str, str], mishap: Callable[["Account"], bool] = lambda _account: False
    ) -> None:
        self.annotations = annotations
        self.version = 1
        self.patches = 0
        self.mishap = mishap

    def __call__(self, asked: Asked) -> Said:
        if asked.method == "GET":
            return self._shown()
        self.patches += 1
        lost = self.mishap(self)
        said = self._patched(json.loads(asked.body))
        return Said(lost=True) if lost else said

    def _shown(self) -> Said:
        meta: dict[str, Any] = {"namespace": "shop", "name": "web", "uid": "u1", "resourceVersion": str(self.version)}
        if self.annotations:
            meta["annotations"] = self.annotations
        return Said(body=json.dumps({"metadata": meta}).encode())

    def _patched(self, operations: list[dict[str, Any]]) -> Said:
        seen = {"/metadata/uid": "u1", "/metadata/resourceVersion": str(self.version)}
        seen |= {f"/metadata/annotations/{key.replace('/', '~1')}": value for key, value in self.annotations.items()}
        for operation in operations:
            if operation["op"] == "test" and seen.get(operation["path"]) != operation["value"]:
                return status(422, "Invalid", TEST_FAILED)
        change = operations[-1]
        if change["op"] == "remove":
            del self.annotations[KEY]
        else:
            self.annotations |= change["value"] if isinstance(change["value"], dict) else {KEY: change["value"]}
        self.version += 1
        return self._shown()


def writes(connection: KubeConnection) -> KubeWrites:
    return KubeWrites(lambda: connection, lambda: "2026-01-02T03:04:05Z")


def lost_once(account: Account) -> bool:
    return account.patches == 1


def test_annotation_comes_out(server: Server, connection: KubeConnection) -> None:
    account = server.answer = Account({KEY: ROLE, "other": "x"})
    writes(connection).remove_annotation(ACCOUNT, KEY)
    assert account.annotations == {"other": "x"}
    (asked,) = server.asked
    assert asked.headers["content-type"] == "application/json-patch+json"
    assert asked.query == {"fieldManager": "irsa-migrator"}


def test_annotation_comes_out_once_though_the_answer_was_lost(server: Server, connection: KubeConnection) -> None:
    account = server.answer = Account({KEY: ROLE}, lost_once)
    writes(connection).remove_annotation(ACCOUNT, KEY)
    assert (account.annotations, account.patches) == ({}, 1)


def test_changed_value_is_left_alone(server: Server, connection: KubeConnection) -> None:
    account = server.answer = Account({KEY: "another"})
    with pytest.raises(Rejected, match="was changed meanwhile") as refused:
        writes(connection).remove_annotation(ACCOUNT, KEY)
    assert (refused.value.reason, account.annotations) == ("conflict", {KEY: "another"})


@pytest.mark.parametrize("others", [{}, {"other": "x"}])
def test_annotation_goes_back_in(server: Server, connection: KubeConnection, others: dict[str, str]) -> None:
    account = server.answer = Account(dict(others))
    writes(connection).add_annotation(ACCOUNT, KEY, ROLE)
    assert account.annotations == {**others, KEY: ROLE}


def test_annotation_goes_in_once_though_the_answer_was_lost(server: Server, connection: KubeConnection) -> None:
    account = server.answer = Account({}, lost_once)
    writes(connection).add_annotation(ACCOUNT, KEY, ROLE)
    assert (account.annotations, account.patches) == ({KEY: ROLE}, 1)


def test_unrelated_change_in_between_is_survived(server: Server, connection: KubeConnection) -> None:
    def meanwhile(account: Account) -> bool:
        if account.patches == 1:
            account.annotations["other"] = "new"
            account.version += 1
        return False

    account = server.answer = Account({}, meanwhile)
    writes(connection).add_annotation(ACCOUNT, KEY, ROLE)
    assert account.annotations == {"other": "new", KEY: ROLE}


def test_foreign_value_is_not_overwritten(server: Server, connection: KubeConnection) -> None:
    account = server.answer = Account({KEY: ROLE})
    with pytest.raises(Rejected) as refused:
        writes(connection).add_annotation(ACCOUNT, KEY, ROLE)
    assert (refused.value.reason, account.patches) == ("conflict", 0)


@dataclass
class Controller:
    """One workload that an API server has; what happens just before each patch is up to the test."""

    meanwhile: Callable[["Controller"], None] = lambda _self: None
    version: int = 1
    stamps: dict[str, str] = field(default_factory=dict)
    patches: list[Asked] = field(default_factory=list)

    def __call__(self, request: Asked) -> Said:
        if request.method == "PATCH":
            self.patches.append(request)
            self.meanwhile(self)
            body = json.loads(request.body)
            if body["metadata"]["resourceVersion"] != str(self.version):
                return status(409, "Conflict", "the object has been modified")
            self.version += 1
            self.stamps = body.get("spec", {}).get("template", body)["metadata"]["annotations"]
        meta = {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": str(self.version)}
        template = {"metadata": {"annotations": self.stamps}}
        return Said(
            200, json.dumps({"metadata": {**meta, "annotations": self.stamps}, "spec": {"template": template}}).encode()
        )


DAEMONS = WorkloadRef(kind="DaemonSet", namespace="shop", name="web")
SEEN = {"resourceVersion": "1", "uid": "u1"}


def test_restart_stamps_the_template(server: Server, connection: KubeConnection) -> None:
    controller = server.answer = Controller()
    writes(connection).restart(DAEMONS, "run-1")
    (asked,) = controller.patches
    stamps = {"kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z", "irsa-migrator/restart": "run-1"}
    body = {"metadata": SEEN, "spec": {"template": {"metadata": {"annotations": stamps}}}}
    assert json.loads(asked.body) == body
    assert asked.headers["content-type"] == "application/strategic-merge-patch+json"
    assert asked.path == "/apis/apps/v1/namespaces/shop/daemonsets/web"


def test_restart_of_an_argo_rollout_is_one_patch(server: Server, connection: KubeConnection) -> None:
    """Time and stamp together; the second after now, since a pod made in this very second would not be older."""
    controller = server.answer = Controller()
    writes(connection).restart(WorkloadRef(kind="Rollout", namespace="shop", name="web"), "run-1")
    (asked,) = controller.patches
    assert json.loads(asked.body) == {
        "metadata": {"annotations": {"irsa-migrator/restart": "run-1"}, **SEEN},
        "spec": {"restartAt": "2026-01-02T03:04:06Z"},
    }
    assert asked.headers["content-type"] == "application/merge-patch+json"
    assert asked.path == "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web"


def test_restart_holds_for_the_version_that_was_seen(server: Server, connection: KubeConnection) -> None:
    """Somebody else's change meanwhile: it is looked at again."""

    def scaled(controller: Controller) -> None:
        controller.version += len(controller.patches) == 1

    controller = server.answer = Controller(scaled)
    writes(connection).restart(DAEMONS, "run-1")
    assert (len(controller.patches), controller.stamps["irsa-migrator/restart"]) == (2, "run-1")


def test_a_restart_that_another_runner_made_meanwhile_is_not_made_again(
    server: Server, connection: KubeConnection
) -> None:
    def stamped(controller: Controller) -> None:
        controller.stamps, controller.version = {"irsa-migrator/restart": "run-1", "by": "another"}, 2

    controller = server.answer = Controller(stamped)
    writes(connection).restart(DAEMONS, "run-1")
    assert (len(controller.patches), controller.stamps["by"]) == (1, "another")


def test_a_workload_that_is_changed_all_the_time_is_not_restarted(server: Server, connection: KubeConnection) -> None:
    def changed(controller: Controller) -> None:
        controller.version += 1

    controller = server.answer = Controller(changed)
    with pytest.raises(Rejected, match="went on being changed") as refused:
        writes(connection).restart(DAEMONS, "run-1")
    assert (refused.value.reason, controller.stamps) == ("conflict", {})


POD = Pod(namespace="shop", name="web-1", uid="u1", spec=PodSpec())


def test_eviction_is_asked_again_of_a_busy_server(server: Server, connection: KubeConnection, time: Time) -> None:
    busy = status(429, "TooManyRequests", "too many requests, please try again later", Retry_After="7")
    server.answer = in_turn(busy, Said(201))
    writes(connection).evict(POD)
    first, second = (json.loads(asked.body) for asked in server.asked)
    assert first == second
    assert first["deleteOptions"]["preconditions"] == {"uid": "u1"}
    assert time.slept == [7]


@pytest.mark.parametrize(
    "said",
    [
        status(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."),
        status(500, "InternalError", "This pod has more than one PodDisruptionBudget, which the eviction subresource"),
    ],
    ids=["one budget", "several"],
)
def test_eviction_held_by_a_budget_is_asked_once(server: Server, connection: KubeConnection, said: Said) -> None:
    server.answer = in_turn(said)
    with pytest.raises(Rejected) as refused:
        writes(connection).evict(POD)
    assert (refused.value.reason, len(server.asked)) == ("budget", 1)


def test_jobs_are_not_restarted(connection: KubeConnection) -> None:
    with pytest.raises(Rejected, match="has no rollout"):
        writes(connection).restart(WorkloadRef(kind="Job", namespace="shop", name="web"), "run-1")
