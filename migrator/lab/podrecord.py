"""Every pod a practice fleet has ever admitted: with which identity, and when it was ready and gone."""

import threading
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from migrator.lab.informer import Informer
from migrator.lab.kubeclient import KubeClient, resource_path
from migrator.lab.readiness import settled

Json = dict[str, Any]
_VOLUMES = {"eks-pod-identity-token": "pod-identity", "aws-iam-token": "irsa"}


@dataclass(frozen=True)
class PodRecord:
    """One pod's life; times are RFC 3339 with microseconds, None while the thing has not happened.

    Attributes:
        identity: what the webhook gave it: `pod-identity`, `irsa`, `none`, or `both` if somebody helped.
        owner: KIND/NAME of its controller, empty for a bare pod.
        node: where it was put, empty until then.
        ready_at: first ready.
        ending_at: its deletion was asked for.
        gone_at: it was removed.
    """

    cluster: str
    namespace: str
    name: str
    uid: str
    service_account: str
    owner: str
    node: str
    admitted: str
    identity: str
    ready_at: str | None = None
    ending_at: str | None = None
    gone_at: str | None = None


class PodRecords:
    """The pods of every cluster, in the order of their admission; dry runs are none."""

    def __init__(self) -> None:
        self._records: dict[str, PodRecord] = {}
        self._lock = threading.Lock()

    def follow(self, alias: str, kube: KubeClient) -> Informer:
        """Takes down every pod of a cluster from now on; whoever asks for it stops it."""
        informer = Informer(kube, resource_path("v1", "pods"), lambda pod, gone: self._note(alias, pod, gone))
        informer.start()
        informer.wait_synced()
        return informer

    def all(self) -> list[PodRecord]:
        """Every pod so far."""
        with self._lock:
            return list(self._records.values())

    def as_json(self) -> list[Json]:
        """Every pod so far, as JSON."""
        return [asdict(one) for one in self.all()]

    def _note(self, alias: str, pod: Json, gone: bool) -> None:
        uid, now = pod["metadata"]["uid"], datetime.now(UTC).isoformat()
        with self._lock:
            known = self._records.get(uid) or _admitted(alias, pod, now)
            self._records[uid] = replace(
                known,
                node=pod["spec"].get("nodeName") or known.node,
                ready_at=known.ready_at or (now if settled(pod) else None),
                ending_at=known.ending_at or (now if "deletionTimestamp" in pod["metadata"] else None),
                gone_at=now if gone else None,
            )


def _admitted(alias: str, pod: Json, now: str) -> PodRecord:
    metadata, owners = pod["metadata"], pod["metadata"].get("ownerReferences") or ()
    return PodRecord(
        cluster=alias,
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        service_account=pod["spec"].get("serviceAccountName") or "default",
        owner=next((f"{one['kind']}/{one['name']}" for one in owners if one.get("controller")), ""),
        node="",
        admitted=now,
        identity=identity_of(pod),
    )


def identity_of(pod: Json) -> str:
    """What the webhook gave a pod, told by the volume that each mechanism adds."""
    names = {volume["name"] for volume in pod["spec"].get("volumes") or ()}
    found = [identity for volume, identity in _VOLUMES.items() if volume in names]
    return "both" if len(found) > 1 else (found[0] if found else "none")
