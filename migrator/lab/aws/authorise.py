"""Whether a caller's own policies allow what it asks: administrators may all, others what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.policy import Ask, Verdict, context_of, identity_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.callers import Caller
    from migrator.lab.aws.iam_store import IamStore
    from migrator.lab.aws.ports import Clock

_CODES = {
    "iam": ("AccessDenied", 403),
    "sts": ("AccessDenied", 403),
    "s3": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "cloudformation": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "eks": ("AccessDeniedException", 403),
    "eks-auth": ("AccessDeniedException", 400),
}


class Gate:
    """Evaluates identity policies, permissions boundaries and session policies."""

    def __init__(self, iam: IamStore, clock: Clock) -> None:
        self._iam = iam
        self._clock = clock

    def context(self, caller: Caller, region: str = "us-east-1") -> dict[str, tuple[str, ...]]:
        """The global condition keys that describe a caller."""
        values: dict[str, Any] = {
            "aws:PrincipalArn": caller.principal_arn,
            "aws:PrincipalAccount": caller.account,
            "aws:PrincipalType": "AssumedRole" if caller.session else "User",
            "aws:userid": caller.user_id,
            "aws:username": None if caller.session else caller.username,
            "aws:RequestedRegion": region,
            "aws:SourceIp": "127.0.0.1",
            "aws:SecureTransport": "true",
            **self._moment(),
            "aws:FederatedProvider": (caller.session.federated or None) if caller.session else None,
        }
        for key, value in self._principal_tags(caller).items():
            values[f"aws:PrincipalTag/{key}"] = value
        return context_of(values)

    def moment(self) -> dict[str, tuple[str, ...]]:
        """The condition keys of the request's time, which every request has."""
        return context_of(self._moment())

    def _moment(self) -> dict[str, str]:
        now = self._clock()
        return {"aws:CurrentTime": now.isoformat(), "aws:EpochTime": str(int(now.timestamp()))}

    def _principal_tags(self, caller: Caller) -> dict[str, str]:
        if caller.session is None:
            return {}
        role = self._iam.role(caller.session.role_arn)
        tags = {str(tag["Key"]): str(tag["Value"]) for tag in role.tags} if role is not None else {}
        return {**tags, **caller.session.tags}

    def allows(
        self, caller: Caller, action: str, resource: str, extra: Mapping[str, tuple[str, ...]] | None = None
    ) -> bool:
        """Whether the caller's policies say yes."""
        if caller.kind == "admin":
            return True
        ask = Ask(action, resource, {**self.context(caller), **(extra or {})})
        if caller.session is None:
            return identity_verdict(self._iam.documents_of_user(caller.arn), ask) is Verdict.ALLOWED
        role = self._iam.role(caller.session.role_arn)
        if role is None or role.id != caller.session.role_id:
            return False
        if identity_verdict(self._iam.documents_of_role(role), ask) is not Verdict.ALLOWED:
            return False
        boundary = self._iam.boundary_of_role(role)
        limits = [boundary] if boundary is not None else []
        limits += caller.session.policies
        return all(identity_verdict([limit], ask) is Verdict.ALLOWED for limit in limits)

    def require(
        self,
        caller: Caller,
        action: str,
        resource: str,
        extra: Mapping[str, tuple[str, ...]] | None = None,
        service: str | None = None,
    ) -> None:
        """Refuses what the caller's policies do not allow.

        Raises:
            ApiError: access denied, in the words and with the code of the service called.
        """
        if not self.allows(caller, action, resource, extra):
            raise denied(caller, action, resource, service or action.partition(":")[0])


def denied(caller: Caller, action: str, resource: str, service: str) -> ApiError:
    """The refusal of an action."""
    code, status = _CODES.get(service, ("AccessDeniedException", 400))
    return ApiError(code, f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource}", status)
