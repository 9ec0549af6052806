"""What every new cluster has: namespaces, the API's own service, and the first roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import defaults
from migrator.lab.kubeapi.managed_fields import record_update
from migrator.lab.kubeapi.preparing import prepare_new

if TYPE_CHECKING:
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_RBAC = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_VIEWED = [
    ([""], ["bindings", "configmaps", "endpoints", "events", "limitranges", "namespaces", "persistentvolumeclaims",
            "pods", "pods/log", "pods/status", "replicationcontrollers", "resourcequotas", "serviceaccounts",
            "services"]),
    (["apps"], ["controllerrevisions", "daemonsets", "deployments", "deployments/scale", "replicasets",
                "replicasets/scale", "statefulsets", "statefulsets/scale"]),
    (["autoscaling"], ["horizontalpodautoscalers"]),
    (["batch"], ["cronjobs", "jobs"]),
    (["policy"], ["poddisruptionbudgets"]),
    (["networking.k8s.io"], ["ingresses", "networkpolicies"]),
]  # fmt: skip
_EDITED_TOO = [([""], ["pods/attach", "pods/exec", "pods/portforward", "pods/eviction", "secrets"])]
_PATHS = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
          "/version/"]  # fmt: skip
_PUBLIC = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_PRIORITIES = {
    "system-cluster-critical": {
        "value": 2_000_000_000,
        "description": "Used for system critical pods that must run in the cluster, but can be moved to another node "
        "if necessary.",
    },
    "system-node-critical": {
        "value": 2_000_001_000,
        "description": "Used for system critical pods that must not be moved from their current node.",
    },
}
_ISSUER = [f"{path}{end}" for path in ("/.well-known/openid-configuration", "/openid/v1/jwks") for end in ("", "/")]
_REVIEWS = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]


def fill(cluster: Cluster) -> None:
    """Store the first objects of a cluster."""
    for name in _NAMESPACES:
        _put(cluster, "", "namespaces", name)
    for name, content in _PRIORITIES.items():
        _put(cluster, "scheduling.k8s.io", "priorityclasses", name, content=content)
    service = {"clusterIP": "10.100.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 443}]}
    _put(cluster, "", "services", "kubernetes", namespace="default", content={"spec": service})
    view = [_rule(groups, resources, _READ) for groups, resources in _VIEWED]
    edit = [_rule(groups, resources, _READ + _WRITE) for groups, resources in (*_VIEWED, *_EDITED_TOO)]
    admin = [*edit, _rule([_RBAC], ["rolebindings", "roles"], _READ + _WRITE)]
    everything = [_rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    own = [
        _rule(["authorization.k8s.io"], _REVIEWS, ["create"]),
        _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
    ]
    openid = [{"nonResourceURLs": _ISSUER, "verbs": ["get"]}]
    discovery = [{"nonResourceURLs": _PATHS, "verbs": ["get"]}]
    roles = {"cluster-admin": everything, "admin": admin, "edit": edit, "view": view}
    health = [{"nonResourceURLs": _PUBLIC, "verbs": ["get"]}]
    system = {
        "system:public-info-viewer": health,
        "system:basic-user": own,
        "system:discovery": discovery,
        "system:service-account-issuer-discovery": openid,
    }
    for name, rules in {**roles, **system}.items():
        _put(cluster, _RBAC, "clusterroles", name, content={"rules": rules})
    _bind(cluster, "cluster-admin", "system:masters")
    _bind(cluster, "system:basic-user", "system:authenticated")
    _bind(cluster, "system:discovery", "system:authenticated")
    _bind(cluster, "system:public-info-viewer", "system:authenticated", "system:unauthenticated")
    _bind(cluster, "system:service-account-issuer-discovery", "system:serviceaccounts")


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Json:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _bind(cluster: Cluster, role: str, *groups: str) -> None:
    content = {
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": group} for group in groups],
    }
    _put(cluster, _RBAC, "clusterrolebindings", role, content=content)


def _put(
    cluster: Cluster, group: str, plural: str, name: str, *, namespace: str = "", content: Json | None = None
) -> None:
    kind = cluster.kinds.named(group, plural)
    metadata: Json = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if group == _RBAC:
        metadata["labels"] = {"kubernetes.io/bootstrapping": "rbac-defaults"}
        metadata["annotations"] = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
    obj: Json = {"metadata": metadata, **(content or {})}
    defaults.set_defaults(kind, obj)
    record_update(kind, None, obj, manager="kube-apiserver")
    prepare_new(kind, obj)
    if kind.generation:
        metadata["generation"] = 1
    with cluster.store.lock:
        cluster.put_new(kind, obj)
