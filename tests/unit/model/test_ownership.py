"""Who owns what, by the marks: each mark, and what only looks like it."""

from dataclasses import replace
from typing import Any

import pytest

from migrator.model.facts import FieldManager, Role, ServiceAccount, Stack
from migrator.model.ownership import OwnerKind, account_owner, role_owner

ACCOUNT = ServiceAccount(namespace="shop", name="orders", uid="u")
ROLE = Role(arn="arn:aws:iam::111111111111:role/orders", name="orders", id="AROA", account="111111111111", trust="{}")
HELM = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "orders", "meta.helm.sh/release-namespace": "shop"},
}
TRACKING = {"argocd.argoproj.io/tracking-id": "shop:/ServiceAccount:shop/orders"}
INSTANCE = {"app.kubernetes.io/instance": "shop"}
FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
FLUX_HELM = {"helm.toolkit.fluxcd.io/name": "orders", "helm.toolkit.fluxcd.io/namespace": "shop"}


def written(*names: str, applies: bool = False) -> dict[str, Any]:
    return {"managers": tuple(FieldManager(name=name, applies=applies) for name in names)}


OWNED: dict[str, tuple[dict[str, Any], OwnerKind, str]] = {
    "Helm": (HELM, OwnerKind.HELM, "Helm release shop/orders"),
    "Helm, after our way back": (
        {**HELM, **written("irsa-migrator")},
        OwnerKind.HELM,
        "Helm release shop/orders",
    ),
    "Argo CD": ({"annotations": TRACKING}, OwnerKind.ARGO_CD, "Argo CD application shop"),
    "Argo CD over Helm's marks": (
        {**HELM, "annotations": {**HELM["annotations"], **TRACKING}},
        OwnerKind.ARGO_CD,
        "Argo CD application shop",
    ),
    "Argo CD by label": (
        {"labels": INSTANCE, **written("argocd-controller")},
        OwnerKind.ARGO_CD,
        "Argo CD application shop",
    ),
    "Argo CD by a label of its own": (written("argocd-controller"), OwnerKind.ARGO_CD, "Argo CD"),
    "Flux": ({"labels": FLUX}, OwnerKind.FLUX_KUSTOMIZATION, "Flux Kustomization flux-system/apps"),
    "Flux's Helm": (
        {**HELM, "labels": {**HELM["labels"], **FLUX_HELM}},
        OwnerKind.FLUX_HELM,
        "Flux HelmRelease shop/orders",
    ),
    "eksctl": ({"labels": {"app.kubernetes.io/managed-by": "eksctl"}}, OwnerKind.EKSCTL, "eksctl"),
    "Terraform's resources": (written("HashiCorp"), OwnerKind.TERRAFORM, "Terraform"),
    "Terraform's manifests": (written("Terraform", applies=True), OwnerKind.TERRAFORM, "Terraform"),
    "an operator": ({"controller": "Vault main"}, OwnerKind.CONTROLLER, "Vault main"),
    "an operator's chart": ({**HELM, "controller": "Vault main"}, OwnerKind.CONTROLLER, "Vault main"),
    "an applier": (written("pulumi-kubernetes", applies=True), OwnerKind.CONTROLLER, "field manager pulumi-kubernetes"),
}
NOBODYS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "Helm's label alone": {"labels": HELM["labels"]},
    "Helm's annotations alone": {"annotations": HELM["annotations"]},
    "Helm's release without its namespace": {**HELM, "annotations": {"meta.helm.sh/release-name": "orders"}},
    "Helm's, and the annotation a person's": {**HELM, **written("kubectl-annotate")},
    "tracking of another object": {"annotations": {"argocd.argoproj.io/tracking-id": "shop:/ServiceAccount:shop/web"}},
    "tracking of another kind": {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/orders"}},
    "the label of a chart": {"labels": INSTANCE},
    "half of Flux's labels": {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}},
    "a person's apply": written("kubectl", applies=True),
    "an unknown writer": written("okhttp"),
    "an add-on": written("eks", applies=True),
    "ourselves": written("irsa-migrator", applies=True),
}


@pytest.mark.parametrize("case", OWNED)
def test_accounts_of_owners(case: str) -> None:
    given, kind, name = OWNED[case]
    owner = account_owner(replace(ACCOUNT, **given))
    assert owner is not None
    assert (owner.kind, owner.name) == (kind, name)


@pytest.mark.parametrize("case", NOBODYS)
def test_accounts_of_nobody(case: str) -> None:
    assert account_owner(replace(ACCOUNT, **NOBODYS[case])) is None


STACK = {"aws:cloudformation:stack-name": "shop-roles", "aws:cloudformation:logical-id": "OrdersRole"}
EKSCTL = {"alpha.eksctl.io/cluster-name": "prod", "alpha.eksctl.io/iamserviceaccount-name": "shop/orders"}
OWNED_ROLES: dict[str, tuple[dict[str, Any], OwnerKind, str, str]] = {
    "a stack that has it": (
        {"stack": Stack(name="shop", place="Orders")},
        OwnerKind.CLOUDFORMATION,
        "CloudFormation stack shop",
        "Orders",
    ),
    "a stack that tagged it": (
        {"tags": STACK},
        OwnerKind.CLOUDFORMATION,
        "CloudFormation stack shop-roles",
        "OrdersRole",
    ),
    "a stack of eksctl, by its tags": (
        {"tags": EKSCTL},
        OwnerKind.CLOUDFORMATION,
        "CloudFormation stack eksctl-prod-addon-iamserviceaccount-shop-orders",
        "Role1",
    ),
    "a stack of eksctl, by its name": (
        {"name": "eksctl-breakfast-addon-iamserviceaccoun-Role1-1NIFREKFVTZE2", "stacks_unread": "denied"},
        OwnerKind.CLOUDFORMATION,
        "CloudFormation stack eksctl-breakfast-addon-iamserviceaccoun",
        "Role1",
    ),
    "a stack over Terraform's tags": (
        {"tags": {**STACK, "ManagedBy": "terraform"}},
        OwnerKind.CLOUDFORMATION,
        "CloudFormation stack shop-roles",
        "OrdersRole",
    ),
    "Terraform": ({"tags": {"ManagedBy": "Terraform"}}, OwnerKind.TERRAFORM, "Terraform", ""),
    "Terraform, spelt otherwise": ({"tags": {"managed_by": "terraform-cloud"}}, OwnerKind.TERRAFORM, "Terraform", ""),
    "Terraform, yes": ({"tags": {"Terraform": "true"}}, OwnerKind.TERRAFORM, "Terraform", ""),
    "OpenTofu": ({"tags": {"iac": "opentofu"}}, OwnerKind.TERRAFORM, "Terraform", ""),
    "Crossplane": ({"tags": {"crossplane-name": "orders"}}, OwnerKind.CONTROLLER, "Crossplane", ""),
    "ACK": ({"tags": {"services.k8s.aws/controller-version": "iam-v1.3.2"}}, OwnerKind.CONTROLLER, "ACK", ""),
}
ROLES_OF_NOBODY: dict[str, dict[str, Any]] = {
    "no tags": {},
    "Terraform, no": {"tags": {"Terraform": "false"}},
    "a team of that name": {"tags": {"Team": "terraform"}},
    "managed by somebody else": {"tags": {"ManagedBy": "platform"}},
    "eksctl's cluster alone": {"tags": {"alpha.eksctl.io/cluster-name": "prod"}},
    "a name of eksctl's, and no stack has it": {"name": "eksctl-breakfast-addon-iamserviceaccoun-Role1-1NIFREKFVTZE2"},
    "a name like eksctl's": {"name": "eksctl-like-Role1", "stacks_unread": "denied"},
    "a name of any stack's form": {"name": "shop-roles-OrdersRole-1NIFREKFVTZE2", "stacks_unread": "denied"},
}


@pytest.mark.parametrize("case", OWNED_ROLES)
def test_roles_of_owners(case: str) -> None:
    given, kind, name, place = OWNED_ROLES[case]
    owner = role_owner(replace(ROLE, **given))
    assert owner is not None
    assert (owner.kind, owner.name, owner.place) == (kind, name, place)


@pytest.mark.parametrize("case", ROLES_OF_NOBODY)
def test_roles_of_nobody(case: str) -> None:
    assert role_owner(replace(ROLE, **ROLES_OF_NOBODY[case])) is None
