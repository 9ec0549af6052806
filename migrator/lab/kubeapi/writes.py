"""Writing objects: create, replace and patch, each through the same stages as on a real server.

Decode, default, admit, validate, own the fields, store. A write is computed on a copy without the lock and
then stored only if the object is still the one it was computed from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import (
    apply,
    decoding,
    defaults,
    deprecations,
    errors,
    managed_fields,
    metadata,
    patches,
    patching,
    preparing,
    schema,
    validation,
)
from migrator.lab.kubeapi.calls import Call, check_options, copy
from migrator.lab.kubeapi.reads import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.kinds import Kind
    from migrator.lab.kubeapi.storage import Record

Json = dict[str, Any]

_TRIES = 20
_IMMUTABLE = "field is immutable"
_CREATE_ON_UPDATE = {
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "endpoints",
    "events",
    "leases.coordination.k8s.io",
    "limitranges",
    "rolebindings.rbac.authorization.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "services",
}
# kinds that are replaced only by who says which version he has seen; custom ones are, too
_VERSIONED = {
    "csidrivers.storage.k8s.io",
    "csinodes.storage.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
    "leases.coordination.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "poddisruptionbudgets.policy",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
}
_PATCHES = (patches.JSON_PATCH, patches.MERGE_PATCH, patches.STRATEGIC_PATCH, patches.APPLY_PATCH)


class Writer:
    """Creates and changes objects of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._store = cluster.store

    def create(self, call: Call, warnings: list[str]) -> Json:
        """POST: a new object."""
        obj = decoding.of_kind(call, decoding.document(call), warnings)
        warnings += deprecations.warnings(call.kind, obj)
        return self.create_object(call, obj)

    def create_object(self, call: Call, obj: Json, applied: Json | None = None) -> Json:
        """Run a decoded object through the stages of creation and store it."""
        kind = call.kind
        name = (obj.get("metadata") or {}).get("name") or ""
        self._cluster.namespaces.admit(call, name)
        self._cluster.definitions.admit(call, name)
        obj = metadata.ordered(kind, obj)
        metadata.wipe(kind, obj, call.namespace)
        defaults.set_defaults(kind, obj)
        self._own(call, None, obj, applied)
        obj = self._admitted(call, obj, None)
        metadata.fill_new(kind, obj)
        preparing.prepare_new(kind, obj)
        validation.validate_new(kind, obj, self._cluster)
        self._cluster.admission.validate(call, obj, None)
        key = (call.namespace if kind.namespaced else "", obj["metadata"]["name"])
        with self._store.lock:
            if self._store.get(kind.key, *key) is not None:
                raise errors.already_exists(kind, key[1])
            # what comes back from the store is read as if it were new: a Job takes over the labels of its template
            defaults.set_defaults(kind, obj)
            if call.dry_run:
                return obj
            return self._store.put(kind.key, obj).obj

    def _own(self, call: Call, old: Json | None, new: Json, applied: Json | None) -> None:
        """Keep account of who wrote which field; what admission and the server itself add is nobody's."""
        who = {"manager": call.manager, "subresource": call.subresource}
        if applied is not None:
            managed_fields.record_apply(call.kind, old, new, applied=applied, **who)
        else:
            managed_fields.record_update(call.kind, old, new, **who)

    def _admitted(self, call: Call, obj: Json, old: Json | None) -> Json:
        """The object after admission; what a webhook patched is read anew."""
        admitted = self._cluster.admission.mutate(call, obj, old)
        if admitted is not obj:
            admitted = metadata.ordered(call.kind, schema.read(call.kind, admitted)[0])
            defaults.set_defaults(call.kind, admitted)
        return admitted

    def replace(self, call: Call, warnings: list[str]) -> tuple[Json, int]:
        """PUT: the object as given, unless the caller's version of it is old."""
        obj = decoding.of_kind(call, decoding.document(call), warnings)
        decoding.check_name(call, obj["metadata"])
        if self._record(call) is None and call.kind.qualified in _CREATE_ON_UPDATE and not call.subresource:
            return self.create_object(call, obj), 201
        return self.change(call, lambda _: copy(obj)), 200

    def patch(self, call: Call, warnings: list[str]) -> tuple[Json, int]:
        """PATCH in any of the four patch languages."""
        content_type = call.content_type
        if content_type not in _PATCHES:
            raise errors.unsupported_media(content_type, _PATCHES)
        if call.kind.custom and content_type == patches.STRATEGIC_PATCH:
            raise errors.unsupported_media(content_type, (_PATCHES[0], _PATCHES[1], _PATCHES[3]))
        check_options(call)
        if content_type == patches.APPLY_PATCH:
            return self._apply(call)
        return self.change(call, lambda current: patching.patched(call, current, warnings)), 200

    def _apply(self, call: Call) -> tuple[Json, int]:
        applied = apply.configuration(call)
        if self._record(call) is None:
            if call.subresource:
                raise errors.not_found(call.kind, call.name)
            uid = applied["metadata"].get("uid")
            if uid:
                why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                raise errors.conflict(call.kind, call.name, why)
            decoding.check_name(call, applied["metadata"])
            return self.create_object(call, decoding.of_kind(call, copy(applied), []), applied=copy(applied)), 201
        force = call.request.flag("force")

        def merged(current: Json) -> Json:
            return decoding.of_kind(call, apply.merge(call, current, applied, force=force), [])

        return self.change(call, merged, applied=applied), 200

    def change(self, call: Call, compute: Callable[[Json], Json], applied: Json | None = None) -> Json:
        """Store what a function makes of the current object; try again if somebody was quicker."""
        for _ in range(_TRIES):
            record = self._record(call)
            if record is None:
                raise errors.not_found(call.kind, call.name)
            old = record.obj
            new = metadata.ordered(call.kind, compute(shown(call.kind, copy(old))))
            decoding.check_name(call, new["metadata"])
            self._check_version(call, old, new)
            new = self._prepared(call, old, new, applied)
            if managed_fields.unchanged(old, new):
                return old
            if call.dry_run:
                return new
            with self._store.lock:
                if self._record(call) is not record:
                    continue
                return self._put(call.kind, new)
        raise errors.modified(call.kind, call.name)

    def _prepared(self, call: Call, old: Json, new: Json, applied: Json | None) -> Json:
        kind = call.kind
        metadata.carry_over(old, new)
        defaults.set_defaults(kind, new)
        self._own(call, old, new, applied)
        new = self._admitted(call, new, old)
        preparing.prepare_change(kind, old, new, call.subresource)
        metadata.bump_generation(kind, old, new)
        validation.validate_change(kind, old, new, call.subresource, self._cluster)
        self._cluster.admission.validate(call, new, old)
        return new

    def _put(self, kind: Kind, new: Json) -> Json:
        meta = new["metadata"]
        if "deletionTimestamp" in meta and not meta.get("finalizers") and not self._cluster.deleter.lingers(kind, new):
            # never stored: what the deletion is told with is the state before
            self._store.remove(kind.key, (meta.get("namespace", ""), meta["name"]))
            return new
        return self._store.put(kind.key, new).obj

    def _record(self, call: Call) -> Record | None:
        return self._store.get(call.kind.key, call.namespace if call.kind.namespaced else "", call.name)

    def _check_version(self, call: Call, old: Json, new: Json) -> None:
        wanted = new["metadata"]
        uid = wanted.get("uid")
        if uid and uid != old["metadata"]["uid"]:
            if call.verb == "update":
                raise errors.other_object(call.kind, call.namespace, call.name, uid, old["metadata"]["uid"])
            # a real server finds it twice
            raise errors.invalid(call.kind, call.name, [errors.invalid_value("metadata.uid", uid, _IMMUTABLE)] * 2)
        version = wanted.get("resourceVersion")
        if version and not version.isdigit():
            raise errors.failed(f'strconv.ParseUint: parsing "{version}": invalid syntax')
        if version and version != old["metadata"]["resourceVersion"]:
            raise errors.modified(call.kind, call.name)
        if not version and (call.kind.custom or call.kind.qualified in _VERSIONED):
            raise errors.version_required(call.kind, call.name)
        wanted["resourceVersion"] = old["metadata"]["resourceVersion"]
