"""The admission gate: a server-side dry run of the very pod that the service's controller would create now.

The pod goes through authentication, admission and the pod identity webhook as a real one would, and is thrown away.
Where something else than identity stands in its way (a quota, a policy, a validation), a minimal pod of the same
ServiceAccount is tried instead, since identity follows from the ServiceAccount. Each dry run uses a fresh connection:
one answer speaks for one API server instance only.
"""

import threading
from dataclasses import dataclass
from typing import Any

import msgspec

from migrator.adapters.kube import decode
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import RETRIED, Refusal, transient
from migrator.adapters.kube.pages import decoded
from migrator.adapters.kube.paths import path_of
from migrator.adapters.kube.reads import KubeReads
from migrator.adapters.kube.structs import PodObject
from migrator.adapters.kube.workload_structs import WorkloadObject
from migrator.adapters.kube.workloads import lender_of
from migrator.model.facts import Probe, WorkloadRef

_QUERY = {"dryRun": "All", "fieldManager": "irsa-migrator"}
_NAME = "irsa-migrator-probe-"
_PAUSE_IMAGE = "registry.k8s.io/pause:3.10"
_PLACED = ("nodeName", "hostname")


class Gate:
    """Probes of one cluster; remembers which workload a service's template is taken from, never the template itself."""

    def __init__(self, reads: KubeReads) -> None:
        self._reads = reads
        self._lock = threading.Lock()
        self._models: dict[tuple[str, str], WorkloadRef] = {}

    def probe(self, namespace: str, service_account: str) -> Probe:
        """The pod as it would be created now, or the API server's reason for refusing it.

        Raises:
            NotPermitted: the operator may not create pods there.
            EnvironmentFault: the API server cannot be reached.
        """
        connection = self._reads.connect()
        template = self._template(connection, namespace, service_account)
        minimal = _pod(namespace, {}, _minimal(service_account))
        doing = f'dry run of a pod of "{namespace}/{service_account}"'

        def create() -> Probe:
            if template is None:
                return _tried(connection, minimal, doing).probe
            own = _tried(connection, _from_template(namespace, template), doing)
            if not own.beside_the_point:
                return own.probe
            other = _tried(connection, minimal, doing).probe
            if other.pod is not None:
                return other
            return Probe(pod=None, refusal=f"{own.probe.refusal}; a minimal pod is refused too: {other.refusal}")

        return connection.run(create, doing=doing, worth=transient)

    def _template(self, connection: KubeConnection, namespace: str, service_account: str) -> dict[str, Any] | None:
        """The live template of the service's first workload, ready to be used; None when it has none."""
        key = (namespace, service_account)
        with self._lock:
            model = self._models.get(key)
        if model is not None and (found := _live(connection, model, service_account)) is not None:
            return found
        for workload in self._reads.workloads_of(namespace, service_account):
            if (found := _live(connection, workload.ref, service_account)) is not None:
                with self._lock:
                    self._models[key] = workload.ref
                return found
        return None


@dataclass(frozen=True, slots=True)
class _Tried:
    """One dry run; `beside_the_point` when it was refused for a reason that another pod may not meet."""

    probe: Probe
    beside_the_point: bool = False


def _tried(connection: KubeConnection, body: dict[str, Any], doing: str) -> _Tried:
    path = path_of("Pod", body["metadata"]["namespace"])
    try:
        answer = connection.once("POST", path, query=_QUERY, body=body, fresh=True)
    except Refusal as error:
        if not _said_no(error):
            raise
        return _Tried(Probe(pod=None, refusal=error.message or str(error)), _about_this_pod(error))
    return _Tried(Probe(pod=decode.pod(decoded(answer, PodObject, doing=doing), {})))


def _live(connection: KubeConnection, ref: WorkloadRef, service_account: str) -> dict[str, Any] | None:
    """The raw pod template, while the workload is there and still runs as that account."""
    doing = f'reading {ref.kind} "{ref.namespace}/{ref.name}"'
    body = connection.find(path_of(ref.kind, ref.namespace, ref.name), doing=doing)
    if body is None:
        return None
    lender = lender_of(ref.kind, decoded(body, WorkloadObject, doing=doing))
    if lender is not None:
        return _live(connection, lender, service_account)
    spec = _template_holder(ref.kind, msgspec.json.decode(body))
    template: dict[str, Any] = spec["template"]
    runs_as = template.get("spec", {}).get("serviceAccountName", "default")
    return _with_claims(template, spec) if runs_as == service_account else None


def _template_holder(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    """The part of an object that its pod template is in."""
    if kind == "PodTemplate":
        return document
    holder: dict[str, Any] = document["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else document["spec"]
    return holder


def _with_claims(template: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """The template with a volume for each of a StatefulSet's claim templates, as its controller adds them to a pod.

    Without them the containers' mounts name volumes that do not exist, and the API server refuses the pod.
    """
    claims = [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates") or ()]
    pod_spec = template.get("spec", {})
    volumes = pod_spec.get("volumes") or []
    there = {volume["name"] for volume in volumes}
    added = [{"name": name, "emptyDir": {}} for name in claims if name not in there]
    return {**template, "spec": {**pod_spec, "volumes": [*volumes, *added]}} if added else template


def _from_template(namespace: str, template: dict[str, Any]) -> dict[str, Any]:
    spec = {key: value for key, value in template.get("spec", {}).items() if key not in _PLACED}
    return _pod(namespace, template.get("metadata", {}), spec)


def _pod(namespace: str, template: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    kept = {key: template[key] for key in ("labels", "annotations") if template.get(key)}
    meta = {"generateName": _NAME, "namespace": namespace, **kept}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _minimal(service_account: str) -> dict[str, Any]:
    """A pod that asks for next to nothing and passes the strictest pod security level."""
    container = {
        "name": "probe",
        "image": _PAUSE_IMAGE,
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"cpu": "10m", "memory": "16Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return {"serviceAccountName": service_account, "containers": [container]}


def _said_no(error: Refusal) -> bool:
    """An answer about this pod, in contrast to one about us (401, RBAC's 403) or about a server in trouble."""
    if error.status == 500 and "webhook" in error.message:
        return True
    return 400 <= error.status < 500 and error.status not in {401, *RETRIED} and not error.unauthorised


def _about_this_pod(error: Refusal) -> bool:
    """Whether quota, a policy, an admission webhook or validation refused it: what it asks for, not whose it is."""
    return error.status in {403, 422} or "admission webhook" in error.message
