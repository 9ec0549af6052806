"""IAM roles, answered here over moto's memory where moto is too lax, too strict, or does not paginate."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.iam.exceptions import IAMException

from migrator.lab.aws import iam_shapes
from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.models import partition_of
from migrator.lab.aws.trust_documents import TRUST_QUOTA, TrustRules
from migrator.lab.aws.trust_history import TrustHistory

if TYPE_CHECKING:
    from migrator.lab.aws.iam_store import IamStore
    from migrator.lab.aws.moto_backend import MotoBackend
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import Request

_Row = tuple[str, str, Callable[[], dict[str, Any]]]


# the document that this request's reader sees of a role's trust policy; None if it does not see the role at all
Sight = Callable[[Any, "Request"], Any]


def _as_it_is(role: Any, _request: Request) -> Any:
    return role.assume_role_policy_document


class Roles:
    """Create, read, list and change roles; account authorization details."""

    def __init__(self, iam: IamStore, moto: MotoBackend, rules: TrustRules) -> None:
        self._iam = iam
        self._moto = moto
        self._rules = rules
        self.history = TrustHistory()
        self.sight: Sight = _as_it_is
        self.trust_quota: dict[str, int] = {}

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        return {
            "CreateRole": self.create,
            "GetRole": self.get,
            "ListRoles": self.list_all,
            "UpdateAssumeRolePolicy": self.update_trust,
            "GetAccountAuthorizationDetails": self.details,
        }

    def _quota(self, request: Request) -> int:
        return self.trust_quota.get(request.account, TRUST_QUOTA)

    def _backend(self, request: Request) -> Any:
        return self._iam.backend(request.account, partition_of(request.region))

    def create(self, request: Request) -> dict[str, Any]:
        """A new role, its trust policy checked."""
        params = request.params
        document = str(params["AssumeRolePolicyDocument"])
        name = str(params["RoleName"])
        with self._moto.lock("iam"):
            self._rules.check(document, self._quota(request))
            try:
                role = self._backend(request).create_role(
                    role_name=name,
                    assume_role_policy_document=document,
                    path=str(params.get("Path", "/")),
                    permissions_boundary=params.get("PermissionsBoundary"),
                    description=params.get("Description", ""),
                    tags=params.get("Tags", []),
                    max_session_duration=str(params.get("MaxSessionDuration", 3600)),
                )
            except IAMException as refused:
                status = 409 if refused.code == "EntityAlreadyExists" else 400
                raise ApiError(str(refused.code), str(refused.message), status) from refused
            self.history.wrote(str(role.arn), None, role.assume_role_policy_document)
            return {"Role": iam_shapes.role_whole(role)}

    def find(self, request: Request) -> Any:
        """The role a request names.

        Raises:
            ApiError: there is none.
        """
        name = str(request.params["RoleName"])
        role = self._iam.role_named(request.account, partition_of(request.region), name)
        if role is None:
            raise _no_role(name)
        return role

    def _seen(self, role: Any, request: Request) -> Any | None:
        """The role as this reader sees it; None if it does not."""
        document = self.sight(role, request)
        if document is None or document == role.assume_role_policy_document:
            return None if document is None else role
        seen = copy(role)
        seen.assume_role_policy_document = document
        return seen

    def get(self, request: Request) -> dict[str, Any]:
        """One role."""
        with self._moto.lock("iam"):
            role = self._seen(self.find(request), request)
            if role is None:
                raise _no_role(str(request.params["RoleName"]))
            return {"Role": iam_shapes.role_whole(role)}

    def list_all(self, request: Request) -> dict[str, Any]:
        """Roles by path prefix, in pages."""
        prefix = request.params.get("PathPrefix", "/")
        with self._moto.lock("iam"):
            roles = self._iam.roles(request.account, partition_of(request.region))
            seen = [self._seen(role, request) for role in roles if role.path.startswith(prefix)]
            wanted = sorted((role for role in seen if role is not None), key=lambda role: str(role.name))
            found, marker = marked_page(wanted, request)
            return {
                "Roles": [iam_shapes.role_summary(role) for role in found],
                "IsTruncated": marker is not None,
                "Marker": marker,
            }

    def update_trust(self, request: Request) -> dict[str, Any]:
        """Replaces a role's trust policy: last writer wins, as in AWS."""
        document = str(request.params["PolicyDocument"])
        with self._moto.lock("iam"):
            role = self.find(request)
            refuse_protected(role)
            self._rules.check(document, self._quota(request))
            self.history.wrote(str(role.arn), role.assume_role_policy_document, document)
            role.assume_role_policy_document = document
        return {}

    def details(self, request: Request) -> dict[str, Any]:
        """Users, groups, roles and policies of the account, in pages over all of them."""
        wanted = set(request.params.get("Filter", []))
        with self._moto.lock("iam"):
            rows = [row for row in self._rows(request) if not wanted or row[0] in wanted]
            found, marker = marked_page(rows, request)
            answer: dict[str, Any] = {
                "UserDetailList": [],
                "GroupDetailList": [],
                "RoleDetailList": [],
                "Policies": [],
                "IsTruncated": marker is not None,
                "Marker": marker,
            }
            for _, member, shape in found:
                answer[member].append(shape())
        return answer

    def _all_seen(self, backend: Any, request: Request) -> list[Any]:
        seen = [self._seen(role, request) for role in backend.roles.values()]
        return sorted((role for role in seen if role is not None), key=lambda role: str(role.name))

    def _rows(self, request: Request) -> list[_Row]:
        backend = self._backend(request)
        rows: list[_Row] = []
        for user in backend.users.values():
            groups = [group.name for group in backend.get_groups_for_user(user.name)]
            rows.append(("User", "UserDetailList", partial(iam_shapes.user_detail, user, groups)))
        rows.extend(
            ("Group", "GroupDetailList", partial(iam_shapes.group_detail, group)) for group in backend.groups.values()
        )
        rows.extend(
            ("Role", "RoleDetailList", partial(iam_shapes.role_detail, role))
            for role in self._all_seen(backend, request)
        )
        for policy in backend.managed_policies.values():
            kind = "AWSManagedPolicy" if ":iam::aws:" in policy.arn else "LocalManagedPolicy"
            rows.append((kind, "Policies", partial(iam_shapes.policy_detail, policy)))
        return rows


def _no_role(name: str) -> ApiError:
    return ApiError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)


def refuse_protected(role: Any) -> None:
    """Refuses to change a role that only AWS changes.

    Raises:
        ApiError: the role is service-linked, or IAM Identity Center's.
    """
    if str(role.path).startswith(("/aws-service-role/", "/aws-reserved/")):
        raise ApiError(
            "UnmodifiableEntity",
            f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS",
            400,
        )


def marked_page(items: Sequence[Any], request: Request) -> tuple[list[Any], str | None]:
    """One page of a list by IAM's `Marker` and `MaxItems`, and the marker of the next.

    Raises:
        ApiError: the marker is none of ours.
    """
    marker, size = request.params.get("Marker"), int(request.params.get("MaxItems", 100))
    start = 0
    if marker:
        try:
            start = int(base64.urlsafe_b64decode(str(marker)).decode())
        except (binascii.Error, ValueError) as broken:
            raise ApiError("ValidationError", "Invalid Marker.", 400) from broken
    end = start + size
    more = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(items) else None
    return list(items[start:end]), more
