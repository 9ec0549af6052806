"""What the checks of faults look at: answers, objects, pods, as their readers see them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import urllib3
from botocore.exceptions import ClientError

from migrator.lab.kubeclient import KubeClient, KubeError, resource_path
from tests.contract.lab.support import CLUSTER, Json, Lab

if TYPE_CHECKING:
    from collections.abc import Callable


ROLE_ARN = "eks.amazonaws.com/role-arn"
POD_STATEMENT = {
    "Sid": "Pods",
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}


def code_of(call: Callable[[], Any]) -> str:
    """The error code a call is answered with; empty if it succeeds."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def status_of(call: Callable[[], Any]) -> int:
    """The status a Kubernetes call is answered with; 200 if it succeeds, 0 if nobody answers."""
    try:
        call()
    except KubeError as error:
        return error.status
    except (urllib3.exceptions.HTTPError, OSError):
        return 0
    return 200


def trust_of(lab: Lab, role: str) -> Json:
    """A role's trust policy as its readers see it."""
    found: Json = lab.aws("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    return found


def sids(document: Json) -> list[str]:
    """The Sids of a trust policy's statements."""
    return [one.get("Sid", "") for one in document["Statement"]]


def set_trust(lab: Lab, role: str, document: Json) -> None:
    lab.aws("iam").update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))


def with_pods(document: Json, sid: str = "Pods") -> Json:
    return {**document, "Statement": [*document["Statement"], {**POD_STATEMENT, "Sid": sid}]}


def account_path(name: str) -> str:
    return resource_path("v1", "serviceaccounts", "shop", name)


def asked(lab: Lab, account: str, wanted: str) -> Json | None:
    """What a lone ready pod with that identity was told."""
    found = lab.page(f"credentials?namespace=shop&service_account={account}")
    return next((one for one in found if one["identity"] == wanted), None) if len(found) == 1 else None


def session(lab: Lab, account: str) -> str:
    """ROLE/SESSION of a lone ready pod with Pod Identity."""
    told = asked(lab, account, "pod-identity")
    return str(told["arn"]).partition("assumed-role/")[2] if told else ""


def accepted(lab: Lab) -> str:
    try:
        return lab.associate("fresh")
    except ClientError:
        return ""


def restarted(lab: Lab, name: str, stamp: str) -> list[Json]:
    """The ready pods that a restart has made."""
    return [pod for pod in lab.pods(name) if pod["metadata"].get("annotations", {}).get("test/restart") == stamp]


def registered(lab: Lab) -> bool:
    path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/pod-identity-webhook"
    with lab.kube(operator=False) as client:
        return client.find(path) is not None


def waiting(lab: Lab, account: str) -> set[str]:
    """For what the containers of a ServiceAccount's pods wait."""
    with lab.kube(operator=False) as client:
        found = client.list(resource_path("v1", "pods", "shop"), fieldSelector=f"spec.serviceAccountName={account}")
    states = [one["state"] for pod in found["items"] for one in pod.get("status", {}).get("containerStatuses", ())]
    return {state["waiting"]["reason"] for state in states if "waiting" in state}


def addon(lab: Lab) -> Json:
    found: Json = lab.aws("eks").describe_addon(clusterName=CLUSTER, addonName="eks-pod-identity-agent")["addon"]
    return found


def agent_there(lab: Lab) -> bool:
    with lab.kube(operator=False) as client:
        path = resource_path("apps/v1", "daemonsets", "kube-system", "eks-pod-identity-agent")
        return client.find(path) is not None


def agents(lab: Lab) -> set[str]:
    """The nodes whose agent is ready."""
    with lab.kube(operator=False) as client:
        pods = client.list(
            resource_path("v1", "pods", "kube-system"), labelSelector="app.kubernetes.io/name=eks-pod-identity-agent"
        )["items"]
    return {pod["spec"]["nodeName"] for pod in pods if ready(pod)}


def ready(pod: Json) -> bool:
    found = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in found)


def remove_annotation(client: KubeClient) -> str | None:
    """Takes the annotation off, and tells what is there afterwards."""
    client.patch(account_path("orders"), {"metadata": {"annotations": {ROLE_ARN: None}}})
    return annotation(client)


def annotation(client: KubeClient) -> str | None:
    """The role annotation of Orders."""
    annotations: dict[str, str] = client.get(account_path("orders"))["metadata"].get("annotations") or {}
    return annotations.get(ROLE_ARN)


def record(lab: Lab, uid: str) -> Json:
    nothing_yet = {"ready_at": None, "gone_at": None}
    return next((one for one in lab.page("pods") if one["uid"] == uid), nothing_yet)
