"""Custom resource definitions for tests: any kind, with a schema that takes everything."""

from typing import Any

from migrator.adapters.kube.surroundings import CUSTOM, SECURITY_GROUPS

Json = dict[str, Any]
_ANY = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}


def definition(kind: str, group: str, resource: str, *versions: str, namespaced: bool = True) -> Json:
    """A definition of that kind, stored in the last of its versions."""
    names = {"plural": resource, "singular": resource.removesuffix("s"), "kind": kind, "listKind": f"{kind}List"}
    served = [{"name": one, "served": True, "storage": one == versions[-1], "schema": _ANY} for one in versions]
    scope = "Namespaced" if namespaced else "Cluster"
    spec = {"group": group, "scope": scope, "names": names, "versions": served}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource}.{group}"},
        "spec": spec,
    }


def every_kind() -> list[Json]:
    """Definitions of all kinds that planning knows and Kubernetes does not."""
    kinds = (*CUSTOM, SECURITY_GROUPS)
    return [definition(one.name, one.group, one.resource, "v1") for one in kinds]
