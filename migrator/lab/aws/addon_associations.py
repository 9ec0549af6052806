"""The associations an add-on owns: real ones, made, changed and removed with the add-on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.lab.aws.addon_catalogue import AddonKind
    from migrator.lab.aws.eks_associations import Associations
    from migrator.lab.aws.eks_roles import RoleChecks
    from migrator.lab.aws.eks_state import Association, Cluster
    from migrator.lab.aws.ports import Clock
    from migrator.lab.aws.wire import Request


class AddonAssociations:
    """Keeps the associations of an add-on equal to what its input lists."""

    def __init__(self, associations: Associations, checks: RoleChecks, clock: Clock) -> None:
        self._associations = associations
        self._checks = checks
        self._clock = clock

    def check(
        self,
        request: Request,
        cluster: Cluster,
        kind: AddonKind,
        *,
        version: str,
        owner: str | None,
        wanted: Sequence[Mapping[str, str]],
    ) -> None:
        """Refuses associations the add-on cannot have.

        Raises:
            ApiError: the version or a service account is not supported, a role is unusable, or a service account has
                an association that is not the add-on's.
        """
        if wanted and not kind.supports_pod_identity(version):
            raise _unsupported(f"Pod Identity feature is not supported for addon version: {version}")
        known = {account for account, _ in kind.accounts}
        for item in wanted:
            account = item["serviceAccount"]
            if account not in known:
                raise _unsupported(
                    f"Service account {account} in pod identity configuration is not supported for addon {kind.name}"
                )
            taken = cluster.association_for(kind.namespace, account)
            if taken is not None and (owner is None or taken.owner_arn != owner):
                raise ApiError("ResourceInUseException", f"Association already exists: {taken.id}")
            self._checks.usable(request, cluster, item["roleArn"])

    def set(self, cluster: Cluster, kind: AddonKind, owner: str, wanted: Sequence[Mapping[str, str]]) -> None:
        """Makes the add-on own exactly these; the caller holds the cluster's lock and has checked them."""
        roles = {item["serviceAccount"]: item["roleArn"] for item in wanted}
        for item in owned(cluster, owner):
            role = roles.pop(item.service_account, None)
            if role is None:
                del cluster.associations[item.id]
            elif role != item.role_arn:
                item.role_arn, item.modified = role, self._clock()
        for account, role in roles.items():
            params: dict[str, Any] = {
                "namespace": kind.namespace,
                "serviceAccount": account,
                "roleArn": role,
            }
            self._associations.make(cluster, params, owner_arn=owner)


def owned(cluster: Cluster, owner: str) -> list[Association]:
    """The associations of one add-on."""
    return [item for item in cluster.associations.values() if item.owner_arn == owner]


def _unsupported(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
