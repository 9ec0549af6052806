"""The fields of the built-in kinds, and how lists and maps among them are merged.

The fields come from ``schemas.json`` (made from the Python client's models by ``scripts/kube_schemas.py``);
the merge rules, which those models lack, are in the tables below. Strategic merge patch and server-side
apply have rules of their own that differ in a few places.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]

_FILE = Path(__file__).with_name("schemas.json")

# strategic merge patch: field -> key, wherever the field's elements are objects
_PATCH_KEYS = {
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "matchConditions": "name",
    "ownerReferences": "uid",
    "podIPs": "ip",
    "resourceClaims": "name",
    "secrets": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
    "webhooks": "name",
}
_PATCH_KEYS_OF = {
    ("V1Container", "ports"): "containerPort",
    ("V1EphemeralContainer", "ports"): "containerPort",
    ("V1ServiceSpec", "ports"): "port",
    ("V1NodeStatus", "addresses"): "type",
}
# these have no merge key although their names are in the table above
_NOT_MERGED = {
    ("V1CustomResourceDefinitionStatus", "conditions"),
    ("V1PodExtendedResourceClaimStatus", "containers"),
    ("V1ServiceAccount", "imagePullSecrets"),
}
# server-side apply: where its keys are not the patch key alone
_APPLY_KEYS_OF = {
    ("V1Container", "ports"): ("containerPort", "protocol"),
    ("V1EphemeralContainer", "ports"): ("containerPort", "protocol"),
    ("V1ServiceSpec", "ports"): ("port", "protocol"),
    ("V1PodSpec", "topologySpreadConstraints"): ("topologyKey", "whenUnsatisfiable"),
    ("V1CustomResourceDefinitionStatus", "conditions"): ("type",),
}
# lists of scalars that are sets
_SETS = {("V1ObjectMeta", "finalizers"), ("V1NodeSpec", "podCIDRs"), ("V1LoadBalancerStatus", "ingress")}
# a patch may name the keys to keep in these
_RETAIN_KEYS = {("V1DeploymentSpec", "strategy"), ("V1PodSpec", "volumes")}
# maps and structs that have one owner as a whole
_ATOMIC_TYPES = {
    "V1ConfigMapKeySelector",
    "V1LabelSelector",
    "V1LocalObjectReference",
    "V1NodeSelector",
    "V1NodeSelectorTerm",
    "V1ObjectFieldSelector",
    "V1ObjectReference",
    "V1OwnerReference",
    "V1ResourceFieldSelector",
    "V1RoleRef",
    "V1ScopeSelector",
    "V1SecretKeySelector",
    "V1SecretReference",
    "V1TypedLocalObjectReference",
    "CoreV1TypedLocalObjectReference",
}
_ATOMIC_FIELDS = {("V1PodSpec", "nodeSelector"), ("V1ServiceSpec", "selector")}
_DEFAULTED_KEYS = {"protocol": "TCP"}


@cache
def tables() -> Json:
    """The whole content of ``schemas.json``."""
    found: Json = msgspec.json.decode(_FILE.read_bytes())
    return found


@cache
def _fields(type_name: str) -> dict[str, Shape]:
    described = tables()["types"][type_name]["fields"]
    return {name: Shape(spec[0], type_name, name) for name, spec in described.items()}


@dataclass(frozen=True)
class Shape:
    """What is known of one place in an object: its type code and where it stands."""

    code: str
    parent: str = ""
    name: str = ""

    @property
    def is_list(self) -> bool:
        """Whether a list stands here."""
        return self.code.startswith("[")

    @property
    def is_map(self) -> bool:
        """Whether a map with free keys stands here."""
        return self.code.startswith("{")

    @property
    def is_struct(self) -> bool:
        """Whether an object with known fields stands here."""
        return len(self.code) > 1 and self.code[0] not in "[{"

    @property
    def fields(self) -> dict[str, Shape]:
        """The fields of a struct; empty for anything else."""
        return _fields(self.code) if self.is_struct else {}

    @property
    def element(self) -> Shape:
        """What the elements of a list or map are."""
        return _element(self)

    def child(self, name: str) -> Shape:
        """The shape under a key; of an unknown one nothing is known."""
        if self.is_struct:
            return self.fields.get(name, UNKNOWN)
        return self.element if self.is_map else UNKNOWN

    @property
    def patch_key(self) -> str:
        """The key by which a strategic patch merges this list; empty if it replaces it."""
        place = (self.parent, self.name)
        if not self.is_list or place in _NOT_MERGED or not self.element.is_struct:
            return ""
        if place in _PATCH_KEYS_OF:
            return _PATCH_KEYS_OF[place]
        key = _PATCH_KEYS.get(self.name, "")
        return key if key in self.element.fields else ""

    @property
    def is_set(self) -> bool:
        """Whether this list of scalars is merged as a set."""
        return self.is_list and (self.parent, self.name) in _SETS

    @property
    def retains_keys(self) -> bool:
        """Whether a patch here lists the keys to keep."""
        return (self.parent, self.name) in _RETAIN_KEYS

    @property
    def apply_keys(self) -> tuple[str, ...]:
        """The keys by which server-side apply tells this list's elements apart; empty if it is atomic."""
        if not self.is_list:
            return ()
        found = _APPLY_KEYS_OF.get((self.parent, self.name))
        if found is not None:
            return found
        return (self.patch_key,) if self.patch_key else ()

    @property
    def is_atomic(self) -> bool:
        """Whether server-side apply gives this map or struct one owner as a whole."""
        return self.code in _ATOMIC_TYPES or (self.parent, self.name) in _ATOMIC_FIELDS

    def identity(self, element: Any) -> Json | None:
        """The key fields of an element of this list, defaults filled in; ``None`` if it lacks one."""
        if not isinstance(element, dict):
            return None
        found: Json = {}
        for key in self.apply_keys:
            value = element.get(key, _DEFAULTED_KEYS.get(key))
            if value is None:
                return None
            found[key] = value
        return found


UNKNOWN = Shape("o")


@cache
def _element(shape: Shape) -> Shape:
    return Shape(shape.code[1:]) if shape.code[0] in "[{" else UNKNOWN


def root(api_version: str, kind: str) -> Shape:
    """The shape of a built-in kind, or one that knows nothing."""
    name = tables()["roots"].get(f"{api_version}/{kind}")
    return Shape(name) if name else UNKNOWN
