"""STS: who am I, AssumeRole by trust and policy, AssumeRoleWithWebIdentity by a cluster's own tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.assume import Assumption, tag_context
from migrator.lab.aws.authorise import denied
from migrator.lab.aws.callers import Caller, Callers, Credentials, SessionWish
from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.iam_store import IamStore
    from migrator.lab.aws.moto_backend import MotoBackend
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import Request

_HOUR = 3600


class Sts:
    """GetCallerIdentity and AssumeRole."""

    def __init__(self, iam: IamStore, callers: Callers, assumption: Assumption, moto: MotoBackend) -> None:
        self._iam = iam
        self._callers = callers
        self._assumption = assumption
        self._moto = moto

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        return {"GetCallerIdentity": self.identity, "AssumeRole": self.assume}

    def identity(self, request: Request) -> dict[str, Any]:
        """The caller, as it is."""
        caller = request.who
        return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}

    def assume(self, request: Request) -> dict[str, Any]:
        """Credentials of a role whose trust lets the caller in."""
        params, caller = request.params, request.who
        arn = str(params["RoleArn"])
        request.event["resources"] = role_resource(arn)
        tags, transitive = _session_tags(caller, params)
        context = tag_context(
            tags,
            {
                "sts:ExternalId": params.get("ExternalId"),
                "sts:RoleSessionName": params["RoleSessionName"],
                "sts:SourceIdentity": params.get("SourceIdentity"),
            },
        )
        with self._moto.lock("iam"):
            role = self._iam.role(arn)
            refused = "sts:AssumeRole"
            if role is not None:
                refused = self._assumption.refused_to_caller(role, caller, tags, context)
        if role is None or refused:
            raise denied(caller, refused, arn, "sts")
        seconds = duration(role, params, chained=caller.session is not None)
        wish = SessionWish(
            role=role,
            name=str(params["RoleSessionName"]),
            seconds=seconds,
            tags=tags,
            transitive=transitive,
            policies=session_policies(self._iam, role, params),
            chained=caller.session is not None,
        )
        return answered(self._callers.open_session(wish), request)


def _session_tags(caller: Caller, params: Mapping[str, Any]) -> tuple[dict[str, str], frozenset[str]]:
    """The tags of the new session: those asked for, and the transitive ones the caller's session brings."""
    asked = {str(tag["Key"]): str(tag["Value"]) for tag in params.get("Tags", [])}
    chosen = frozenset(params.get("TransitiveTagKeys", []))
    if caller.session is None:
        return asked, chosen
    brought = {key: value for key, value in caller.session.tags.items() if key in caller.session.transitive}
    clash = sorted(set(brought) & set(asked))
    if clash:
        raise ApiError(
            "InvalidParameterValue",
            f"One of the specified tag keys can't be set because it conflicts with a transitive tag key "
            f"from the calling session: {clash[0]}",
            400,
        )
    return asked | brought, chosen | frozenset(brought)


def duration(role: Any, params: Mapping[str, Any], *, chained: bool) -> int:
    """Seconds a session lasts.

    Raises:
        ApiError: longer than the role, or a chain, allows.
    """
    seconds = int(params.get("DurationSeconds", _HOUR))
    if chained and seconds > _HOUR:
        raise ApiError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            400,
        )
    if seconds > int(role.max_session_duration or _HOUR):
        raise ApiError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            400,
        )
    return seconds


def session_policies(iam: IamStore, role: Any, params: Mapping[str, Any]) -> tuple[str, ...]:
    """The session policies of an input, inline and by ARN, each as its document.

    Raises:
        ApiError: one is no policy.
    """
    found: list[str] = [str(params["Policy"])] if params.get("Policy") else []
    for item in params.get("PolicyArns", []):
        policy = iam.backend(str(role.account_id), str(role.partition)).managed_policies.get(item["arn"])
        if policy is None:
            raise ApiError("MalformedPolicyDocument", f"Policy {item['arn']} does not exist", 400)
        found += [v.document for v in policy.versions if v.version_id == policy.default_version_id]
    for document in found:
        try:
            parsed = json.loads(document)
        except ValueError as broken:
            raise ApiError("MalformedPolicyDocument", "This policy contains invalid Json", 400) from broken
        if not isinstance(parsed, dict) or "Statement" not in parsed:
            raise ApiError("MalformedPolicyDocument", "Syntax errors in policy.", 400)
    return tuple(found)


def role_resource(arn: str) -> list[dict[str, str]]:
    """The `resources` of a CloudTrail event about a role."""
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    return [{"accountId": account, "type": "AWS::IAM::Role", "ARN": arn}]


def answered(credentials: Credentials, request: Request) -> dict[str, Any]:
    """The output of an assume-role operation, which it also writes into the call's event."""
    caller = credentials.caller
    user = {"AssumedRoleId": caller.user_id, "Arn": caller.arn}
    request.event["responseElements"] = {
        "credentials": {
            "accessKeyId": credentials.access_key,
            "sessionToken": "HIDDEN",
            "expiration": credentials.expires.strftime("%b %-d, %Y, %-I:%M:%S %p"),
        },
        "assumedRoleUser": {"assumedRoleId": caller.user_id, "arn": caller.arn},
    }
    return {
        "Credentials": {
            "AccessKeyId": credentials.access_key,
            "SecretAccessKey": credentials.secret,
            "SessionToken": credentials.token,
            "Expiration": credentials.expires,
        },
        "AssumedRoleUser": user,
        "PackedPolicySize": 6 if caller.session and (caller.session.policies or caller.session.tags) else None,
    }
