"""Workloads and other objects that are refused, and what may not change in those that are there."""

from tests.controlplane.asking import MERGE, STRATEGIC, Ask, apps, core, patch, post, put
from tests.controlplane.requests.manifests import CONTAINER, HOOK, JOB, SELECTOR, TEMPLATE, small
from tests.controlplane.requests.pods import BATCH, LEASES, POD, PODS, POLICY, pod, refused, templated, workload

BAD_HOOK = {**HOOK, "name": "short", "sideEffects": "Some", "admissionReviewVersions": []}
ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"

CASES: dict[str, tuple[Ask, ...]] = {
    "[workload] that is refused": (
        *refused(
            apps("deployments"),
            small(spec={}),
            small(spec={"selector": SELECTOR, "template": {"spec": TEMPLATE["spec"]}}),
            small(spec={"selector": {}, "template": TEMPLATE}),
            small(spec={"selector": {"matchLabels": {"app": "b"}}, "template": TEMPLATE}),
            small(spec={"template": TEMPLATE}),
            workload(replicas=-1),
            workload(template=templated(restartPolicy="Never")),
            workload(template=templated(containers=[])),
            workload(strategy={"type": "Sometimes"}),
            workload(strategy={"type": "Recreate", "rollingUpdate": {}}),
            workload(strategy={"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}),
            workload(strategy={"rollingUpdate": {"maxUnavailable": "lots"}}),
            workload(minReadySeconds=600),
        ),
        *refused(
            apps("statefulsets"),
            workload(),
            workload(podManagementPolicy="X"),
            workload(template=templated(restartPolicy="Never")),
        ),
        *refused(apps("daemonsets"), workload(updateStrategy={"type": "X"})),
        *refused(
            f"{BATCH}jobs",
            small(spec={}),
            small(spec={"template": templated()}),
            small(spec={**JOB, "selector": SELECTOR}),
        ),
        *refused(
            f"{BATCH}cronjobs",
            small(spec={"jobTemplate": {"spec": JOB}}),
            small(spec={"schedule": "often", "jobTemplate": {"spec": JOB}}),
            small(spec={"schedule": "* * *", "jobTemplate": {"spec": JOB}}),
            small(spec={"schedule": "@soon", "jobTemplate": {"spec": JOB}}),
            small(spec={"schedule": "@hourly", "jobTemplate": {"spec": {"template": templated()}}}),
        ),
        *refused(POLICY, small(spec={"minAvailable": 1, "maxUnavailable": 1}), small(spec={"minAvailable": "x"})),
    ),
    "[other] that is refused": (
        *refused(core("configmaps"), small(data={"a b": "c"}), small(data={"a": "1"}, binaryData={"a": "AAAA"})),
        *refused(core("secrets"), small(data={"a/b": "dg=="}), small(type="kubernetes.io/tls")),
        *refused(core("serviceaccounts"), small("Upper"), small(imagePullSecrets=[{}])),
        *refused(LEASES, small(spec={"renewTime": "2026-01-01T00:00:00Z"}), small(spec={"leaseDurationSeconds": 0})),
        *refused("/api/v1/namespaces", small("Upper"), small("a.b"), small("x" * 64)),
        *refused(PODS, pod(containers=[{**CONTAINER, "name": "x" * 64}]), pod(serviceAccountName="x" * 254)),
        *refused(
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
            small(webhooks=[BAD_HOOK]),
            small(webhooks=[{**HOOK, "clientConfig": {}}]),
            small(webhooks=[{**HOOK, "clientConfig": {"url": "http://127.0.0.1/x"}}]),
            small(webhooks=[{"name": "hook.example.com"}]),
        ),
        *refused(BINDINGS, small(), small(roleRef={"kind": "X", "name": "a"})),
        *refused(ROLES, small("a/b", rules=[{}]), small(rules=[{"verbs": ["get"]}])),
    ),
    "[fixed] what may not change": (
        post(PODS, pod()),
        patch(POD, {"spec": {"containers": [{"name": "app", "image": "other:2"}]}}, STRATEGIC),
        patch(POD, {"spec": {"serviceAccountName": "other"}}, MERGE),
        patch(POD, {"spec": {"containers": [{"name": "app", "env": [{"name": "A", "value": "1"}]}]}}, STRATEGIC),
        patch(POD, {"spec": {"activeDeadlineSeconds": 5}}, MERGE),
        patch(POD, {"spec": {"activeDeadlineSeconds": 9}}, MERGE),
        patch(POD, {"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}, MERGE),
        patch(POD, {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}, MERGE),
        patch(POD, {"status": {"phase": "Failed"}}, MERGE),
        post(apps("deployments"), workload()),
        patch(apps("deployments/a"), {"spec": {"selector": {"matchLabels": {"app": "b"}}}}, MERGE),
        post(apps("statefulsets"), workload(serviceName="a")),
        patch(apps("statefulsets/a"), {"spec": {"serviceName": "b"}}, MERGE),
        patch(apps("statefulsets/a"), {"spec": {"replicas": 2, "podManagementPolicy": "Parallel"}}, MERGE),
        post(apps("daemonsets"), workload()),
        patch(apps("daemonsets/a"), {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}, STRATEGIC),
        put(apps("daemonsets/a"), workload()),
        post(f"{BATCH}jobs", small(spec=JOB)),
        patch(f"{BATCH}jobs/a", {"spec": {"completions": 5}}, MERGE),
        patch(f"{BATCH}jobs/a", {"spec": {"suspend": True}}, MERGE),
        post(core("secrets"), small(type="example.com/a")),
        patch(core("secrets/a"), {"type": "example.com/b"}, MERGE),
    ),
}  # fmt: skip
