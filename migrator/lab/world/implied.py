"""Roles that EKS itself needs and a world need not declare: of node groups and of Fargate profiles."""

from migrator.lab.world.index import Index, alias_of
from migrator.lab.world.model import Json

NODE_ROLE = "eksNodeRole"
FARGATE_ROLE = "eksFargatePodExecutionRole"
_NODE_POLICY: Json = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "eks-auth:AssumeRoleForPodIdentity", "Resource": "*"}],
}


def implied_roles(index: Index, account: Json) -> list[Json]:
    """What the account's clusters need and the account does not declare, as entries of `roles`."""
    wanted: dict[str, Json] = {}
    for cluster in index.document.data["clusters"]:
        if index.cluster(alias_of(cluster), ()).account != account["id"]:
            continue
        for name in node_roles(cluster):
            wanted[name] = {**_role(name, "ec2.amazonaws.com"), "policies": {"PodIdentityAgent": _NODE_POLICY}}
        if cluster.get("fargateProfiles"):
            wanted[FARGATE_ROLE] = _role(FARGATE_ROLE, "eks-fargate-pods.amazonaws.com")
    declared = {role["name"].lower() for role in account.get("roles", ())}
    return [role for name, role in wanted.items() if name.lower() not in declared]


def node_roles(cluster: Json) -> list[str]:
    """Names of the roles of a cluster's node groups; of its nodes, if it has no groups."""
    return [group.get("nodeRole", NODE_ROLE) for group in cluster.get("nodegroups", ())] or [NODE_ROLE]


def _role(name: str, service: str) -> Json:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"name": name, "trust": {"Statement": [statement]}}
