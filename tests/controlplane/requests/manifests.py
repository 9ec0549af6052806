"""One small object of every kind, and one with many fields of those that run pods; each where it is posted to."""

from typing import Any

Json = dict[str, Any]

CONTAINER: Json = {"name": "app", "image": "registry.example/app:1"}
TEMPLATE: Json = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [CONTAINER]}}
SELECTOR: Json = {"matchLabels": {"app": "a"}}
RBAC = "rbac.authorization.k8s.io"


def collection(version: str, plural: str, *, namespaced: bool = True) -> str:
    head = f"/api/{version}" if version == "v1" else f"/apis/{version}"
    return f"{head}/namespaces/{{ns}}/{plural}" if namespaced else f"{head}/{plural}"


def small(name: str = "a", **content: Any) -> Json:
    return {"metadata": {"name": name}, **content}


PODS_OF: Json = {"selector": SELECTOR, "template": TEMPLATE}
JOB: Json = {"template": {"spec": {"containers": [CONTAINER], "restartPolicy": "Never"}}}
HOOK: Json = {
    "name": "hook.example.com",
    "clientConfig": {"service": {"name": "hook", "namespace": "default"}},
    "rules": [{"operations": ["CREATE"], "apiGroups": ["example.com"], "apiVersions": ["v1"], "resources": ["none"]}],
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
}
SUBJECT: Json = {"kind": "ServiceAccount", "name": "default", "namespace": "default"}
DEFINITION: Json = {
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Widget", "plural": "widgets"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}

NAMESPACED: dict[str, tuple[str, Json]] = {
    "pods": ("v1", small(spec={"containers": [CONTAINER]})),
    "serviceaccounts": ("v1", small()),
    "configmaps": ("v1", small(data={"k": "v"})),
    "secrets": ("v1", small(stringData={"k": "v"})),
    "podtemplates": ("v1", small(template=TEMPLATE)),
    "replicationcontrollers": ("v1", small(spec={"selector": {"app": "a"}, "template": TEMPLATE})),
    "services": ("v1", small(spec={"clusterIP": "None", "selector": {"app": "a"}})),
    "endpoints": ("v1", small(subsets=[{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}])),
    "events": ("v1", small(involvedObject={"kind": "Pod", "namespace": "{ns}", "name": "a"}, reason="Made")),
    "limitranges": ("v1", small(spec={"limits": [{"type": "Pod", "max": {"cpu": "4"}}]})),
    "resourcequotas": ("v1", small(spec={"hard": {"count/widgets.example.com": "9"}})),
    "persistentvolumeclaims": (
        "v1",
        small(spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}),
    ),
    "deployments": ("apps/v1", small(spec=PODS_OF)),
    "replicasets": ("apps/v1", small(spec=PODS_OF)),
    "statefulsets": ("apps/v1", small(spec={**PODS_OF, "serviceName": "a"})),
    "daemonsets": ("apps/v1", small(spec=PODS_OF)),
    "controllerrevisions": ("apps/v1", small(revision=1, data={"spec": {}})),
    "jobs": ("batch/v1", small(spec=JOB)),
    "cronjobs": ("batch/v1", small(spec={"schedule": "0 3 * * *", "jobTemplate": {"spec": JOB}})),
    "poddisruptionbudgets": ("policy/v1", small(spec={"minAvailable": 1, "selector": SELECTOR})),
    "leases": ("coordination.k8s.io/v1", small(spec={"holderIdentity": "me", "leaseDurationSeconds": 15})),
    "horizontalpodautoscalers": (
        "autoscaling/v2",
        small(spec={"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}}),
    ),
    "endpointslices": (
        "discovery.k8s.io/v1",
        small(addressType="IPv4", endpoints=[{"addresses": ["10.0.0.1"]}], ports=[{"port": 80}]),
    ),
    "ingresses": (
        "networking.k8s.io/v1",
        small(spec={"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}),
    ),
    "networkpolicies": ("networking.k8s.io/v1", small(spec={"podSelector": {}})),
    "roles": (f"{RBAC}/v1", small(rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])),
    "rolebindings": (f"{RBAC}/v1", small(roleRef={"kind": "Role", "name": "a", "apiGroup": RBAC}, subjects=[SUBJECT])),
}
CLUSTER_WIDE: dict[str, tuple[str, Json]] = {
    "namespaces": ("v1", small("differs-a")),
    "nodes": ("v1", small("differs-a")),
    "persistentvolumes": (
        "v1",
        small(
            "differs-a",
            spec={"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/a"}},
        ),
    ),
    "clusterroles": (f"{RBAC}/v1", small("differs-a", rules=[{"nonResourceURLs": ["/a"], "verbs": ["get"]}])),
    "clusterrolebindings": (
        f"{RBAC}/v1",
        small("differs-a", roleRef={"kind": "ClusterRole", "name": "a"}, subjects=[{"kind": "User", "name": "a"}]),
    ),
    "priorityclasses": ("scheduling.k8s.io/v1", small("differs-a", value=7)),
    "storageclasses": ("storage.k8s.io/v1", small("differs-a", provisioner="example.com/none")),
    "csidrivers": ("storage.k8s.io/v1", small("differs-a")),
    "csinodes": ("storage.k8s.io/v1", small("differs-a", spec={"drivers": [{"name": "example.com", "nodeID": "a"}]})),
    "ingressclasses": ("networking.k8s.io/v1", small("differs-a", spec={"controller": "example.com/none"})),
    "mutatingwebhookconfigurations": ("admissionregistration.k8s.io/v1", small("differs-a", webhooks=[HOOK])),
    "validatingwebhookconfigurations": ("admissionregistration.k8s.io/v1", small("differs-a", webhooks=[HOOK])),
    "customresourcedefinitions": ("apiextensions.k8s.io/v1", DEFINITION),
}
