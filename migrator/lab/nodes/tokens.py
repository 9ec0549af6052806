"""Projected ServiceAccount tokens, asked for by TokenRequest and kept as a kubelet keeps them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeclient import resource_path

if TYPE_CHECKING:
    from migrator.lab.kubeclient import KubeClient

Json = dict[str, Any]
_RENEW_AFTER = 0.8
_DAY = 86400


@dataclass(frozen=True)
class _Kept:
    token: str
    renew_at: float


class Tokens:
    """Tokens per pod, audience and lifetime; renewed at four fifths of their life, at the latest after a day."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube
        self._kept: dict[tuple[str, str, int], _Kept] = {}
        self._lock = threading.Lock()

    def token(self, pod: Json, source: Json) -> str:
        """The token of one `serviceAccountToken` source."""
        audience, seconds = source.get("audience", ""), int(source.get("expirationSeconds", 3600))
        key = (pod["metadata"]["uid"], audience, seconds)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or time.monotonic() >= kept.renew_at:
            kept = self._request(pod, audience, seconds)
            with self._lock:
                self._kept[key] = kept
        return kept.token

    def forget(self, uid: str) -> None:
        """Drop the tokens of a pod that is gone."""
        with self._lock:
            self._kept = {key: kept for key, kept in self._kept.items() if key[0] != uid}

    def _request(self, pod: Json, audience: str, seconds: int) -> _Kept:
        metadata = pod["metadata"]
        account = pod["spec"].get("serviceAccountName") or "default"
        reference = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {"expirationSeconds": seconds, "boundObjectRef": reference}
        spec["audiences"] = [audience] if audience else []
        path = resource_path("v1", "serviceaccounts", metadata["namespace"], account, "token")
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        token: str = self._kube.create(path, body)["status"]["token"]
        return _Kept(token, time.monotonic() + min(seconds * _RENEW_AFTER, _DAY))
