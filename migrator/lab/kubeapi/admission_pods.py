"""What happens to a pod before any webhook sees it: its ServiceAccount, token volume, tolerations, priority."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.kinds import PRIORITY, SERVICE_ACCOUNT

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_SECONDS = 3607
_DEFAULT_ACCOUNT_WAIT = 1.0
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_NOT_READY = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_TOLERATION_SECONDS = 300


class PodAdmission:
    """The built-in admission rules for pods."""

    def __init__(self, cluster: Cluster) -> None:
        self._store = cluster.store

    def admit(self, call: Call, pod: Json) -> None:
        """Complete a new pod.

        Raises:
            ApiError: 403, its ServiceAccount or its priority class does not exist.
        """
        spec = pod.setdefault("spec", {})
        if "kubernetes.io/config.mirror" not in (pod["metadata"].get("annotations") or {}):
            self._give_account(call, pod, spec)
        _tolerate(spec)
        self._prioritise(call, pod, spec)

    def _give_account(self, call: Call, pod: Json, spec: Json) -> None:
        name = spec.get("serviceAccountName") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = self._account(call.namespace, name)
        if account is None:
            why = f'error looking up service account {call.namespace}/{name}: serviceaccount "{name}" not found'
            raise errors.forbidden(call.kind, _name(pod), why)
        mounts = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
        if mounts:
            _mount_token(spec)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = copy({"v": account["imagePullSecrets"]})["v"]

    def _prioritise(self, call: Call, pod: Json, spec: Json) -> None:
        wanted = spec.get("priorityClassName", "")
        record = self._store.get(PRIORITY.key, "", wanted)
        if wanted and record is None:
            why = f"no PriorityClass with name {wanted} was found"
            raise errors.forbidden(call.kind, _name(pod), why)
        of_class = record.obj if record is not None else {"value": 0}
        spec.setdefault("priority", of_class["value"])
        spec.setdefault("preemptionPolicy", of_class.get("preemptionPolicy", "PreemptLowerPriority"))

    def _account(self, namespace: str, name: str) -> Json | None:
        """The ServiceAccount; the default one of a new namespace is waited for, as on a real server."""
        give_up = time.monotonic() + (_DEFAULT_ACCOUNT_WAIT if name == "default" else 0)
        while True:
            record = self._store.get(SERVICE_ACCOUNT.key, namespace, name)
            if record is not None or time.monotonic() >= give_up:
                return record.obj if record is not None else None
            time.sleep(0.01)


def _mount_token(spec: Json) -> None:
    containers = [c for field in ("initContainers", "containers") for c in spec.get(field) or ()]
    missing = [c for c in containers if _TOKEN_PATH not in [m.get("mountPath") for m in c.get("volumeMounts") or ()]]
    if not missing:
        return
    taken = {volume.get("name") for volume in spec.get("volumes") or ()}
    existing = [str(name) for name in taken if str(name).startswith("kube-api-access-")]
    name = existing[0] if existing else "kube-api-access-" + "".join(random.choices(_LETTERS, k=5))
    if not existing:
        spec.setdefault("volumes", []).append(_token_volume(name))
    for container in missing:
        mount = {"name": name, "readOnly": True, "mountPath": _TOKEN_PATH}
        container.setdefault("volumeMounts", []).append(mount)


def _token_volume(name: str) -> Json:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    root_ca = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return {
        "name": name,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
                {"configMap": root_ca},
                {"downwardAPI": {"items": [namespace]}},
            ],
            "defaultMode": 420,
        },
    }


def _tolerate(spec: Json) -> None:
    tolerations = spec.setdefault("tolerations", [])
    for key in _NOT_READY:
        covered = any(
            t.get("key") in (key, None, "") and t.get("effect") in ("NoExecute", None, "") for t in tolerations
        )
        if not covered:
            tolerations.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _TOLERATION_SECONDS}
            )


def _name(pod: Json) -> str:
    """What a pod is called as long as it may have no name yet."""
    return str(pod["metadata"].get("name") or pod["metadata"].get("generateName", ""))
