"""Guards before moto's IAM, for the operations moto may answer itself."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy

from migrator.lab.aws.iam_roles import Roles, refuse_protected
from migrator.lab.aws.models import partition_of

if TYPE_CHECKING:
    from migrator.lab.aws.iam_store import IamStore
    from migrator.lab.aws.moto_backend import MotoBackend
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import HttpAnswer, Request

_CHANGES_ROLE = {
    "DeleteRole",
    "PutRolePolicy",
    "DeleteRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "UpdateRole",
    "UpdateRoleDescription",
    "PutRolePermissionsBoundary",
    "DeleteRolePermissionsBoundary",
}


class IamGuards:
    """Lets moto answer IAM, after the checks it does not make."""

    def __init__(self, iam: IamStore, moto_: MotoBackend, roles: Roles, accounts: frozenset[str]) -> None:
        self._accounts = accounts
        self._iam = iam
        self._moto = moto_
        self._roles = roles

    def fallback(self) -> Handler:
        """What answers the IAM operations that are not the front's own."""
        return self._answer

    def _answer(self, request: Request) -> HttpAnswer:
        with self._moto.lock("iam"):
            if request.action in _CHANGES_ROLE:
                refuse_protected(self._roles.find(request))
            arn = str(request.params.get("PolicyArn") or request.params.get("PermissionsBoundary") or "")
            if ":iam::aws:policy/" in arn:
                self._bring_managed_policy(request, arn)
            if request.action == "DeleteRole":
                return self._delete_role(request)
            return self._moto.forward(request)

    def _delete_role(self, request: Request) -> HttpAnswer:
        """Lets moto delete a role; trust policies that name it show its id from then on, as in AWS."""
        role = self._roles.find(request)
        answer = self._moto.forward(request)
        if answer.status < 400:
            for account in self._accounts:
                for other in self._iam.roles(account, str(role.partition)):
                    text = str(other.assume_role_policy_document)
                    other.assume_role_policy_document = text.replace(f'"{role.arn}"', f'"{role.id}"')
        return answer

    def _bring_managed_policy(self, request: Request, arn: str) -> None:
        """Puts one AWS managed policy into the account's IAM when it is first named."""
        backend: Any = self._iam.backend(request.account, partition_of(request.region))
        data = managed_policies().get(arn.rsplit("/", 1)[-1])
        if arn in backend.managed_policies or data is None:
            return
        policy = AWSManagedPolicy.from_data(arn.rsplit("/", 1)[-1], request.account, backend.region_name, data)
        if policy.arn == arn:
            backend.managed_policies[arn] = policy


@cache
def managed_policies() -> dict[str, Any]:
    """Moto's copy of AWS's managed policies, by name; megabytes, so read when first asked for."""
    return dict(json.loads(aws_managed_policies_data))
