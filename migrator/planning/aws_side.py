"""What else is looked at for the services of one cluster: what their roles may do, and what the cluster stands in."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from migrator.model.aws_side import AwsSide
from migrator.model.errors import EnvironmentFault
from migrator.model.facts import Unread
from migrator.model.ports.planning import ClusterView, Roles
from migrator.model.trust import IrsaKind
from migrator.planning.case import Case
from migrator.planning.join import Inventory
from migrator.planning.reach import NOWHERE, reaches
from migrator.planning.rights import Answers, Rights, asked, rights

T = TypeVar("T")


def with_aws_side(cases: Sequence[Case], inventory: Inventory, view: ClusterView, roles: Roles) -> list[Case]:
    """The same cases with what stands around them; each thing is read once for all of them."""
    if not cases:
        return []
    live = {case.role.role.arn: case.role.role for case in cases if case.role.role is not None}
    aws, far = _aws_side(cases, inventory, view), reaches(live, roles)
    seen = [_tagged(replace(case, aws=aws, reach=far.get(case.role.written, NOWHERE))) for case in cases]
    found = [_measured(case, roles) for case in seen]
    needed = [rights(case) for case in found]
    answers = asked(needed, inventory.cluster, view)
    return [_told(case, aws, answers, of) for case, of in zip(found, needed, strict=True)]


def _told(case: Case, aws: AwsSide, answers: Answers, needed: Rights) -> Case:
    unread = (*case.unread, *aws.unread, *answers.unread(needed), *case.reach.permissions.unread)
    return replace(case, lacks=answers.lacks(needed), unread=unread)


def _tagged(case: Case) -> Case:
    """The case with its role's tags: IAM's list of roles, by which many are read at once, leaves them out."""
    role, tags = case.role.role, case.reach.permissions.tags
    return replace(case, role=replace(case.role, role=replace(role, tags=tags))) if role is not None and tags else case


def _measured(case: Case, roles: Roles) -> Case:
    """The case with its account's quota of trust policies, which is asked for only where the default is too little."""
    role, merged, sizes = case.role.role, case.role.merged, case.role.sizes
    if role is None or merged is None or max(merged.size, sizes.for_all) <= sizes.quota:
        return case
    unread: list[Unread] = []
    quota = _tried(f"the quota of trust policies of account {role.account}", lambda: roles.trust_quota(role), unread)
    measured = replace(case.role, sizes=replace(sizes, quota=quota or sizes.quota))
    return replace(case, role=measured, unread=(*case.unread, *unread))


def _aws_side(cases: Sequence[Case], inventory: Inventory, view: ClusterView) -> AwsSide:
    unread: list[Unread] = []
    name = inventory.cluster.name
    endpoints = _tried(f"the eks-auth endpoints of cluster {name}", view.eks_auth_endpoints, unread)
    return AwsSide(
        endpoints=tuple(endpoints) if endpoints is not None else None,
        associations=len(inventory.associations.keys() | inventory.written.keys()),
        accounts=tuple(view.service_accounts()) if any(map(_by_pattern, cases)) else (),
        unread=tuple(unread),
    )


def _tried(what: str, read: Callable[[], T], unread: list[Unread]) -> T | None:
    """What is read, or None with a word on why not: nothing here is worth to leave the cluster out for."""
    try:
        return read()
    except EnvironmentFault as error:
        unread.append(Unread(what=what, why=error.message))
        return None


def _by_pattern(case: Case) -> bool:
    return case.role.irsa is not None and case.role.irsa.kind is IrsaKind.WILDCARD
