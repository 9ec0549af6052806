"""IAM: whether whoever acts in an account may do what plans take there.

SimulatePrincipalPolicy judges by the caller's own policies, its boundary and, as far as it can see them, those of the
organisation: what it says is advice. A policy that asks for context which only the real call has decides nothing here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.aws_side import Operator, Right
from migrator.model.facts import Cluster
from migrator.model.trust.match import SERVICE

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_AT_ONCE = 100  # resources in one call; with ten actions that is a page
_PAGE = 1000
Simulate = Callable[..., Any]


def operator(sessions: AwsSessions, cluster: Cluster, account: str, rights: Iterable[Right]) -> Operator:
    """Who acts in the account, and which of these rights he lacks for that cluster.

    Raises:
        NotPermitted: he may not ask, or not look up the role that he is.
        EnvironmentFault: IAM does not answer, or knows no such principal.
    """
    caller = sessions.identity(account, cluster.region).arn
    if caller.endswith(":root"):
        return Operator(arn=caller)
    client = sessions.iam(account, cluster.partition)
    source = _source(sessions, client, caller)

    def simulate(**more: Any) -> Any:
        return sessions.run(
            lambda: client.simulate_principal_policy(PolicySourceArn=source, **more),
            doing=f'asking what "{source}" may do',
            service="iam",
        )

    return Operator(arn=source, missing=_lacking(simulate, cluster.arn, frozenset(rights)))


def _source(sessions: AwsSessions, client: "IAMClient", caller: str) -> str:
    """The user or role whose policies count; a session's ARN tells its role's name, not its path."""
    kind, _, rest = caller.split(":", 5)[5].partition("/")
    if kind != "assumed-role":
        return caller
    doing = f'reading the role of "{caller}"'
    name = rest.split("/", 1)[0]
    return sessions.run(lambda: client.get_role(RoleName=name)["Role"]["Arn"], doing=doing, service="iam")


def _lacking(simulate: Simulate, cluster_arn: str, rights: frozenset[Right]) -> frozenset[Right]:
    """Passing a role to any of the services that are named is enough."""
    lacked, turn = rights, 0
    while asked := [right for right in lacked if turn < max(len(right.passed_to), 1)]:
        denied: set[Right] = set()
        for service, of in _by_service(asked, turn).items():
            denied |= _denied(partial(simulate, ContextEntries=_context(service, cluster_arn)), of)
        lacked, turn = lacked - set(asked) | denied, turn + 1
    return lacked


def _by_service(rights: Sequence[Right], turn: int) -> Mapping[str, Sequence[Right]]:
    found: dict[str, list[Right]] = defaultdict(list)
    for right in rights:
        found[right.passed_to[turn] if right.passed_to else SERVICE].append(right)
    return found


def _context(service: str, cluster_arn: str) -> Any:
    context = {"iam:PassedToService": service, "iam:AssociatedResourceArn": cluster_arn}
    return [{"ContextKeyName": k, "ContextKeyValues": [v], "ContextKeyType": "string"} for k, v in context.items()]


def _denied(simulate: Simulate, rights: Sequence[Right]) -> set[Right]:
    known = {(right.action, right.resource): right for right in rights}
    return {known[pair] for actions, resources in _batches(rights) for pair in _pages(simulate, actions, resources)}


def _batches(rights: Iterable[Right]) -> Iterator[tuple[list[str], list[str]]]:
    """Resources that are asked about the same actions go together: each call is about all pairs of the two."""
    actions: dict[str, list[str]] = defaultdict(list)
    for right in sorted(rights):
        actions[right.resource].append(right.action)
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource, of in actions.items():
        together[tuple(of)].append(resource)
    for of_all, resources in sorted(together.items()):
        for start in range(0, len(resources), _AT_ONCE):
            yield list(of_all), resources[start : start + _AT_ONCE]


def _pages(simulate: Simulate, actions: Sequence[str], resources: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Action and resource of what is not allowed."""
    more: dict[str, Any] = {}
    while True:
        page = simulate(ActionNames=list(actions), ResourceArns=list(resources), MaxItems=_PAGE, **more)
        for result in page["EvaluationResults"]:
            if result["EvalDecision"] != "allowed" and not result.get("MissingContextValues"):
                yield result["EvalActionName"], result["EvalResourceName"]
        if not page.get("IsTruncated"):
            return
        more = {"Marker": page["Marker"]}
