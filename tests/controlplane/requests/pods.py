"""Pods and workloads with many fields: what is filled in, and which pods are refused."""

from typing import Any

from tests.controlplane.asking import TABLE, Ask, apps, core, get, patch, post
from tests.controlplane.requests.manifests import CONTAINER, JOB, PODS_OF, SELECTOR, TEMPLATE, small

Json = dict[str, Any]

PODS, POD = core("pods"), core("pods/a")
DRY = f"{PODS}?dryRun=All"
BATCH = "/apis/batch/v1/namespaces/{ns}/"
POLICY = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"


def pod(name: str = "a", **spec: Any) -> Json:
    return small(name, spec={"containers": [CONTAINER], **spec})


def of(**container: Any) -> Json:
    return pod(containers=[{**CONTAINER, **container}])


def workload(**spec: Any) -> Json:
    return small(spec={**PODS_OF, **spec})


def templated(**spec: Any) -> Json:
    return {**TEMPLATE, "spec": {"containers": [CONTAINER], **spec}}


RICH_CONTAINER: Json = {
    "name": "app",
    "image": "registry.example:5000/team/app",
    "command": ["run"],
    "args": ["--now"],
    "workingDir": "/srv",
    "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP", "name": "dns"}],
    "env": [
        {"name": "A", "value": "1"},
        {"name": "EMPTY"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
    ],
    "envFrom": [{"configMapRef": {"name": "c"}}, {"prefix": "P_", "secretRef": {"name": "s"}}],
    "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": 0.25}},
    "livenessProbe": {"httpGet": {"port": 80}},
    "readinessProbe": {"tcpSocket": {"port": "dns"}, "initialDelaySeconds": 3, "periodSeconds": 5},
    "startupProbe": {"exec": {"command": ["true"]}, "failureThreshold": 30},
    "lifecycle": {"preStop": {"httpGet": {"port": 80, "path": "/bye"}}, "postStart": {"exec": {"command": ["true"]}}},
    "volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "p", "mountPath": "/p", "readOnly": True}],
    "securityContext": {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}, "privileged": False},
    "stdin": False,
    "tty": False,
    "imagePullPolicy": "",
}
RICH_SPEC: Json = {
    "containers": [RICH_CONTAINER, {"name": "side", "image": "side@sha256:" + "0" * 64}],
    "initContainers": [{"name": "init", "image": "init:latest"}, {**CONTAINER, "name": "s", "restartPolicy": "Always"}],
    "volumes": [
        {"name": "v"},
        {"name": "e", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "c", "configMap": {"name": "c", "items": [{"key": "k", "path": "k"}]}},
        {"name": "s", "secret": {"secretName": "s", "defaultMode": 256}},
        {"name": "d", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"name": "h", "hostPath": {"path": "/h"}},
        {"name": "k", "persistentVolumeClaim": {"claimName": "k"}},
        {"name": "y", "ephemeral": {"volumeClaimTemplate": {"spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}},
        {"name": "p", "projected": {"sources": [
            {"serviceAccountToken": {"path": "t"}},
            {"serviceAccountToken": {"path": "u", "audience": "sts.amazonaws.com", "expirationSeconds": 86400}},
            {"configMap": {"name": "c"}},
            {"secret": {"name": "s", "optional": True}},
            {"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
        ]}},
    ],
    "serviceAccountName": "default",
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [
        {"key": "a", "operator": "Exists"},
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 9},
    ],
    "affinity": {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]}},
        "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "labelSelector": SELECTOR}}]},
    },
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": SELECTOR}
    ],
    "securityContext": {"fsGroup": 1000, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
    "terminationGracePeriodSeconds": 0,
    "restartPolicy": "Always",
    "dnsPolicy": "Default",
    "dnsConfig": {"nameservers": ["10.0.0.10"], "options": [{"name": "ndots", "value": "2"}]},
    "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}],
    "imagePullSecrets": [{"name": "pull"}],
    "priorityClassName": "system-cluster-critical",
    "readinessGates": [{"conditionType": "example.com/ready"}],
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "shareProcessNamespace": True,
    "hostname": "a",
    "subdomain": "b",
}  # fmt: skip
RICH = small(spec=RICH_SPEC)
RICH_TEMPLATE = {"metadata": {"labels": {"app": "a"}, "annotations": {"n": "1"}}, "spec": RICH_SPEC}
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def refused(path: str, *bodies: Json) -> tuple[Ask, ...]:
    """Each of these; nothing of it is stored even where a server takes it."""
    return tuple(post(f"{path}?dryRun=All", body) for body in bodies)


OLD = {"nodeSelector": {"beta.kubernetes.io/os": "linux", "kubernetes.io/os": "linux"}}
AGED: Json = {**TEMPLATE, "spec": {**TEMPLATE["spec"], **OLD}}
AGED_JOB: Json = {"template": {"spec": {**JOB["template"]["spec"], **OLD}}}

CASES: dict[str, tuple[Ask, ...]] = {
    "[deprecated] labels of nodes": (
        post(PODS, small(spec=AGED["spec"])),
        post(DRY, small("b", spec=AGED["spec"])),
        patch(POD, {"metadata": {"labels": {"a": "b"}}}),
        post(core("podtemplates"), small(template=AGED)),
        *(post(apps(plural), workload(template=AGED)) for plural in ("deployments", "replicasets", "daemonsets")),
        post(apps("statefulsets"), workload(template=AGED, serviceName="a")),
        post("/apis/batch/v1/namespaces/{ns}/jobs", small(spec=AGED_JOB)),
        post(
            "/apis/batch/v1/namespaces/{ns}/cronjobs",
            small(spec={"schedule": "* * * * *", "jobTemplate": {"spec": AGED_JOB}}),
        ),
        patch(apps("deployments/a"), {"metadata": {"labels": {"a": "b"}}}),
    ),
    "[defaults] of a pod with everything": (post(PODS, RICH), get(POD), get(POD, TABLE)),
    "[defaults] of templates with everything": (
        post(core("podtemplates"), small(template=RICH_TEMPLATE)),
        post(apps("deployments"), workload(template=RICH_TEMPLATE, strategy={"rollingUpdate": {"maxSurge": 1}})),
        post(apps("replicasets"), workload(template=RICH_TEMPLATE)),
        post(apps("daemonsets"), workload(template=RICH_TEMPLATE)),
        post(
            apps("statefulsets"),
            workload(
                template=RICH_TEMPLATE,
                serviceName="a",
                volumeClaimTemplates=[CLAIM],
                updateStrategy={"type": "OnDelete"},
            ),
        ),
        post(core("replicationcontrollers"), small(spec={"template": RICH_TEMPLATE})),
    ),
    "[defaults] of other workloads": (
        post(apps("deployments"), workload(strategy={"type": "Recreate"}, paused=True, minReadySeconds=0, replicas=0)),
        post(apps("daemonsets"), workload(updateStrategy={"type": "OnDelete"})),
        post(
            apps("statefulsets"),
            workload(serviceName="a", podManagementPolicy="Parallel", updateStrategy={"type": "RollingUpdate"}),
        ),
        post(f"{BATCH}jobs", small(spec={**JOB, "parallelism": 2, "suspend": True, "ttlSecondsAfterFinished": 5})),
        post(f"{BATCH}jobs", small("b", spec={**JOB, "completions": 2, "completionMode": "Indexed"})),
        post(f"{BATCH}jobs", small("c", spec={"template": {**JOB["template"], "metadata": {"labels": {"x": "y"}}}})),
        post(
            f"{BATCH}cronjobs",
            small(
                spec={
                    "schedule": "@hourly",
                    "timeZone": "Etc/UTC",
                    "concurrencyPolicy": "Forbid",
                    "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": JOB},
                }
            ),
        ),
        post(
            POLICY,
            small(spec={"maxUnavailable": "50%", "selector": SELECTOR, "unhealthyPodEvictionPolicy": "AlwaysAllow"}),
        ),
        post(POLICY, small("b", spec={})),
        post(core("services"), small("h", spec={"clusterIP": "None", "ports": [{"port": 80}]})),
        post(core("serviceaccounts"), small(secrets=[{"name": "s"}], automountServiceAccountToken=False)),
        post(core("secrets"), small(data={"k": "dg=="}, stringData={"l": "w"}, immutable=True, type="example.com/x")),
        post(core("configmaps"), small(binaryData={"b": "AAAA"}, immutable=False)),
        post(LEASES, small(spec={"renewTime": "2026-01-01T00:00:00.000000Z", "leaseTransitions": 0})),
        post(LEASES, small("b")),
    ),
    "[pod] its ServiceAccount": (
        post(core("serviceaccounts"), small("s", imagePullSecrets=[{"name": "p"}], automountServiceAccountToken=False)),
        post(DRY, pod(serviceAccountName="s")),
        post(DRY, pod(serviceAccount="s")),
        post(DRY, pod(serviceAccountName="s", automountServiceAccountToken=True, imagePullSecrets=[{"name": "own"}])),
        post(DRY, pod(automountServiceAccountToken=False)),
        post(DRY, pod(serviceAccountName="nobody")),
        post(PODS, pod(serviceAccountName="nobody")),
        post(DRY, {**pod(serviceAccountName="nobody"), "metadata": {"generateName": "a-"}}),
        post(DRY, of(volumeMounts=[{"name": "x", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}])),
    ),
    "[pod] its name": (
        post(PODS, {"metadata": {"generateName": "web-"}, "spec": pod()["spec"]}),
        post(DRY, {"metadata": {"generateName": "web-"}, "spec": pod()["spec"]}),
        post(PODS, {"metadata": {"generateName": "x" * 70}, "spec": pod()["spec"]}),
        post(PODS, {"metadata": {"generateName": "Web-"}, "spec": pod()["spec"]}),
        post(PODS, {"metadata": {}, "spec": pod()["spec"]}),
        post(PODS, {"spec": pod()["spec"]}),
        *refused(PODS, pod("Upper"), pod("a_b"), pod("a..b"), pod("x" * 254), pod("-a"), pod("")),
    ),
    "[pod] that is refused": refused(
        PODS,
        {"metadata": {"name": "a"}},
        pod(containers=[]),
        pod(containers=[{"image": "i"}]),
        pod(containers=[{"name": "app"}]),
        pod(containers=[CONTAINER, CONTAINER]),
        pod(containers=[{**CONTAINER, "name": "Upper"}]),
        of(volumeMounts=[{"name": "none", "mountPath": "/x"}]),
        of(volumeMounts=[{"name": "none"}]),
        of(env=[{"value": "x"}]),
        of(env=[{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]),
        of(imagePullPolicy="Sometimes"),
        of(image=" app"),
        pod(volumes=[{"name": "v"}, {"name": "v"}]),
        pod(volumes=[{"name": "V_"}]),
        pod(volumes=[{"emptyDir": {}}]),
        pod(restartPolicy="Now"),
        pod(dnsPolicy="Now"),
        pod(terminationGracePeriodSeconds=-1),
        pod(serviceAccountName="Not_A_Name"),
        pod(nodeSelector={"a b": "c"}),
        pod(tolerations=[{"key": "a", "operator": "Maybe"}]),
        pod(priorityClassName="nothing"),
        {**pod(), "metadata": {"name": "a", "labels": {"a b": "e f"}, "annotations": {"a b": "c"}}},
        {**pod(), "metadata": {"name": "a", "labels": {"a": "x" * 64}}},
        {**pod(), "metadata": {"name": "a", "ownerReferences": [{}]}},
        {**pod(), "metadata": {"name": "a", "finalizers": ["short"]}},
    ),
}  # fmt: skip
