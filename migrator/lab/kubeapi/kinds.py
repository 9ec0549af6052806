"""What kinds of objects the server knows: a table for the built-in ones, a registry for all."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

CRUD = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CUSTOM = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
CREATE_ONLY = ("create",)


@dataclass(frozen=True)
class Kind:
    """One served resource: where it lives in the URL and how it behaves."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    singular: str = ""
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = CRUD
    custom: bool = False
    generation: bool = False
    list_kind: str = ""
    storage_version: str = ""
    warning: str = ""
    scale: tuple[str, str, str] = ("spec.replicas", "status.replicas", "")
    columns: tuple[dict[str, Any], ...] = field(default=(), compare=False)

    @property
    def api_version(self) -> str:
        """``v1`` or ``group/version``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def key(self) -> tuple[str, str]:
        """What objects of this kind are stored under; versions of one group share it."""
        return (self.group, self.plural)

    @property
    def qualified(self) -> str:
        """``deployments.apps``: how messages name the resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def name_with_group(self) -> str:
        """``Deployment.apps``: how messages about invalid objects name the kind."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def collection_kind(self) -> str:
        """The kind of a list of these."""
        return self.list_kind or f"{self.kind}List"

    @property
    def has_status(self) -> bool:
        """Whether status is written apart from the rest."""
        return "status" in self.subresources


def _core(kind: str, plural: str, *, namespaced: bool = True, **extra: object) -> Kind:
    return _row("", "v1", kind, plural, namespaced=namespaced, **extra)


def _row(group: str, version: str, kind: str, plural: str, *, namespaced: bool = True, **extra: object) -> Kind:
    return Kind(group, version, kind, plural, namespaced, singular=kind.lower(), **extra)  # type: ignore[arg-type]  # table rows spell the fields


_ALL = ("all",)
_STATUS = ("status",)
_SCALED = ("scale", "status")
_POD = ("attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "status")
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"

BUILTIN: tuple[Kind, ...] = (
    _core("Binding", "bindings", verbs=CREATE_ONLY),
    _core("ConfigMap", "configmaps", short=("cm",)),
    _core(
        "Endpoints",
        "endpoints",
        short=("ep",),
        warning="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    ),
    _core("Event", "events", short=("ev",)),
    _core("LimitRange", "limitranges", short=("limits",)),
    _core(
        "Namespace",
        "namespaces",
        namespaced=False,
        short=("ns",),
        subresources=("finalize", "status"),
        verbs=tuple(verb for verb in CRUD if verb != "deletecollection"),
    ),
    _core("Node", "nodes", namespaced=False, short=("no",), subresources=_STATUS),
    _core("PersistentVolumeClaim", "persistentvolumeclaims", short=("pvc",), subresources=_STATUS),
    _core("PersistentVolume", "persistentvolumes", namespaced=False, short=("pv",), subresources=_STATUS),
    _core("Pod", "pods", short=("po",), categories=_ALL, subresources=_POD, generation=True),
    _core("PodTemplate", "podtemplates", generation=True),
    _core(
        "ReplicationController",
        "replicationcontrollers",
        short=("rc",),
        categories=_ALL,
        subresources=_SCALED,
        generation=True,
    ),
    _core("ResourceQuota", "resourcequotas", short=("quota",), subresources=_STATUS),
    _core("Secret", "secrets"),
    _core("ServiceAccount", "serviceaccounts", short=("sa",), subresources=("token",)),
    _core("Service", "services", short=("svc",), categories=_ALL, subresources=_STATUS),
    _row("apps", "v1", "ControllerRevision", "controllerrevisions"),
    _row(
        "apps", "v1", "DaemonSet", "daemonsets", short=("ds",), categories=_ALL, subresources=_STATUS, generation=True
    ),
    _row(
        "apps",
        "v1",
        "Deployment",
        "deployments",
        short=("deploy",),
        categories=_ALL,
        subresources=_SCALED,
        generation=True,
    ),
    _row(
        "apps", "v1", "ReplicaSet", "replicasets", short=("rs",), categories=_ALL, subresources=_SCALED, generation=True
    ),
    _row(
        "apps",
        "v1",
        "StatefulSet",
        "statefulsets",
        short=("sts",),
        categories=_ALL,
        subresources=_SCALED,
        generation=True,
    ),
    _row("batch", "v1", "CronJob", "cronjobs", short=("cj",), categories=_ALL, subresources=_STATUS, generation=True),
    _row("batch", "v1", "Job", "jobs", categories=_ALL, subresources=_STATUS, generation=True),
    _row(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        short=("hpa",),
        categories=_ALL,
        subresources=_STATUS,
    ),
    _row(
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        short=("pdb",),
        subresources=_STATUS,
        generation=True,
    ),
    _row("coordination.k8s.io", "v1", "Lease", "leases"),
    _row("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", generation=True),
    _row("networking.k8s.io", "v1", "IngressClass", "ingressclasses", namespaced=False, generation=True),
    _row("networking.k8s.io", "v1", "Ingress", "ingresses", short=("ing",), subresources=_STATUS, generation=True),
    _row("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", short=("netpol",), generation=True),
    _row(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    _row(_RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False),
    _row(_RBAC, "v1", "RoleBinding", "rolebindings"),
    _row(_RBAC, "v1", "Role", "roles"),
    _row(
        "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False, short=("pc",), generation=True
    ),
    _row("storage.k8s.io", "v1", "CSIDriver", "csidrivers", namespaced=False),
    _row("storage.k8s.io", "v1", "CSINode", "csinodes", namespaced=False),
    _row("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False, short=("sc",)),
    _row(
        _ADMISSION,
        "v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        namespaced=False,
        categories=("api-extensions",),
        generation=True,
    ),
    _row(
        _ADMISSION,
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        namespaced=False,
        categories=("api-extensions",),
        generation=True,
    ),
    _row(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        namespaced=False,
        short=("crd", "crds"),
        categories=("api-extensions",),
        subresources=_STATUS,
        storage_version="v1beta1",
        generation=True,
    ),
    _row("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False, verbs=CREATE_ONLY),
    _row("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", namespaced=False, verbs=CREATE_ONLY),
    _row(
        "authorization.k8s.io",
        "v1",
        "LocalSubjectAccessReview",
        "localsubjectaccessreviews",
        verbs=CREATE_ONLY,
    ),
    _row(
        "authorization.k8s.io",
        "v1",
        "SelfSubjectAccessReview",
        "selfsubjectaccessreviews",
        namespaced=False,
        verbs=CREATE_ONLY,
    ),
    _row(
        "authorization.k8s.io",
        "v1",
        "SelfSubjectRulesReview",
        "selfsubjectrulesreviews",
        namespaced=False,
        verbs=CREATE_ONLY,
    ),
    _row(
        "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False, verbs=CREATE_ONLY
    ),
)


class Kinds:
    """All kinds served at the moment; custom ones come and go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_path: dict[tuple[str, str, str], Kind] = {(k.group, k.version, k.plural): k for k in BUILTIN}

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind behind a URL's group, version and resource, if served."""
        return self._by_path.get((group, version, plural))

    def has_group(self, group: str) -> bool:
        """Whether anything of this group is served."""
        return any(known.group == group for known in self.all())

    def has_version(self, group: str, version: str) -> bool:
        """Whether anything of this version of a group is served."""
        return any((known.group, known.version) == (group, version) for known in self.all())

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        """The kind an object names in its ``apiVersion`` and ``kind``."""
        group, _, version = api_version.rpartition("/")
        for known in self.all():
            if known.kind == kind and known.group == group and known.version == version:
                return known
        return None

    def named(self, group: str, plural: str) -> Kind:
        """A kind by group and resource, whichever version comes first.

        Raises:
            KeyError: nothing of that name is served.
        """
        for known in self.all():
            if known.key == (group, plural):
                return known
        raise KeyError(f"{plural}.{group}")

    def all(self) -> list[Kind]:
        """Every kind served, in table order, custom ones last."""
        return list(self._by_path.values())

    def stored(self) -> list[Kind]:
        """One kind for each sort of object that is stored (versions share their objects)."""
        return list({k.key: k for k in reversed(self.all()) if "list" in k.verbs}.values())

    def set_custom(self, definition: str, kinds: list[Kind]) -> None:
        """Serve these kinds for a definition (``plural.group``) instead of those served for it so far."""
        with self._lock:
            kept = {
                path: k for path, k in self._by_path.items() if not (k.custom and f"{k.plural}.{k.group}" == definition)
            }
            kept.update({(k.group, k.version, k.plural): k for k in kinds})
            self._by_path = kept


POD = next(k for k in BUILTIN if k.plural == "pods")
NAMESPACE = next(k for k in BUILTIN if k.plural == "namespaces")
SERVICE_ACCOUNT = next(k for k in BUILTIN if k.plural == "serviceaccounts")
NODE = next(k for k in BUILTIN if k.plural == "nodes")
CONFIG_MAP = next(k for k in BUILTIN if k.plural == "configmaps")
SECRET = next(k for k in BUILTIN if k.plural == "secrets")
PRIORITY = next(k for k in BUILTIN if k.plural == "priorityclasses")
BUDGET = next(k for k in BUILTIN if k.plural == "poddisruptionbudgets")
DEFINITION = next(k for k in BUILTIN if k.plural == "customresourcedefinitions")
MUTATING = next(k for k in BUILTIN if k.plural == "mutatingwebhookconfigurations")
VALIDATING = next(k for k in BUILTIN if k.plural == "validatingwebhookconfigurations")
