"""Our adapters beside a plain client, over one namespace of a cluster; and what they are tried with."""

import ssl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from migrator.adapters.kube.aside import Aside
from migrator.adapters.kube.auth import Auth
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import Where
from migrator.adapters.kube.gate import Gate
from migrator.adapters.kube.reads import KubeReads
from migrator.adapters.kube.writes import KubeWrites
from migrator.adapters.retry import Retry
from migrator.lab.kubeclient import KubeClient, resource_path
from migrator.model.errors import EnvironmentFault, MigrateError
from migrator.model.facts import Pod, SetAside, WorkloadRef
from tests.contract.kube.support import eventually
from tests.contract.kube.work import manifest, path_of
from tests.fakes.kube import Opened, add_namespace

Json = dict[str, Any]
RBAC = "rbac.authorization.k8s.io/v1"
WITHOUT_ARGO = [{"apiGroups": [group], "resources": ["*"], "verbs": ["get", "list"]} for group in ("", "apps", "batch")]
"""Rules for somebody who may read every workload but Rollouts."""


@dataclass(frozen=True)
class Bearer:
    """An `Auth` of one token."""

    token: str

    def header(self) -> str:
        return f"Bearer {self.token}"

    def renew(self, refused: str) -> None:
        raise AssertionError(refused)

    def complaint(self, *, worked: bool) -> MigrateError:
        return EnvironmentFault(f"not let in, worked before: {worked}")


@dataclass(frozen=True)
class Side:
    """One namespace of a cluster, seen through our adapters, and through a plain client beside them."""

    kube: KubeClient
    namespace: str
    reads: KubeReads
    writes: KubeWrites
    aside: Aside
    gate: Gate

    def ref(self, kind: str, name: str = "web") -> WorkloadRef:
        return WorkloadRef(kind=kind, namespace=self.namespace, name=name)

    def make(self, kind: str, spec: Json | None = None, pod: Json | None = None, name: str = "web") -> WorkloadRef:
        document = manifest(kind, self.namespace, spec or {}, pod=pod, name=name)
        self.kube.create(path_of(kind, self.namespace, "").rstrip("/"), document)
        return self.ref(kind, name)

    def complete(self, ref: WorkloadRef) -> Any:
        def look() -> Any:
            found = self.reads.rollout(ref)
            return found if found is not None and found.complete else None

        return eventually(look)

    def pods(self) -> list[Pod]:
        return sorted((pod for pod in self.reads.pods(self.namespace) if not pod.deleting), key=lambda pod: pod.name)

    def pod(self, name: str) -> Pod | None:
        return next((pod for pod in self.reads.pods(self.namespace) if pod.name == name), None)

    def kept(self) -> list[SetAside]:
        return list(self.aside.all(self.namespace, "default"))


def connected(opened: Opened, token: str = "") -> KubeConnection:
    auth: Auth = Bearer(token or opened.kube.token)
    context = ssl.create_default_context(cadata=opened.ca_pem)
    return KubeConnection(
        where=Where(cluster="lab", endpoint=opened.kube.url), context=context, auth=auth, retry=Retry(first=0.01)
    )


def side(opened: Opened, namespace: str, connection: KubeConnection) -> Side:
    reads = KubeReads(lambda: connection)
    writes = KubeWrites(lambda: connection, lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return Side(opened.kube, namespace, reads, writes, Aside(lambda: connection), Gate(reads))


def sided(opened: Opened) -> Iterator[Side]:
    connection = connected(opened)
    namespace = add_namespace(opened.kube, f"work-{uuid.uuid4().hex[:8]}")
    yield side(opened, namespace, connection)
    opened.kube.delete(resource_path("v1", "namespaces", None, namespace))
    connection.close()


def bare(here: Side, **spec: Any) -> Pod:
    container = {"name": "main", "image": "registry.example/app:1", "env": [{"name": "DB", "value": "hidden"}]}
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "tool", "namespace": here.namespace, "labels": {"app": "web"}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, **spec},
    }
    here.kube.create_object(document)
    found: Pod = eventually(lambda: (pod := here.pod("tool")) and pod.ready and pod)
    return found


def token_of(opened: Opened, namespace: str, rules: list[Json]) -> str:
    """The token of somebody who may do this and no more."""
    meta = {"name": f"operator-{namespace}"}
    opened.kube.create_object({"apiVersion": RBAC, "kind": "ClusterRole", "metadata": meta, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": meta["name"]}
    opened.kube.create_object(
        {"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": meta, "subjects": [subject], "roleRef": role}
    )
    path = resource_path("v1", "serviceaccounts", namespace, "default", "token")
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    token: str = opened.kube.create(path, request)["status"]["token"]
    return token


@contextmanager
def operator(opened: Opened, namespace: str, rules: list[Json]) -> Iterator[Side]:
    """The namespace, seen by somebody who may do this and no more."""
    connection = connected(opened, token_of(opened, namespace, rules))
    yield side(opened, namespace, connection)
    connection.close()
