"""Moves pods along: bound, started, ready, crashed, finished, gone."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeclient import KubeError, resource_path
from migrator.lab.nodes import podstatus
from migrator.lab.nodes.environment import Environments, MissingReferenceError
from migrator.lab.nodes.fate import Fate, fate_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from migrator.lab.kubeclient import KubeClient
    from migrator.lab.nodes.scheduler import Scheduler

Json = dict[str, Any]
_FINISHED = frozenset({"Succeeded", "Failed"})
_LONGEST_BACKOFF = 60.0
_HELD = 0.5
_CRASH = Fate(0.0, 1)


def now_text() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Lifecycle:
    """Brings one pod at a time up to date.

    `delay` is the time a pod takes to start and to stop, `backoff` the first wait after a crash. A slower or
    less reliable node is made by giving it other values here. `trouble` tells what is wrong with a pod: `holds` keeps
    it from getting ready, `crashes` lets every container end at once; nothing if it is empty.
    """

    def __init__(
        self,
        kube: KubeClient,
        nodes: Container[str],
        scheduler: Scheduler,
        environments: Environments,
        *,
        delay: float,
        backoff: float,
    ) -> None:
        self._kube, self._nodes, self._scheduler = kube, nodes, scheduler
        self._environments = environments
        self._delay, self._backoff = delay, backoff
        self.trouble: Callable[[Json], str] = lambda _pod: ""
        self._since: dict[str, float] = {}
        self._addresses = itertools.count(1)

    def reconcile(self, pod: Json) -> float | None:
        """Make the pod's next move if it is due; the answer is when to look again."""
        node, uid = pod["spec"].get("nodeName"), pod["metadata"]["uid"]
        if "deletionTimestamp" in pod["metadata"]:
            return self._end(pod) if not node or node in self._nodes else None
        if not node:
            return self._schedule(pod)
        self._scheduler.seen(uid)
        if node not in self._nodes or pod.get("status", {}).get("phase") in _FINISHED:
            return None
        if pod.get("status", {}).get("phase") != "Running":
            return self._start(pod)
        return self._run(pod)

    def forget(self, pod: Json) -> None:
        """Drop what is remembered of a pod that is gone."""
        uid = pod["metadata"]["uid"]
        self._since.pop(uid, None)
        self._since.pop("end " + uid, None)
        self._scheduler.seen(uid)
        self._environments.forget(uid)

    def _schedule(self, pod: Json) -> float | None:
        message = self._scheduler.place(pod)
        if not message:
            return None
        found = podstatus.unschedulable(pod, message, now_text())
        known = (pod.get("status") or {}).get("conditions") or []
        if found not in known:
            others = [one for one in known if one["type"] != "PodScheduled"]
            self._write(pod, {"phase": "Pending", "conditions": [*others, found]})
        return 2.0

    def _start(self, pod: Json) -> float | None:
        left = self._left(pod["metadata"]["uid"], self._delay)
        if left > 0:
            return left
        if self.trouble(pod) == "holds":
            self._write(pod, podstatus.waiting(pod, "ContainerCreating", "", now_text()))
            return _HELD
        try:
            self._environments.start(pod)
        except MissingReferenceError as error:
            status = podstatus.waiting(pod, "CreateContainerConfigError", str(error), now_text())
            self._write(pod, status)
            return 1.0
        self._since[pod["metadata"]["uid"]] = time.monotonic()
        address = "127.0.0.1" if pod["spec"].get("hostNetwork") else self._address()
        status, again = self._status(pod, address, 0.0)
        self._write(pod, status)
        return again

    def _run(self, pod: Json) -> float | None:
        uid = pod["metadata"]["uid"]
        started = self._since.setdefault(uid, time.monotonic())
        status, again = self._status(pod, pod["status"].get("podIP", ""), time.monotonic() - started)
        before = pod["status"]
        if _counts(before) != _counts(status) or before["phase"] != status["phase"]:
            self._write(pod, status)
        return again

    def _status(self, pod: Json, address: str, elapsed: float) -> tuple[Json, float | None]:
        """What the pod's status is that long after its start, and in how many seconds it changes."""
        policy = pod["spec"].get("restartPolicy", "Always")
        crashes: dict[str, tuple[int, int]] = {}
        codes: dict[str, int] = {}
        waits: list[float] = []
        trouble = self.trouble(pod)
        for container in pod["spec"]["containers"]:
            fate = _CRASH if trouble else fate_of(container, policy)
            if fate.seconds is None:
                continue
            if elapsed < fate.seconds:
                waits.append(fate.seconds - elapsed)
            elif policy == "Always" or (policy == "OnFailure" and fate.code):
                count, wait = restarts(fate, elapsed, self._backoff)
                crashes[container["name"]] = (fate.code, count)
                waits.append(wait)
            else:
                codes[container["name"]] = fate.code
        if len(codes) == len(pod["spec"]["containers"]):
            return podstatus.finished(pod, codes, now_text()), None
        return podstatus.running(pod, address, now_text(), crashes), min(waits, default=None)

    def _end(self, pod: Json) -> float | None:
        metadata = pod["metadata"]
        if metadata.get("deletionGracePeriodSeconds") == 0:
            return None
        left = self._left("end " + metadata["uid"], self._delay)
        if left > 0:
            return left
        path = resource_path("v1", "pods", metadata["namespace"], metadata["name"])
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        try:
            self._kube.delete(path, {"apiVersion": "v1", "kind": "DeleteOptions", **options})
        except KubeError as error:
            if error.status not in (404, 409):
                raise
        return None

    def _left(self, key: str, delay: float) -> float:
        since = self._since.setdefault(key, time.monotonic())
        return since + delay - time.monotonic()

    def _address(self) -> str:
        number = next(self._addresses)
        return f"10.{100 + (number >> 16) % 100}.{(number >> 8) % 256}.{number % 256}"

    def _write(self, pod: Json, status: Json) -> None:
        metadata = pod["metadata"]
        path = resource_path("v1", "pods", metadata["namespace"], metadata["name"], "status")
        try:
            self._kube.patch(path, {"metadata": {"uid": metadata["uid"]}, "status": status})
        except KubeError as error:
            if error.status not in (404, 409):
                raise


def restarts(fate: Fate, elapsed: float, backoff: float) -> tuple[int, float]:
    """How often a crashing container has been restarted by now, and in how many seconds it will be again."""
    count, ended = 1, fate.seconds or 0.0
    while True:
        following = ended + min(backoff * 2 ** (count - 1), _LONGEST_BACKOFF) + (fate.seconds or 0.0)
        if following > elapsed:
            return count, following - elapsed
        count, ended = count + 1, following


def _counts(status: Json) -> list[tuple[bool, int]]:
    return [(one["ready"], one["restartCount"]) for one in status.get("containerStatuses") or []]
