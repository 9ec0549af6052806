"""What must stand beside a statement of a resource's policy, or in its place, so that both mechanisms fare alike.

It rests on the role's own ARN then, or on the tags that a session of Pod Identity bears.
"""

from collections.abc import Iterable, Iterator, Mapping

from migrator.model.facts import Json
from migrator.model.role_session import USER_ID, Session, filled, is_claim, is_session_arn
from migrator.model.trust.document import as_list, minified
from migrator.model.trust.match import PRINCIPAL_ARN
from migrator.model.trust.parties import principals
from migrator.planning.case import Case

_TAG = "aws:PrincipalTag/"
_Condition = dict[str, dict[str, Json]]


def beside(case: Case, before: Session, body: Mapping[str, Json], *, claims: bool) -> str:
    """The same statement for sessions of Pod Identity: it asks for the service's tags, or for the role.

    An Allow names the role as principal: tags alone could be made up in another account.

    Args:
        case: the service.
        before: a session of IRSA.
        body: the statement as it stands.
        claims: it rests on the token's claims, and not on the session's name alone.
    """
    role, body = before.role.arn, filled(body, before)
    made = {key: value for key, value in body.items() if key not in {"Sid", "Condition"}}
    if body.get("Effect") == "Allow" or any(is_session_arn(name) for _, name in principals(body.get("Principal"))):
        made["Principal"] = {"AWS": role}
    condition = _without_session(_condition(body))
    if claims and case.session_tags:
        for tag, value in _tags(case).items():
            _put(condition, "StringEquals", _TAG + tag, value)
    elif made.get("Principal") != {"AWS": role}:
        _put(condition, "ArnEquals", PRINCIPAL_ARN, role)
    return minified({**made, **({"Condition": condition} if condition else {})})


def instead(role: str, body: Mapping[str, Json]) -> str:
    """The statement with the role left out by its ARN, which sessions of both mechanisms have."""
    made, condition = dict(body), _condition(body)
    left = [role]
    if "NotPrincipal" in made:
        left = sorted({role, *_arns(principals(made.pop("NotPrincipal")), role.split(":")[1])})
        made["Principal"] = "*"
    for arn in left:
        _put(condition, "ArnNotEquals", PRINCIPAL_ARN, arn)
    return minified({**made, "Condition": condition})


def _tags(case: Case) -> Mapping[str, str]:
    return {
        "eks-cluster-arn": case.cluster.arn,
        "kubernetes-namespace": case.service.namespace,
        "kubernetes-service-account": case.service.name,
    }


def _arns(pairs: Iterable[tuple[str, str]], partition: str) -> Iterator[str]:
    """The principals that are the same for every session; an account written as its id is its root."""
    for kind, name in pairs:
        if kind == "AWS" and not is_session_arn(name):
            yield f"arn:{partition}:iam::{name}:root" if name.isdigit() else name


def _condition(body: Mapping[str, Json]) -> _Condition:
    """A copy of the Condition block; one that is none comes empty."""
    block = body.get("Condition")
    keys = block.items() if isinstance(block, Mapping) else ()
    return {operator: dict(given) for operator, given in keys if isinstance(given, Mapping)}


def _without_session(condition: _Condition) -> _Condition:
    """The block without what a session of Pod Identity has not, or not alike."""
    kept = {
        operator: {key: value for key, value in keys.items() if not is_claim(key.lower()) and key.lower() != USER_ID}
        for operator, keys in condition.items()
    }
    return {operator: keys for operator, keys in kept.items() if keys}


def _put(condition: _Condition, operator: str, key: str, value: str) -> None:
    """Adds a value; those that are there stay."""
    keys = condition.setdefault(operator, {})
    there = as_list(keys.get(key))
    if value not in there:
        keys[key] = [*there, value] if there else value
