"""DELETE, of one object and of many."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.delete_options import options_of
from migrator.lab.kubeapi.deletion import deletion_answer
from migrator.lab.kubeapi.forms import form_of
from migrator.lab.kubeapi.reads import Reader, list_response, object_response
from migrator.lab.kubeapi.wire import Response, json_response

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster


class Collection:
    """Answers delete and deletecollection."""

    def __init__(self, cluster: Cluster, reader: Reader) -> None:
        self._cluster, self._reader = cluster, reader

    def delete(self, call: Call, warnings: list[str]) -> Response:
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
        answer = deletion_answer(call.kind, obj, gone=gone)
        return json_response(answer) if answer["kind"] == "Status" else object_response(call, answer)

    def delete_all(self, call: Call, warnings: list[str]) -> Response:
        """Delete what the selectors choose, up to the limit; answers the list of it as it was.

        Raises:
            ApiError: the first refusal; what came before it is deleted.
        """
        form, options = form_of(call.request), options_of(call)
        warnings += options.warnings(call.kind)
        records, metadata = self._reader.page(call)
        for record in records:
            key = (record.obj["metadata"].get("namespace", ""), record.obj["metadata"]["name"])
            self._cluster.admission.validate(call, None, record.obj)
            try:
                self._cluster.deleter.delete(call.kind, key, options)
            except errors.ApiError as error:
                # what somebody else has deleted meanwhile is deleted, too
                if error.code != HTTPStatus.NOT_FOUND:
                    raise
        return list_response(call, form, records, metadata)
