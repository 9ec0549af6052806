"""Custom resource definitions: the kinds they add, and the checks their schemas ask for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.delete_options import Options
from migrator.lab.kubeapi.deletion import CLEANUP
from migrator.lab.kubeapi.errors import FieldError
from migrator.lab.kubeapi.kinds import CUSTOM, DEFINITION, Kind
from migrator.lab.kubeapi.managed_fields import record_update
from migrator.lab.kubeapi.metadata import now

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.storage import Event, KindKey

Json = dict[str, Any]


_IN_PROGRESS = {"reason": "InstanceDeletionInProgress", "message": "CustomResource deletion is in progress"}


class Definitions:
    """Serves what the definitions in the store define."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._going: dict[KindKey, str] = {}
        self._schemas: dict[tuple[str, str, str], Json] = {}

    def handle(self, kind: KindKey, event: Event) -> None:
        """Take note of one change of a definition, or of an object of a kind that is going."""
        if kind != DEFINITION.key:
            if kind in self._going and event.type == "DELETED":
                self._finish(kind)
            return
        definition = event.record.obj
        name, key = definition["metadata"]["name"], (definition["spec"]["group"], definition["spec"]["names"]["plural"])
        if event.type == "DELETED":
            self._going.pop(key, None)
            self._cluster.kinds.set_custom(name, [])
        elif "deletionTimestamp" in definition["metadata"]:
            self._going[key] = name
            self._clear(key)
        elif not (definition.get("status") or {}).get("conditions"):
            self._establish(definition)
        else:  # only now, so that nobody who sees its kind can still get before its being established
            self._cluster.kinds.set_custom(name, [self._kind(definition, v) for v in _served(definition)])

    def admit(self, call: Call, name: str) -> None:
        """Refuse a new object of a kind that is going.

        Raises:
            ApiError: 403.
        """
        if call.kind.key in self._going:
            why = "create not allowed while custom resource definition is terminating"
            raise errors.forbidden(call.kind, call.name or name, why)

    def _clear(self, key: KindKey) -> None:
        """Delete the objects of a kind that is going, and then let it go."""
        self._say_going(key)
        for record in list(self._cluster.store.records(key)):
            kind, metadata = self._cluster.kinds.named(*key), record.obj["metadata"]
            # somebody else may have been quicker, which is as good
            with contextlib.suppress(errors.ApiError):
                self._cluster.deleter.delete(kind, (metadata.get("namespace", ""), metadata["name"]), Options())
        self._finish(key)

    def _say_going(self, key: KindKey) -> None:
        """Have the definition say that its objects are being deleted."""
        definition = self._cluster.store.get(DEFINITION.key, "", self._going[key])
        if definition is None:
            return
        changed = copy(definition.obj)
        status = changed["status"]
        status["conditions"] = [
            one | (_IN_PROGRESS if one["type"] == "Terminating" else {}) for one in status["conditions"]
        ]
        if changed != definition.obj:
            record_update(DEFINITION, definition.obj, changed, manager="kube-apiserver", subresource="status")
            self._cluster.rewrite(DEFINITION.key, definition.obj, changed)

    def _finish(self, key: KindKey) -> None:
        definition = self._cluster.store.get(DEFINITION.key, "", self._going[key])
        if definition is None or any(True for _ in self._cluster.store.records(key)):
            return
        changed = copy(definition.obj)
        held = [one for one in changed["metadata"].get("finalizers") or () if one != CLEANUP]
        changed["metadata"]["finalizers"] = held
        if not held:
            del changed["metadata"]["finalizers"]
        self._cluster.rewrite(DEFINITION.key, definition.obj, changed)

    def _kind(self, definition: Json, version: Json) -> Kind:
        spec = definition["spec"]
        names = spec["names"]
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        self._schemas[(spec["group"], version["name"], names["plural"])] = schema or {}
        columns = version.get("additionalPrinterColumns") or ()
        return Kind(
            spec["group"],
            version["name"],
            names["kind"],
            names["plural"],
            spec.get("scope", "Namespaced") == "Namespaced",
            singular=names.get("singular", ""),
            short=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=tuple(sorted(version.get("subresources") or {})),
            verbs=CUSTOM,
            custom=True,
            storage_version=next(v["name"] for v in spec["versions"] if v.get("storage")),
            list_kind=names.get("listKind", ""),
            scale=_scale(version),
            columns=tuple(columns),
        )

    def _establish(self, definition: Json) -> None:
        changed = copy(definition)
        spec = definition["spec"]
        changed["status"] = {
            "conditions": [
                _condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                _condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
            ],
            "acceptedNames": spec["names"],
            "storedVersions": [v["name"] for v in spec["versions"] if v.get("storage")],
        }
        record_update(DEFINITION, definition, changed, manager="kube-apiserver", subresource="status")
        self._cluster.rewrite(DEFINITION.key, definition, changed)

    def schema(self, kind: Kind) -> Json:
        """The schema of a custom kind, or an empty one."""
        return self._schemas.get((kind.group, kind.version, kind.plural), {})

    def errors(self, kind: Kind, obj: Json) -> list[FieldError]:
        """What is wrong with a custom object by its schema."""
        schema = self.schema(kind)
        checked = {key: value for key, value in schema.items() if key != "description"}
        if not checked:
            return []
        found = []
        for problem in Draft202012Validator(checked).iter_errors(obj):
            path = ".".join(str(part) for part in problem.absolute_path)
            if problem.validator == "required":
                missing = problem.message.split("'")[1]
                found.append(FieldError(f"{path}.{missing}".lstrip("."), "FieldValueRequired"))
            else:
                found.append(FieldError(path, "FieldValueInvalid", problem.message, problem.instance))
        return found


def _scale(version: Json) -> tuple[str, str, str]:
    """Where a version's objects say how many there are to be, how many there are, and which those are."""
    said = (version.get("subresources") or {}).get("scale") or {}
    spec, status, labels = (
        said.get(f"{name}Path", "")[1:] for name in ("specReplicas", "statusReplicas", "labelSelector")
    )
    return spec, status, labels


def _served(definition: Json) -> list[Json]:
    return [version for version in definition["spec"].get("versions") or () if version.get("served", True)]


def _condition(name: str, reason: str, message: str) -> Json:
    return {"type": name, "status": "True", "lastTransitionTime": now(), "reason": reason, "message": message}
