"""Faults of the webhook, of pods and of add-ons."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from migrator.lab.aws.eks_state import Cluster as EksCluster
from migrator.lab.faults.board import Active, Board
from migrator.lab.faults.matching import ClusterName
from migrator.lab.faults.model import Fault, Json, named
from migrator.lab.nodes.agents import AGENT, NAME_LABEL
from migrator.lab.podrecord import identity_of

_CREATES = {"real": (False,), "dryRun": (True,), "all": (False, True)}
_KINDS = {"podIdentity": "pod-identity", "irsa": "irsa", "none": "none"}


class PodFaults:
    """What goes wrong with the pods of one cluster."""

    def __init__(self, board: Board, alias: str) -> None:
        self._board = board
        self._alias = alias

    def webhook_is_silent(self) -> bool:
        """Whether the webhook does not answer a question that has just come."""
        for one in self._on("webhookOff"):
            self._board.took(one, f"the webhook of {self._alias} did not answer")
            return True
        return False

    def overlooked(self, namespace: str, pod: Json, dry_run: bool) -> str:
        """`nothing` or `annotation` if the webhook overlooks this pod's association, else empty."""
        name = pod["metadata"].get("name") or pod["metadata"].get("generateName", "")
        account = pod["spec"].get("serviceAccountName") or "default"
        for one in self._on("webhookMisses"):
            given = one.fault.given
            about = named(given.get("serviceAccount"), namespace, account) and fnmatchcase(name, given.get("pods", "*"))
            if about and dry_run in _CREATES[given.get("creates", "real")] and one.turns.take():
                self._board.took(one, f"the webhook missed {namespace}/{name}", dry_run=dry_run)
                return str(given.get("leaves", "nothing"))
        return ""

    def trouble(self, pod: Json) -> str:
        """`holds`, `crashes` or nothing: what keeps a pod from getting ready."""
        labels = pod["metadata"].get("labels") or {}
        if labels.get(NAME_LABEL) == AGENT and self._agent_missing(pod):
            return "holds"
        return "crashes" if any(self._crashes(one, pod) for one in self._on("crashLoop")) else ""

    def _agent_missing(self, pod: Json) -> bool:
        node = str(pod["spec"].get("nodeName", ""))
        for one in self._on("agentMissing"):
            if fnmatchcase(node, one.fault.given.get("node", "*")):
                self._once(one, pod, f"the agent on {node} is kept from getting ready")
                return True
        return False

    def _crashes(self, one: Active, pod: Json) -> bool:
        """Decided once for each pod: those there when the fault begins are spared."""
        fault, uid = one.fault, pod["metadata"]["uid"]
        with one.lock:
            if uid in one.memory:
                return bool(one.memory[uid])
            doomed = _is_of(fault, pod) and self._is_new(one, pod) and one.turns.take()
            one.memory[uid] = doomed
        if doomed:
            self._board.took(one, f"{pod['metadata']['namespace']}/{pod['metadata']['name']} crashes")
        return doomed

    def _is_new(self, one: Active, pod: Json) -> bool:
        spared: frozenset[str] = one.memory.get(("spared", self._alias), frozenset())
        return pod["metadata"]["uid"] not in spared

    def _once(self, one: Active, pod: Json, what: str) -> None:
        uid = pod["metadata"]["uid"]
        with one.lock:
            if uid in one.memory:
                return
            one.memory[uid] = True
        self._board.took(one, what)

    def _on(self, kind: str) -> list[Active]:
        return [one for one in self._board.on(kind) if one.fault.on_cluster(self._alias)]


def _is_of(fault: Fault, pod: Json) -> bool:
    metadata = pod["metadata"]
    wanted = fault.given.get("identity", "any")
    if wanted != "any" and identity_of(pod) != _KINDS[wanted]:
        return False
    return any(named(fault.given["workload"], metadata["namespace"], name) for name in workload_names(pod))


def workload_names(pod: Json) -> list[str]:
    """What the workload of a pod may be called: by its owner's name, without a ReplicaSet's or Job's ending too."""
    owners = pod["metadata"].get("ownerReferences") or ()
    if not owners:
        return [pod["metadata"]["name"]]
    names = [owner["name"] for owner in owners]
    shortened = [owner["name"].rpartition("-")[0] for owner in owners if owner["kind"] in ("ReplicaSet", "Job")]
    return [*names, *(name for name in shortened if name)]


class SickAddons:
    """What EKS says of add-ons that are not well."""

    def __init__(self, board: Board, cluster_name: ClusterName) -> None:
        self._board = board
        self._cluster_name = cluster_name

    def said_of(self, cluster: EksCluster, name: str) -> Mapping[str, Any]:
        """Members of the `Addon` shape that take the place of the true ones."""
        spec = cluster.spec
        alias = self._cluster_name(spec.account, spec.region, spec.name) or ""
        for one in self._board.on("addonSick"):
            given = one.fault.given
            if one.fault.on_cluster(alias) and given.get("addon", AGENT) == name:
                self._board.took(one, f"{name} of {alias} is {given['status']}")
                return {"status": given["status"], "health": {"issues": [dict(one) for one in given.get("issues", ())]}}
        return {}

    def fails(self, cluster: EksCluster, name: str) -> str:
        """Why an update of the add-on that begins now will fail; empty when it will not."""
        spec = cluster.spec
        alias = self._cluster_name(spec.account, spec.region, spec.name) or ""
        for one in self._board.on("addonUpdateFails"):
            given = one.fault.given
            if one.fault.on_cluster(alias) and given["addon"] == name and one.turns.take():
                self._board.took(one, f"an update of {name} of {alias} fails")
                return str(given.get("message", "the add-on did not become ready"))
        return ""
