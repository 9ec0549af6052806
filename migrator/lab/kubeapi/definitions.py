"""Custom resource definitions: the kinds they add, and the checks their schemas ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from migrator.lab.kubeapi.calls import copy
from migrator.lab.kubeapi.errors import FieldError
from migrator.lab.kubeapi.kinds import DEFINITION, Kind
from migrator.lab.kubeapi.metadata import now

if TYPE_CHECKING:
    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.storage import Event, KindKey

Json = dict[str, Any]


class Definitions:
    """Serves what the definitions in the store define."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._schemas: dict[tuple[str, str, str], Json] = {}

    def handle(self, kind: KindKey, event: Event) -> None:
        """Take note of one change of a definition."""
        if kind != DEFINITION.key:
            return
        definition = event.record.obj
        name = definition["metadata"]["name"]
        if event.type == "DELETED":
            self._cluster.kinds.set_custom(name, [])
            return
        if "deletionTimestamp" in definition["metadata"]:
            return
        self._cluster.kinds.set_custom(name, [self._kind(definition, v) for v in _served(definition)])
        if not (definition.get("status") or {}).get("conditions"):
            self._establish(definition)

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
            custom=True,
            list_kind=names.get("listKind", ""),
            columns=tuple((c["name"], c["type"], c["jsonPath"]) for c in columns if not c.get("priority")),
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


def _served(definition: Json) -> list[Json]:
    return [version for version in definition["spec"].get("versions") or () if version.get("served", True)]


def _condition(name: str, reason: str, message: str) -> Json:
    return {"type": name, "status": "True", "lastTransitionTime": now(), "reason": reason, "message": message}
