"""One cluster in, one plan per annotated ServiceAccount out. The same world gives the same plans: no times, sorted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from migrator.model.fleet import Policy
from migrator.model.ids import ServiceId
from migrator.model.plan import Edit, Plan, in_order
from migrator.model.ports.planning import ClusterView, Roles
from migrator.planning import findings
from migrator.planning.aws_side import with_aws_side
from migrator.planning.case import Case
from migrator.planning.drafts import drafts
from migrator.planning.evidence import facts_of
from migrator.planning.join import NOTHING, Inventory, cases, take_inventory
from migrator.planning.resources import NO_RESOURCES, Resources
from migrator.planning.users import NOBODY, Users
from migrator.planning.verdict import verdict

Wanted = Callable[[ServiceId, str], bool]  # service, role as annotated
EditOf = Callable[[ServiceId], Edit | None]


def _everything(_service: ServiceId, _role: str) -> bool:
    return True


def _no_edit(_service: ServiceId) -> Edit | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """What is planned, and how.

    `excludes` are globs over service ids; `wanted` is the selection of this one command; `edit_of` gives what a person
    wrote into an earlier plan of the service. `remembered` are the roles of ServiceAccounts whose annotation a run of
    ours took: they are planned as if they still bore it. `elsewhere` are the users of roles in all other clusters,
    `resources` the policies of buckets and the like.
    """

    policy: Policy = field(default_factory=Policy)
    excludes: tuple[str, ...] = ()
    wanted: Wanted = _everything
    edit_of: EditOf = _no_edit
    remembered: Mapping[ServiceId, str] = field(default_factory=lambda: NOTHING)
    elsewhere: Users = field(default_factory=lambda: NOBODY)
    resources: Resources = NO_RESOURCES


def plan_cluster(view: ClusterView, roles: Roles, settings: PlanSettings) -> tuple[Plan, ...]:
    """The plans of one cluster's services, sorted by service; reads only.

    Raises:
        MigrateError: the cluster cannot be read.
    """
    inventory = take_inventory(view, settings.remembered, settings.elsewhere)
    alias = inventory.cluster.alias
    chosen = [
        account
        for account in inventory.accounts
        if _chosen(ServiceId(alias, account.namespace, account.name), inventory, settings)
    ]
    found = cases(inventory, chosen, view, roles, settings.policy)
    whole = (_with_resources(case, settings.resources) for case in with_aws_side(found, inventory, view, roles))
    return tuple(_plan(case, settings) for case in whole)


def _with_resources(case: Case, resources: Resources) -> Case:
    return replace(case, resources=resources, unread=(*case.unread, *resources.unread_of(case.cluster.account)))


def _chosen(service: ServiceId, inventory: Inventory, settings: PlanSettings) -> bool:
    excluded = any(fnmatchcase(str(service), glob) for glob in settings.excludes)
    return not excluded and settings.wanted(service, inventory.written[service.namespace, service.name])


def _plan(case: Case, settings: PlanSettings) -> Plan:
    policy = settings.policy
    edit = settings.edit_of(case.service) or Edit(order=policy.order, restart=policy.restart)
    judged = findings.judge(case)
    forward, back = drafts(case)
    return Plan(
        service=case.service,
        edit=edit,
        verdict=verdict(judged, edit.accept),
        findings=judged,
        facts=facts_of(case),
        forward=in_order(forward, edit.order),
        back=back,
    )
