"""Edits by other people, each done once, at the moment it was declared for."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from migrator.lab.faults.board import Active, Board
from migrator.lab.faults.hands import AwsHands, KubeHands, account_path
from migrator.lab.kubeclient import KubeError, resource_path
from migrator.lab.world.index import Index
from migrator.lab.world.model import Cluster, Json

_PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "ReplicaSet": "replicasets"}


class Edits:
    """Carries out edits."""

    def __init__(self, board: Board, index: Index, aws: AwsHands, kube: Mapping[str, KubeHands]) -> None:
        self._board = board
        self._index = index
        self._aws = aws
        self._kube = kube
        self.clusters: dict[str, Cluster] = {}
        self._ways: dict[str, Callable[[Cluster, Any], str]] = {
            "trust": self._trust,
            "annotate": self._annotate,
            "recreate": self._recreate,
            "associate": self._associate,
            "dissociate": self._dissociate,
            "scale": self._scale,
            "deletePods": self._delete_pods,
            "create": self._create,
            "patch": self._patch,
            "delete": self._delete,
        }

    def begin(self, one: Active) -> None:
        """Does everything that the fault declares, in order; what is refused is logged, and the rest is done."""
        fault = one.fault
        cluster = self.clusters[fault.cluster] if fault.cluster else next(iter(self.clusters.values()))
        for edit in fault.given:
            kind, details = next(iter(edit.items()))
            try:
                done = self._ways[kind](cluster, self._filled(details, cluster))
            except (KubeError, ClientError, BotoCoreError) as error:
                self._board.took(one, f"{kind} was refused: {error}", failed=True)
            else:
                self._board.took(one, f"{kind}: {done}")

    def _filled(self, details: Any, cluster: Cluster) -> Any:
        """Placeholders such as ${issuer:ALIAS} may stand in edits as everywhere in a world."""
        return self._index.filled(details, cluster.account, ())

    def _trust(self, cluster: Cluster, given: Json) -> str:
        parts = self._index.role_arn(given["role"], cluster.account, ()).split(":", 5)
        account, role = parts[4], parts[5].rpartition("/")[2]
        self._aws.set_trust(account, role, _edited(self._aws.trust(account, role), given))
        return f"{role} in {account}"

    def _annotate(self, cluster: Cluster, given: Json) -> str:
        key = given.get("key", "eks.amazonaws.com/role-arn")
        path = account_path(*given["serviceAccount"].split("/"))
        self._kube[cluster.alias].patch(path, {"metadata": {"annotations": {key: given["value"]}}})
        return f"{key} of {given['serviceAccount']} is {given['value'] or 'gone'}"

    def _recreate(self, cluster: Cluster, account: str) -> str:
        self._kube[cluster.alias].recreate(account_path(*account.split("/")))
        return account

    def _associate(self, cluster: Cluster, given: Json) -> str:
        arn = self._index.role_arn(given["role"], cluster.account, ())
        namespace, _, account = given["serviceAccount"].partition("/")
        self._aws.associate(cluster, namespace, account, arn)
        return f"{given['serviceAccount']} with {arn}"

    def _dissociate(self, cluster: Cluster, account: str) -> str:
        namespace, _, name = account.partition("/")
        self._aws.dissociate(cluster, namespace, name)
        return account

    def _scale(self, cluster: Cluster, given: Json) -> str:
        plural = _PLURALS[given.get("kind", "Deployment")]
        path = resource_path("apps/v1", plural, *given["workload"].split("/"))
        self._kube[cluster.alias].patch(path, {"spec": {"replicas": given["replicas"]}})
        return f"{given['workload']} to {given['replicas']}"

    def _delete_pods(self, cluster: Cluster, pattern: str) -> str:
        namespace, _, name = pattern.partition("/")
        hands = self._kube[cluster.alias]
        found = [pod["metadata"]["name"] for pod in hands.pods(namespace) if fnmatchcase(pod["metadata"]["name"], name)]
        for pod in found:
            hands.delete(resource_path("v1", "pods", namespace, pod))
        return ", ".join(found) or f"no pod is called {pattern}"

    def _create(self, cluster: Cluster, document: Json) -> str:
        self._kube[cluster.alias].create(document)
        return f"{document['kind']} {document['metadata']['name']}"

    def _patch(self, cluster: Cluster, given: Json) -> str:
        self._kube[cluster.alias].patch(self._path(cluster, given), given["patch"])
        return f"{given['kind']} {given['name']}"

    def _delete(self, cluster: Cluster, given: Json) -> str:
        self._kube[cluster.alias].delete(self._path(cluster, given))
        return f"{given['kind']} {given['name']}"

    def _path(self, cluster: Cluster, given: Json) -> str:
        hands = self._kube[cluster.alias]
        return hands.path(given["apiVersion"], given["kind"], given.get("namespace"), given["name"])


def _edited(document: Any, given: Json) -> Any:
    """A trust policy after the edit."""
    if "replace" in given:
        return given["replace"]
    found = document.get("Statement") or []
    statements = found if isinstance(found, list) else [found]
    if "add" in given:
        return {**document, "Statement": [*statements, given["add"]]}
    kept = [one for one in statements if not fnmatchcase(str(one.get("Sid", "")), given["remove"])]
    return {**document, "Statement": kept}
