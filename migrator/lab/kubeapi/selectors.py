"""Field selectors: parsing, matching, and which fields a kind can be selected by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.labels import parse_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_TERMS = re.compile(r"(?<!\\),")
_TERM = re.compile(r"(?s)^(?P<field>.*?)(?P<op>!=|==|=)(?P<value>.*)$")

_POD_FIELDS = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)
_EVENT_FIELDS = (
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
)
_FIELDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "pods"): _POD_FIELDS,
    ("", "events"): _EVENT_FIELDS,
    ("", "secrets"): ("type",),
    ("", "namespaces"): ("status.phase", "name"),
    ("", "nodes"): ("spec.unschedulable",),
    ("", "services"): ("spec.clusterIP", "spec.type"),
    ("", "replicationcontrollers"): ("status.replicas",),
    ("batch", "jobs"): ("status.successful",),
}


@dataclass(frozen=True)
class FieldRequirement:
    """One condition on one field."""

    path: str
    equal: bool
    value: str

    def accepts(self, obj: Json) -> bool:
        """Whether the object meets the condition."""
        return (_field(obj, self.path) == self.value) == self.equal


def parse_fields(kind: Kind, text: str) -> list[FieldRequirement]:
    """A field selector of a kind.

    Raises:
        ApiError: 400, unreadable or on a field that this kind cannot be selected by.
    """
    found = []
    for part in filter(None, sorted(_TERMS.split(text))):
        match = _TERM.match(part)
        if match is None:
            raise errors.bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        path = match["field"]
        _check_field(kind, path)
        found.append(FieldRequirement(path, match["op"] != "!=", re.sub(r"\\(.)", r"\1", match["value"])))
    return found


def _check_field(kind: Kind, path: str) -> None:
    if path == "metadata.name" or (path == "metadata.namespace" and (kind.namespaced or kind.group)):
        return
    extra = _FIELDS.get(kind.key)
    if extra is None:
        raise errors.bad_request(f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"')
    if path not in extra:
        if kind.key == ("batch", "jobs"):
            raise errors.bad_request(f'field label "{path}" not supported for Job')
        raise errors.bad_request(f"field label not supported: {path}")


def _field(obj: Json, path: str) -> str:
    if path == "name":
        path = "metadata.name"
    if path == "status.successful":
        return str((obj.get("status") or {}).get("succeeded") or 0)
    if path == "source":
        found: Any = (obj.get("source") or {}).get("component") or obj.get("reportingComponent")
    else:
        found = obj
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return "true" if found else "false"
    if found is None:
        return {"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.replicas": "0"}.get(path, "")
    return str(found)


class Selection:
    """A label selector and a field selector together."""

    def __init__(self, kind: Kind, labels: str, fields: str) -> None:
        self._labels = parse_labels(labels)
        self._fields = parse_fields(kind, fields)

    def __bool__(self) -> bool:
        return bool(self._labels or self._fields)

    def accepts(self, obj: Json) -> bool:
        """Whether the object is selected."""
        return all(r.accepts(obj["metadata"].get("labels") or {}) for r in self._labels) and all(
            r.accepts(obj) for r in self._fields
        )

    @property
    def namespace(self) -> str:
        """The one namespace selected by field, if that is how the caller narrowed the list."""
        for requirement in self._fields:
            if requirement.path == "metadata.namespace" and requirement.equal:
                return requirement.value
        return ""
