"""Follows every pod, ServiceAccount and workload of a practice fleet by watches, and remembers what they went through.

It knows the public Kubernetes API only, so what it tells is independent of the program under test and of the fleet.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import urllib3

from migrator.lab.kubeclient import KubeClient, KubeError, Watch

ROLE_KEY = "eks.amazonaws.com/role-arn"
STAMP = "irsa-migrator/restart"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
PODS, ACCOUNTS = "/api/v1/pods", "/api/v1/serviceaccounts"
FOLLOWED = (
    PODS,
    ACCOUNTS,
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/statefulsets",
    "/apis/apps/v1/daemonsets",
)
_CAUGHT_UP = 20.0


@dataclass
class PodLife:
    """One pod, as the watch told of it; times are seconds since the epoch, None for what has not happened.

    `ready` is a span: not before its own word, which counts whole seconds, and not after the watch told of it.
    `leaving` is when somebody asked for its end, in whole seconds. `well` is whether it is ready and stays.
    """

    cluster: str
    namespace: str
    name: str
    uid: str
    account: str
    owner: str
    identity: str
    born: float
    ready: tuple[float, float] | None = None
    leaving: float | None = None
    finished: bool = False
    well: bool = False


@dataclass(frozen=True)
class Annotated:
    """A ServiceAccount's role annotation took this value; `manager` set it, where that can be told.

    `uid` is empty when the ServiceAccount itself is gone.
    """

    at: float
    cluster: str
    namespace: str
    account: str
    uid: str
    value: str | None
    manager: str


@dataclass(frozen=True)
class Stamped:
    """A workload's pod template took this restart stamp."""

    at: float
    cluster: str
    namespace: str
    workload: str
    account: str
    stamp: str
    restarted_at: str


@dataclass
class Witness:
    """Everything seen on one cluster, from `start()` on."""

    cluster: str
    kube: KubeClient
    pods: dict[str, PodLife] = field(default_factory=dict)
    annotated: list[Annotated] = field(default_factory=list)
    stamped: list[Stamped] = field(default_factory=list)
    _versions: dict[str, dict[str, str]] = field(default_factory=dict)
    _watches: list[Watch] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Lists everything, and follows it from there."""
        for path in FOLLOWED:
            version = self._list(path)
            thread = threading.Thread(target=self._follow, args=(path, version), name=f"witness {path}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Ends every watch."""
        self._stopping.set()
        with self._guard:
            for watch in self._watches:
                watch.close()
        for thread in self._threads:
            thread.join()

    def caught_up(self) -> None:
        """Returns when everything that the API lists now has been seen.

        Raises:
            AssertionError: a watch lags for good.
        """
        until = time.monotonic() + _CAUGHT_UP
        behind = self._behind()
        while behind:
            assert time.monotonic() < until, f"the witness of {self.cluster} has not seen {behind}"
            time.sleep(0.05)
            behind = self._behind()

    def _behind(self) -> list[str]:
        late: list[str] = []
        for path in FOLLOWED:
            listed = {one["metadata"]["uid"]: one["metadata"] for one in self.kube.list(path)["items"]}
            with self._guard:
                seen = dict(self._versions.get(path, {}))
            late += [
                f"{path}/{meta['name']}"
                for uid, meta in listed.items()
                if int(seen.get(uid, "0")) < int(meta["resourceVersion"])
            ]
        return late

    def _follow(self, path: str, version: str) -> None:
        while not self._stopping.is_set():
            try:
                watch = self.kube.watch(path, version)
                with self._guard:
                    self._watches.append(watch)
                    if self._stopping.is_set():  # it was opened while the others were closed
                        watch.close()
                for event in watch:
                    if event["type"] == "ERROR":
                        break
                    version = event["object"]["metadata"]["resourceVersion"]
                    self._take(path, event["type"], event["object"])
            except (KubeError, OSError, urllib3.exceptions.HTTPError):
                if self._stopping.wait(0.1):  # a fault of the fleet's hit the witness too: it looks again
                    return
                version = self._list_again(path, version)

    def _list_again(self, path: str, version: str) -> str:
        try:
            return self._list(path)
        except (KubeError, OSError, urllib3.exceptions.HTTPError):
            return version

    def _list(self, path: str) -> str:
        page = self.kube.list(path)
        for item in page["items"]:
            self._take(path, "ADDED", item)
        return str(page["metadata"]["resourceVersion"])

    def _take(self, path: str, kind: str, item: Mapping[str, Any]) -> None:
        if kind == "BOOKMARK":
            return
        with self._guard:
            self._versions.setdefault(path, {})[item["metadata"]["uid"]] = item["metadata"]["resourceVersion"]
            if path == PODS:
                self._pod(kind, item)
            elif path == ACCOUNTS:
                self._account(kind, item)
            else:
                self._workload(path, kind, item)

    def _pod(self, kind: str, item: Mapping[str, Any]) -> None:
        meta, now = item["metadata"], time.time()
        life = self.pods.get(meta["uid"])
        if life is None:
            account = item["spec"].get("serviceAccountName", "default")
            owner = next((one["kind"] for one in meta.get("ownerReferences") or [] if one.get("controller")), "")
            life = PodLife(
                cluster=self.cluster,
                namespace=meta["namespace"],
                name=meta["name"],
                uid=meta["uid"],
                account=account,
                owner=owner,
                identity=identity_of(item),
                born=now,
            )
            self.pods[life.uid] = life
        ready = _ready_since(item)
        life.well = kind != "DELETED" and ready is not None and "deletionTimestamp" not in meta
        life.finished = item.get("status", {}).get("phase") in {"Succeeded", "Failed"}
        if ready is not None and life.ready is None:
            life.ready = (ready, now)
        if life.leaving is None and (kind == "DELETED" or "deletionTimestamp" in meta):
            life.leaving = _asked_to_go(meta, now)

    def _account(self, kind: str, item: Mapping[str, Any]) -> None:
        meta = item["metadata"]
        gone = kind == "DELETED"
        uid, value = ("", None) if gone else (meta["uid"], (meta.get("annotations") or {}).get(ROLE_KEY))
        before = next(
            (one for one in reversed(self.annotated) if (one.namespace, one.account) == _names(meta)),
            None,
        )
        if before is not None and (before.uid, before.value) == (uid, value):
            return
        self.annotated.append(
            Annotated(time.time(), self.cluster, *_names(meta), uid=uid, value=value, manager=_setter(meta))
        )

    def _workload(self, path: str, kind: str, item: Mapping[str, Any]) -> None:
        template = item["spec"]["template"]
        marks = template.get("metadata", {}).get("annotations") or {}
        stamp, when = marks.get(STAMP, ""), marks.get(RESTARTED_AT, "")
        meta = item["metadata"]
        workload = f"{path.rpartition('/')[2]}/{meta['name']}/{meta['uid']}"
        last = next((one for one in reversed(self.stamped) if one.workload == workload), None)
        if kind == "DELETED" or (last.stamp, last.restarted_at) == (stamp, when) if last else not stamp:
            return
        account = template["spec"].get("serviceAccountName", "default")
        self.stamped.append(Stamped(time.time(), self.cluster, meta["namespace"], workload, account, stamp, when))


def identity_of(pod: Mapping[str, Any]) -> str:
    """How its containers get credentials, by their variables: `irsa`, `pod-identity`, `both`, `keys`, `part` or `none`.

    `part` is a pod some of whose containers have nothing; those that the pod exempts do not count.
    """
    annotations = pod["metadata"].get("annotations") or {}
    exempt = {name.strip() for name in annotations.get("eks.amazonaws.com/skip-containers", "").split(",")}
    spec = pod["spec"]
    containers = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    kinds = {_kind({env["name"] for env in one.get("env") or ()}) for one in containers if one["name"] not in exempt}
    if len(kinds) == 1:
        return kinds.pop()
    return "part" if "none" in kinds else "both" if kinds else "none"


def _kind(names: set[str]) -> str:
    if "AWS_ACCESS_KEY_ID" in names:
        return "keys"
    irsa, served = "AWS_WEB_IDENTITY_TOKEN_FILE" in names, "AWS_CONTAINER_CREDENTIALS_FULL_URI" in names
    if irsa and served:
        return "both"
    return "irsa" if irsa else "pod-identity" if served else "none"


def _names(meta: Mapping[str, Any]) -> tuple[str, str]:
    return meta["namespace"], meta["name"]


def _ready_since(pod: Mapping[str, Any]) -> float | None:
    conditions: Sequence[Mapping[str, Any]] = pod.get("status", {}).get("conditions") or ()
    ready = [one for one in conditions if (one["type"], one["status"]) == ("Ready", "True")]
    return moment(ready[0]["lastTransitionTime"]) if ready else None


def _asked_to_go(meta: Mapping[str, Any], now: float) -> float:
    """`deletionTimestamp` is when it will be gone: the grace period after the asking."""
    if "deletionTimestamp" not in meta:
        return now
    return moment(meta["deletionTimestamp"]) - float(meta.get("deletionGracePeriodSeconds") or 0)


def moment(text: str) -> float:
    """RFC 3339 as seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


def _setter(meta: Mapping[str, Any]) -> str:
    """The field manager that owns the role annotation, or an empty text."""
    for entry in meta.get("managedFields") or ():
        fields = entry.get("fieldsV1", {}).get("f:metadata", {}).get("f:annotations", {})
        if f"f:{ROLE_KEY}" in fields:
            return str(entry.get("manager", ""))
    return ""
