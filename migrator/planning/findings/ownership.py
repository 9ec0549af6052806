"""Rules about who else writes the ServiceAccount or the role, and would take back what is changed there."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.ownership import Owner, OwnerKind, account_owner, role_owner
from migrator.model.plan import Finding
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OF_ACCOUNT: Mapping[OwnerKind, str] = {
    OwnerKind.HELM: "owner-helm",
    OwnerKind.ARGO_CD: "owner-argo-cd",
    OwnerKind.FLUX_KUSTOMIZATION: "owner-flux",
    OwnerKind.FLUX_HELM: "owner-flux",
    OwnerKind.TERRAFORM: "owner-terraform",
    OwnerKind.EKSCTL: "owner-eksctl",
    OwnerKind.CONTROLLER: "owner-controller",
}
_OF_ROLE: Mapping[OwnerKind, str] = {
    OwnerKind.CLOUDFORMATION: "role-cloudformation",
    OwnerKind.TERRAFORM: "role-terraform",
    OwnerKind.CONTROLLER: "role-controller",
}


def judge(case: Case) -> Iterator[Finding]:
    """Findings about owners."""
    account, owner = f"ServiceAccount {case.service.name}", account_owner(case.account)
    if owner is not None:
        yield found(_OF_ACCOUNT[owner.kind], account, owner.mark, owner.value, owner=owner.name)
    elif _applied_with_role(case):
        yield found("owner-applied", account, f"annotation {_LAST_APPLIED}", ROLE_ARN_ANNOTATION)
    owner = trust_owner(case)
    if owner is not None and case.role.role is not None:
        yield found(_OF_ROLE[owner.kind], case.role.role.arn, owner.mark, owner.value, owner=owner.name)
    elif unread := _stacks_unread(case):
        yield found("not-read", f"the CloudFormation stacks of account {case.cluster.account}", "", unread)


def trust_owner(case: Case) -> Owner | None:
    """The role's owner, where its trust policy would be changed behind his back; let in already, nothing is."""
    role, merged = case.role.role, case.role.merged
    if role is None or merged is None or not merged.changed:
        return None
    tags = {**role.tags, **case.reach.permissions.tags}  # a list of many roles comes without tags
    return role_owner(replace(role, tags=tags))


def _stacks_unread(case: Case) -> str:
    """Why a role whose trust policy would be changed may have a stack all the same."""
    role, merged = case.role.role, case.role.merged
    return role.stacks_unread if role is not None and merged is not None and merged.changed else ""


def _applied_with_role(case: Case) -> bool:
    """Whether the manifest that `kubectl apply` last took holds the annotation; what it cannot have written is none."""
    try:
        manifest = json.loads(case.account.annotations.get(_LAST_APPLIED, "{}"))
    except ValueError:
        return False
    metadata = manifest.get("metadata") if isinstance(manifest, dict) else None
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and ROLE_ARN_ANNOTATION in annotations
