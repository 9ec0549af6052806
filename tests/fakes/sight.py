"""A declared world as the planner sees it: the ports `ClusterView` and `Roles`."""

from collections.abc import Iterable, Mapping, Sequence

from migrator.model.addons import AddonUpdate, InstalledAddon, Offer
from migrator.model.aws_side import Operator, Right, VpcEndpoint
from migrator.model.facts import (
    Association,
    Cluster,
    EnvSource,
    FargateSelector,
    Pod,
    Role,
    ServiceAccount,
    Unread,
    Workload,
)
from migrator.model.permissions import Permissions
from migrator.model.surroundings import Surroundings
from migrator.model.trust import QUOTA
from tests.fakes.parts import ACCOUNT, CLUSTER_ARN, ISSUER


class FakeSight:
    """What planning reads of a fake world; what running reads of its one service, the world itself answers."""

    made: Association | None

    def service_account(self, namespace: str, name: str) -> ServiceAccount | None:
        raise NotImplementedError(namespace, name)

    def workloads_of(self, namespace: str, service_account: str) -> Sequence[Workload]:
        raise NotImplementedError(namespace, service_account)

    def pods_of(self, namespace: str, service_account: str) -> Sequence[Pod]:
        raise NotImplementedError(namespace, service_account)

    def role(self, arn: str) -> Role | None:
        raise NotImplementedError(arn)

    def cluster(self) -> Cluster:
        return Cluster(
            alias="prod",
            name="prod",
            region="eu-west-1",
            account=ACCOUNT,
            arn=CLUSTER_ARN,
            endpoint="https://127.0.0.1:1",
            issuer=ISSUER,
            version="1.33",
            platform_version="eks.5",
            status="ACTIVE",
        )

    def service_accounts(self) -> Sequence[ServiceAccount]:
        account = self.service_account("shop", "orders")
        return [account] if account else []

    def workloads(self) -> Sequence[Workload]:
        return self.workloads_of("shop", "orders")

    def pods(self) -> Sequence[Pod]:
        return self.pods_of("shop", "orders")

    def associations(self) -> Sequence[Association]:
        return [self.made] if self.made else []

    def describe(self, association: Association) -> Association:
        return association

    def eks_auth_endpoints(self) -> Sequence[VpcEndpoint]:
        return []

    def operator(self, account: str, rights: Sequence[Right]) -> Operator:
        del account, rights
        return Operator(arn=f"arn:aws:iam::{ACCOUNT}:user/ann")

    def fargate_selectors(self) -> Sequence[FargateSelector]:
        return []

    def key_names(self, wanted: Sequence[EnvSource]) -> Mapping[EnvSource, frozenset[str] | Unread]:
        return dict.fromkeys(wanted, frozenset())

    def surroundings(self, *, volumes: bool, security_groups: bool) -> Surroundings:
        del volumes, security_groups
        return Surroundings()

    def roles(self, arns: Iterable[str]) -> Mapping[str, Role]:
        found = {arn: self.role(arn) for arn in arns}
        return {arn: role for arn, role in found.items() if role is not None}

    def unreadable(self, account: str) -> str | None:
        del account
        return None

    def trust_quota(self, role: Role) -> int:
        del role
        return QUOTA

    def permissions(self, roles: Iterable[Role]) -> Mapping[str, Permissions]:
        return {role.arn: Permissions() for role in roles}

    # --- AddonCatalogue and Addons: there is none but the agent's

    def addons(self) -> Sequence[InstalledAddon]:
        return []

    def addon_offer(self, name: str, kubernetes: str) -> Offer:
        raise NotImplementedError(name, kubernetes)

    def addon_accounts(self, name: str, version: str) -> frozenset[str]:
        raise NotImplementedError(name, version)

    def installed_addon(self, name: str) -> InstalledAddon | None:
        raise NotImplementedError(name)

    def owned_by(self, addon: InstalledAddon, namespace: str) -> Sequence[Association]:
        raise NotImplementedError(addon, namespace)

    def update_addon(
        self, addon: InstalledAddon, associations: Mapping[str, str], *, role_arn: str, token: str
    ) -> AddonUpdate:
        raise NotImplementedError(addon, associations, role_arn, token)

    def addon_update(self, name: str, update_id: str) -> AddonUpdate | None:
        raise NotImplementedError(name, update_id)
