"""The work behind `migrate plan`: every cluster at once, then the plan files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Protocol

from migrator.cli.select import Selectors
from migrator.cli.stores import Memory
from migrator.cli.survey import AT_ONCE, Survey, left_out, looked_at, survey
from migrator.cli.wiring import shown
from migrator.documents.errors import DocumentError
from migrator.model.errors import MigrateError
from migrator.model.fleet import Fleet, FleetCluster
from migrator.model.ids import ServiceId
from migrator.model.journal import ServiceState, Standing
from migrator.model.plan import Edit, Plan
from migrator.model.ports.planning import ClusterView, ResourceReader, Roles
from migrator.model.ports.running import Journal
from migrator.planning.planner import PlanSettings, Wanted, plan_cluster
from migrator.planning.users import used_by
from migrator.render.views.plan import LeftOut, Planned, Planning, Seen, Stand, Unread, role_of
from migrator.running.handed import owner_of
from migrator.running.ledger import remembered_role
from migrator.running.runs import Fate, fate
from migrator.store.plan_document import plan_of
from migrator.store.plan_file import PlanFiles


class Desk(Protocol):
    """What planning needs of the wiring."""

    @property
    def fleet(self) -> Fleet:
        """The fleet file."""
        ...

    @property
    def folder(self) -> Path:
        """The folder of the plan files."""
        ...

    @property
    def plans(self) -> PlanFiles:
        """The plan files."""
        ...

    def planning_roles(self, expected: Iterable[str]) -> Roles:
        """IAM over all accounts as one planning sees it, in which roles of these ARNs will be asked for."""
        ...

    @property
    def resources(self) -> ResourceReader:
        """Policies of buckets and the like over all accounts."""
        ...

    def view(self, alias: str) -> ClusterView:
        """A cluster, to be read; it has no verb to change anything."""
        ...

    def memory(self) -> AbstractContextManager[Memory | None]:
        """The store, if there is one."""
        ...


def run_planning(
    desk: Desk, chosen: Selectors, clusters: Sequence[FleetCluster], *, dry_run: bool, by_role: bool = False
) -> Planning:
    """Plans the services selected in `clusters` and writes their files, unless `dry_run`.

    A service whose plan file cannot be read is named and left as it is; the others are planned. With `by_role`, what
    the view by role wants is looked up as well.

    Raises:
        StoreFault: a file cannot be written.
    """
    with desk.memory() as memory:
        return _planning(desk, chosen, clusters, memory, dry_run=dry_run, by_role=by_role)


def _planning(
    desk: Desk,
    chosen: Selectors,
    clusters: Sequence[FleetCluster],
    memory: Memory | None,
    *,
    dry_run: bool,
    by_role: bool,
) -> Planning:
    unread: dict[ServiceId, str] = {}
    under_way = walking(memory)
    seen = survey(desk, annotated_before(under_way))
    edit_of = _edit_of(desk.plans, unread)

    def wanted(service: ServiceId, role: str) -> bool:
        return chosen.service(service, role) and chosen.in_wave(edit_of(service) if chosen.waves else None)

    settings = PlanSettings(
        policy=desk.fleet.policy,
        excludes=desk.fleet.excludes,
        wanted=wanted,
        edit_of=edit_of,
        remembered=annotated_before(under_way),
        elsewhere=seen.users,
        resources=looked_at(desk, seen),
    )

    aliases = {cluster.alias for cluster in clusters}
    roles = desk.planning_roles(
        used_by(seen.users, lambda service, role: service.cluster in aliases and wanted(service, role))
    )

    def one(cluster: FleetCluster) -> tuple[Plan, ...] | LeftOut:
        if cluster.alias in seen.closed:
            return seen.closed[cluster.alias]
        try:
            return plan_cluster(seen.views[cluster.alias], roles, settings)
        except MigrateError as error:
            return left_out(cluster.alias, error)

    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(clusters))) as pool:
        outcomes = list(pool.map(one, clusters))
    closed = [outcome for outcome in outcomes if isinstance(outcome, LeftOut)]
    found = [plan for outcome in outcomes if not isinstance(outcome, LeftOut) for plan in outcome]
    plans = sorted((plan for plan in found if plan.service not in unread), key=lambda plan: plan.service)
    reached = aliases - {one.cluster for one in closed}
    if not dry_run:
        desk.plans.publish_schema()
    held = {holder.key for holder in memory.locks.holders()} if memory else set()
    busy = {plan.service for plan in plans if f"service:{plan.service}" in held}
    if memory is not None:
        carried = under_way.keys() | _left_in_place(plans, memory.journal)
        busy.update(plan.service for plan in plans if plan.service in carried and _stays(desk, plan, memory.journal))
    planned = [Planned(plan, _filed(desk, plan, busy, dry_run=dry_run)) for plan in plans]
    missing = _missing(desk, chosen, wanted, reached, {plan.service for plan in found})
    states = {service: memory.journal.state(service) for service in missing} if memory else {}
    moved = [service for service in missing if _moved(states.get(service))]
    return Planning(
        folder=shown(desk.folder),
        dry_run=dry_run,
        clusters=len(clusters),
        planned=planned,
        gone=[service for service in missing if service not in moved],
        moved=moved,
        left_out=closed,
        unread=[Unread(service, why) for service, why in sorted(unread.items())],
        seen=_seen(desk, seen, memory) if by_role else None,
    )


def _seen(desk: Desk, seen: Survey, memory: Memory | None) -> Seen:
    """What the view by role wants besides the plans: where every service stands that a run was begun for, and more."""
    states = memory.journal.states() if memory is not None else {}
    standings = {
        service: Stand(str(state.standing), role_of(plan_of(state.run.plan)) if state.run else None)
        for service, state in states.items()
    }
    closed = [seen.closed[alias] for alias in sorted(seen.closed)]
    return Seen(users=seen.users, issuers=seen.issuers, closed=closed, standings=standings, policy=desk.fleet.policy)


def _edit_of(files: PlanFiles, unread: dict[ServiceId, str]) -> Callable[[ServiceId], Edit | None]:
    """Reads once what a person wrote; where that cannot be read, says why in `unread`. Called from several threads."""

    @cache
    def edit_of(service: ServiceId) -> Edit | None:
        try:
            return files.edit_of(service)
        except DocumentError as error:
            unread[service] = str(error)
            return None

    return edit_of


def annotated_before(walking: Mapping[ServiceId, str | None]) -> Mapping[ServiceId, str]:
    """Those whose annotation a run of ours took, with the role it named."""
    return {service: role for service, role in walking.items() if role is not None}


def walking(memory: Memory | None) -> Mapping[ServiceId, str | None]:
    """Services with an open run, each with the role it was annotated with where a run of ours took the annotation."""
    if memory is None:
        return {}
    return {run.service: remembered_role(memory.journal, run.service) for run in memory.journal.open_runs()}


def _left_in_place(plans: Sequence[Plan], journal: Journal) -> set[ServiceId]:
    """Migrated services that their run left annotated, for an owner: that run goes on holding their plan."""
    owned = {plan.service for plan in plans if any(step.on.get("owner") for step in plan.forward)}
    states = journal.states() if owned else {}
    return {service for service in owned & states.keys() if owner_of(states[service].steps)}


def _stays(desk: Desk, fresh: Plan, journal: Journal) -> bool:
    return fate(journal, usable(desk.plans, fresh.service), fresh, plan_of) is Fate.STAYS


def usable(files: PlanFiles, service: ServiceId) -> Plan | None:
    """The plan that stands there; None when none does, or when it cannot be used: it is then written anew."""
    try:
        return files.read(service) if files.path(service).exists() else None
    except DocumentError:
        return None


def _filed(desk: Desk, plan: Plan, busy: set[ServiceId], *, dry_run: bool) -> str:
    """What becomes of the plan's file; that of a service which is being worked on, or whose run goes on, is left."""
    if plan.service in busy:
        return "in-hand"
    known = desk.plans.path(plan.service).exists()
    changed = desk.plans.would_change(plan) if dry_run else desk.plans.write(plan)
    if not known:
        return "new"
    return "changed" if changed else "unchanged"


def _missing(
    desk: Desk, chosen: Selectors, wanted: Wanted, reached: set[str], planned: set[ServiceId]
) -> list[ServiceId]:
    """Services with a plan file that were looked for and not found. With role globs nobody can tell: none."""
    if chosen.roles:
        return []
    files = (service for service in desk.plans.services() if service.cluster in reached and service not in planned)
    return sorted(service for service in files if wanted(service, ""))


def _moved(state: ServiceState | None) -> bool:
    """Whether the journal explains why the ServiceAccount bears no annotation."""
    return state is not None and state.standing not in {Standing.PLANNED, Standing.ROLLED_BACK}
