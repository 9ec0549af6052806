"""EC2: the interface endpoints for `eks-auth` in a cluster's VPC."""

from typing import Any

from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.aws_side import VpcEndpoint
from migrator.model.facts import Cluster

_PREFIXES = ("com.amazonaws", "cn.com.amazonaws")  # the second in the partition aws-cn


def eks_auth_endpoints(sessions: AwsSessions, cluster: Cluster) -> tuple[VpcEndpoint, ...]:
    """All of them, in whatever state, by id; one page holds more than a VPC may have.

    Raises:
        NotPermitted: the operator may not look.
        EnvironmentFault: EC2 does not answer.
    """
    client = sessions.ec2(cluster.account, cluster.region)
    names = [f"{prefix}.{cluster.region}.eks-auth" for prefix in _PREFIXES]
    filters = [{"Name": "service-name", "Values": names}, {"Name": "vpc-id", "Values": [cluster.vpc]}]
    answer = sessions.run(
        lambda: client.describe_vpc_endpoints(Filters=filters),
        doing=f'cluster "{cluster.alias}": reading the endpoints of its VPC',
        service="ec2",
    )
    return tuple(sorted(map(_endpoint, answer["VpcEndpoints"])))


def _endpoint(entry: Any) -> VpcEndpoint:
    return VpcEndpoint(
        id=entry["VpcEndpointId"],
        state=entry.get("State", "").lower(),
        private_dns=bool(entry.get("PrivateDnsEnabled", False)),
        policy=entry.get("PolicyDocument", ""),
    )
