"""DELETE, of one object and of many."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.deletion import deletion_answer, options_of
from migrator.lab.kubeapi.selectors import Selection

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]


class Collection:
    """Answers delete and deletecollection."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def delete(self, call: Call, warnings: list[str]) -> Json:
        """Delete one object.

        Raises:
            ApiError: 404, 403, or 409 for a precondition that does not hold.
        """
        options = options_of(call)
        warnings += options.warnings(call.kind)
        self._cluster.namespaces.admit_deletion(call.kind, call.name)
        key = (call.namespace if call.kind.namespaced else "", call.name)
        record = self._cluster.store.get(call.kind.key, *key)
        if record is None:
            raise errors.not_found(call.kind, call.name)
        self._cluster.admission.validate(call, None, record.obj)
        obj, gone = self._cluster.deleter.delete(call.kind, key, options)
        return deletion_answer(call.kind, obj, gone=gone)

    def delete_all(self, call: Call, warnings: list[str]) -> Json:
        """Delete what the selectors choose; answers the list of it."""
        options = options_of(call)
        warnings += options.warnings(call.kind)
        request = call.request
        selection = Selection(call.kind, request.param("labelSelector"), request.param("fieldSelector"))
        namespace = call.namespace if call.kind.namespaced else ""
        items = []
        for record in list(self._cluster.store.records(call.kind.key, namespace)):
            if selection and not selection.accepts(record.obj):
                continue
            key = (record.obj["metadata"].get("namespace", ""), record.obj["metadata"]["name"])
            self._cluster.admission.validate(call, None, record.obj)
            # what somebody else has deleted meanwhile is deleted, too
            with contextlib.suppress(errors.ApiError):
                items.append(self._cluster.deleter.delete(call.kind, key, options)[0])
        return {
            "kind": call.kind.collection_kind,
            "apiVersion": call.kind.api_version,
            "metadata": {"resourceVersion": str(self._cluster.store.version)},
            "items": items,
        }
