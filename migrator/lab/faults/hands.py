"""The hands of other people and controllers: what faults change, over the public APIs, with keys of the fleet's own."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from migrator.lab.aws.ports import LAB_SECRET, own_access_key
from migrator.lab.kubeclient import KubeClient, KubeError, resource_path
from migrator.lab.nodes.botoclients import Clients, Keys
from migrator.lab.world.model import Cluster, Json

WORKLOADS = (
    ("apps/v1", "deployments"),
    ("apps/v1", "statefulsets"),
    ("apps/v1", "daemonsets"),
    ("argoproj.io/v1alpha1", "rollouts"),
)
_FAULTY = {"fieldManager": "practice-fault"}


class AwsHands:
    """Edits AWS, as somebody who may do everything."""

    def __init__(self, endpoint: str, home_region: Callable[[str], str]) -> None:
        """Args: the front's; the region in which an account is reached for what has none, as IAM."""
        self._clients = Clients(endpoint)
        self._home_region = home_region

    def client(self, service: str, account: str, region: str = "") -> Any:
        """A client that no fault strikes."""
        return self._clients.client(
            service, region or self._home_region(account), Keys(own_access_key(account), LAB_SECRET)
        )

    def trust(self, account: str, role: str) -> Any:
        """A role's trust policy.

        Raises:
            ClientError: there is no such role.
        """
        return self.client("iam", account).get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]

    def set_trust(self, account: str, role: str, document: Any) -> None:
        """Writes a role's trust policy.

        Raises:
            ClientError: there is no such role, or IAM refuses the document.
        """
        text = json.dumps(document, separators=(",", ":"))
        self.client("iam", account).update_assume_role_policy(RoleName=role, PolicyDocument=text)

    def associate(self, cluster: Cluster, namespace: str, account: str, role_arn: str) -> None:
        """Makes an association, or points the one there is to this role.

        Raises:
            ClientError: EKS refuses it.
        """
        eks, where = self._eks(cluster)
        found = self._association(cluster, namespace, account)
        if found is None:
            eks.create_pod_identity_association(**where, namespace=namespace, serviceAccount=account, roleArn=role_arn)
        else:
            eks.update_pod_identity_association(**where, associationId=found, roleArn=role_arn)

    def dissociate(self, cluster: Cluster, namespace: str, account: str) -> None:
        """Deletes the association, if there is one.

        Raises:
            ClientError: EKS refuses it.
        """
        eks, where = self._eks(cluster)
        found = self._association(cluster, namespace, account)
        if found is not None:
            eks.delete_pod_identity_association(**where, associationId=found)

    def _eks(self, cluster: Cluster) -> tuple[Any, dict[str, str]]:
        return self.client("eks", cluster.account, cluster.region), {"clusterName": cluster.name}

    def _association(self, cluster: Cluster, namespace: str, account: str) -> str | None:
        eks, where = self._eks(cluster)
        found = eks.list_pod_identity_associations(**where, namespace=namespace, serviceAccount=account)
        return next((str(one["associationId"]) for one in found["associations"]), None)


class KubeHands:
    """Edits one cluster, as somebody who may do everything."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    def find(self, paths: Sequence[str]) -> tuple[str, Json] | None:
        """The first of these objects that exists, with its path."""
        for path in paths:
            document = self._kube.find(path)
            if document is not None:
                return path, document
        return None

    def patch(self, path: str, patch: Mapping[str, Any]) -> None:
        """A merge patch.

        Raises:
            KubeError: the server refuses it.
        """
        self._kube.patch(path, patch, **_FAULTY)

    def set_template(self, path: str, template: Json) -> None:
        """Puts a whole pod template in place of the one there is.

        Raises:
            KubeError: the server refuses it.
        """
        operation = {"op": "replace", "path": "/spec/template", "value": template}
        self._kube.patch(path, [operation], "application/json-patch+json", **_FAULTY)

    def create(self, document: Json) -> None:
        """Makes an object; one of another kind than the built-in ones is looked for in discovery.

        Raises:
            KubeError: the server refuses it.
        """
        path = self.path(document["apiVersion"], document["kind"], document["metadata"].get("namespace"), None)
        self._kube.create(path, document, **_FAULTY)

    def delete(self, path: str) -> None:
        """Deletes an object; one that is gone already will do.

        Raises:
            KubeError: the server refuses it.
        """
        try:
            self._kube.delete(path)
        except KubeError as error:
            if error.status != 404:
                raise

    def recreate(self, path: str) -> None:
        """Deletes an object and makes it anew, so that it has another uid.

        Raises:
            KubeError: there is none, or the server refuses it.
        """
        document = self._kube.get(path)
        kept = {key: document["metadata"][key] for key in _KEPT if key in document["metadata"]}
        self.delete(path)
        plain = {key: value for key, value in document.items() if key != "status"}
        self._kube.create(path.rpartition("/")[0], {**plain, "metadata": kept}, **_FAULTY)

    def pods(self, namespace: str) -> list[Json]:
        """The pods of a namespace."""
        items: list[Json] = self._kube.list(resource_path("v1", "pods", namespace))["items"]
        return items

    def path(self, api_version: str, kind: str, namespace: str | None, name: str | None) -> str:
        """Where an object, or its collection, is.

        Raises:
            KubeError: the server has no such kind.
        """
        root = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
        resources = self._kube.get(root)["resources"]
        plural = next((one["name"] for one in resources if one["kind"] == kind and "/" not in one["name"]), None)
        if plural is None:
            raise KubeError(404, "NotFound", f'no matches for kind "{kind}" in version "{api_version}"')
        return resource_path(api_version, plural, namespace, name)


_KEPT = ("name", "namespace", "labels", "annotations")


def account_path(namespace: str, name: str) -> str:
    """Where a ServiceAccount is."""
    return resource_path("v1", "serviceaccounts", namespace, name)


def workload_paths(namespace: str, name: str) -> list[str]:
    """Where a workload may be whose pod template can be put back."""
    return [resource_path(version, plural, namespace, name) for version, plural in WORKLOADS]
