"""The world file's reference, written from its schema; `docs/lab.md` holds it and a test compares the two."""

from collections.abc import Iterator, Mapping
from typing import Any

from migrator.lab.world.load import world_schema

BEGIN = "<!-- world reference: written by migrator.lab.world.reference -->"
END = "<!-- end of world reference -->"
_TITLES = {
    "account": "accounts[]",
    "oidcProvider": "accounts[].oidcProviders[]",
    "table": "accounts[].tables[]",
    "bucket": "accounts[].buckets[]",
    "guarded": "accounts[].keys[], queues[], topics[] and secrets[]",
    "managedPolicy": "accounts[].policies[]",
    "role": "accounts[].roles[]",
    "stack": "accounts[].stacks[]",
    "trust": "accounts[].roles[].trust",
    "irsaTrust": "accounts[].roles[].trust.irsa[]",
    "cluster": "clusters[]",
    "webhook": "clusters[].webhook",
    "nodePool": "clusters[].nodes[]",
    "taint": "clusters[].nodes[].taints[]",
    "fargateProfile": "clusters[].fargateProfiles[]",
    "nodegroup": "clusters[].nodegroups[]",
    "addon": "clusters[].addons[]",
    "addonAssociation": "clusters[].addons[].podIdentityAssociations[]",
    "association": "clusters[].associations[]",
    "vpcEndpoint": "clusters[].vpcEndpoints[]",
    "namespace": "clusters[].namespaces[]",
    "serviceAccount": "clusters[].namespaces[].serviceAccounts[]",
    "workload": "clusters[].namespaces[].workloads[]",
    "container": "containers[] and initContainers[] of a workload",
    "manifest": "manifests[] of a cluster or namespace",
    "fault": "faults[]",
    "moment": "faults[].when",
    "awsCall": "aws, in faults",
    "kubeCall": "kube, in faults",
    "associationLate": "faults[].associationLate",
    "iamLate": "faults[].iamLate",
    "trustLate": "faults[].trustLate",
    "failing": "faults[].fail",
    "dropping": "faults[].drop",
    "expiring": "faults[].expire",
    "webhookMisses": "faults[].webhookMisses",
    "webhookOff": "faults[].webhookOff",
    "crashLoop": "faults[].crashLoop",
    "addonSick": "faults[].addonSick",
    "addonIssue": "faults[].addonSick.issues[]",
    "addonUpdateFails": "faults[].addonUpdateFails",
    "agentMissing": "faults[].agentMissing",
    "putBack": "faults[].putBack",
    "edit": "faults[].edit[]",
    "trustEdit": "faults[].edit[].trust",
    "annotateEdit": "faults[].edit[].annotate",
    "associateEdit": "faults[].edit[].associate",
    "scaleEdit": "faults[].edit[].scale",
    "patchEdit": "faults[].edit[].patch",
    "deleteEdit": "faults[].edit[].delete",
}

_TEXTS = {
    "accountId",
    "region",
    "label",
    "objectName",
    "roleName",
    "path",
    "roleReference",
    "inNamespace",
    "rolePattern",
}
_TYPES = {"object": "map", "integer": "whole number", "number": "number", "boolean": "true or false"}
_DELAYS = {"seconds": "number", "late": "number or `never`"}


def reference() -> str:
    """A section per kind of entry, a row per field."""
    schema = world_schema()
    parts = [BEGIN, "", "### The file itself", "", *_table(schema, schema["$defs"])]
    for name, title in _TITLES.items():
        definition = schema["$defs"][name]
        parts += ["", f"### `{title}`", ""]
        if "description" in definition:
            parts += [definition["description"], ""]
        parts += _table(definition, schema["$defs"])
    return "\n".join([*parts, "", END])


def _table(definition: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    required = set(definition.get("required", ()))
    yield "| Field | Value | Unless given | Meaning |"
    yield "| --- | --- | --- | --- |"
    for name, field in definition["properties"].items():
        full = {**known.get(_referred(field), {}), **field}
        default = "required" if name in required else _default(full)
        yield f"| `{name}` | {_value(full)} | {default} | {full.get('description', '')} |"


def _default(field: Mapping[str, Any]) -> str:
    return f"`{field['default']}`" if "default" in field else ""


def _referred(field: Mapping[str, Any]) -> str:
    return str(field.get("$ref", "")).rpartition("/")[2]


def _value(field: Mapping[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_value(one) for one in field["anyOf"]))
    if field.get("type") == "array":
        return f"list of {_value(field['items'])}"
    name = _referred(field)
    if name in _TEXTS or field.get("type") == "string":
        return "text"
    return _DELAYS.get(name) or _TYPES.get(str(field.get("type")), "map")
