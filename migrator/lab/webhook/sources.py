"""Where the webhook's knowledge comes from: a ServiceAccount cache and the file of associations."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Protocol

from migrator.lab.informer import Informer
from migrator.lab.kubeclient import resource_path
from migrator.lab.webhook.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from migrator.lab.kubeclient import KubeClient

Pair = tuple[str, str]


class Accounts(Protocol):
    """What the webhook asks about ServiceAccounts; a lagging or forgetful cache goes in here."""

    def annotations(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """The annotations with our prefix; None when the cache has not seen the ServiceAccount."""


class ServiceAccountCache:
    """All ServiceAccounts of a cluster, followed by list and watch."""

    def __init__(self, kube: KubeClient) -> None:
        self._informer = Informer(kube, resource_path("v1", "serviceaccounts"))

    def start(self) -> None:
        """Begin to follow them and wait for the first list."""
        self._informer.start()
        self._informer.wait_synced()

    def stop(self) -> None:
        """Stop following them."""
        self._informer.stop()

    def annotations(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """The annotations with our prefix; None when the ServiceAccount has not been seen."""
        account = self._informer.get(namespace, name)
        if account is None:
            return None
        annotations = account["metadata"].get("annotations") or {}
        return {key: value for key, value in annotations.items() if key.startswith(PREFIX)}


class AssociationFile:
    """The (namespace, ServiceAccount) pairs in a file, read again whenever its content has changed.

    A missing or empty file clears the set; a malformed one leaves the set as it was.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content: bytes | None = None
        self._pairs: frozenset[Pair] = frozenset()
        self._lock = threading.Lock()

    def has(self, namespace: str, name: str) -> bool:
        """Whether the pair is listed now; matched exactly."""
        with self._lock:
            content = self._read()
            if content != self._content:
                self._content = content
                self._pairs = _parse(content, self._pairs)
            return (namespace, name) in self._pairs

    def _read(self) -> bytes:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""


def _parse(content: bytes, old: frozenset[Pair]) -> frozenset[Pair]:
    if not content.strip():
        return frozenset()
    try:
        identities = json.loads(content)["identities"]
        return frozenset((one["namespace"], one["serviceAccount"]) for one in identities or ())
    except (ValueError, KeyError, TypeError):
        return old


def association_document(pairs: frozenset[Pair]) -> str:
    """The file's text for these pairs, as the control plane writes it."""
    identities = [{"namespace": namespace, "serviceAccount": name} for namespace, name in sorted(pairs)]
    return json.dumps({"identities": identities})
