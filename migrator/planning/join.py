"""Joins one cluster's lists into one case per annotated ServiceAccount. Each list is read once, whole."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from migrator.model.ports import ClusterView, Roles
from migrator.model.trust import Subject, TrustUnreadable, allows, irsa_match, merge, merge_all, subjects
from migrator.model.trust_match import AUDIENCE
from migrator.planning.addon_owners import Owners, owners
from migrator.planning.around import Around, look_around
from migrator.planning.autoscaling import autoscaler
from migrator.planning.case import AUDIENCE_ANNOTATION, Case, RoleView
from migrator.planning.coverage import left_out
from migrator.planning.env_sources import with_keys

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
    users: Mapping[str, Sequence[ServiceId]]  # role as annotated -> services
    left_out: Mapping[str, str] = field(default_factory=dict)  # nodes on which no agent can run, and why
    autoscaler: str = ""  # what tells that nodes are made as pods need them
    around: Around
    addons: Owners = field(default_factory=Owners)
    sizes: dict[str, int] = field(default_factory=dict)  # by role, each worked out once

    def size_for_all(self, role: Role) -> int:
        """The size of the role's trust policy, in characters, once all its services of this cluster have moved."""
        if role.arn not in self.sizes:
            sharing = (Subject(self.cluster.arn, user.namespace, user.name) for user in self.users[role.arn])
            self.sizes[role.arn] = merge_all(role.trust, sharing).size
        return self.sizes[role.arn]


def take_inventory(view: ClusterView, remembered: Mapping[ServiceId, str] = NOTHING) -> Inventory:
    """Reads the cluster; a cluster without an annotated ServiceAccount costs one list.

    `remembered` are roles that ServiceAccounts were annotated with before a run of ours took the annotation.
    """
    cluster = view.cluster()
    written: dict[_Key, str] = {}
    accounts: list[ServiceAccount] = []
    users: dict[str, list[ServiceId]] = defaultdict(list)
    for account in sorted(view.service_accounts(), key=lambda account: (account.namespace, account.name)):
        service = ServiceId(cluster.alias, account.namespace, account.name)
        role = account.role_arn if account.role_arn is not None else remembered.get(service)
        if role is not None:
            accounts.append(account)
            written[account.namespace, account.name] = role
            users[role].append(service)
    wanted = set(written)
    workloads, nodes = _if(wanted, view.workloads), _if(wanted, view.nodes)
    agent = view.agent() if wanted else AgentState()
    pods = [pod for pod in _if(wanted, view.pods) if not pod.finished and not pod.deleting]
    return Inventory(
        cluster=cluster,
        accounts=tuple(accounts),
        written=written,
        workloads=_grouped(workloads, lambda w: (w.ref.namespace, w.spec.service_account)),
        pods=_grouped(pods, lambda pod: (pod.namespace, pod.spec.service_account)),
        nodes={node.name: node for node in nodes},
        associations={(a.namespace, a.service_account): a for a in _if(wanted, view.associations)},
        agent=agent,
        fargate=tuple(_if(wanted, view.fargate_selectors)),
        users=users,
        left_out=left_out(agent, nodes),
        autoscaler=autoscaler(workloads, nodes),
        around=look_around(view, workloads, _specs(wanted, workloads, pods)) if wanted else Around(),
        addons=owners(view, cluster, wanted) if wanted else Owners(),
    )


def _specs(wanted: set[_Key], workloads: Iterable[Workload], pods: Iterable[Pod]) -> Iterator[PodSpec]:
    """What the services' pods are like, and those to come."""
    placed = chain(((w.ref.namespace, w.spec) for w in workloads), ((pod.namespace, pod.spec) for pod in pods))
    return (spec for namespace, spec in placed if (namespace, spec.service_account) in wanted)


def cases(
    inventory: Inventory, accounts: Sequence[ServiceAccount], view: ClusterView, roles: Roles, policy: Policy
) -> list[Case]:
    """One case per account, with its role; roles are read in one go, associations one by one where there are any."""
    written = {inventory.written[account.namespace, account.name] for account in accounts}
    live = roles.roles(sorted(arn for arn in written if _of(inventory.cluster.partition, arn)))
    made = [_case(inventory, account, view, _view(inventory, account, live, roles), policy) for account in accounts]
    return with_keys(made, view)


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
        sharing=tuple(other for other in inventory.users.get(role.written, ()) if other != service and role.written),
        addon=inventory.addons.by_account.get(key),
        nameless=inventory.addons.nameless,
    )


def _view(inventory: Inventory, account: ServiceAccount, live: Mapping[str, Role], roles: Roles) -> RoleView:
    written = inventory.written[account.namespace, account.name]
    arn = RoleArn.parse(written)
    role = live.get(written)
    if arn is None or role is None:
        unreadable = roles.unreadable(arn.account) if arn is not None else None
        return RoleView(written=written, arn=arn, unreadable=unreadable or "")
    try:
        return _judged(inventory, account, RoleView(written=written, arn=arn, role=role), role)
    except TrustUnreadable as error:
        return RoleView(written=written, arn=arn, role=role, trust_problem=error.message)


def _judged(inventory: Inventory, account: ServiceAccount, view: RoleView, role: Role) -> RoleView:
    cluster = inventory.cluster
    subject = Subject(cluster.arn, account.namespace, account.name)
    merged = merge(role.trust, subject)
    return RoleView(
        written=view.written,
        arn=view.arn,
        role=role,
        irsa=irsa_match(
            role.trust,
            issuer_host=cluster.issuer_host,
            account=role.account,
            partition=cluster.partition,
            namespace=account.namespace,
            name=account.name,
            audience=account.annotations.get(AUDIENCE_ANNOTATION) or AUDIENCE,
        ),
        allowed=allows(role.trust, subject),
        merged=merged,
        allowed_after=allows(merged.document, subject),
        size_for_all=inventory.size_for_all(role),
        trusted=subjects(role.trust),
    )


def _if(wanted: set[_Key], read: Callable[[], Sequence[_Item]]) -> Sequence[_Item]:
    return read() if wanted else ()


def _grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> Mapping[_Key, Sequence[_Item]]:
    groups: dict[_Key, list[_Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups
