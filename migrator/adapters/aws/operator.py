"""IAM: whether whoever acts in a cluster's account may do what a migration there takes.

SimulatePrincipalPolicy judges by the caller's own policies, its boundary and, as far as it can see them, those of the
organisation: what it says is advice. A policy that asks for context which only the real call has decides nothing here.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.aws_side import Operator, Right
from migrator.model.facts import Cluster
from migrator.model.ids import RoleArn
from migrator.model.trust_match import SERVICE

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_AT_ONCE = 100  # roles in one call; with two actions that is 200 of the 1,000 results of a page
_PAGE = 1000
_ON_ROLE = ("iam:PassRole", "iam:UpdateAssumeRolePolicy")
_ON_CLUSTER = ("eks:CreatePodIdentityAssociation", "eks:ListPodIdentityAssociations")
_ON_ASSOCIATION = ("eks:DeletePodIdentityAssociation", "eks:DescribePodIdentityAssociation", "eks:TagResource")


def operator(sessions: AwsSessions, cluster: Cluster, roles: Sequence[str]) -> Operator:
    """Who acts there, and what he lacks for associations of the roles; roles of other accounts are not asked about.

    Raises:
        NotPermitted: he may not ask, or not look up the role that he is.
        EnvironmentFault: IAM does not answer, or knows no such principal.
    """
    caller = sessions.identity(cluster.account, cluster.region).arn
    if caller.endswith(":root"):
        return Operator(arn=caller)
    client = sessions.iam(cluster.account, cluster.partition)
    source = _source(sessions, client, caller)
    own = [role for role in roles if (arn := RoleArn.parse(role)) is not None and arn.account == cluster.account]
    association = cluster.arn.replace(":cluster/", ":podidentityassociation/") + "/*"
    asked = [(_ON_CLUSTER, [cluster.arn]), (_ON_ASSOCIATION, [association])]
    asked += [(_ON_ROLE, own[start : start + _AT_ONCE]) for start in range(0, len(own), _AT_ONCE)]
    context = {"iam:PassedToService": SERVICE, "iam:AssociatedResourceArn": cluster.arn}
    entries: Any = [
        {"ContextKeyName": k, "ContextKeyValues": [v], "ContextKeyType": "string"} for k, v in context.items()
    ]

    def simulate(**more: Any) -> Any:
        return sessions.run(
            lambda: client.simulate_principal_policy(PolicySourceArn=source, ContextEntries=entries, **more),
            doing=f'asking what "{source}" may do',
            service="iam",
        )

    lacking = (right for actions, resources in asked for right in _lacking(simulate, actions, resources))
    return Operator(arn=source, missing=frozenset(lacking))


def _source(sessions: AwsSessions, client: "IAMClient", caller: str) -> str:
    """The user or role whose policies count; a session's ARN tells its role's name, not its path."""
    kind, _, rest = caller.split(":", 5)[5].partition("/")
    if kind != "assumed-role":
        return caller
    doing = f'reading the role of "{caller}"'
    name = rest.split("/", 1)[0]
    return sessions.run(lambda: client.get_role(RoleName=name)["Role"]["Arn"], doing=doing, service="iam")


def _lacking(simulate: Callable[..., Any], actions: Sequence[str], resources: Sequence[str]) -> Iterator[Right]:
    more: dict[str, Any] = {}
    while True:
        page = simulate(ActionNames=list(actions), ResourceArns=list(resources), MaxItems=_PAGE, **more)
        for result in page["EvaluationResults"]:
            if result["EvalDecision"] != "allowed" and not result.get("MissingContextValues"):
                yield Right(action=result["EvalActionName"], resource=result["EvalResourceName"])
        if not page.get("IsTruncated"):
            return
        more = {"Marker": page["Marker"]}
