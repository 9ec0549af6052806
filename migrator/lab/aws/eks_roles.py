"""The checks EKS makes on a role before it lets an association use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.policy import Ask, Principal, Verdict, context_of, statements, trust_verdict

if TYPE_CHECKING:
    from migrator.lab.aws.authorise import Gate
    from migrator.lab.aws.eks_state import Cluster
    from migrator.lab.aws.iam_store import IamStore
    from migrator.lab.aws.wire import Request

POD_SERVICE = "pods.eks.amazonaws.com"
POD_PRINCIPAL = Principal("Service", frozenset({POD_SERVICE}))


TrustSight = Callable[[Any], Any]
"""The trust policy of a role as somebody in EKS sees it now."""


def trust_as_it_is(role: Any) -> Any:
    """The trust policy that IAM has."""
    return role.assume_role_policy_document


class RoleChecks:
    """Existence, account, trust and PassRole."""

    def __init__(self, iam: IamStore, gate: Gate) -> None:
        self._iam = iam
        self._gate = gate
        self.trust: TrustSight = trust_as_it_is

    def usable(self, request: Request, cluster: Cluster, arn: str) -> None:
        """Refuses a role that an association of this cluster cannot have.

        Raises:
            ApiError: the caller may not pass it, it does not exist in the cluster's account, or its trust policy does
                not let EKS Pod Identity in.
        """
        context = context_of({"iam:PassedToService": POD_SERVICE, "iam:AssociatedResourceArn": cluster.spec.arn})
        self._gate.require(request.who, "iam:PassRole", arn, context, service="eks")
        role = self._iam.role(arn)
        parts = arn.split(":", 5)
        if len(parts) > 4 and parts[4] != cluster.spec.account:
            raise ApiError(
                "InvalidParameterException",
                "Role provided in the request does not belong to the cluster's account",
                members={"clusterName": cluster.spec.name},
            )
        if role is None or role.partition != cluster.spec.partition:
            raise ApiError(
                "InvalidParameterException",
                "Role provided in the request does not exist",
                members={"clusterName": cluster.spec.name},
            )
        if not trusts_pods(self.trust(role)):
            raise ApiError(
                "InvalidParameterException",
                "Trust policy of the role provided is invalid",
                members={"clusterName": cluster.spec.name},
            )


def trusts_pods(document: Any) -> bool:
    """Whether a trust policy lets EKS Pod Identity assume the role and tag the session, conditions left aside."""
    bare = {
        "Statement": [
            {key: value for key, value in statement.items() if key != "Condition"}
            for statement in statements(document)
            if statement.get("Effect") == "Allow"
        ]
    }
    return all(
        trust_verdict(bare, POD_PRINCIPAL, Ask(action)) is Verdict.ALLOWED
        for action in ("sts:AssumeRole", "sts:TagSession")
    )
