"""The command lines of a control plane, everything on 127.0.0.1."""

from pathlib import Path

from migrator.lab.controlplane.settings import Settings

CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "cronjob-controller",
    "garbage-collector-controller",
    "pod-garbage-collector-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "namespace-controller",
    "disruption-controller",
)
"""Not node-lifecycle-controller: nobody renews the leases of the practice nodes, and it would taint them."""


def etcd(program: Path, settings: Settings, port: int) -> list[str]:
    """An etcd of one member that forgets all with its folder, and so need not wait for the disk."""
    here, anywhere = f"http://127.0.0.1:{port}", "http://127.0.0.1:0"
    return [
        str(program),
        f"--data-dir={settings.folder / 'etcd'}",
        f"--listen-client-urls={here}",
        f"--advertise-client-urls={here}",
        f"--listen-peer-urls={anywhere}",
        f"--initial-advertise-peer-urls={anywhere}",
        f"--initial-cluster=default={anywhere}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(program: Path, settings: Settings, port: int, etcd_port: int, issuer: str) -> list[str]:
    """A kube-apiserver that asks EKS who the bearer of a token is, tells of every call, and reaches our nodes.

    TaintNodesByCondition is off: it taints a new node until node-lifecycle-controller finds it ready.
    """
    return [
        str(program),
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        f"--tls-cert-file={settings.certificate}",
        f"--tls-private-key-file={settings.key}",
        f"--cert-dir={settings.folder}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=RBAC",
        f"--token-auth-file={settings.tokens}",
        f"--authentication-token-webhook-config-file={settings.kubeconfig('authentication')}",
        "--authentication-token-webhook-version=v1",
        f"--audit-policy-file={settings.audit_policy}",
        f"--audit-webhook-config-file={settings.kubeconfig('audit')}",
        "--audit-webhook-mode=blocking",
        f"--service-account-issuer={issuer}",
        f"--service-account-jwks-uri={issuer}/keys",
        f"--service-account-signing-key-file={settings.account_key}",
        f"--service-account-key-file={settings.account_key}",
        "--api-audiences=https://kubernetes.default.svc",
        f"--kubelet-certificate-authority={settings.ca}",
        "--kubelet-preferred-address-types=InternalIP",
        "--disable-admission-plugins=TaintNodesByCondition",
        "--enable-priority-and-fairness=false",
        "--allow-privileged=true",
        "--profiling=false",
    ]


def manager(program: Path, settings: Settings, port: int) -> list[str]:
    """A kube-controller-manager with the controllers that a service's workloads need."""
    config = settings.kubeconfig("manager")
    return [
        str(program),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--authentication-skip-lookup=true",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={settings.certificate}",
        f"--tls-private-key-file={settings.key}",
        f"--service-account-private-key-file={settings.account_key}",
        f"--root-ca-file={settings.ca}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--leader-elect=false",
        "--use-service-account-credentials=false",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--profiling=false",
    ]
