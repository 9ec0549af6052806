"""Who uses a role: the annotated ServiceAccounts of every cluster, and how large its trust policy gets for them all."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from migrator.model.facts import Cluster, Role, ServiceAccount
from migrator.model.ids import ServiceId
from migrator.model.ports.planning import ClusterView
from migrator.model.trust import Subject, merge_all
from migrator.model.trust.match import AUDIENCE
from migrator.planning.case import AUDIENCE_ANNOTATION
from migrator.planning.trusting import Account, Terms, irsa_of, wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One service that uses a role."""

    service: ServiceId
    cluster: Cluster
    account: Account


Users = Mapping[str, Sequence[User]]  # role as annotated -> its users, sorted by service
NOBODY: Users = {}


def users_of(view: ClusterView, remembered: Mapping[ServiceId, str]) -> Users:
    """The users of one cluster: two reads.

    `remembered` are roles that ServiceAccounts were annotated with before a run of ours took the annotation.

    Raises:
        MigrateError: the cluster cannot be read.
    """
    cluster = view.cluster()
    return users_in(cluster, annotated(cluster, view.service_accounts(), remembered))


def annotated(
    cluster: Cluster, accounts: Iterable[ServiceAccount], remembered: Mapping[ServiceId, str]
) -> list[tuple[ServiceAccount, str]]:
    """The ServiceAccounts with a role, sorted, each with the role that it names, or did before a run of ours."""
    found: list[tuple[ServiceAccount, str]] = []
    for account in sorted(accounts, key=lambda account: (account.namespace, account.name)):
        service = ServiceId(cluster.alias, account.namespace, account.name)
        role = account.role_arn if account.role_arn is not None else remembered.get(service)
        if role is not None:
            found.append((account, role))
    return found


def users_in(cluster: Cluster, accounts: Iterable[tuple[ServiceAccount, str]]) -> Users:
    """The same of what was read already."""
    found: dict[str, list[User]] = defaultdict(list)
    for account, role in accounts:
        service = ServiceId(cluster.alias, account.namespace, account.name)
        found[role].append(User(service=service, cluster=cluster, account=account_of(account)))
    return found


def used_by(users: Users, chosen: Callable[[ServiceId, str], bool]) -> list[str]:
    """The roles, sorted, that a chosen service uses; `chosen` takes a service and its role as annotated."""
    return sorted(role for role, each in users.items() if any(chosen(user.service, role) for user in each))


def account_of(account: ServiceAccount) -> Account:
    """The ServiceAccount as a trust policy is asked about it."""
    audience = account.annotations.get(AUDIENCE_ANNOTATION) or AUDIENCE
    return Account(account.namespace, account.name, audience)


def all_of(each: Iterable[Users]) -> Users:
    """The users of several clusters as one."""
    found: dict[str, list[User]] = defaultdict(list)
    for users in each:
        for role, some in users.items():
            found[role].extend(some)
    return {role: sorted(some, key=lambda user: user.service) for role, some in found.items()}


def size_for_all(role: Role, users: Iterable[User], terms: Terms) -> int:
    """The size of the role's trust policy, in characters, once all of them have moved.

    Services of other accounts come through source roles.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    return merge_all(role.trust, (_subject(role, user, terms) for user in users)).size


def _subject(role: Role, user: User, terms: Terms) -> Subject:
    match = irsa_of(role.trust, user.cluster, user.account, role.account)
    return wanted(role.trust, user.cluster, user.account, match, terms)
