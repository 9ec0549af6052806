"""Who a trust policy lets in: one ServiceAccount by web identity, one through Pod Identity, everybody it names.

Judged as IAM judges: some Allow must hold, no Deny may. What cannot be told from outside (conditions on keys that the
request may or may not carry, unknown operators) never counts as allowed. Sources: the IAM user guide's policy
evaluation logic; the EKS user guide's pages on IRSA and on the six session tags of Pod Identity.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from migrator.model.facts import Json
from migrator.model.trust.conditions import Entry, Request, Sure, holds, judge
from migrator.model.trust.document import as_list, parse, text_of
from migrator.model.trust.parties import Statement, named, principals, provider_arn, subject_of, subjects
from migrator.model.wildcards import has_wildcard, matches

SERVICE = "pods.eks.amazonaws.com"
ACTIONS = ("sts:AssumeRole", "sts:TagSession")
CLUSTER_TAG = "aws:RequestTag/eks-cluster-arn"
NAMESPACE_TAG = "aws:RequestTag/kubernetes-namespace"
NAME_TAG = "aws:RequestTag/kubernetes-service-account"
PRINCIPAL_ARN = "aws:PrincipalArn"
EXTERNAL_ID = "sts:ExternalId"
WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
AUDIENCE = "sts.amazonaws.com"

TAGS = (
    "eks-cluster-arn",
    "eks-cluster-name",
    "kubernetes-namespace",
    "kubernetes-service-account",
    "kubernetes-pod-name",
    "kubernetes-pod-uid",
)
_FEDERATED_KEY = re.compile(r"(?:.+:(?:sub|aud|amr|azp|oaud|iss)|saml:.+|aws:requesttag/.+|aws:federatedprovider)")


class IrsaKind(StrEnum):
    """What a trust policy says to one ServiceAccount's web identity."""

    MATCHED = "matched"  # names it exactly
    WILDCARD = "wildcard"  # lets it in by a pattern, or by not asking for a subject at all
    NO_SUBJECT = "no_subject"  # trusts the issuer, for other subjects
    WRONG_AUDIENCE = "wrong_audience"  # names the subject, for another audience
    CONDITIONS = "conditions"  # subject and audience fit, another condition cannot be met
    NO_PROVIDER_STATEMENT = "no_provider_statement"  # does not trust the issuer
    DENIED = "denied"  # a Deny keeps it out


@dataclass(frozen=True, slots=True, kw_only=True)
class IrsaMatch:
    """The verdict, the statement it rests on (`Sid`, else position from 0), what stands there, what cannot be told."""

    kind: IrsaKind
    statement: str = ""
    evidence: str = ""
    conditions: tuple[Entry, ...] = ()  # further ones of that statement that may or may not be met
    doubts: tuple[str, ...] = ()  # Deny statements that may hold

    @property
    def unsure(self) -> tuple[str, ...]:
        """All that cannot be told from outside, in words."""
        return (*map(str, self.conditions), *self.doubts)

    @property
    def works(self) -> bool:
        """Whether the ServiceAccount can assume the role by web identity, as far as can be told."""
        return self.kind in {IrsaKind.MATCHED, IrsaKind.WILDCARD}


def irsa_match(
    document: str,
    *,
    issuer_host: str,
    account: str,
    partition: str,
    namespace: str,
    name: str,
    audience: str = AUDIENCE,
) -> IrsaMatch:
    """Whether some statement lets the web identity of this ServiceAccount in; `account` is the role's.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    provider = provider_arn(issuer_host, account, partition)
    subject = subject_of(namespace, name)
    request = _web_identity(issuer_host, provider, subject, audience)
    relevant = [
        s for s in named(parse(document)) if acts(s.body, WEB_IDENTITY) and _principal(s.body, "Federated", provider)
    ]
    judged = [_judge_allow(s, request, issuer_host, subject) for s in relevant if s.body.get("Effect") == "Allow"]
    if not judged:
        others = [party.principal for party in subjects(document) if party.kind == "Federated"]
        return IrsaMatch(kind=IrsaKind.NO_PROVIDER_STATEMENT, evidence=", ".join(others))
    best = min(judged, key=lambda match: (_RANK.index(match.kind), bool(match.unsure)))
    return _after_denials(best, [s for s in relevant if s.body.get("Effect") == "Deny"], request, provider)


def allows_pod_identity(document: str, cluster_arn: str, namespace: str, name: str, account: str) -> bool:
    """Whether EKS can surely assume the role for this ServiceAccount: both actions, no Deny that might hold.

    `account` is the role's: only a role of the cluster's own account can be associated.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    return cluster_arn.split(":")[4:5] == [account] and by_agent(cluster_arn, namespace, name).let_in(parse(document))


@dataclass(frozen=True)
class Assumer:
    """Who asks for the role: what the request says of him, and whether a statement is about him."""

    request: Request
    meant: Callable[[Mapping[str, Json]], Sure]

    def let_in(self, data: Mapping[str, Json]) -> bool:
        """Whether a parsed trust policy surely lets him in, for both actions."""
        every = named(data)
        allows = [one for one in every if one.body.get("Effect") == "Allow"]
        return not self.denials(data) and all(
            any(self._sure(one, action) is Sure.YES for one in allows) for action in ACTIONS
        )

    def denials(self, data: Mapping[str, Json]) -> list[str]:
        """The statements that keep him out, or may, each with its condition, for people."""
        denying = (one for one in named(data) if one.body.get("Effect") != "Allow")
        return [
            f"Statement {one.label}: Deny {_shown(one.condition) or 'without a condition'}"
            for one in denying
            if any(self._sure(one, action) is not Sure.NO for action in ACTIONS)
        ]

    def _sure(self, statement: Statement, action: str) -> Sure:
        if not acts(statement.body, action):
            return Sure.NO
        return min(self.meant(statement.body), holds(statement.condition, self.request))


def by_agent(cluster_arn: str, namespace: str, name: str) -> Assumer:
    """EKS, for a ServiceAccount's pods."""
    return Assumer(_pod_identity(cluster_arn, namespace, name), partial(_principal, kind="Service", principal=SERVICE))


def by_source(cluster_arn: str, namespace: str, name: str, *, source: str, external_id: str) -> Assumer:
    """A session of the service's source role, with tags or with an external id.

    Args:
        cluster_arn: the service's cluster.
        namespace: the service's.
        name: the service's ServiceAccount.
        source: ARN of the source role.
        external_id: what EKS sends while session tags are off; empty when they are on.
    """
    tagged = _pod_identity(cluster_arn, namespace, name)
    account = source.split(":")[4]
    values: dict[str, tuple[str, ...]] = {PRINCIPAL_ARN.lower(): (source,), "aws:principalaccount": (account,)}
    values |= {EXTERNAL_ID.lower(): (external_id,)} if external_id else tagged.values
    present = frozenset() if external_id else tagged.present
    request = Request(values=values, present=present, absent=lambda key: bool(_FEDERATED_KEY.fullmatch(key)))
    names = frozenset({source, account, f"{source.partition(':role/')[0]}:root"})
    return Assumer(request, partial(_is_one_of, names))


_RANK = (
    IrsaKind.MATCHED,
    IrsaKind.WILDCARD,
    IrsaKind.CONDITIONS,
    IrsaKind.WRONG_AUDIENCE,
    IrsaKind.NO_SUBJECT,
)


def _web_identity(issuer_host: str, provider: str, subject: str, audience: str) -> Request:
    host = issuer_host.lower()
    values = {f"{host}:sub": (subject,), f"{host}:aud": (audience,), "aws:federatedprovider": (provider,)}
    return Request(values=values, absent=lambda key: bool(_FEDERATED_KEY.fullmatch(key)) or key == "aws:tagkeys")


def _pod_identity(cluster_arn: str, namespace: str, name: str) -> Request:
    values = {
        CLUSTER_TAG.lower(): (cluster_arn,),
        "aws:requesttag/eks-cluster-name": (cluster_arn.rpartition("/")[2],),
        NAMESPACE_TAG.lower(): (namespace,),
        NAME_TAG.lower(): (name,),
        "aws:tagkeys": TAGS,
        "sts:transitivetagkeys": TAGS,
    }
    present = frozenset({"aws:requesttag/kubernetes-pod-name", "aws:requesttag/kubernetes-pod-uid"})
    return Request(values=values, present=present, absent=lambda key: bool(_FEDERATED_KEY.fullmatch(key)))


def _judge_allow(statement: Statement, request: Request, issuer_host: str, subject: str) -> IrsaMatch:
    made = partial(IrsaMatch, statement=statement.label)
    subject_key, audience_key = f"{issuer_host}:sub".lower(), f"{issuer_host}:aud".lower()
    asked = [entry for entry in statement.condition if entry.key.lower() == subject_key]
    if holds(asked, request) is Sure.NO:
        return made(kind=IrsaKind.NO_SUBJECT, evidence=_shown(asked))
    audiences = [entry for entry in statement.condition if entry.key.lower() == audience_key]
    if holds(audiences, request) is Sure.NO:
        return made(kind=IrsaKind.WRONG_AUDIENCE, evidence=_shown(audiences))
    unmet = [entry for entry in statement.condition if judge(entry, request) is Sure.NO]
    if unmet:
        return made(kind=IrsaKind.CONDITIONS, evidence=_shown(unmet))
    unsure = tuple(entry for entry in statement.condition if judge(entry, request) is Sure.MAYBE)
    exact = any(_names_exactly(entry, subject) for entry in asked)
    kind = IrsaKind.MATCHED if exact else IrsaKind.WILDCARD
    return made(kind=kind, evidence=_shown(asked) or "no condition on the subject", conditions=unsure)


def _names_exactly(entry: Entry, subject: str) -> bool:
    operator = entry.operator.lower()
    return "not" not in operator and subject in entry.values and ("equals" in operator or not has_wildcard(subject))


def _shown(asked: Sequence[Entry]) -> str:
    return "; ".join(str(entry) for entry in asked)


def _after_denials(best: IrsaMatch, denials: Sequence[Statement], request: Request, provider: str) -> IrsaMatch:
    """A Deny that surely holds beats any Allow; one that may hold is added to what cannot be told."""
    doubts: list[str] = []
    for statement in denials:
        sure = min(holds(statement.condition, request), _principal(statement.body, "Federated", provider))
        if sure is Sure.YES:
            shown = _shown(statement.condition) or "without a condition"
            return IrsaMatch(kind=IrsaKind.DENIED, statement=statement.label, evidence=f"Deny: {shown}")
        if sure is Sure.MAYBE:
            doubts.append(f"Deny {statement.label}: {_shown(statement.condition)}")
    return replace(best, doubts=tuple(doubts))


def _is_one_of(names: frozenset[str], body: Mapping[str, Json]) -> Sure:
    """A session is its role and its account; whom a NotPrincipal leaves out depends on which of them it names."""
    if "NotPrincipal" in body:
        return Sure.MAYBE
    return max(_principal(body, "AWS", name) for name in names)


def acts(body: Mapping[str, Json], action: str) -> bool:
    """Whether a statement is about the action; letter case does not count."""
    if "NotAction" in body:
        return not _any_pattern(as_list(body["NotAction"]), action)
    return _any_pattern(as_list(body.get("Action")), action)


def _any_pattern(patterns: Sequence[Json], action: str) -> bool:
    return any(matches(text_of(pattern).lower(), action.lower()) for pattern in patterns)


def _principal(body: Mapping[str, Json], kind: str, principal: str) -> Sure:
    """Whether the statement is about `principal`.

    Everybody (`*`) surely takes a service in when it denies; whether it does when it allows is not documented.
    """
    if "NotPrincipal" in body:
        excepted = list(principals(body["NotPrincipal"]))
        return Sure.NO if ("*", "*") in excepted or any(_covers(p, kind, principal) for p in excepted) else Sure.YES
    pairs = list(principals(body.get("Principal")))
    if any(_covers(pair, kind, principal) for pair in pairs):
        return Sure.YES
    if ("*", "*") not in pairs:
        return Sure.NO
    return Sure.MAYBE if kind == "Service" and body.get("Effect") == "Allow" else Sure.YES


def _covers(pair: tuple[str, str], kind: str, principal: str) -> bool:
    return pair[0] == kind and pair[1] in {principal, "*"}
