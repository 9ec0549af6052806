"""Joins one cluster's lists into one case per annotated ServiceAccount. Each list is read once, whole."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TypeVar

from migrator.model.facts import (
    AgentState,
    Association,
    Cluster,
    FargateSelector,
    Node,
    Pod,
    PodSpec,
    Role,
    ServiceAccount,
    Workload,
)
from migrator.model.fleet import Policy
from migrator.model.ids import RoleArn, ServiceId
from migrator.model.ports.planning import ClusterView, Roles
from migrator.model.trust import Scope, TrustUnreadable, denials, granted, merge, others, size
from migrator.planning.addon_owners import Owners, owners
from migrator.planning.around import Around, look_around
from migrator.planning.autoscaling import autoscaler
from migrator.planning.case import Case, RoleSizes, RoleView
from migrator.planning.coverage import left_out
from migrator.planning.env_sources import with_keys
from migrator.planning.sources import with_sources
from migrator.planning.trusting import Terms, irsa_of, wanted
from migrator.planning.users import NOBODY, Users, account_of, all_of, annotated, size_for_all, users_in

NOTHING: Mapping[ServiceId, str] = {}
_Key = tuple[str, str]  # namespace, ServiceAccount
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """A cluster as it was read, ready to be joined; lists are keyed by namespace and ServiceAccount."""

    cluster: Cluster
    accounts: tuple[ServiceAccount, ...]  # with a role, sorted
    written: Mapping[_Key, str]  # the role each of them is annotated with, or was before a run of ours
    workloads: Mapping[_Key, Sequence[Workload]]
    pods: Mapping[_Key, Sequence[Pod]]
    nodes: Mapping[str, Node]
    associations: Mapping[_Key, Association]
    agent: AgentState
    fargate: tuple[FargateSelector, ...]
    users: Users  # of all clusters
    around: Around
    left_out: Mapping[str, str] = field(default_factory=dict)  # nodes on which no agent can run, and why
    autoscaler: str = ""  # what tells that nodes are made as pods need them
    addons: Owners = field(default_factory=Owners)
    sizes: dict[tuple[str, Terms], int] = field(default_factory=dict)  # by role, each worked out once

    def size_for_all(self, role: Role, terms: Terms) -> int:
        """The size of the role's trust policy, in characters, once all its services of the fleet have moved."""
        if (role.arn, terms) not in self.sizes:
            self.sizes[role.arn, terms] = size_for_all(role, self.users[role.arn], terms)
        return self.sizes[role.arn, terms]


def take_inventory(
    view: ClusterView, remembered: Mapping[ServiceId, str] = NOTHING, elsewhere: Users = NOBODY
) -> Inventory:
    """Reads the cluster; a cluster without an annotated ServiceAccount costs one list.

    `remembered` are roles that ServiceAccounts were annotated with before a run of ours took the annotation,
    `elsewhere` the users of roles in other clusters; what it has of this one is left aside.
    """
    cluster = view.cluster()
    accounts = annotated(cluster, view.service_accounts(), remembered)
    written = {(account.namespace, account.name): role for account, role in accounts}
    wanted = set(written)
    workloads, nodes = _if(wanted, view.workloads), _if(wanted, view.nodes)
    agent = view.agent() if wanted else AgentState()
    pods = [pod for pod in _if(wanted, view.pods) if not pod.finished and not pod.deleting]
    return Inventory(
        cluster=cluster,
        accounts=tuple(account for account, _ in accounts),
        written=written,
        workloads=_grouped(workloads, lambda w: (w.ref.namespace, w.spec.service_account)),
        pods=_grouped(pods, lambda pod: (pod.namespace, pod.spec.service_account)),
        nodes={node.name: node for node in nodes},
        associations={(a.namespace, a.service_account): a for a in _if(wanted, view.associations)},
        agent=agent,
        fargate=tuple(_if(wanted, view.fargate_selectors)),
        users=_everybody(users_in(cluster, accounts), elsewhere, cluster.alias),
        left_out=left_out(agent, nodes),
        autoscaler=autoscaler(workloads, nodes),
        around=look_around(view, workloads, _specs(wanted, workloads, pods)) if wanted else Around(),
        addons=owners(view, cluster, wanted) if wanted else Owners(),
    )


def _specs(wanted: set[_Key], workloads: Iterable[Workload], pods: Iterable[Pod]) -> Iterator[PodSpec]:
    """What the services' pods are like, and those to come."""
    placed = chain(((w.ref.namespace, w.spec) for w in workloads), ((pod.namespace, pod.spec) for pod in pods))
    return (spec for namespace, spec in placed if (namespace, spec.service_account) in wanted)


def _everybody(own: Users, elsewhere: Users, alias: str) -> Users:
    """The users of this cluster's roles in all clusters; what `elsewhere` knows of this one was read before."""
    others = {role: [user for user in elsewhere.get(role, ()) if user.service.cluster != alias] for role in own}
    return all_of((own, others))


def cases(
    inventory: Inventory, accounts: Sequence[ServiceAccount], view: ClusterView, roles: Roles, policy: Policy
) -> list[Case]:
    """One case per account, with its role; roles are read in one go, associations one by one where there are any."""
    written = {inventory.written[account.namespace, account.name] for account in accounts}
    live = roles.roles(sorted(arn for arn in written if _of(inventory.cluster.partition, arn)))
    views = [_view(inventory, account, live, roles, policy) for account in accounts]
    found = zip(accounts, with_sources(views, roles), strict=True)
    return with_keys([_case(inventory, account, view, role, policy) for account, role in found], view)


def _of(partition: str, arn: str) -> bool:
    """Whether it is a role of the partition; in another one the fleet's credentials are none."""
    parsed = RoleArn.parse(arn)
    return parsed is not None and parsed.partition == partition


def _case(inventory: Inventory, account: ServiceAccount, view: ClusterView, role: RoleView, policy: Policy) -> Case:
    key = (account.namespace, account.name)
    service = ServiceId(inventory.cluster.alias, *key)
    association = inventory.associations.get(key)
    return Case(
        service=service,
        cluster=inventory.cluster,
        account=account,
        policy=policy,
        role=role,
        agent=inventory.agent,
        association=view.describe(association) if association is not None else None,
        workloads=tuple(sorted(inventory.workloads.get(key, ()), key=lambda workload: workload.ref)),
        pods=tuple(sorted(inventory.pods.get(key, ()), key=lambda pod: pod.name)),
        nodes=inventory.nodes,
        fargate=inventory.fargate,
        left_out=inventory.left_out,
        autoscaler=inventory.autoscaler,
        unread=(*inventory.around.unread, *inventory.addons.unread),
        around=inventory.around,
        addon=inventory.addons.by_account.get(key),
        nameless=inventory.addons.nameless,
        sharing=tuple(
            user.service for user in inventory.users.get(role.written, ()) if user.service != service and role.written
        ),
    )


def _view(
    inventory: Inventory, account: ServiceAccount, live: Mapping[str, Role], roles: Roles, policy: Policy
) -> RoleView:
    written = inventory.written[account.namespace, account.name]
    arn = RoleArn.parse(written)
    role = live.get(written)
    if arn is None or role is None:
        unreadable = roles.unreadable(arn.account) if arn is not None else None
        return RoleView(written=written, arn=arn, unreadable=unreadable or "")
    try:
        terms = Terms.of(policy, role.account)
        return _judged(inventory, account, RoleView(written=written, arn=arn, role=role), role, terms)
    except TrustUnreadable as error:
        return RoleView(written=written, arn=arn, role=role, trust_problem=error.message)


def _judged(inventory: Inventory, account: ServiceAccount, view: RoleView, role: Role, terms: Terms) -> RoleView:
    cluster, who = inventory.cluster, account_of(account)
    match = irsa_of(role.trust, cluster, who, role.account)
    subject = wanted(role.trust, cluster, who, match, terms)
    merged = merge(role.trust, subject)
    return RoleView(
        written=view.written,
        arn=view.arn,
        role=role,
        irsa=match,
        wanted=subject,
        allowed=granted(role.trust, subject),
        merged=merged,
        allowed_after=granted(merged.document, subject),
        denials=denials(merged.document, subject),
        sizes=RoleSizes(
            now=size(role.trust),
            for_all=inventory.size_for_all(role, terms),
            by_cluster=inventory.size_for_all(role, replace(terms, scope=Scope.CLUSTER)),
        ),
        trusted=others(role.trust),
    )


def _if(wanted: set[_Key], read: Callable[[], Sequence[_Item]]) -> Sequence[_Item]:
    return read() if wanted else ()


def _grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> Mapping[_Key, Sequence[_Item]]:
    groups: dict[_Key, list[_Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups
