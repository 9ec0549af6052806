"""Reading what moto's IAM holds: roles, users, providers and the policies that bind them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


class IamStore:
    """The IAM of every account of the practice fleet, per partition."""

    def backend(self, account: str, partition: str) -> Any:
        """Moto's backend of one account."""
        return iam_backends[account][partition]

    def roles(self, account: str, partition: str) -> list[Any]:
        """All roles of an account."""
        return list(self.backend(account, partition).roles.values())

    def role_named(self, account: str, partition: str, name: str) -> Any | None:
        """The role of that name, or None."""
        return next((role for role in self.roles(account, partition) if role.name == name), None)

    def role(self, arn: str) -> Any | None:
        """The role of exactly that ARN, path and all, or None."""
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
            return None
        found = self.role_named(parts[4], parts[1], arn.rsplit("/", 1)[-1])
        return found if found is not None and found.arn == arn else None

    def user(self, arn: str) -> Any | None:
        """The user of that ARN, or None."""
        parts = arn.split(":", 5)
        if len(parts) != 6 or not parts[5].startswith("user/"):
            return None
        users = list(self.backend(parts[4], parts[1]).users.values())
        return next((user for user in users if user.arn == arn), None)

    def user_of_key(self, account: str, partition: str, key: str) -> tuple[Any, str] | None:
        """The IAM user that owns an active access key, and the key's secret."""
        for user in list(self.backend(account, partition).users.values()):
            for owned in list(user.access_keys):
                if owned.access_key_id == key and owned.status == "Active":
                    return user, str(owned.secret_access_key)
        return None

    def provider(self, account: str, partition: str, issuer: str) -> Any | None:
        """The OIDC provider of an issuer URL in an account, or None."""
        wanted = issuer.removeprefix("https://")
        providers = list(self.backend(account, partition).open_id_providers.values())
        return next((provider for provider in providers if provider.url == wanted), None)

    def documents_of_role(self, role: Any) -> list[Any]:
        """The identity policies of a role: inline ones, then attached ones."""
        return [*self._inline(role.policies), *self._attached(role.managed_policies)]

    def documents_of_user(self, arn: str) -> list[Any]:
        """The identity policies of a user: its own and those of its groups."""
        user = self.user(arn)
        if user is None:
            return []
        found = [*self._inline(user.policies), *self._attached(user.managed_policies)]
        parts = arn.split(":", 5)
        for group in self.backend(parts[4], parts[1]).get_groups_for_user(user.name):
            found += [*self._inline(group.policies), *self._attached(group.managed_policies)]
        return found

    def boundary_of_role(self, role: Any) -> Any | None:
        """The document of a role's permissions boundary, or None when it has none."""
        arn = role.permissions_boundary_arn
        if not arn:
            return None
        policy = self.backend(str(role.account_id), str(role.partition)).managed_policies.get(arn)
        return _default_document(policy) if policy is not None else {"Statement": []}

    def mark_used(self, role: Any, when: datetime, region: str | None = None) -> None:
        """Moves a role's RoleLastUsed."""
        role.last_used = when
        if region:
            role.last_used_region = region

    def _inline(self, policies: dict[str, Any]) -> Iterator[Any]:
        for document in list(policies.values()):
            yield json.loads(document) if isinstance(document, str) else document

    def _attached(self, policies: dict[str, Any]) -> Iterator[Any]:
        for policy in list(policies.values()):
            yield _default_document(policy)


def _default_document(policy: Any) -> Any:
    for version in policy.versions:
        if version.version_id == policy.default_version_id:
            return json.loads(version.document)
    return {"Statement": []}
