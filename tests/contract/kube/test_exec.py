"""Exec, as kubectl and the Python client do it, and the identity a container has when it calls AWS."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from kubernetes import client as kubernetes_client
from kubernetes.stream import stream

from migrator.lab.aws.front import AwsFront
from migrator.lab.aws.ports import LAB_SECRET, AddonChange, LabCluster, lab_access_key
from migrator.lab.controllers import Controllers
from migrator.lab.kubeapi import ApiServer
from migrator.lab.kubeclient import KubeClient, resource_path
from migrator.lab.nodes import NodeAgent, NodeSpec, PodAws
from migrator.lab.nodes.agent_daemonset import daemonset
from tests.fakes.kube import ISSUER, Kubectl, Opened, add_namespace, wait_for
from tests.fakes.kubectl import kubectl_program

Json = dict[str, Any]
ACCOUNT, REGION, NAME = "111111111111", "us-east-1", "practice"
IRSA_PATH = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
POD_IDENTITY_PATH = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"


class Plane:
    """The control plane that the front asks."""

    def __init__(self, server: ApiServer, kube: KubeClient) -> None:
        self._server, self._kube = server, kube

    def associations_changed(self, _pairs: frozenset[tuple[str, str]]) -> None:
        """No webhook takes part: the pods here are written out by hand."""

    def install_addon(self, _name: str, version: str, _configuration: str) -> None:
        self._kube.create_object(daemonset(NAME, version))

    def remove_addon(self, name: str) -> None:
        self._kube.delete(resource_path("apps/v1", "daemonsets", "kube-system", name))

    def change_addon(self, _change: AddonChange, _dropped: Callable[[], None]) -> None:
        """No add-on here has ServiceAccounts."""

    def addon_ready(self, _name: str) -> bool:
        return True

    def jwks(self) -> Json:
        return self._server.jwks()

    def pod(self, namespace: str, name: str) -> Json | None:
        return self._kube.find(resource_path("v1", "pods", namespace, name))


class Practice:
    """One cluster beside the AWS front, with a role that its pods may assume in both ways."""

    def __init__(self, front: AwsFront, server: ApiServer, kube: KubeClient) -> None:
        self.front, self.server, self.kube = front, server, kube
        self.opened = Opened(kube, server.ca_pem, server)
        self.role = f"arn:aws:iam::{ACCOUNT}:role/reader"

    def aws(self, service: str) -> Any:
        session: Any = boto3.session.Session()
        return session.client(
            service,
            region_name=REGION,
            endpoint_url=self.front.endpoint,
            aws_access_key_id=lab_access_key(ACCOUNT),
            aws_secret_access_key=LAB_SECRET,
        )

    def prepare(self) -> None:
        """A table with one item, a provider and a role that may read it, an association, and the agent."""
        dynamodb, iam = self.aws("dynamodb"), self.aws("iam")
        dynamodb.create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb.put_item(TableName="orders", Item={"orderId": {"S": "ORD-001"}, "customer": {"S": "Alice"}})
        iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["sts.amazonaws.com"])
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust()))
        allow = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [allow]}
        iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=json.dumps(policy))
        add_namespace(self.kube, "demo")
        for name in ("order-sa", "other-sa"):
            metadata = {"name": name, "namespace": "demo"}
            self.kube.create_object({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        eks = self.aws("eks")
        eks.create_pod_identity_association(
            clusterName=NAME, namespace="demo", serviceAccount="order-sa", roleArn=self.role
        )
        self.kube.create_object(daemonset(NAME, "v1.3.10-eksbuild.2"))
        path = resource_path("apps/v1", "daemonsets", "kube-system", "eks-pod-identity-agent")
        wait_for(self.kube, path, lambda one: (one.get("status") or {}).get("numberReady") == 1)

    def pod(self, name: str, env: Json, *, account: str = "order-sa", node: str = "", **spec: Any) -> None:
        """A running pod, with what the webhook would inject for either mode mounted."""
        mounts, volumes = [], []
        for volume, path, audience, token in (
            ("aws-iam-token", IRSA_PATH, "sts.amazonaws.com", "token"),
            ("eks-pod-identity-token", POD_IDENTITY_PATH, "pods.eks.amazonaws.com", "eks-pod-identity-token"),
        ):
            source = {"serviceAccountToken": {"audience": audience, "expirationSeconds": 86400, "path": token}}
            volumes.append({"name": volume, "projected": {"sources": [source]}})
            mounts.append({"name": volume, "mountPath": path, "readOnly": True})
        container = {
            "name": "aws-cli",
            "image": "aws:1",
            "command": ["sleep", "infinity"],
            "env": [{"name": key, "value": value} for key, value in env.items()],
            "volumeMounts": mounts,
            **spec,
        }
        body = {
            "serviceAccountName": account,
            "containers": [container],
            "volumes": volumes,
            "terminationGracePeriodSeconds": 0,
            **({"nodeSelector": {"kubernetes.io/hostname": node}} if node else {}),
        }
        metadata = {"name": name, "namespace": "demo"}
        self.kube.create_object({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": body})
        path = resource_path("v1", "pods", "demo", name)
        wait_for(self.kube, path, lambda one: one["status"].get("phase") == "Running")

    def exec(self, pod: str, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error, by way of the official Python client."""
        configuration = kubernetes_client.Configuration()
        configuration.host = self.kube.url
        configuration.verify_ssl = False
        configuration.api_key = {"authorization": f"Bearer {self.kube.token}"}
        with kubernetes_client.ApiClient(configuration) as api_client:
            socket = stream(
                kubernetes_client.CoreV1Api(api_client).connect_get_namespaced_pod_exec,
                pod,
                "demo",
                command=list(words),
                stdin=False,
                stdout=True,
                stderr=True,
                tty=False,
                _preload_content=False,
            )
            socket.run_forever(timeout=30)
            out, err = socket.read_stdout(timeout=1), socket.read_stderr(timeout=1)
            code = int(socket.returncode)
            socket.sock.shutdown()  # the client's own close() leaves the socket open after the server's goodbye
            return code, out, err


def trust() -> Json:
    provider = ISSUER.removeprefix("https://")
    equals = {f"{provider}:sub": "system:serviceaccount:demo:order-sa", f"{provider}:aud": "sts.amazonaws.com"}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": equals},
            },
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            },
        ],
    }


IRSA = {
    "AWS_REGION": REGION,
    "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/reader",
    "AWS_WEB_IDENTITY_TOKEN_FILE": f"{IRSA_PATH}/token",
}
POD_IDENTITY = {
    "AWS_REGION": REGION,
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{POD_IDENTITY_PATH}/eks-pod-identity-token",
}
SCAN = ("aws", "dynamodb", "scan", "--table-name", "orders", "--query", "Items[].customer.S", "--output", "text")


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    front = AwsFront([ACCOUNT])
    server = ApiServer(NAME, ISSUER)
    server.start()
    kube = KubeClient(server.url, server.ca_pem, server.admin_token)
    authority = base64.b64encode(server.ca_pem.encode()).decode()
    front.add_cluster(LabCluster(ACCOUNT, REGION, NAME, server.url, authority, ISSUER), Plane(server, kube))
    front.start()
    nodes = (NodeSpec("node-a"), NodeSpec("auto", compute_type="auto"), NodeSpec("fargate", compute_type="fargate"))
    agent = NodeAgent(kube, nodes, PodAws(front.endpoint, ACCOUNT, REGION, NAME), delay=0.02)
    controllers = Controllers(kube)
    agent.start()
    controllers.start()
    try:
        made = Practice(front, server, kube)
        made.prepare()
        yield made
    finally:
        controllers.stop()
        agent.stop()
        front.stop()
        kube.close()
        server.stop()


@pytest.fixture
def kubectl(practice: Practice, tmp_path: Path) -> Kubectl:
    program = kubectl_program()
    return Kubectl(program, tmp_path, practice.opened)


def test_exec_sees_the_pods_own_environment(practice: Practice) -> None:
    practice.pod("plain", {"COLOUR": "red", "SHADE": "dark-$(COLOUR)"})
    code, out, err = practice.exec("plain", "env")
    assert (code, err) == (0, "")
    assert {"COLOUR=red", "SHADE=dark-red", "HOSTNAME=plain"} <= set(out.splitlines())
    assert practice.exec("plain", "sh", "-c", 'echo "$COLOUR" >&2; exit 7') == (7, "", "red\n")
    assert practice.exec("plain", "python")[0] == 127
    claims = practice.exec("plain", "cat", f"{IRSA_PATH}/token")[1].split(".")[1]
    body = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert body["sub"] == "system:serviceaccount:demo:order-sa"
    assert body["iss"] == ISSUER
    assert practice.exec("plain", "ls", "/var/run/secrets/kubernetes.io/serviceaccount")[1].split() == [
        "ca.crt",
        "namespace",
        "token",
    ]


def test_much_output_arrives_whole(practice: Practice) -> None:
    practice.pod("wordy", {"LONG": "x" * 100_000})
    assert practice.exec("wordy", "printenv", "LONG")[1] == "x" * 100_000 + "\n"


def test_web_identity_reads_the_table(practice: Practice) -> None:
    practice.pod("irsa", IRSA)
    code, out, err = practice.exec("irsa", "aws", "sts", "get-caller-identity")
    assert (code, err) == (0, "")
    assert json.loads(out)["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/botocore-session-")
    assert practice.exec("irsa", *SCAN) == (0, "Alice\n", "")


@pytest.mark.parametrize("node", ["node-a", "auto"])
def test_pod_identity_reads_the_table(practice: Practice, node: str) -> None:
    name = f"podid-{node}"
    practice.pod(name, POD_IDENTITY, node=node)
    code, out, err = practice.exec(name, "aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")
    assert (code, err) == (0, "")
    assert out.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/eks-{NAME}-")
    assert practice.exec(name, *SCAN) == (0, "Alice\n", "")


def test_web_identity_comes_first(practice: Practice) -> None:
    practice.pod("both", {**POD_IDENTITY, **IRSA})
    arn = practice.exec("both", "aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")[1]
    assert "/botocore-session-" in arn


def test_static_keys_come_before_everything(practice: Practice) -> None:
    keys = {"AWS_ACCESS_KEY_ID": lab_access_key(ACCOUNT), "AWS_SECRET_ACCESS_KEY": LAB_SECRET}
    practice.pod("static", {**IRSA, **keys})
    arn = practice.exec("static", "aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")[1]
    assert ":assumed-role/" not in arn


def test_without_identity_there_is_nothing_to_read(practice: Practice) -> None:
    practice.pod("nobody", {"AWS_REGION": REGION})
    code, out, err = practice.exec("nobody", *SCAN)
    assert (code, out) == (253, "")
    assert "Unable to locate credentials. You can configure credentials" in err


def test_a_foreign_account_is_denied_in_both_ways(practice: Practice) -> None:
    practice.pod("foreign-irsa", IRSA, account="other-sa")
    code, _, err = practice.exec("foreign-irsa", *SCAN)
    assert code == 254
    assert "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation" in err
    practice.pod("foreign-podid", POD_IDENTITY, account="other-sa", node="node-a")
    code, _, err = practice.exec("foreign-podid", *SCAN)
    assert code == 255
    assert "Received non 200 response 404 from container metadata" in err
    assert "(ResourceNotFoundException)" in err


def test_no_agent_means_no_connection(practice: Practice) -> None:
    metadata = {"name": "on-fargate", "namespace": "demo"}
    env = [{"name": key, "value": value} for key, value in POD_IDENTITY.items()]
    source = {"serviceAccountToken": {"audience": "pods.eks.amazonaws.com", "path": "eks-pod-identity-token"}}
    container = {
        "name": "aws-cli",
        "image": "aws:1",
        "env": env,
        "volumeMounts": [{"name": "t", "mountPath": POD_IDENTITY_PATH}],
    }
    spec = {
        "serviceAccountName": "order-sa",
        "schedulerName": "fargate-scheduler",
        "containers": [container],
        "volumes": [{"name": "t", "projected": {"sources": [source]}}],
    }
    practice.kube.create_object({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    path = resource_path("v1", "pods", "demo", "on-fargate")
    pod = wait_for(practice.kube, path, lambda one: one["status"].get("phase") == "Running")
    assert pod["spec"]["nodeName"] == "fargate"
    code, _, err = practice.exec("on-fargate", *SCAN)
    assert code == 255
    assert 'Could not connect to the endpoint URL: "http://169.254.170.23/v1/credentials"' in err


def test_permissions_are_those_of_the_role(practice: Practice) -> None:
    practice.pod("reader", IRSA)
    key = '{"orderId": {"S": "ORD-001"}}'
    code, _, err = practice.exec("reader", "aws", "dynamodb", "get-item", "--table-name", "orders", "--key", key)
    assert code == 254
    assert "An error occurred (AccessDeniedException) when calling the GetItem operation" in err


@pytest.mark.kubectl
def test_kubectl_exec_and_logs(practice: Practice, kubectl: Kubectl) -> None:
    practice.pod("kubectl", {"COLOUR": "blue"})
    assert kubectl("-n", "demo", "exec", "kubectl", "--", "printenv", "COLOUR") == "blue\n"
    assert (
        kubectl("-n", "demo", "exec", "-i", "kubectl", "--", "cat", stdin="through and through")
        == "through and through"
    )
    failed = kubectl.run("-n", "demo", "exec", "kubectl", "--", "sh", "-c", "exit 3")
    assert (failed.returncode, failed.stderr.strip()) == (3, "command terminated with exit code 3")
    assert "aws-cli" in kubectl("-n", "demo", "logs", "kubectl")
    assert kubectl.run("-n", "demo", "exec", "kubectl", "-c", "none", "--", "env").returncode == 1
