"""Bare pods, set aside and made again: nobody else remembers what a deleted pod looked like.

The manifest is kept as a PodTemplate in the pod's own namespace, not in our journal: the values of its variables may be
secret, and the cluster knows them already. Each call is safe to repeat after a kill or a lost answer.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import Refusal
from migrator.adapters.kube.manifest import Json, as_written
from migrator.adapters.kube.pages import decoded, listed
from migrator.adapters.kube.paths import path_of
from migrator.adapters.kube.structs import MetaOnly
from migrator.adapters.kube.workload_structs import WorkloadObject
from migrator.model.errors import Rejected
from migrator.model.facts import Pod, SetAside
from migrator.model.ids import MANAGED_BY

OLD_NAME = "irsa-migrator/pod"
OLD_UID = "irsa-migrator/pod-uid"
_LABELS = {"app.kubernetes.io/managed-by": MANAGED_BY}
_OURS = {"labelSelector": f"app.kubernetes.io/managed-by={MANAGED_BY}"}
_QUERY = {"fieldManager": MANAGED_BY}
_MIRROR = "kubernetes.io/config.mirror"


@dataclass(frozen=True, slots=True)
class Aside:
    """The manifests kept on one cluster."""

    connect: Callable[[], KubeConnection]

    def keep(self, pod: Pod) -> None:
        """Keeps the pod's manifest; a repeat changes nothing.

        Raises:
            Rejected: reason `NotFound` when this very pod (uid) is gone and nothing was kept, `static` for one that its
                node makes from a file.
        """
        doing = f'setting aside pod "{pod.namespace}/{pod.name}"'
        self.connect().run(lambda: self._keep(pod, doing), doing=doing)

    def all(self, namespace: str, service_account: str) -> Sequence[SetAside]:
        """What is kept of the pods of that ServiceAccount, by name."""
        path = path_of("PodTemplate", namespace)
        found = listed(self.connect(), path, WorkloadObject, doing="listing pods that are set aside", only=_OURS)
        runs_as = ((one.metadata, one.template.spec.service_account_name or "default") for one in found)
        marks = (meta.annotations or {} for meta, account in runs_as if account == service_account)
        return sorted(
            SetAside(namespace=namespace, name=mark[OLD_NAME], uid=mark[OLD_UID])
            for mark in marks
            if OLD_NAME in mark and OLD_UID in mark
        )

    def recreate(self, kept: SetAside) -> bool:
        """Makes the pod again and drops what was kept; False while the old pod is still there.

        Raises:
            Rejected: the API server's reason for refusing the pod; its manifest stays.
        """
        doing = f'making pod "{kept.namespace}/{kept.name}" again; it is kept as PodTemplate "{_name(kept.uid)}"'
        return self.connect().run(lambda: self._recreate(kept, doing), doing=doing)

    def forget(self, kept: SetAside) -> None:
        """Drops what was kept of a pod that was never evicted."""
        doing = f'dropping PodTemplate "{_name(kept.uid)}" of pod "{kept.namespace}/{kept.name}"'
        self.connect().run(lambda: self._drop(_path(kept.namespace, kept.uid)), doing=doing)

    def _keep(self, pod: Pod, doing: str) -> None:
        body = self._found(path_of("Pod", pod.namespace, pod.name))
        live: Json | None = None if body is None else msgspec.json.decode(body)
        if live is None or live["metadata"]["uid"] != pod.uid:
            if self._found(_path(pod.namespace, pod.uid)) is None:
                raise Rejected(f'pod "{pod.namespace}/{pod.name}" is gone', reason="NotFound", doing=doing)
            return
        if _MIRROR in (live["metadata"].get("annotations") or {}):
            text = f'pod "{pod.namespace}/{pod.name}" is made by its node from a file'
            raise Rejected(text, reason="static", doing=doing)
        self._create(path_of("PodTemplate", pod.namespace), _template(live))

    def _recreate(self, kept: SetAside, doing: str) -> bool:
        path = path_of("Pod", kept.namespace, kept.name)
        there = self._found(path)
        if there is not None and decoded(there, MetaOnly, doing=doing).metadata.uid == kept.uid:
            return False
        template = self._found(_path(kept.namespace, kept.uid))
        if there is None and template is not None:
            self._create(path_of("Pod", kept.namespace), _pod(msgspec.json.decode(template)["template"], kept))
        if template is not None:
            self._drop(_path(kept.namespace, kept.uid))
        return True

    def _found(self, path: str) -> bytes | None:
        try:
            return self.connect().once("GET", path)
        except Refusal as error:
            if error.status == 404:
                return None
            raise

    def _create(self, path: str, body: Mapping[str, Any]) -> None:
        """Creates it; one of that name is ours, from a try whose answer was lost, or does what ours would do."""
        try:
            self.connect().once("POST", path, query=_QUERY, body=body)
        except Refusal as error:
            if error.reason != "AlreadyExists":
                raise

    def _drop(self, path: str) -> None:
        try:
            self.connect().once("DELETE", path)
        except Refusal as error:
            if error.status != 404:
                raise


def _template(live: Mapping[str, Any]) -> Json:
    """The PodTemplate that keeps a pod: its manifest, and which pod it was."""
    meta = live["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {
            "name": _name(meta["uid"]),
            "namespace": meta["namespace"],
            "labels": _LABELS,
            "annotations": {OLD_NAME: meta["name"], OLD_UID: meta["uid"]},
        },
        "template": as_written(live),
    }


def _pod(template: Mapping[str, Any], kept: SetAside) -> Json:
    meta = {**template["metadata"], "name": kept.name, "namespace": kept.namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}


def _path(namespace: str, uid: str) -> str:
    return path_of("PodTemplate", namespace, _name(uid))


def _name(uid: str) -> str:
    """Of its own for every pod that ever was: what a killed run left behind is in no later one's way."""
    return f"{MANAGED_BY}-{hashlib.sha256(uid.encode()).hexdigest()[:16]}"
