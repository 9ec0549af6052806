"""Role chaining: which roles a role may go on to assume, and whether the tags of a Pod Identity session are let in.

All six session tags of Pod Identity are transitive: whoever assumes a further role brings them along, and that role's
trust policy must allow `sts:TagSession` beside `sts:AssumeRole`. IRSA's sessions carry none. Sources: the EKS user
guide, "Grant Pods access based on tags"; the IAM user guide, "Pass session tags in AWS STS".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from migrator.model.facts import Json
from migrator.model.ids import RoleArn
from migrator.model.permissions import Line, allows
from migrator.model.trust.conditions import Request, Sure, holds
from migrator.model.trust.document import as_list, minified, parse, text_of
from migrator.model.trust.match import CLUSTER_TAG, NAME_TAG, NAMESPACE_TAG, TAGS, acts
from migrator.model.trust.parties import Statement, named, principals
from migrator.model.trust.subject import Subject

ASSUME = "sts:AssumeRole"
TAG = "sts:TagSession"


@dataclass(frozen=True, slots=True)
class Caller:
    """The role that assumes another one, by its ARN and IAM's own id."""

    arn: str
    id: str
    account: str
    partition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """What one target's trust policy says to a caller.

    `assumes` is about a session without tags, as IRSA's is; `tagged` about one that carries them. `patch` is the
    statement that lets the caller in, with `sts:TagSession` added. `own` is whether the caller's own policies must
    allow what it does: they need not where the trust policy of a role in the same account names the caller itself.
    """

    assumes: Sure
    tagged: Sure
    label: str = ""  # of the statement that lets the caller in
    patch: str = ""
    own: bool = True


def targets(policies: Iterable[Line]) -> tuple[frozenset[str], Mapping[str, str]]:
    """Roles that an Allow lets be assumed: those named by their whole ARN, and patterns, each with where it stands."""
    exact: set[str] = set()
    patterns: dict[str, str] = {}
    for line in policies:
        if line.body.get("Effect") == "Allow" and acts(line.body, ASSUME):
            for resource in _resources(line.body):
                if RoleArn.parse(resource) is not None:
                    exact.add(resource)
                else:
                    patterns.setdefault(resource, line.label)
    return frozenset(exact), patterns


def _resources(body: Mapping[str, Json]) -> list[str]:
    """What a statement is about; one that names what it is not about is about everything else."""
    return ["*"] if "NotResource" in body else [text_of(resource) for resource in as_list(body.get("Resource"))]


def hop(document: str, account: str, caller: Caller, subject: Subject) -> Hop:
    """What the trust policy of a role in `account` says to the caller, before the move and after it.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    every = named(parse(document))
    before, after = _request(caller, None), _request(caller, subject)
    way_in = next((one for one in every if _allow(one, ASSUME, caller, before) is not Sure.NO), None)
    if way_in is None or _lets_in(every, ASSUME, caller, before) is Sure.NO:
        return Hop(assumes=Sure.NO, tagged=Sure.NO)
    return Hop(
        assumes=_lets_in(every, ASSUME, caller, before),
        tagged=min(_lets_in(every, action, caller, after) for action in (ASSUME, TAG)),
        label=way_in.label,
        patch=with_tag(way_in.body),
        own=caller.account != account or _names(way_in.body, caller) is Name.ACCOUNT,
    )


def with_tag(body: Mapping[str, Json]) -> str:
    """The statement with `sts:TagSession` among its actions, as it would be written."""
    return minified({**body, "Action": [*as_list(body.get("Action")), TAG]})


def may(policies: Sequence[Line], action: str, target: str, caller: Caller, subject: Subject | None) -> Sure:
    """What the caller's own policies, or its boundary's, say to the action on the target; tags with a subject."""
    return allows(policies, action, target, _request(caller, subject))


class Name(StrEnum):
    """How a statement's Principal names a caller."""

    NOT = "not"
    ITSELF = "itself"
    ACCOUNT = "account"  # its account: the caller's own policies have the last word
    SESSION = "session"  # one of its sessions, by name


def _lets_in(every: Sequence[Statement], action: str, caller: Caller, request: Request) -> Sure:
    allowed = max((_allow(one, action, caller, request) for one in every), default=Sure.NO)
    denied = max((_deny(one, action, caller, request) for one in every), default=Sure.NO)
    return min(allowed, denied.negated())


def _allow(statement: Statement, action: str, caller: Caller, request: Request) -> Sure:
    return _met(statement, action, caller, request) if statement.body.get("Effect") == "Allow" else Sure.NO


def _deny(statement: Statement, action: str, caller: Caller, request: Request) -> Sure:
    return _met(statement, action, caller, request) if statement.body.get("Effect") != "Allow" else Sure.NO


def _met(statement: Statement, action: str, caller: Caller, request: Request) -> Sure:
    name = _names(statement.body, caller)
    if name is Name.NOT or not acts(statement.body, action):
        return Sure.NO
    met = holds(statement.condition, request)
    return min(met, Sure.MAYBE) if name is Name.SESSION else met


def _names(body: Mapping[str, Json], caller: Caller) -> Name:
    if "NotPrincipal" in body:
        return Name.NOT if _named_by(principals(body["NotPrincipal"]), caller) is not Name.NOT else Name.ITSELF
    return _named_by(principals(body.get("Principal")), caller)


def _named_by(pairs: Iterable[tuple[str, str]], caller: Caller) -> Name:
    given = {name for kind, name in pairs if kind in {"AWS", "*"}}
    role = caller.arn.rpartition("/")[2]
    session = f"arn:{caller.partition}:sts::{caller.account}:assumed-role/{role}/"
    if given & {caller.arn, caller.id, "*"}:
        return Name.ITSELF
    if given & {caller.account, f"arn:{caller.partition}:iam::{caller.account}:root"}:
        return Name.ACCOUNT
    return Name.SESSION if any(name.startswith(session) for name in given) else Name.NOT


def _request(caller: Caller, subject: Subject | None) -> Request:
    """AssumeRole as the caller makes it; with a subject, as a session that carries Pod Identity's tags makes it."""
    known = {"aws:principalarn": (caller.arn,), "aws:principalaccount": (caller.account,)}
    if subject is None:
        return Request(values=known, absent=_of_tags)
    tags = {
        CLUSTER_TAG.lower(): (subject.cluster_arn,),
        "aws:requesttag/eks-cluster-name": (subject.cluster_arn.rpartition("/")[2],),
        NAMESPACE_TAG.lower(): (subject.namespace,),
        NAME_TAG.lower(): (subject.name,),
    }
    pod = frozenset({"aws:requesttag/kubernetes-pod-name", "aws:requesttag/kubernetes-pod-uid"})
    return Request(values={**known, **tags, "aws:tagkeys": TAGS}, present=pod)


def _of_tags(key: str) -> bool:
    return key.removeprefix("aws:requesttag/") in TAGS
