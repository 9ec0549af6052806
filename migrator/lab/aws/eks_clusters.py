"""EKS clusters: described and listed; they come from the world, not from CreateCluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.aws.eks_state import Cluster, EksState, page

if TYPE_CHECKING:
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import Request


_LAID_OVER = {"tags", "resourcesVpcConfig"}  # member by member
VPC = "vpc-0lab0000000000001"


class Clusters:
    """DescribeCluster and ListClusters."""

    def __init__(self, state: EksState) -> None:
        self._state = state

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        return {"DescribeCluster": self.describe, "ListClusters": self.list_all}

    def describe(self, request: Request) -> dict[str, Any]:
        """One cluster."""
        return {"cluster": described(self._state.get(request, "name"))}

    def list_all(self, request: Request) -> dict[str, Any]:
        """Names of the account's clusters in the Region; connected ones only when asked for `all`."""
        everything = "all" in request.params.get("include", [])
        names = [
            cluster.spec.name
            for cluster in self._state.of(request.account, request.region)
            if everything or "connectorConfig" not in cluster.spec.extra
        ]
        found, more = page(names, request.params)
        return {"clusters": found, "nextToken": more}


def described(cluster: Cluster) -> dict[str, Any]:
    """The `Cluster` shape of a cluster, the world's `extra` laid over it."""
    spec = cluster.spec
    answer: dict[str, Any] = {
        "name": spec.name,
        "arn": spec.arn,
        "createdAt": cluster.created,
        "version": spec.version,
        "endpoint": spec.endpoint,
        "roleArn": f"arn:{spec.partition}:iam::{spec.account}:role/eks-cluster-role",
        "resourcesVpcConfig": {
            "subnetIds": ["subnet-0lab0000000000001", "subnet-0lab0000000000002"],
            "securityGroupIds": [],
            "clusterSecurityGroupId": "sg-0lab0000000000001",
            "vpcId": VPC,
            "endpointPublicAccess": True,
            "endpointPrivateAccess": True,
            "publicAccessCidrs": ["0.0.0.0/0"],
            **spec.extra.get("resourcesVpcConfig", {}),
        },
        "kubernetesNetworkConfig": {"ipFamily": spec.ip_family, "serviceIpv4Cidr": "10.100.0.0/16"},
        "identity": {"oidc": {"issuer": spec.issuer}},
        "status": spec.status,
        "certificateAuthority": {"data": spec.ca_data},
        "platformVersion": spec.platform_version,
        "tags": dict(cluster.tags),
        "health": {"issues": []},
        "accessConfig": {
            "bootstrapClusterCreatorAdminPermissions": True,
            "authenticationMode": "API_AND_CONFIG_MAP",
        },
        "upgradePolicy": {"supportType": "EXTENDED"},
        "deletionProtection": False,
    }
    if spec.auto_mode:
        answer["computeConfig"] = {"enabled": True, "nodePools": ["general-purpose", "system"]}
    return answer | {key: value for key, value in spec.extra.items() if key not in _LAID_OVER}
