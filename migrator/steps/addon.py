"""The EKS add-on that a ServiceAccount belongs to: without its association → with it, and back, by UpdateAddon.

EKS makes the association in the add-on's name, takes `serviceAccountRoleArn` and the annotation away some seconds later
unless the role is given with the update, and rolls the add-on's pods (EKS user guide, "IAM roles for Amazon EKS
add-ons"). None of that is assumed: all of it is read back. What matters of UpdateAddon:

- Its list of associations replaces the whole one before. So the list is the live one with our entry put in or taken
  out, and one runner at a time works on an add-on (the lock of the walk). Version and configuration are the live ones.
- An add-on has one role for all its ServiceAccounts. While another of them still lives on it, it is given again.
- An add-on's association bears no tags: one that is there once the intent is in the journal is taken for ours.
- EKS answers a token it knows with the update it began then. So the token is the run's until an update is known, and
  new for each further try.

An update that failed fails the step; a DEGRADED add-on is waited for, since one slow pod makes it so. Back, it is left
to verify whether the service's own pods are well.
"""

from collections.abc import Mapping
from uuid import uuid4

from migrator.model.addons import InstalledAddon
from migrator.model.errors import Rejected
from migrator.model.facts import Association, Json, ServiceAccount
from migrator.model.fleet import Waits
from migrator.model.identity import Identity
from migrator.model.plan import PlannedStep
from migrator.steps.addons.updates import afresh, tries, under_way, update_id
from migrator.steps.crowds.admitted import otherwise, passed
from migrator.steps.crowds.judged import listed
from migrator.steps.crowds.rolled import looks, rolling, unrolled
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

TRIES = 3
_PASSING = frozenset({"busy", "trust-not-accepted", "role-not-visible"})  # what another try may find otherwise
_OURS_TO_READ = "eks.amazonaws.com/"


class AddonStep:
    """Puts the ServiceAccount's association into the add-on's list, or takes it out and gives the role back."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """OTHER when the add-on was installed anew, or the pair or the annotation is about another role."""
        addon, found = _addon(step, context), _association(step, context)
        if step.after["role_arn"] is None:
            return _read_back(step, context, addon, found)
        if addon is None:
            return Reading(position=Position.OTHER, note=_gone(step))
        image, account = _image(step, context, addon, found), _account(step, context)
        problem = _foreign(step, addon, found, step.after["role_arn"]) or _annotated_otherwise(step, account)
        if problem:
            return Reading(position=Position.OTHER, image=image, note=problem)
        if found is None:
            return Reading(position=Position.BEFORE, image=image)
        note = f'association {found.id} of add-on "{addon.name}"'
        return Reading(position=Position.AFTER, image=image, note=note)

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Updates the add-on, unless there is an update of this step already: `settled` judges that.

        Raises:
            Rejected: reason `conflict` when the add-on is gone; else EKS's own, unless time may mend it.
        """
        addon = _addon(step, context)
        if addon is None:
            raise Rejected(_gone(step), reason="conflict")
        if update_id(context):
            return
        listing = _wanted(step, {one.service_account: one.role_arn for one in _owned(step, context, addon)})
        try:
            token = f"{context.run}-addon" if context.memory is None else f"{context.run}-{uuid4().hex}"
            update = context.cluster.update_addon(addon, listing, role_arn=_role(step, context, addon), token=token)
        except Rejected as error:
            if error.reason not in _PASSING:
                raise
            return
        context.between["update"] = update.id

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """The update is over, the add-on is ACTIVE, the association is as wanted, and then the gate."""
        addon = _addon(step, context)
        if addon is None:
            there = step.after["role_arn"] is not None
            return Failed(reason=_gone(step)) if there else Settled(note=_gone(step))
        fresh = context.between.pop("update", None)
        if fresh is not None:  # remembered at once: a later try must know that it was begun
            memo = {"update": fresh, "tries": tries(context) + 1}
            return NotYet(reason=f'add-on "{addon.name}": update {fresh} has begun', again=True, memo=memo)
        return under_way(step, context, addon) or _as_wanted(step, context, addon) or _admitted(step, context, addon)

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """What the update may take, and what the webhook may take to learn of it."""
        del step
        return waits.addon + waits.gate

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """As the association's: back, a list that does not show it may be older than its creation."""
        return waits.reconcile if step.after["role_arn"] is None else 0.0


def _read_back(step: PlannedStep, context: Context, addon: InstalledAddon | None, found: Association | None) -> Reading:
    if addon is None:
        return Reading(position=Position.AFTER, note=f"{_gone(step)}, and its associations with it")
    image = _image(step, context, addon, found)
    if addon.role_arn not in {"", _had(step, context) or step.before["role_arn"]}:
        note = f'add-on "{addon.name}" was given another role by somebody else, "{addon.role_arn}"'
        return Reading(position=Position.OTHER, image=image, note=note)
    if found is not None and found.owner_arn == addon.arn:
        problem = _foreign(step, addon, found, step.before["role_arn"])
        return Reading(position=Position.OTHER if problem else Position.BEFORE, image=image, note=problem)
    if not _has_role_back(step, context, addon) or addon.status == "UPDATE_FAILED":  # as our own update left it
        return Reading(position=Position.BEFORE, image=image)
    note = f'association "{found.id}" is somebody else\'s, and stays' if found is not None else ""
    return Reading(position=Position.AFTER, image=image, note=note)


def _foreign(step: PlannedStep, addon: InstalledAddon, found: Association | None, role_arn: str) -> str:
    """Why the pair's association is none that the add-on's update may touch."""
    if found is not None and found.owner_arn != addon.arn:
        return f'association "{found.id}" of {_name(step)} was not made by add-on "{addon.name}", which cannot adopt it'
    if found is not None and found.role_arn != role_arn:
        return f'association "{found.id}" names another role, "{found.role_arn}"'
    return ""


def _annotated_otherwise(step: PlannedStep, account: ServiceAccount | None) -> str:
    """EKS takes the annotation away by itself; another one is somebody's decision."""
    if account is None:
        return f'ServiceAccount "{_name(step)}" does not exist any more'
    if account.role_arn in {None, step.after["role_arn"]}:
        return ""
    return f'ServiceAccount "{_name(step)}" is annotated with another role, "{account.role_arn}"'


def _image(step: PlannedStep, context: Context, addon: InstalledAddon, found: Association | None) -> Json:
    account = _account(step, context)
    written = account.annotations if account is not None else {}
    return {
        "association": None if found is None else {"id": found.id, "role_arn": found.role_arn},
        "service_account_role_arn": addon.role_arn or None,
        "annotations": {key: value for key, value in written.items() if key.startswith(_OURS_TO_READ)},
    }


def _wanted(step: PlannedStep, owned: Mapping[str, str]) -> Mapping[str, str]:
    """The add-on's whole list with our change in it."""
    account, role = step.on["service_account"], step.after["role_arn"]
    others = {name: arn for name, arn in owned.items() if name != account}
    return others if role is None else {**others, account: role}


def _role(step: PlannedStep, context: Context, addon: InstalledAddon) -> str:
    """Back, the role it had. There none, so that EKS takes it away, unless others of its accounts live on it."""
    if step.after["role_arn"] is None:
        bare = step.before["role_arn"] if _bare(step, context) else ""
        return _had(step, context) or addon.role_arn or str(bare)
    moved = {one.service_account for one in _owned(step, context, addon)}
    left = [name for name in step.on["others"] if name not in moved]
    accounts = (context.cluster.service_account(step.on["namespace"], name) for name in left)
    return addon.role_arn if any(one is not None and one.role_arn for one in accounts) else ""


def _had(step: PlannedStep, context: Context) -> str:
    """The role that the add-on had before us."""
    image = context.forward.get("image") or {}
    return str(image.get("service_account_role_arn") or step.after["service_account_role_arn"] or "")


def _bare(step: PlannedStep, context: Context) -> bool:
    account = _account(step, context)
    return account is not None and account.role_arn is None


def _has_role_back(step: PlannedStep, context: Context, addon: InstalledAddon) -> bool:
    """Where it had none, the annotation was somebody's own: it must be there, or the add-on have a role to annotate."""
    had = _had(step, context)
    return addon.role_arn == had if had else bool(addon.role_arn) or not _bare(step, context)


def _as_wanted(step: PlannedStep, context: Context, addon: InstalledAddon) -> Settling | None:
    found = _association(step, context)
    if step.after["role_arn"] is None:
        left = found is not None and found.owner_arn == addon.arn
        return _again(context, addon) if left or not _has_role_back(step, context, addon) else None
    if found is None:
        return _again(context, addon)
    problem = _foreign(step, addon, found, step.after["role_arn"])
    return Failed(reason=problem, memo=afresh(context)) if problem else None


def _again(context: Context, addon: InstalledAddon) -> Settling:
    """The update was refused for the moment, or is over and its list does not show: late, or somebody's replaced it."""
    reason = f'add-on "{addon.name}" does not have its associations as wanted yet'
    if not update_id(context):
        return NotYet(reason=reason, again=True)
    if looks(context, "without") * context.waits.poll < context.waits.reconcile:
        return NotYet(reason=reason)
    if tries(context) >= TRIES:
        return Failed(reason=f"{reason}, after {TRIES} updates: something keeps replacing them", memo=afresh(context))
    return NotYet(reason=reason, again=True, memo=afresh(context))


def _admitted(step: PlannedStep, context: Context, addon: InstalledAddon) -> Settling:
    expected = Identity.IRSA if step.after["role_arn"] is None else Identity.POD_IDENTITY
    problem = otherwise(context, expected) or rolling(step, context, expected)
    if problem:
        return NotYet(reason=problem)
    found, left = _association(step, context), unrolled(step, context, expected)
    note = f'add-on "{addon.name}" {addon.version} {addon.status}; {passed(context, expected)}'
    if left:
        note = f"{note}; EKS did not roll {listed(left)}: verify makes each anew once"
    return Settled(result={"association": found.id if found else None, "not_rolled": left}, note=note)


def _owned(step: PlannedStep, context: Context, addon: InstalledAddon) -> list[Association]:
    return list(context.cluster.owned_by(addon, step.on["namespace"]))


def _addon(step: PlannedStep, context: Context) -> InstalledAddon | None:
    """The add-on of the plan; one that was installed anew is another."""
    addon = context.cluster.installed_addon(step.on["addon"])
    return addon if addon is not None and addon.arn == step.on["arn"] else None


def _gone(step: PlannedStep) -> str:
    return f'add-on "{step.on["addon"]}" is gone, or was installed anew'


def _association(step: PlannedStep, context: Context) -> Association | None:
    return context.cluster.association(step.on["namespace"], step.on["service_account"])


def _account(step: PlannedStep, context: Context) -> ServiceAccount | None:
    return context.cluster.service_account(step.on["namespace"], step.on["service_account"])


def _name(step: PlannedStep) -> str:
    return f"{step.on['namespace']}/{step.on['service_account']}"
