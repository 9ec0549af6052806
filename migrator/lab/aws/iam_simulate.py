"""SimulatePrincipalPolicy, by the same evaluator that decides real calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.callers import ADMIN_NAME
from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.iam_roles import marked_page
from migrator.lab.aws.policy import Ask, Verdict, context_of, identity_verdict

if TYPE_CHECKING:
    from migrator.lab.aws.iam_store import IamStore
    from migrator.lab.aws.moto_backend import MotoBackend
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import Request

_ALL = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_DECISIONS = {Verdict.ALLOWED: "allowed", Verdict.DENIED: "explicitDeny", Verdict.SILENT: "implicitDeny"}


class Simulation:
    """Says what a role or a user may do."""

    def __init__(self, iam: IamStore, moto: MotoBackend) -> None:
        self._iam = iam
        self._moto = moto

    def handlers(self) -> dict[str, Handler]:
        """The operation served here."""
        return {"SimulatePrincipalPolicy": self.simulate}

    def simulate(self, request: Request) -> dict[str, Any]:
        """One decision per action and resource."""
        params = request.params
        with self._moto.lock("iam"):
            documents, limits = self._policies(request)
        context = context_of(
            {entry["ContextKeyName"]: entry["ContextKeyValues"] for entry in params.get("ContextEntries", [])}
        )
        asks = [
            Ask(action, resource, context)
            for action in params["ActionNames"]
            for resource in params.get("ResourceArns", ["*"])
        ]
        found, marker = marked_page(asks, request)
        return {
            "EvaluationResults": [_result(ask, documents, limits) for ask in found],
            "IsTruncated": marker is not None,
            "Marker": marker,
        }

    def _policies(self, request: Request) -> tuple[list[Any], list[Any]]:
        """The identity policies of the source, and what limits them."""
        params, arn = request.params, str(request.params["PolicySourceArn"])
        given = [_parsed(text) for text in params.get("PolicyInputList", [])]
        bounds = [_parsed(text) for text in params.get("PermissionsBoundaryPolicyInputList", [])]
        role = self._iam.role(arn)
        if role is not None and role.account_id == request.account:
            own = self._iam.boundary_of_role(role)
            limits = bounds or ([own] if own is not None else [])
            return [*self._iam.documents_of_role(role), *given], limits
        if arn.endswith(f":{request.account}:user/{ADMIN_NAME}"):
            return [_ALL, *given], bounds
        if self._iam.user(arn) is None:
            raise ApiError("NoSuchEntity", f"The principal {arn} cannot be found.", 404)
        return [*self._iam.documents_of_user(arn), *given], bounds


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as broken:
        raise ApiError("InvalidInput", "The policy is not in the valid JSON format.", 400) from broken


def _result(ask: Ask, documents: list[Any], limits: list[Any]) -> dict[str, Any]:
    verdict = identity_verdict(documents, ask)
    for limit in limits:
        bounded = identity_verdict([limit], ask)
        if verdict is Verdict.ALLOWED and bounded is not Verdict.ALLOWED:
            verdict = bounded
    return {
        "EvalActionName": ask.action,
        "EvalResourceName": ask.resource,
        "EvalDecision": _DECISIONS[verdict],
        "MatchedStatements": [],
        "MissingContextValues": [],
    }
