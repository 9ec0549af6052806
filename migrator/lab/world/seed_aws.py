"""Puts a world's accounts into the AWS front: over the wire, as an administrator of each account would."""

import json
from collections.abc import Mapping
from typing import Any

from migrator.lab.aws.models import partition_of
from migrator.lab.aws.ports import LAB_SECRET, lab_access_key
from migrator.lab.nodes.botoclients import Clients, Keys
from migrator.lab.world.attempt import attempt
from migrator.lab.world.implied import FARGATE_ROLE
from migrator.lab.world.model import Account, Addon, Cluster, Json, OidcProvider, Role, Table
from migrator.lab.world.seed_resources import seed_resources

_TRUST_FOR_NOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class AwsSeeder:
    """Seeds one front."""

    def __init__(self, endpoint: str) -> None:
        self._clients = Clients(endpoint)

    def client(self, service: str, account: str, region: str) -> Any:
        """A client that acts as the administrator of an account."""
        return self._clients.client(service, region, Keys(lab_access_key(account), LAB_SECRET))

    def trusts(self, account: Account) -> None:
        """Gives the account's roles their trust policies: they may name roles that had to be made first.

        Raises:
            SeedError: IAM refuses one of them.
        """
        iam = self.client("iam", account.id, account.home_region)
        for role in account.roles:
            if not _fixed(role):
                document = _minified(role.trust)
                attempt((*role.at, "trust"), iam.update_assume_role_policy, RoleName=role.name, PolicyDocument=document)

    def account(self, account: Account) -> None:
        """Makes the account's providers, policies, roles (not yet their trusts), tables, buckets and the like.

        Raises:
            SeedError: AWS refuses one of them.
        """
        iam = self.client("iam", account.id, account.home_region)
        for provider in account.providers:
            _provider(iam, provider)
        for policy in account.policies:
            attempt(
                policy.at,
                iam.create_policy,
                PolicyName=policy.name,
                Path=policy.path,
                PolicyDocument=json.dumps(policy.document),
            )
        for role in account.roles:
            _role(iam, role)
        for region in sorted({table.region for table in account.tables}):
            dynamodb = self.client("dynamodb", account.id, region)
            for table in account.tables:
                if table.region == region:
                    _table(dynamodb, table)
        seed_resources(account, lambda service, region: self.client(service, account.id, region))

    def cluster(self, cluster: Cluster) -> None:
        """Makes the cluster's node groups, Fargate profiles, associations and add-ons.

        Raises:
            SeedError: EKS refuses one of them.
        """
        eks = self.client("eks", cluster.account, cluster.region)
        for group in cluster.nodegroups:
            attempt(
                group.at,
                eks.create_nodegroup,
                clusterName=cluster.name,
                nodegroupName=group.name,
                subnets=["subnet-0practice"],
                amiType=group.ami_type,
                nodeRole=group.node_role_arn,
                labels=dict(group.labels),
            )
        for profile in cluster.fargate_profiles:
            role = f"arn:{partition_of(cluster.region)}:iam::{cluster.account}:role/{FARGATE_ROLE}"
            attempt(
                profile.at,
                eks.create_fargate_profile,
                clusterName=cluster.name,
                fargateProfileName=profile.name,
                podExecutionRoleArn=role,
                subnets=["subnet-0practice"],
                selectors=list(profile.selectors),
            )
        self._associations(eks, cluster)
        for addon in cluster.addons:
            _addon(eks, cluster, addon)

    def _associations(self, eks: Any, cluster: Cluster) -> None:
        for one in cluster.associations:
            attempt(
                one.at,
                eks.create_pod_identity_association,
                clusterName=cluster.name,
                namespace=one.namespace,
                serviceAccount=one.service_account,
                roleArn=one.role_arn,
                targetRoleArn=one.target_role_arn,
                disableSessionTags=one.disable_session_tags,
                tags=dict(one.tags),
            )


def _provider(iam: Any, provider: OidcProvider) -> None:
    attempt(
        provider.at,
        iam.create_open_id_connect_provider,
        Url=provider.url,
        ClientIDList=list(provider.client_ids),
        ThumbprintList=list(provider.thumbprints),
    )


def _fixed(role: Role) -> bool:
    """IAM lets nobody edit the trust of a role that a service owns."""
    return role.path.startswith("/aws-service-role/")


def _minified(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def _role(iam: Any, role: Role) -> None:
    attempt(
        (*role.at, "trust"),
        iam.create_role,
        RoleName=role.name,
        Path=role.path,
        AssumeRolePolicyDocument=_minified(role.trust if _fixed(role) else _TRUST_FOR_NOW),
        MaxSessionDuration=role.max_session_duration,
        Description=role.description,
        PermissionsBoundary=role.permissions_boundary,
        Tags=[{"Key": key, "Value": value} for key, value in role.tags.items()],
    )
    for name, document in role.policies.items():
        attempt(
            (*role.at, "policies", name),
            iam.put_role_policy,
            RoleName=role.name,
            PolicyName=name,
            PolicyDocument=json.dumps(document),
        )
    for arn in role.attached:
        attempt((*role.at, "attached"), iam.attach_role_policy, RoleName=role.name, PolicyArn=arn)


def _table(dynamodb: Any, table: Table) -> None:
    keys = [(table.key, "HASH"), *([(table.sort_key, "RANGE")] if table.sort_key else [])]
    attempt(
        table.at,
        dynamodb.create_table,
        TableName=table.name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _kind in keys],
    )
    for place, item in enumerate(table.items):
        attempt((*table.at, "items", place), dynamodb.put_item, TableName=table.name, Item=_attributes(item))


def _attributes(item: Mapping[str, Any]) -> Json:
    return {name: _attribute(value) for name, value in item.items()}


def _attribute(value: str | float | bool | None) -> Json:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": _number(value)}


def _number(value: float) -> str:
    """99.95 as 99.95, and money such as 75.0 as 75."""
    return str(value) if isinstance(value, int) else format(value, ".15g")


def _addon(eks: Any, cluster: Cluster, addon: Addon) -> None:
    attempt(
        addon.at,
        eks.create_addon,
        clusterName=cluster.name,
        addonName=addon.name,
        addonVersion=addon.version,
        configurationValues=addon.configuration,
        serviceAccountRoleArn=addon.role_arn,
        podIdentityAssociations=[
            {"serviceAccount": name, "roleArn": arn} for name, arn in addon.pod_identity_associations.items()
        ],
    )
