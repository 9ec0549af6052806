"""One cluster of a practice fleet: API server, controllers, nodes, webhook, and the control plane that EKS talks to.

Everything but the control plane's own part works through the public Kubernetes API, with the administrator's token.
"""

import base64
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from migrator.lab.addon_objects import AddonObjects
from migrator.lab.addons import objects_of
from migrator.lab.aws.eks_clusters import VPC
from migrator.lab.aws.front import AwsFront
from migrator.lab.aws.models import partition_of
from migrator.lab.aws.ports import AddonChange, LabCluster
from migrator.lab.certs import Authority
from migrator.lab.controllers import argo_kind
from migrator.lab.identities import Identities, Pairs
from migrator.lab.kubeapi.tokens import User
from migrator.lab.kubeclient import KubeClient, KubeError, path_of
from migrator.lab.noderole import NodeRole
from migrator.lab.nodes import NodeAgent, NodeSpec, PodAws
from migrator.lab.planes import Plane, Webhook
from migrator.lab.readiness import daemons_up
from migrator.lab.record import RunningCluster
from migrator.lab.webhook.server import registration
from migrator.lab.webhook.settings import Flags
from migrator.lab.world.errors import SeedError
from migrator.lab.world.model import Cluster
from migrator.lab.world.seed_kube import KubeSeeder

ADMINISTRATORS = ("system:masters", "system:authenticated")


class PracticeCluster:
    """A running cluster; to the AWS front it is the control plane."""

    def __init__(self, spec: Cluster, front: AwsFront, folder: Path, plane: Plane) -> None:
        self.spec = spec
        self.obeys = plane.obeys
        self._front = front
        self._plane = plane
        self._authority = Authority(spec.alias)
        self.api = plane.api(spec, self._authority, self._authenticate)
        self.identities = Identities(folder / f"{spec.alias}.json", spec.api_servers)
        self.webhook: Webhook | None = None
        self._stops: list[Callable[[], None]] = []
        self._addons = threading.Lock()
        self._of_addons = AddonObjects(lambda: self.kube)
        self._registered = False

    def start(self) -> None:
        """Starts every part and makes the world's objects, without its workloads.

        Raises:
            SeedError: the cluster refuses a node or an object of the world.
        """
        self._started(self.identities)
        self._started(self.api)
        self.kube = KubeClient(self.api.url, self.api.ca_pem, self.api.own_token)
        self._stops += [self.kube.close, self._of_addons.stop]
        self._front.add_cluster(self._described(), self)
        self._add_endpoints()
        self._start_nodes()
        if self.spec.argo:
            self.kube.create_object(argo_kind.definition())
        self._started(self._plane.controllers(self.kube, self.spec))
        self._start_webhook()
        self.seeder = KubeSeeder(self.kube, self.spec)
        self.seeder.objects()

    def _add_endpoints(self) -> None:
        vpc = self.spec.describe.get("resourcesVpcConfig", {}).get("vpcId", VPC)
        for one in self.spec.vpc_endpoints:
            record = {
                "VpcId": vpc,
                "ServiceName": f"com.amazonaws.{self.spec.region}.{one.service}",
                "State": one.state,
                "PrivateDnsEnabled": one.private_dns,
                "PolicyDocument": json.dumps(one.policy),
            }
            self._front.vpc_endpoints.add(self.spec.account, self.spec.region, record)

    def settle(self) -> None:
        """From now on the cluster is in the state the world says, and associations are seen as late as it says."""
        self.identities.settle()
        self.identities.delay = self.spec.association_delay
        self._front.set_cluster_status(self.spec.account, self.spec.region, self.spec.name, self.spec.status)

    def stop(self) -> None:
        """Stops every part, the last started first."""
        while self._stops:
            self._stops.pop()()

    def stop_with(self, stop: Callable[[], None]) -> None:
        """Has this called as the cluster stops, before its own parts."""
        self._stops.append(stop)

    def running(self) -> RunningCluster:
        """How it is reached."""
        return RunningCluster(
            alias=self.spec.alias,
            name=self.spec.name,
            account=self.spec.account,
            region=self.spec.region,
            version=self.spec.version,
            url=self.api.url,
            ca_pem=self.api.ca_pem,
            token=self.api.admin_token,
        )

    def associations_changed(self, pairs: Pairs) -> None:
        """EKS tells which (namespace, ServiceAccount) pairs have an association now."""
        self.identities.changed(pairs)

    def install_addon(self, name: str, version: str, configuration: str) -> None:  # noqa: ARG002 - the port has it
        """Puts an add-on's objects on the cluster or brings them to another version; the configuration is ignored."""
        with self._addons:
            for document in objects_of(name, self.spec.name, version):
                if self.kube.find(path_of(document)) is None:
                    self.kube.create_object(document)
                else:
                    self.kube.patch(path_of(document), document)

    def remove_addon(self, name: str) -> None:
        """Takes an add-on's objects off the cluster."""
        with self._addons:
            for document in objects_of(name, self.spec.name, ""):
                if self.kube.find(path_of(document)) is not None:
                    self.kube.delete(path_of(document))

    def addon_ready(self, name: str) -> bool:
        """Whether every DaemonSet of the add-on is complete, and its last change is over."""
        wanted = objects_of(name, self.spec.name, "")
        up = all(daemons_up(self.kube.find(path_of(document))) for document in wanted)
        return up and self._of_addons.ready(name)

    def change_addon(self, change: AddonChange, dropped: Callable[[], None]) -> None:
        """Annotates the add-on's ServiceAccounts and rolls its pods, as late as EKS might."""
        self._of_addons.change(change, dropped)

    def jwks(self) -> dict[str, Any]:
        """The public keys of its ServiceAccount tokens."""
        return self.api.jwks()

    def pod(self, namespace: str, name: str) -> dict[str, Any] | None:
        """A pod, or None."""
        return self.kube.find(f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(name, safe='')}")

    def _started(self, part: Any) -> None:
        self._stops.append(part.stop)
        part.start()

    def _described(self) -> LabCluster:
        return LabCluster(
            account=self.spec.account,
            region=self.spec.region,
            name=self.spec.name,
            endpoint=self.api.url,
            ca_data=base64.b64encode(self.api.ca_pem.encode()).decode(),
            issuer=self.spec.issuer,
            version=self.spec.version,
            platform_version=self.spec.platform_version,
            ip_family=self.spec.ip_family,
            auto_mode=self.spec.auto_mode,
            partition=partition_of(self.spec.region),
            extra=self.spec.describe,
        )

    def _start_nodes(self) -> None:
        try:
            self.nodes = self._nodes()
            self._started(self.nodes)
        except KubeError as error:
            raise SeedError((*self.spec.at, "nodes"), error.message) from error

    def _nodes(self) -> NodeAgent:
        specs = [
            NodeSpec(node.name, node.labels, node.taints, node.os, node.arch, node.compute_type)
            for node in self.spec.nodes
        ]
        role = NodeRole(self._front, self.spec)
        aws = PodAws(self._front.endpoint, self.spec.account, self.spec.region, self.spec.name, role.keys)
        version = f"v{self.spec.version}.0-eks-practice"
        return NodeAgent(self.kube, specs, aws, cert=self._authority.issue(), version=version)

    def _start_webhook(self) -> None:
        wanted = self.spec.webhook
        if not wanted.enabled:
            return
        flags = Flags(
            region=wanted.region,
            sts_regional_endpoint=wanted.sts_regional_endpoint,
            token_expiration=wanted.token_expiration,
        )
        self.webhook = self._plane.webhook(self.kube, flags, self.identities.paths, self._authority.issue())
        self._started(self.webhook)
        self.register_webhook(wanted=True)

    def register_webhook(self, wanted: bool) -> None:
        """Has the webhook registered, or not; what somebody else did to the registration is left alone."""
        if self.webhook is None or wanted == self._registered:
            return
        document = registration(self.webhook.url, self._authority.ca_pem)
        if wanted and self.kube.find(path_of(document)) is None:
            self.kube.create_object(document)
        elif not wanted and self.kube.find(path_of(document)) is not None:
            self.kube.delete(path_of(document))
        self._registered = wanted

    def _authenticate(self, token: str) -> User | None:
        """Whom EKS takes the bearer of a `k8s-aws-v1.` token for: everyone of the cluster's account administers it."""
        arn = self._front.authenticate_eks_token(token, self.spec.name)
        if arn is None or arn.split(":")[4] != self.spec.account:
            return None
        return User(name=arn, uid=f"aws-iam-authenticator:{self.spec.account}:{arn}", groups=ADMINISTRATORS)
