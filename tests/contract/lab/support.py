"""A practice fleet in this process for the checks of faults, and clients as an operator of it has them."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from migrator.lab.aws.ports import LAB_SECRET, lab_access_key
from migrator.lab.kubeclient import KubeClient, KubeError, resource_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from migrator.lab.fleet import Practice

Json = dict[str, Any]
ACCOUNT, REGION, CLUSTER = "111111111111", "eu-west-1", "main"
SERVICES = ("orders", "billing", "stock", "mail", "fresh")


def world() -> Json:
    names = [name.capitalize() for name in SERVICES]
    trusts = [{"name": name, "trust": {"irsa": [_irsa(name.lower())], "podIdentity": True}} for name in names[:-1]]
    return {
        "version": 1,
        "faults": [{"name": "declared", "fail": {"kube": {"resource": "secrets"}, "with": "unavailable"}}],
        "accounts": [{"id": ACCOUNT, "roles": [*trusts, {"name": "Fresh"}]}],
        "clusters": [
            {
                "name": CLUSTER,
                "region": REGION,
                "associationDelay": 0,
                "apiServers": 2,
                "nodes": [{"name": "n", "count": 2}],
                "addons": ["eks-pod-identity-agent"],
                "namespaces": [
                    {
                        "name": "shop",
                        "serviceAccounts": [{"name": one, "role": one.capitalize()} for one in SERVICES],
                        "workloads": [{"name": one, "serviceAccount": one, "replicas": 1} for one in SERVICES],
                    }
                ],
            }
        ],
    }


def _irsa(account: str) -> Json:
    return {"cluster": CLUSTER, "namespace": "shop", "serviceAccount": account}


@dataclass(frozen=True)
class Lab:
    """The fleet, and what an operator of it has."""

    practice: Practice

    def aws(self, service: str) -> Any:
        """A boto3 client that tries once."""
        connect: Any = boto3.client
        return connect(
            service,
            region_name=REGION,
            endpoint_url=self.practice.front.endpoint,
            aws_access_key_id=lab_access_key(ACCOUNT),
            aws_secret_access_key=LAB_SECRET,
            config=Config(retries={"total_max_attempts": 1}),
        )

    @contextmanager
    def kube(self, *, operator: bool = True) -> Iterator[KubeClient]:
        """A client with the token EKS gives an operator, or with the kubeconfig's."""
        api = self.practice.clusters[CLUSTER].api
        token = self._token() if operator else api.admin_token
        with KubeClient(api.url, api.ca_pem, token) as client:
            yield client

    def _token(self) -> str:
        request = AWSRequest(
            "GET",
            f"https://sts.{REGION}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
            headers={"x-k8s-aws-id": CLUSTER},
        )
        keys = Credentials(lab_access_key(ACCOUNT), LAB_SECRET)
        SigV4QueryAuth(keys, "sts", REGION, expires=60).add_auth(request)
        return "k8s-aws-v1." + base64.urlsafe_b64encode(str(request.url).encode()).decode().rstrip("=")

    def page(self, page: str, method: str = "GET", body: Any = None) -> Any:
        """What a page of the fleet answers."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.practice.front.endpoint}/_lab/{page}"
        asked = urllib.request.Request(url, data=data, method=method)  # noqa: S310 - a port of this process
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - a port of this process
            return json.load(answer)

    def refused(self, body: Any) -> str:
        """What is said to faults that do not fit."""
        with pytest.raises(urllib.error.HTTPError) as refusal:
            self.page("faults", "POST", body)
        with refusal.value as answer:
            assert answer.code == 400
            return str(json.load(answer)["error"])

    @contextmanager
    def faults(self, *entries: Mapping[str, Any]) -> Iterator[Callable[[], list[str]]]:
        """These faults are there for the block; yields what tells how they were played."""
        names = self.page("faults", "POST", {"faults": list(entries)})["added"]
        try:
            yield lambda: [entry["what"] for entry in self.page("faults")["log"] if entry["fault"] in names]
        finally:
            self.page("faults?" + "&".join(f"name={quote(name)}" for name in names), "DELETE")

    def probe(self, account: str) -> str:
        """The identity that a dry-run pod of a fresh connection is given."""
        with self.kube() as client:
            pod = client.create(
                resource_path("v1", "pods", "shop"), bare_pod(f"probe-{account}", account), dryRun="All"
            )
        return identity(pod)

    def pods(self, account: str) -> list[Json]:
        """The ready pods of a ServiceAccount that are not on their way out."""
        with self.kube(operator=False) as client:
            found = client.list(resource_path("v1", "pods", "shop"), fieldSelector=f"spec.serviceAccountName={account}")
        return [pod for pod in found["items"] if is_ready(pod)]

    def restart(self, name: str, stamp: str) -> None:
        """Changes a Deployment's pod template, as a rollout restart does."""
        with self.kube() as client:
            self.restart_as(client, name, stamp)

    def restart_as(self, client: KubeClient, name: str, stamp: str) -> None:
        """Does that with a client of somebody's own."""
        path = resource_path("apps/v1", "deployments", "shop", name)
        client.patch(path, {"spec": {"template": {"metadata": {"annotations": {"test/restart": stamp}}}}})

    def probe_status(self) -> int:
        """The status an operator's read is answered with."""
        with self.kube() as client:
            try:
                client.get(resource_path("v1", "namespaces", None, "shop"))
            except KubeError as error:
                return error.status
        return 200

    @contextmanager
    def associated(self, account: str) -> Iterator[str]:
        """An association for the block; yields its id."""
        made = self.associate(account)
        try:
            yield made
        finally:
            self.aws("eks").delete_pod_identity_association(clusterName=CLUSTER, associationId=made)

    def associate(self, account: str, role: str = "") -> str:
        """Makes an association and tells its id."""
        answer = self.aws("eks").create_pod_identity_association(
            clusterName=CLUSTER,
            namespace="shop",
            serviceAccount=account,
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/{role or account.capitalize()}",
        )
        return str(answer["association"]["associationId"])


def bare_pod(name: str, account: str) -> Json:
    """A pod that sleeps."""
    container = {"name": "app", "image": "busybox", "command": ["sleep", "infinity"]}
    spec = {"serviceAccountName": account, "containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def identity(pod: Json) -> str:
    """What the webhook gave a pod."""
    names = {one["name"] for one in pod["spec"]["containers"][0].get("env") or ()}
    if "AWS_CONTAINER_CREDENTIALS_FULL_URI" in names:
        return "pod-identity"
    return "irsa" if "AWS_WEB_IDENTITY_TOKEN_FILE" in names else "none"


def is_ready(pod: Json) -> bool:
    """Whether a pod is ready and stays."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def eventually(what: str, check: Callable[[], Any]) -> Any:
    """Polls until `check` answers something true."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")
