"""Whom our statement in a role's trust policy is to let in, how narrowly, and under which of IRSA's conditions."""

from dataclasses import dataclass, replace

from migrator.model.facts import Cluster
from migrator.model.fleet import Policy
from migrator.model.trust import IrsaMatch, Scope, Subject, irsa_match, ours, standing
from migrator.model.trust.match import AUDIENCE
from migrator.model.trust.subject import carriable, carried


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """A ServiceAccount as a trust policy is asked about it; `audience` is that of the token it has for IRSA."""

    namespace: str
    name: str
    audience: str = AUDIENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the fleet's policy says of new statements in the trust policy of a role of that account."""

    account: str
    scope: Scope = Scope.SERVICE
    path: str = "/"  # of source roles, which services of other accounts come through
    tagged: bool = True  # whether their sessions bear EKS's tags

    @classmethod
    def of(cls, policy: Policy, account: str) -> "Terms":
        """The policy's."""
        tagged = policy.cross_account_condition != "external-id"
        return cls(account=account, scope=policy.trust_conditions, path=policy.source_role_path, tagged=tagged)


def irsa_of(document: str, cluster: Cluster, account: Account, role_account: str) -> IrsaMatch:
    """What the trust policy says to its web identity.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    return irsa_match(
        document,
        issuer_host=cluster.issuer_host,
        account=role_account,
        partition=cluster.partition,
        namespace=account.namespace,
        name=account.name,
        audience=account.audience,
    )


def wanted(document: str, cluster: Cluster, account: Account, match: IrsaMatch, terms: Terms) -> Subject:
    """The subject to let in: as a share of ours does it now, else by the fleet's policy.

    What stands is kept, so that a policy that changes later moves no service that has moved already.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    plain, scope = Subject(cluster.arn, account.namespace, account.name), terms.scope
    if terms.account != cluster.account:
        plain, scope = _through(document, plain, terms), Scope.SERVICE
    return standing(document, plain) or replace(
        plain, scope=scope, carried=carried(filter(carriable, match.conditions))
    )


def _through(document: str, plain: Subject, terms: Terms) -> Subject:
    """The subject as it comes through its source role: through the one whose share stands, if one does."""
    who = (plain.cluster_arn, plain.namespace, plain.name)
    shares = (one for one in ours(document) if one.path and (one.cluster_arn, one.namespace, one.name) == who)
    found = min(shares, default=None)
    path, tagged = (found.path, found.tagged) if found else (terms.path, terms.tagged)
    return replace(plain, path=path, tagged=tagged)
