"""What we change on a cluster: an annotation of a ServiceAccount, a pod template's restart stamp, pods by eviction.

All are safe to repeat. A lost answer leaves us unsure whether the change was made, so before any repeat the object is
read again: what is already as wanted is done, and what somebody else changed is a conflict.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from migrator.adapters.kube.connection import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, KubeConnection
from migrator.adapters.kube.errors import CONFLICT, Refusal, held_by_budget, transient
from migrator.adapters.kube.pages import decoded
from migrator.adapters.kube.paths import path_of, pointer
from migrator.adapters.kube.rollout import STAMP, rollout
from migrator.adapters.kube.structs import AccountObject, Meta
from migrator.adapters.kube.workload_structs import WorkloadObject
from migrator.adapters.kube.workloads import RESTARTABLE
from migrator.model.errors import Rejected
from migrator.model.facts import Pod, ServiceAccount, WorkloadRef

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_QUERY = {"fieldManager": "irsa-migrator"}
BUDGET = "budget"
_ROUNDS = 5  # another writer's unrelated change makes a stale version: look again, that often


@dataclass(frozen=True, slots=True)
class KubeWrites:
    """Changes on one cluster; `now` gives RFC 3339 for the restart annotation."""

    connect: Callable[[], KubeConnection]
    now: Callable[[], str]

    def remove_annotation(self, account: ServiceAccount, key: str) -> None:
        """Takes out one key, and only if it still has the value seen in `account` and the object is the same (uid).

        Raises:
            Rejected: reason `conflict` when somebody changed it meanwhile.
        """
        if key not in account.annotations:
            raise _conflict(account, f'annotation "{key}" was not there')
        path = pointer("metadata", "annotations", key)
        body = [
            {"op": "test", "path": pointer("metadata", "uid"), "value": account.uid},
            {"op": "test", "path": path, "value": account.annotations[key]},
            {"op": "remove", "path": path},
        ]
        tried = False

        def patch() -> None:
            nonlocal tried
            if tried and _gone(self._live(account), account, key):
                return
            tried = True
            self._patch(account, body)

        doing = f'taking annotation "{key}" out of ServiceAccount "{account.namespace}/{account.name}"'
        self._settle(patch, account, key, doing)

    def add_annotation(self, account: ServiceAccount, key: str, value: str) -> None:
        """Puts one key in, and only if it is absent and the object is the same (uid).

        A JSON patch cannot test that a key is absent; it tests the version of the object in which it was seen so.

        Raises:
            Rejected: reason `conflict` when somebody changed it meanwhile.
        """
        doing = f'putting annotation "{key}" on ServiceAccount "{account.namespace}/{account.name}"'
        tried = False

        def patch() -> None:
            nonlocal tried
            for _ in range(_ROUNDS):
                live = self._live(account)
                held = (live.annotations or {}).get(key)
                if live.uid != account.uid or (held is not None and not (tried and held == value)):
                    raise _conflict(account, f'annotation "{key}" is there already, or the object was made anew')
                if held == value:
                    return
                tried = True
                if self._added(account, live, key, value):
                    return
            raise _conflict(account, "it went on being changed by somebody else")

        self.connect().run(patch, doing=doing)

    def restart(self, ref: WorkloadRef, stamp: str) -> None:
        """Stamps the pod template as `kubectl rollout restart` does, and with our own stamp; its controller rolls.

        An Argo Rollout gets `spec.restartAt`, and our stamp on itself: a changed template would be a new canary. Each
        attempt holds for the version that was seen without the stamp: one that is stuck on its way while a runner that
        takes over stamps it comes too late, and restarts nothing.

        Raises:
            Rejected: reason `no-rollout` for a kind without one, `NotFound` when it is gone, `conflict` when it is
                changed again and again meanwhile.
        """
        if ref.kind not in RESTARTABLE:
            raise Rejected(f'a {ref.kind} has no rollout: "{ref.namespace}/{ref.name}"', reason="no-rollout")
        if ref.kind == "Rollout":
            body, content_type = _restart_at(self.now(), stamp), MERGE_PATCH  # a custom kind has no strategic patch
        else:
            stamps = {RESTARTED_AT: self.now(), STAMP: stamp}
            body, content_type = {"spec": {"template": {"metadata": {"annotations": stamps}}}}, STRATEGIC_PATCH
        doing = f'restarting {ref.kind} "{ref.namespace}/{ref.name}"'

        def patch() -> None:
            for _ in range(_ROUNDS):
                live = self._workload(ref, doing)
                if rollout(ref.kind, live).stamp == stamp or self._stamped(ref, live.metadata, body, content_type):
                    return
            raise Rejected("it went on being changed by somebody else", reason=CONFLICT, doing=doing)

        self.connect().run(patch, doing=doing)

    def evict(self, pod: Pod) -> None:
        """Asks for this very pod (uid) to go, within its PodDisruptionBudgets; one that is gone already is well.

        Raises:
            Rejected: reason `budget` while a PodDisruptionBudget does not allow it.
        """
        meta = {"name": pod.name, "namespace": pod.namespace}
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": pod.uid}}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta, "deleteOptions": options}
        path = f"{path_of('Pod', pod.namespace, pod.name)}/eviction"
        doing = f'evicting pod "{pod.namespace}/{pod.name}"'

        def post() -> None:
            try:
                self.connect().once("POST", path, body=body)
            except Refusal as error:
                if held_by_budget(error):
                    raise Rejected(error.budget or error.message, reason=BUDGET, doing=doing) from error
                if not _other_pod(error):
                    raise

        self.connect().run(post, doing=doing, worth=transient)

    def _workload(self, ref: WorkloadRef, doing: str) -> WorkloadObject:
        body = self.connect().once("GET", path_of(ref.kind, ref.namespace, ref.name))
        return decoded(body, WorkloadObject, doing=doing)

    def _stamped(self, ref: WorkloadRef, live: Meta, body: Mapping[str, Any], content_type: str) -> bool:
        """Whether the patch went through; False when the version was stale."""
        seen = {"resourceVersion": live.resource_version, "uid": live.uid}
        versioned = {**body, "metadata": {**body.get("metadata", {}), **seen}}
        path = path_of(ref.kind, ref.namespace, ref.name)
        try:
            self.connect().once("PATCH", path, query=_QUERY, body=versioned, content_type=content_type)
        except Refusal as error:
            if error.conflict:
                return False
            raise
        return True

    def _settle(self, patch: Callable[[], None], account: ServiceAccount, key: str, doing: str) -> None:
        try:
            self.connect().run(patch, doing=doing)
        except Rejected as error:
            if error.reason != CONFLICT:
                raise
            raise _conflict(account, f'annotation "{key}" or the object itself was changed') from error

    def _added(self, account: ServiceAccount, live: Meta, key: str, value: str) -> bool:
        """Whether the patch went through; False when the version was stale."""
        change: dict[str, Any] = {"op": "add", "path": pointer("metadata", "annotations", key), "value": value}
        if live.annotations is None:
            change = {"op": "add", "path": pointer("metadata", "annotations"), "value": {key: value}}
        tests = (("uid", account.uid), ("resourceVersion", live.resource_version))
        body = [*({"op": "test", "path": pointer("metadata", name), "value": seen} for name, seen in tests), change]
        try:
            self._patch(account, body)
        except Refusal as error:
            if error.conflict:
                return False
            raise
        return True

    def _patch(self, account: ServiceAccount, body: list[dict[str, Any]]) -> None:
        path = path_of("ServiceAccount", account.namespace, account.name)
        self.connect().once("PATCH", path, query=_QUERY, body=body, content_type=JSON_PATCH)

    def _live(self, account: ServiceAccount) -> Meta:
        body = self.connect().once("GET", path_of("ServiceAccount", account.namespace, account.name))
        return decoded(
            body, AccountObject, doing=f'reading ServiceAccount "{account.namespace}/{account.name}"'
        ).metadata


def _restart_at(now: str, stamp: str) -> dict[str, Any]:
    """The second after `now`: Argo replaces only pods created before it, and creation times are whole seconds."""
    moment = datetime.fromisoformat(now).replace(microsecond=0) + timedelta(seconds=1)
    return {
        "metadata": {"annotations": {STAMP: stamp}},
        "spec": {"restartAt": moment.strftime("%Y-%m-%dT%H:%M:%SZ")},
    }


def _other_pod(error: Refusal) -> bool:
    """Gone, or one of the same name in its place: the API server answers a wrong uid with 409."""
    return error.status == 404 or error.conflict


def _gone(live: Meta, account: ServiceAccount, key: str) -> bool:
    return live.uid == account.uid and key not in (live.annotations or {})


def _conflict(account: ServiceAccount, why: str) -> Rejected:
    text = f'ServiceAccount "{account.namespace}/{account.name}" was changed meanwhile: {why}'
    return Rejected(text, reason=CONFLICT, remedy="look at what changed it, then plan again")
