"""Label and field selectors: parsing, matching, and which fields a kind can be selected by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_SET = re.compile(r"^(?P<key>[^\s=!,()]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUAL = re.compile(r"^(?P<key>[^\s=!,()]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s=!,()]*)$")
_EXISTS = re.compile(r"^(?P<op>!?)\s*(?P<key>[^\s=!,()]+)$")
_NUMBER = re.compile(r"^(?P<key>[^\s=!,()<>]+)\s*(?P<op>[<>])\s*(?P<value>-?\d+)$")
_LABEL_KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")

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
    ("apps", "replicasets"): ("status.replicas",),
    ("batch", "jobs"): ("status.successful",),
}


@dataclass(frozen=True)
class Requirement:
    """One condition on one label."""

    key: str
    op: str
    values: tuple[str, ...] = ()

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet the condition."""
        present = self.key in labels
        value = labels.get(self.key, "")
        if self.op == "in":
            return present and value in self.values
        if self.op == "notin":
            return not present or value not in self.values
        if self.op == "exists":
            return present
        if self.op == "absent":
            return not present
        if not present or not value.lstrip("-").isdigit():
            return False
        return int(value) > int(self.values[0]) if self.op == ">" else int(value) < int(self.values[0])


def parse_labels(text: str) -> list[Requirement]:
    """A label selector as the query parameter spells it.

    Raises:
        ApiError: 400, it cannot be read.
    """
    return [_requirement(part.strip(), text) for part in _split(text) if part.strip()]


def _split(text: str) -> list[str]:
    return re.split(r",(?![^()]*\))", text)


def _requirement(part: str, whole: str) -> Requirement:
    if found := _SET.match(part):
        values = tuple(v.strip() for v in found["values"].split(","))
        parsed = Requirement(found["key"], found["op"], values)
    elif found := _EQUAL.match(part):
        parsed = Requirement(found["key"], "notin" if found["op"] == "!=" else "in", (found["value"],))
    elif found := _NUMBER.match(part):
        parsed = Requirement(found["key"], found["op"], (found["value"],))
    elif found := _EXISTS.match(part):
        parsed = Requirement(found["key"], "absent" if found["op"] else "exists")
    else:
        raise errors.bad_request(f"unable to parse requirement: found '{part}' in selector \"{whole}\"")
    if not _LABEL_KEY.match(parsed.key):
        raise errors.bad_request(f'unable to parse requirement: key: Invalid value: "{parsed.key}"')
    return parsed


def from_selector(selector: Json | None) -> list[Requirement]:
    """The requirements of a ``LabelSelector`` object (``matchLabels`` and ``matchExpressions``)."""
    if not selector:
        return []
    found = [Requirement(key, "in", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
    words = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}
    for expression in selector.get("matchExpressions") or ():
        values = tuple(expression.get("values") or ())
        found.append(Requirement(expression["key"], words.get(expression["operator"], "in"), values))
    return found


def accepts_labels(requirements: list[Requirement], labels: Mapping[str, str] | None) -> bool:
    """Whether labels meet all requirements."""
    return all(r.accepts(labels or {}) for r in requirements)


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
    for part in filter(None, (p.strip() for p in text.split(","))):
        match = re.match(r"^([^=!]+?)(==|=|!=)(.*)$", part)
        if match is None:
            raise errors.bad_request(f"invalid field selector: '{text}'; can't understand '{part}'")
        path = match[1].strip()
        _check_field(kind, path)
        found.append(FieldRequirement(path, match[2] != "!=", match[3].strip()))
    return found


def _check_field(kind: Kind, path: str) -> None:
    if path == "metadata.name" or (path == "metadata.namespace" and (kind.namespaced or kind.group)):
        return
    extra = _FIELDS.get(kind.key)
    if extra is None:
        raise errors.bad_request(f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"')
    if path not in extra:
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
