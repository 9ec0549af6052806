"""Keeps asking a service's pods who they are, from inside, and says at the end whether there ever was a gap.

Run as `python -m migrator.lab.asking DIRECTORY SERVICE`; SIGTERM or SIGINT ends it. Exit status 1 if a ready pod had no
credentials. Each question is a real call to STS with the credentials of the pod's own identity.
"""

import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websocket

from migrator.lab.daemon import running
from migrator.lab.inpod import run_in_pod
from migrator.lab.kubeclient import KubeClient, KubeError
from migrator.lab.record import RunningCluster

_ASK = ("aws", "sts", "get-caller-identity")
_PAUSE = 0.1


@dataclass
class Tally:
    """What was answered: sessions by mechanism, refusals, and the longest time in which nobody answered."""

    answers: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    rounds: int = 0
    longest: float = 0.0
    last: float = field(default_factory=time.monotonic)

    def answered(self, arn: str) -> None:
        """Counts an answer; Pod Identity's sessions are named `eks-CLUSTER-POD-...`, all others came by IRSA."""
        now = time.monotonic()
        self.longest, self.last = max(self.longest, now - self.last), now
        self.answers["Pod Identity" if "/eks-" in arn else "IRSA"] += 1

    def summary(self) -> str:
        """One line for people."""
        by = ", ".join(f"{count} by {mechanism}" for mechanism, count in sorted(self.answers.items()))
        asked = sum(self.answers.values()) + len(self.refused)
        gap = "no gap" if not self.refused else f"{len(self.refused)} without credentials, first: {self.refused[0]}"
        silence = f"never longer than {self.longest:.1f} s without an answer"
        return f"asked {asked} times in {self.rounds} rounds: {by or 'no answers'}; {gap}, {silence}"


class Asking:
    """The loop over one service's pods."""

    def __init__(self, cluster: RunningCluster, namespace: str, service_account: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._account = service_account
        self.tally = Tally()

    def round(self, kube: KubeClient) -> None:
        """Asks every ready pod once. A pod that is on its way out, or has gone meanwhile, does not count."""
        self.tally.rounds += 1
        for name in self._ready(kube):
            problem = self._ask(name)
            if problem and name in self._ready(kube):
                self.tally.refused.append(f"{name}: {problem}")

    def _ready(self, kube: KubeClient) -> list[str]:
        found = kube.list(
            f"/api/v1/namespaces/{self._namespace}/pods", fieldSelector=f"spec.serviceAccountName={self._account}"
        )
        return [pod["metadata"]["name"] for pod in found["items"] if is_ready(pod)]

    def _ask(self, pod: str) -> str:
        try:
            ran = run_in_pod(self._cluster, self._namespace, pod, _ASK)
        except (OSError, websocket.WebSocketException) as error:
            return str(error)
        if ran.code != 0:
            return ran.stderr.strip()
        self.tally.answered(json.loads(ran.stdout)["Arn"])
        return ""


def is_ready(pod: Any) -> bool:
    """Whether the pod can be asked: ready, and not on its way out."""
    conditions = pod["status"].get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def main(arguments: Sequence[str]) -> int:
    """Asks until told to stop, then prints the tally."""
    directory, service = arguments
    alias, namespace, account = service.split("/")
    lab = running(Path(directory))
    if lab is None:
        sys.stderr.write(f'no practice fleet runs in "{directory}"\n')
        return 2
    cluster = next(one for one in lab.clusters if one.alias == alias)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught, _frame: stopping.append(caught))
    asking = Asking(cluster, namespace, account)
    with KubeClient(cluster.url, cluster.ca_pem, cluster.token) as kube:
        while not stopping:
            try:
                asking.round(kube)
            except KubeError as error:
                asking.tally.refused.append(str(error))
            time.sleep(_PAUSE)
    sys.stdout.write(asking.tally.summary() + "\n")
    return 1 if asking.tally.refused or not asking.tally.answers else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
