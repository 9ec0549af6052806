"""`migrate apply --from-drift`: plans services anew, and takes the new plan where the world left the old one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from migrator.cli.planning import Desk, annotated_before, usable, walking
from migrator.cli.stores import Memory
from migrator.cli.survey import looked_at, survey
from migrator.model.errors import Blocked, MigrateError
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.plan import Plan
from migrator.model.ports.planning import Roles
from migrator.planning.planner import PlanSettings, plan_cluster
from migrator.planning.users import used_by
from migrator.running.ledger import remembered_role
from migrator.running.runs import Fate, fate, walking_back
from migrator.store.plan_changes import Change, changes
from migrator.store.plan_document import plan_of

_NOTHING = "it has no ServiceAccount with a role annotation, and none whose annotation a run of ours took"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What came of one service: the plan to carry out, or why there is none.

    Attributes:
        plan: the new one, or the old one where a run carries it and nothing drifted.
        new: it is made anew, and its file does not have it yet.
        anew: the world had left the plan that a run carries: that run is not taken up.
        changes: what differs from the plan file that stood there.
        problem: why it cannot be planned; `plan` is then the old one.
        exit: of a service with a problem.
    """

    plan: Plan
    new: bool = False
    anew: bool = False
    changes: tuple[Change, ...] = ()
    problem: str = ""
    exit: Exit = Exit.BLOCKED


def plan_again(desk: Desk, services: Sequence[ServiceId], memory: Memory | None) -> list[Again]:
    """Each service's plan as things are now; nothing is written.

    Raises:
        DocumentError: what a person wrote into a plan file cannot be read.
        MigrateError: a service can neither be planned nor has a plan.
    """
    found: dict[ServiceId, Plan | MigrateError] = {}
    seen = survey(desk, annotated_before(walking(memory)))
    settings = PlanSettings(
        policy=desk.fleet.policy,
        excludes=desk.fleet.excludes,
        wanted=lambda service, _role: service in services,
        edit_of=desk.plans.edit_of,
        remembered=_remembered(memory, services),
        elsewhere=seen.users,
        resources=looked_at(desk, seen),
    )
    roles = desk.planning_roles(used_by(seen.users, settings.wanted))
    for alias in sorted({service.cluster for service in services}):
        found.update(_planned(desk, [one for one in services if one.cluster == alias], roles, settings))
    return [_one(desk, service, found[service], memory) for service in services]


def write(desk: Desk, made: Iterable[Again]) -> None:
    """Writes the plans that are new into their files.

    Raises:
        StoreFault: a file cannot be written.
    """
    new = [one.plan for one in made if one.new]
    if new:
        desk.plans.publish_schema()
    for plan in new:
        desk.plans.write(plan)


def _remembered(memory: Memory | None, services: Iterable[ServiceId]) -> Mapping[ServiceId, str]:
    """The roles of those whose annotation a run of ours took: they are planned as if they bore it."""
    if memory is None:
        return {}
    before = {service: remembered_role(memory.journal, service) for service in services}
    return {service: role for service, role in before.items() if role is not None}


def _planned(
    desk: Desk, services: Sequence[ServiceId], roles: Roles, settings: PlanSettings
) -> Mapping[ServiceId, Plan | MigrateError]:
    """The services of one cluster."""
    try:
        plans = {plan.service: plan for plan in plan_cluster(desk.view(services[0].cluster), roles, settings)}
    except MigrateError as error:
        return dict.fromkeys(services, error)
    return {service: plans.get(service) or Blocked(_NOTHING) for service in services}


def _one(desk: Desk, service: ServiceId, fresh: Plan | MigrateError, memory: Memory | None) -> Again:
    old = usable(desk.plans, service)
    if old is not None and memory is not None and _leave_alone(service, memory):
        return Again(plan=old)
    if isinstance(fresh, MigrateError):
        if old is None:
            raise fresh
        return Again(plan=old, problem=f"it cannot be planned again: {fresh.sentence()}", exit=fresh.exit)
    found = fate(memory.journal, old, fresh, plan_of) if memory is not None else Fate.FREE
    if old is not None and found is Fate.STAYS:
        return Again(plan=old)
    differs = changes(old, fresh) if old is not None else ()
    return Again(plan=fresh, new=True, anew=found is Fate.LEFT, changes=differs)


def _leave_alone(service: ServiceId, memory: Memory) -> bool:
    """A way back that was cut off comes first, and somebody else's run is theirs."""
    held = any(holder.key == f"service:{service}" for holder in memory.locks.holders())
    return held or walking_back(memory.journal, service)
