"""Whether an update of an add-on is over, and how; which one it is stands in the step's memo, in the journal."""

from migrator.model.addons import InstalledAddon
from migrator.model.facts import Json
from migrator.model.plan import PlannedStep
from migrator.steps.step import Context, Failed, NotYet, Settling

_BUSY = frozenset({"CREATING", "UPDATING"})
_BROKEN = frozenset({"CREATE_FAILED", "UPDATE_FAILED", "DELETING", "DELETE_FAILED"})
_OVER_BADLY = frozenset({"Failed", "Cancelled"})


def update_id(context: Context) -> str:
    """The id of the update that is known; none while none is, or when another one is to be begun."""
    return str((context.memory or {}).get("update") or "")


def afresh(context: Context) -> Json:
    """What a later try must know: that it needs an update of its own, by another token."""
    return {"update": None, "tries": tries(context)}


def tries(context: Context) -> int:
    """How many updates this step has begun in its run."""
    return int((context.memory or {}).get("tries", 0))


def under_way(step: PlannedStep, context: Context, addon: InstalledAddon) -> Settling | None:
    """What is still to come of the update; without a known one the add-on's own status has to do."""
    known = update_id(context)
    update = context.cluster.addon_update(addon.name, known) if known else None
    if update is not None and update.status in _OVER_BADLY:
        said = f": {'; '.join(update.errors)}" if update.errors else ""
        return Failed(reason=f'update {update.id} of add-on "{addon.name}" {update.status}{said}', memo=afresh(context))
    if (update is not None and update.status == "InProgress") or addon.status in _BUSY:
        return NotYet(reason=f'add-on "{addon.name}" is {addon.status}')
    issues = f" ({'; '.join(addon.issues)})" if addon.issues else ""
    if addon.status in _BROKEN:
        return Failed(reason=f'add-on "{addon.name}" is {addon.status}{issues}', memo=afresh(context))
    well = {"ACTIVE"} if step.after["role_arn"] is not None else {"ACTIVE", "DEGRADED"}  # verify asks its pods
    return None if addon.status in well else NotYet(reason=f'add-on "{addon.name}" is {addon.status}{issues}')
