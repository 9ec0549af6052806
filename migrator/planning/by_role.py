"""A role and everybody who may assume it: services of all clusters, CI providers, people, accounts, AWS services."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from migrator.model.facts import Role
from migrator.model.fleet import Policy
from migrator.model.trust import Scope, Trusted, others, size
from migrator.model.trust.parties import subject_of
from migrator.planning.trusting import Terms
from migrator.planning.users import User, size_for_all

_PROVIDER = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?P<kind>oidc|saml)-provider/(?P<host>.+)")
_EKS = re.compile(r"oidc\.eks\.[a-z0-9-]+\.[a-z.]+/id/.+")
_CI = (  # issuers of the tokens that a job of theirs gets, by their documentation
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "oidc.circleci.com",
    "api.bitbucket.org",
    "agent.buildkite.com",
    "app.terraform.io",
    "vstoken.dev.azure.com",
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Party:
    """Somebody whom the trust policy lets in and who is none of the services known to use the role."""

    kind: str
    principal: str
    subjects: tuple[str, ...]
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Of the role's trust policy, in characters as the quota counts them."""

    now: int
    after: int  # once all users have moved
    by_cluster: int  # the same with statements that ask for the cluster only


def sizes(role: Role, users: Iterable[User], policy: Policy) -> Sizes:
    """How large it is and gets.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    every, terms = tuple(users), Terms.of(policy, role.account)
    return Sizes(
        now=size(role.trust),
        after=size_for_all(role, every, terms),
        by_cluster=size_for_all(role, every, replace(terms, scope=Scope.CLUSTER)),
    )


def parties(role: Role, users: Iterable[User], issuers: Mapping[str, str]) -> tuple[Party, ...]:
    """Everybody else, sorted. `issuers` are the fleet's own, each with its cluster's alias.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    every = tuple(users)
    return tuple(sorted(filter(None, (_party(trusted, every, issuers) for trusted in others(role.trust)))))


def _party(trusted: Trusted, users: Iterable[User], issuers: Mapping[str, str]) -> Party | None:
    kind, name = _kind(trusted, issuers)
    known = {subject_of(user.service.namespace, user.service.name) for user in users if user.cluster.alias == name}
    left = tuple(asked for asked in trusted.subjects if asked not in known)
    if trusted.subjects and not left:
        return None
    return Party(kind=kind, principal=name, subjects=left, statement=trusted.statement)


def _kind(trusted: Trusted, issuers: Mapping[str, str]) -> tuple[str, str]:
    """What sort of principal it is, and what people call it."""
    if trusted.kind == "Federated":
        return _federated(trusted.principal, issuers)
    if trusted.kind == "AWS":
        return _aws(trusted.principal), trusted.principal
    return {"*": "everybody", "Service": "service"}.get(trusted.kind, "account"), trusted.principal


def _federated(principal: str, issuers: Mapping[str, str]) -> tuple[str, str]:
    found = _PROVIDER.fullmatch(principal)
    if found is None:
        return "identity provider", principal
    host = found["host"]
    if found["kind"] == "saml":
        return "people", principal
    if host in issuers:
        return "cluster", issuers[host]
    if _EKS.fullmatch(host):
        return "cluster outside the fleet", host
    return "CI" if host.startswith(_CI) else "identity provider", host


def _aws(principal: str) -> str:
    resource = principal.rpartition(":")[2]
    if resource.startswith("user/"):
        return "people"
    if resource.startswith(("role/", "assumed-role/")):
        return "people" if "/aws-reserved/sso" in principal or "AWSReservedSSO_" in principal else "role"
    return "account" if resource == "root" or resource.isdecimal() else "principal"
