"""Whom our statement in a role's trust policy is to let in, how narrowly, and under which of IRSA's conditions."""

from dataclasses import dataclass, replace

from migrator.model.facts import Cluster
from migrator.model.trust import IrsaMatch, Scope, Subject, irsa_match, standing
from migrator.model.trust_match import AUDIENCE
from migrator.model.trust_subject import carriable, carried


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """A ServiceAccount as a trust policy is asked about it; `audience` is that of the token it has for IRSA."""

    namespace: str
    name: str
    audience: str = AUDIENCE


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


def wanted(document: str, cluster: Cluster, account: Account, match: IrsaMatch, scope: Scope) -> Subject:
    """The subject to let in: as a share of ours does it now, else by the fleet's policy.

    What stands is kept, so that a policy that changes later moves no service that has moved already.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    plain = Subject(cluster.arn, account.namespace, account.name)
    return standing(document, plain) or replace(
        plain, scope=scope, carried=carried(filter(carriable, match.conditions))
    )
