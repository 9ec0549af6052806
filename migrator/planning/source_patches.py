"""The change at the source: what the owner of a ServiceAccount or of a role has to write, as text to copy.

Nothing here is ever carried out. Where a source has a shape of its own that cannot be seen from the cluster, a chart's
values or a module's variables, the patch shows the usual one, and what must come of it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from migrator.documents.emit import emit
from migrator.model.facts import Json, ServiceAccount
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.ownership import Owner, OwnerKind

_USUAL = "where most charts take it; null takes out what the chart gives, a line of your own that gives it is deleted"
_POINTER = "/metadata/annotations/" + ROLE_ARN_ANNOTATION.replace("/", "~1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePatch:
    """One piece of text and where it belongs; `language` is yaml, hcl, json or shell."""

    where: str
    language: str
    text: str


Patches = tuple[SourcePatch, ...]


def without_annotation(owner: Owner, account: ServiceAccount, role: str) -> Patches:
    """What takes the annotation with `role` out of the ServiceAccount at its source."""
    return _ACCOUNT[owner.kind](owner, account, role)


def with_statement(owner: Owner, role_name: str, statement: Mapping[str, Json]) -> Patches:
    """What adds the statement to the role's trust policy at its source."""
    return _ROLE[owner.kind](owner, role_name, statement)


def _helm(owner: Owner, account: ServiceAccount, role: str) -> Patches:
    del role
    where = f"the values of {owner.name}, {_USUAL}"
    return _yaml(where, _values()), _manifest(f"what {owner.name} must render then", account)


def _argo_cd(owner: Owner, account: ServiceAccount, role: str) -> Patches:
    del role
    return (_manifest(f"the source of {owner.name}, as a patch of its kustomization.yaml", account),)


def _flux_kustomization(owner: Owner, account: ServiceAccount, role: str) -> Patches:
    del role
    patches = [{"target": _target(account), "patch": json.dumps(_REMOVE)}]
    where = f"{owner.name}, or the same under patches in the kustomization.yaml of its source"
    return (_yaml(where, {"spec": {"patches": patches}}),)


def _flux_helm(owner: Owner, account: ServiceAccount, role: str) -> Patches:
    del role
    where = f"{owner.name}, {_USUAL}"
    patches = [{"target": _target(account), "patch": json.dumps(_REMOVE)}]
    renderer = {"spec": {"postRenderers": [{"kustomize": {"patches": patches}}]}}
    other = f"{owner.name}, whatever its chart takes"
    return _yaml(where, {"spec": {"values": _values()}}), _yaml(other, renderer)


def _terraform(owner: Owner, account: ServiceAccount, role: str) -> Patches:
    del owner
    text = f'  metadata {{\n    annotations = {{\n-     "{ROLE_ARN_ANNOTATION}" = "{role}"\n    }}\n  }}\n'
    return (SourcePatch(where=f"the Terraform resource that makes {_named(account)}", language="hcl", text=text),)


def _eksctl(owner: Owner, account: ServiceAccount, role: str) -> Patches:
    """`roleOnly` keeps eksctl from writing the annotation; it takes none out."""
    del owner, role
    entry = {"metadata": {"name": account.name, "namespace": account.namespace}, "roleOnly": True}
    command = f"kubectl annotate serviceaccount {account.name} --namespace {account.namespace} {ROLE_ARN_ANNOTATION}-\n"
    return (
        _yaml("the entry of the ServiceAccount in eksctl's config file", {"iam": {"serviceAccounts": [entry]}}),
        SourcePatch(where="a shell, once, since eksctl takes no annotation out", language="shell", text=command),
    )


def _controller(owner: Owner, account: ServiceAccount, role: str) -> Patches:
    del role
    return (_manifest(f"what {owner.name} writes the ServiceAccount from must leave it like this", account),)


def _cloudformation(owner: Owner, role_name: str, statement: Mapping[str, Json]) -> Patches:
    policy = {"AssumeRolePolicyDocument": {"Statement": [statement]}}
    resource = {"Type": "AWS::IAM::Role", "Properties": policy}
    place = owner.place or f"LogicalIdOf{''.join(filter(str.isalnum, role_name))}"
    where = f"the template of {owner.name}: one more statement, beside those that are there; then update the stack"
    return (_yaml(where, {"Resources": {place: resource}}),)


def _terraform_role(owner: Owner, role_name: str, statement: Mapping[str, Json]) -> Patches:
    del owner
    where = f'the aws_iam_policy_document that is the assume_role_policy of aws_iam_role "{role_name}"'
    return (SourcePatch(where=where, language="hcl", text=_hcl(statement)),)


def _role_controller(owner: Owner, role_name: str, statement: Mapping[str, Json]) -> Patches:
    where = f"the trust policy in the object of {owner.name} that makes role {role_name}: one more statement"
    return (SourcePatch(where=where, language="json", text=json.dumps(statement, indent=2) + "\n"),)


def _hcl(statement: Mapping[str, Json]) -> str:
    """A statement of the form that this tool writes: one service, actions, conditions by operator and key."""
    lines = ["statement {"]
    if "Sid" in statement:
        lines.append(f"  sid     = {json.dumps(statement['Sid'])}")
    lines += [f"  actions = {json.dumps(_listed(statement['Action']))}", ""]
    for kind, identifiers in statement["Principal"].items():
        named = json.dumps(_listed(identifiers))
        lines += ["  principals {", f"    type        = {json.dumps(kind)}", f"    identifiers = {named}", "  }"]
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            lines += ["", "  condition {", f"    test     = {json.dumps(operator)}"]
            lines += [f"    variable = {json.dumps(key)}", f"    values   = {json.dumps(_listed(values))}", "  }"]
    return "\n".join([*lines, "}"]) + "\n"


def _listed(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _values() -> Mapping[str, Json]:
    """By the convention of most charts."""
    return {"serviceAccount": {"annotations": {ROLE_ARN_ANNOTATION: None}}}


def _manifest(where: str, account: ServiceAccount) -> SourcePatch:
    """A strategic merge patch: what is null goes."""
    metadata = {"name": account.name, "namespace": account.namespace, "annotations": {ROLE_ARN_ANNOTATION: None}}
    return _yaml(where, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})


def _target(account: ServiceAccount) -> Mapping[str, Json]:
    return {"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}


def _yaml(where: str, data: Mapping[str, Json]) -> SourcePatch:
    return SourcePatch(where=where, language="yaml", text=emit(data))


def _named(account: ServiceAccount) -> str:
    return f"ServiceAccount {account.namespace}/{account.name}"


_REMOVE = [{"op": "remove", "path": _POINTER}]
_ACCOUNT: Mapping[OwnerKind, Callable[[Owner, ServiceAccount, str], Patches]] = {
    OwnerKind.HELM: _helm,
    OwnerKind.ARGO_CD: _argo_cd,
    OwnerKind.FLUX_KUSTOMIZATION: _flux_kustomization,
    OwnerKind.FLUX_HELM: _flux_helm,
    OwnerKind.TERRAFORM: _terraform,
    OwnerKind.EKSCTL: _eksctl,
    OwnerKind.CONTROLLER: _controller,
}
_ROLE: Mapping[OwnerKind, Callable[[Owner, str, Mapping[str, Json]], Patches]] = {
    OwnerKind.CLOUDFORMATION: _cloudformation,
    OwnerKind.TERRAFORM: _terraform_role,
    OwnerKind.CONTROLLER: _role_controller,
}
