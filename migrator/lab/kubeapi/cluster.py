"""One cluster: its store, its rules, and the controllers that live inside the API server here."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import bootstrap
from migrator.lab.kubeapi.admission import Admission
from migrator.lab.kubeapi.definitions import Definitions
from migrator.lab.kubeapi.deletion import Deleter
from migrator.lab.kubeapi.gc import Collector
from migrator.lab.kubeapi.hooks import Hooks
from migrator.lab.kubeapi.kinds import Kind, Kinds
from migrator.lab.kubeapi.metadata import ordered
from migrator.lab.kubeapi.namespaces import Namespaces, new_metadata
from migrator.lab.kubeapi.storage import Event, KindKey, Store
from migrator.lab.kubeapi.tokens import TokenIssuer, User
from migrator.lab.kubeapi.writes import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]

_log = logging.getLogger(__name__)
_STOP_SECONDS = 5.0


class Cluster:
    """Everything the API server of one cluster knows; the parts find each other here."""

    def __init__(
        self,
        name: str,
        issuer: str,
        ca_pem: str,
        static_tokens: Mapping[str, User],
        authenticate: Callable[[str], User | None] | None,
    ) -> None:
        self.name = name
        self.ca_pem = ca_pem
        self.static_tokens = static_tokens
        self.authenticate = authenticate
        self.url = ""
        self.version = "1.33"
        self.hooks = Hooks()
        self.store = Store()
        self.kinds = Kinds()
        self.tokens = TokenIssuer(issuer)
        self.deleter = Deleter(self.store)
        self.namespaces = Namespaces(self)
        self.definitions = Definitions(self)
        self.admission = Admission(self)
        self.writer = Writer(self)
        self._collector = Collector(self)
        self._changes: queue.SimpleQueue[tuple[KindKey, Event] | None] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._follow, name=f"kubeapi-{name}-gc", daemon=True)

    def start(self) -> None:
        """Fill in what every cluster has and begin to follow changes."""
        self.store.listen(lambda kind, event: self._changes.put((kind, event)))
        self._worker.start()
        bootstrap.fill(self)

    def stop(self) -> None:
        """End all watches and the thread that follows changes."""
        self.store.close()
        self._changes.put(None)
        self._worker.join(_STOP_SECONDS)

    def put_new(self, kind: Kind, obj: Json) -> Json:
        """Store an object that the server itself makes, past admission."""
        obj = ordered(kind, {**obj, "metadata": new_metadata(obj["metadata"])})
        return self.store.put(kind.key, obj).obj

    def rewrite(self, kind: KindKey, old: Json, new: Json) -> bool:
        """Store a change of the server's own, unless the object has changed since; remove it if that was due."""
        metadata = new["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        with self.store.lock:
            record = self.store.get(kind, *key)
            if record is None or record.obj is not old:
                return False
            ends = "deletionTimestamp" in metadata and not metadata.get("finalizers")
            if ends and not self.deleter.lingers(self.kinds.named(*kind), new):
                self.store.remove(kind, key)
            else:
                self.store.put(kind, new)
            return True

    def _follow(self) -> None:
        while (change := self._changes.get()) is not None:
            kind, event = change
            try:
                self.definitions.handle(kind, event)
                self.namespaces.handle(kind, event)
                self._collector.handle(kind, event)
            except Exception:  # noqa: BLE001 - see below
                # one object that cannot be handled must not end the care for all others
                _log.exception("could not follow a change of %s %s", kind, event.key)
