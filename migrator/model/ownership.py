"""Who else writes a ServiceAccount or a role, told from the marks that the usual tools leave on what they make.

An owner is somebody who has the thing in a source of his own and will make it again as it stands there: what is changed
behind his back comes back. Sources: Helm's ownership metadata; Argo CD's "resource tracking"; the labels of Flux's two
controllers; the labels and tags of eksctl; the field managers of the Terraform provider for Kubernetes; the tags of
CloudFormation stacks, of Crossplane's and of ACK's controllers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from migrator.model.facts import FieldManager, Role, ServiceAccount
from migrator.model.ids import MANAGED_BY


class OwnerKind(StrEnum):
    """What kind of source it is."""

    HELM = "helm"
    ARGO_CD = "argo-cd"
    FLUX_KUSTOMIZATION = "flux-kustomization"
    FLUX_HELM = "flux-helm-release"
    TERRAFORM = "terraform"
    EKSCTL = "eksctl"
    CLOUDFORMATION = "cloudformation"
    CONTROLLER = "controller"  # something else that writes it again by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose it is: `name` as people say it, and the mark that tells.

    `place` is what his source calls the thing, where that is known: a stack's logical id.
    """

    kind: OwnerKind
    name: str
    mark: str  # which label, annotation, tag or field
    value: str
    place: str = ""


_MANAGED_BY = "app.kubernetes.io/managed-by"
_INSTANCE = "app.kubernetes.io/instance"
_RELEASE, _RELEASE_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
_TRACKING = "argocd.argoproj.io/tracking-id"
_FLUX = ((OwnerKind.FLUX_HELM, "helm", "HelmRelease"), (OwnerKind.FLUX_KUSTOMIZATION, "kustomize", "Kustomization"))

# field managers by whom the tools write; Argo CD's had the name of its binary once
_ARGO_CD = frozenset({"argocd-controller", "argocd-application-controller"})
_TERRAFORM = frozenset({"Terraform", "HashiCorp"})
_BY_HAND = frozenset({"kubectl-annotate", "kubectl-edit", "kubectl-patch"})
_PASSING = _BY_HAND | {MANAGED_BY, "kubectl", "kubectl-client-side-apply", "before-first-apply"}
ADDON_MANAGER = (
    "eks"  # EKS writes the ServiceAccounts of add-ons itself; what becomes of them is the add-on's own matter
)


def account_owner(account: ServiceAccount) -> Owner | None:
    """Who would put the role annotation back; None where nobody is known to, or a person put it there by hand.

    The surest mark counts first: a controlling object, then a mark that names this very object, then one that a
    template may have carried along.
    """
    writers = {one.name for one in account.managers} - {MANAGED_BY}
    if writers and writers <= _BY_HAND | {ADDON_MANAGER}:
        return None
    return next((owner for look in _ACCOUNT if (owner := look(account)) is not None), None)


def role_owner(role: Role) -> Owner | None:
    """Who would undo an edit of the role's trust policy; None where nobody is known to."""
    return next((owner for look in _ROLE if (owner := look(role)) is not None), None)


def _controlled(account: ServiceAccount) -> Owner | None:
    if not account.controller:
        return None
    return Owner(kind=OwnerKind.CONTROLLER, name=account.controller, mark="ownerReferences", value=account.controller)


def _argo_tracking(account: ServiceAccount) -> Owner | None:
    """`APP:GROUP/KIND:NAMESPACE/NAME`; one that names another object was copied along, and Argo CD ignores it."""
    value = account.annotations.get(_TRACKING, "")
    application, _, rest = value.partition(":")
    if not application or rest != f"/ServiceAccount:{account.namespace}/{account.name}":
        return None
    return Owner(
        kind=OwnerKind.ARGO_CD, name=f"Argo CD application {application}", mark=f"annotation {_TRACKING}", value=value
    )


def _flux(account: ServiceAccount) -> Owner | None:
    for kind, group, said in _FLUX:
        label = f"{group}.toolkit.fluxcd.io/name"
        name = account.labels.get(label)
        namespace = account.labels.get(f"{group}.toolkit.fluxcd.io/namespace")
        if name and namespace:
            return Owner(kind=kind, name=f"Flux {said} {namespace}/{name}", mark=f"label {label}", value=name)
    return None


def _helm(account: ServiceAccount) -> Owner | None:
    """All three marks, as Helm itself asks for before it touches an object."""
    release, namespace = account.annotations.get(_RELEASE), account.annotations.get(_RELEASE_NAMESPACE)
    if account.labels.get(_MANAGED_BY) != "Helm" or not release or not namespace:
        return None
    return Owner(
        kind=OwnerKind.HELM, name=f"Helm release {namespace}/{release}", mark=f"annotation {_RELEASE}", value=release
    )


def _eksctl(account: ServiceAccount) -> Owner | None:
    if account.labels.get(_MANAGED_BY) != "eksctl":
        return None
    return Owner(kind=OwnerKind.EKSCTL, name="eksctl", mark=f"label {_MANAGED_BY}", value="eksctl")


def _argo_label(account: ServiceAccount) -> Owner | None:
    """Argo CD that tracks by label: charts set the same one, so that it counts only beside Argo CD's own writing."""
    writer = _writer(account, lambda one: one.name in _ARGO_CD)
    if writer is None:
        return None
    application = account.labels.get(_INSTANCE)
    name = f"Argo CD application {application}" if application else "Argo CD"
    return Owner(kind=OwnerKind.ARGO_CD, name=name, mark="managedFields", value=writer)


def _terraform(account: ServiceAccount) -> Owner | None:
    writer = _writer(account, lambda one: one.name in _TERRAFORM)
    if writer is None:
        return None
    return Owner(kind=OwnerKind.TERRAFORM, name="Terraform", mark="managedFields", value=writer)


def _applier(account: ServiceAccount) -> Owner | None:
    """Whoever else writes the annotation by server-side apply claims it, and writes it again with all he claims."""
    writer = _writer(account, lambda one: one.applies and one.name not in _PASSING | {ADDON_MANAGER})
    if writer is None:
        return None
    return Owner(kind=OwnerKind.CONTROLLER, name=f"field manager {writer}", mark="managedFields", value=writer)


def _writer(account: ServiceAccount, fits: Callable[[FieldManager], bool]) -> str | None:
    return next((one.name for one in account.managers if fits(one)), None)


_STACK, _LOGICAL = "aws:cloudformation:stack-name", "aws:cloudformation:logical-id"
_EKSCTL_ACCOUNT, _EKSCTL_CLUSTER = "alpha.eksctl.io/iamserviceaccount-name", "alpha.eksctl.io/cluster-name"
_EKSCTL_ROLE = re.compile(r"(eksctl-.+)-(Role1)-[A-Za-z0-9]{12,13}")  # STACK-LOGICALID-RANDOM, the stack cut short
_WHO = frozenset({"managedby", "provisioner", "provisionedby", "createdby", "deployedby", "iac"})
_TOOLS = ("terraform", "opentofu", "terragrunt")
_CONTROLLERS = {"crossplane-name": "Crossplane", "services.k8s.aws/controller-version": "ACK"}


def _stack(role: Role) -> Owner | None:
    if role.stack is not None:
        return _of_stack(role.stack.name, "the stack's resources", role.stack.place, role.stack.place)
    name = role.tags.get(_STACK)
    if not name:
        return None
    return _of_stack(name, f"tag {_STACK}", name, role.tags.get(_LOGICAL, ""))


def _eksctl_stack(role: Role) -> Owner | None:
    """Where the stacks may not be read: eksctl tags its roles itself, and their names follow from the stack's."""
    account, cluster = role.tags.get(_EKSCTL_ACCOUNT, ""), role.tags.get(_EKSCTL_CLUSTER, "")
    if account and cluster:
        stack = f"eksctl-{cluster}-addon-iamserviceaccount-{account.replace('/', '-', 1)}"
        return _of_stack(stack, f"tag {_EKSCTL_ACCOUNT}", account, "Role1")
    named = _EKSCTL_ROLE.fullmatch(role.name) if role.stacks_unread else None
    return _of_stack(named[1], "RoleName", role.name, named[2]) if named is not None else None


def _of_stack(name: str, mark: str, value: str, place: str) -> Owner:
    return Owner(
        kind=OwnerKind.CLOUDFORMATION, name=f"CloudFormation stack {name}", mark=mark, value=value, place=place
    )


def _role_controller(role: Role) -> Owner | None:
    for tag, said in _CONTROLLERS.items():
        if tag in role.tags:
            return Owner(kind=OwnerKind.CONTROLLER, name=said, mark=f"tag {tag}", value=role.tags[tag])
    return None


def _terraform_tags(role: Role) -> Owner | None:
    """Terraform leaves no mark of its own; people do, by tags that everybody spells a little differently."""
    for key, value in sorted(role.tags.items()):
        word = re.sub(r"[^a-z]", "", key.lower())
        said = any(tool in value.lower() for tool in _TOOLS)
        if (word in _WHO and said) or (word == "terraform" and value.lower() not in {"", "false", "no", "0"}):
            return Owner(kind=OwnerKind.TERRAFORM, name="Terraform", mark=f"tag {key}", value=value)
    return None


_ACCOUNT: tuple[Callable[[ServiceAccount], Owner | None], ...] = (
    _controlled,
    _argo_tracking,
    _flux,
    _helm,
    _eksctl,
    _argo_label,
    _terraform,
    _applier,
)
_ROLE: tuple[Callable[[Role], Owner | None], ...] = (_stack, _eksctl_stack, _role_controller, _terraform_tags)
