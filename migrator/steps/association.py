"""The pod identity association, none → to the role, behind the admission gate; and back.

Associations become visible late, per API server, and no API says when (EKS user guide, "pod-identities"). So the step
is settled only when server-side dry-run pods come back with the expected variables several times in a row, each time
on a fresh connection.
"""

from collections.abc import Mapping
from uuid import uuid4

from migrator.model.errors import Rejected
from migrator.model.facts import Association, Json
from migrator.model.fleet import Waits
from migrator.model.identity import Identity
from migrator.model.plan import PlannedStep
from migrator.steps.crowds.admitted import otherwise, passed
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

RUN_TAG = "irsa-migrator/run"
_PROPAGATING = frozenset({"trust-not-accepted", "role-not-visible", "exists"})  # what another look will tell apart


class AssociationStep:
    """Creates the association, or deletes the one this service's forward run made."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """OTHER when the pair is associated with another role, or owned by an add-on."""
        found = _find(step, context)
        image = _image(found)
        if step.after["role_arn"] is None:
            return self._read_back(step, context, found, image)
        if found is None:
            return Reading(position=Position.BEFORE, image=image)
        if not _same(found, step.after):
            note = f'association "{found.id}" names another role, "{_named(found)}"'
            return Reading(position=Position.OTHER, image=image, note=note)
        if found.owner_arn:
            note = f'association "{found.id}" belongs to "{found.owner_arn}"'
            return Reading(position=Position.OTHER, image=image, note=note)
        ours = _ours(found, context)
        return Reading(position=Position.AFTER, image=image, ours=ours, note=f"association {found.id}")

    def _read_back(
        self, step: PlannedStep, context: Context, found: Association | None, image: dict[str, object]
    ) -> Reading:
        if found is None:
            return Reading(position=Position.AFTER, image=image)
        if _theirs(found, context):
            return Reading(position=Position.AFTER, image=image, note=_stays(found))
        if not _as_we_made_it(step, found):
            note = f'association "{found.id}" was changed by somebody else: it names "{_named(found)}" now'
            return Reading(position=Position.OTHER, image=image, note=note)
        if not _made_by_us(found, context):
            note = f'association "{found.id}" is not the one that the migration of "{context.service}" made'
            return Reading(position=Position.OTHER, image=image, note=note)
        return Reading(position=Position.BEFORE, image=image)

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Creates or deletes. EKS may refuse a trust written a moment ago: `settled` then asks for another try.

        Raises:
            Rejected: reason `conflict` when somebody else has associated the pair meanwhile; else EKS's own.
        """
        if step.after["role_arn"] is None:
            found = _find(step, context)
            if found is not None and _made_by_us(found, context) and _as_we_made_it(step, found):
                context.cluster.delete_association(found.id)
            return
        try:
            _create(step, context)
        except Rejected as error:
            if error.reason not in _PROPAGATING:
                raise
            _refuse_foreign(_find(step, context), context)

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Read back, and then the gate."""
        found = _find(step, context)
        if step.after["role_arn"] is None:
            if found is not None and _theirs(found, context):
                return Settled(note=_stays(found))
            if found is not None:
                return NotYet(reason=f'association "{found.id}" is still listed')
            return _gate(context, Identity.IRSA, None)
        if found is None:
            return NotYet(reason="EKS does not list it yet, or does not accept the fresh trust policy yet", again=True)
        if not _same(found, step.after):
            return Failed(reason=f'the pair is associated with another role, "{_named(found)}"')
        return _gate(context, Identity.POD_IDENTITY, found if _ours(found, context) else None)

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """What EKS may take to accept a fresh trust, and what the webhook may take to learn of it."""
        del step
        return waits.trust + waits.gate

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """There, the gate's probes in a row take the place of a settle period.

        Back, a list that does not show the association may be older than its creation: it must stay away for a while.
        """
        return waits.reconcile if step.after["role_arn"] is None else 0.0


def _theirs(found: Association, context: Context) -> bool:
    """Whether it is somebody else's, and the walk there never made one of its own: there is nothing to take away."""
    recorded = (context.forward.get("result") or {}).get("association")
    return recorded is None and not _made_by_us(found, context)


def _stays(found: Association) -> str:
    return f'association "{found.id}" to role "{_named(found)}" is somebody else\'s, and stays'


def _find(step: PlannedStep, context: Context) -> Association | None:
    return context.cluster.association(step.on["namespace"], step.on["service_account"])


def _image(found: Association | None) -> dict[str, object]:
    if found is None:
        return {"association": None}
    target = {"target_role_arn": found.target_role_arn} if found.target_role_arn else {}
    return {"association": {"id": found.id, "role_arn": found.role_arn, **target, "tags": dict(found.tags)}}


def _ours(found: Association, context: Context) -> bool:
    return found.tags.get(RUN_TAG) == context.run


def _refuse_foreign(found: Association | None, context: Context) -> None:
    """What somebody else made is never taken for ours: the way back would delete it."""
    if found is not None and not _ours(found, context):
        pair = f'"{found.namespace}/{found.service_account}"'
        text = f"somebody else associated {pair} at the same time: {found.id}"
        raise Rejected(text, reason="conflict")


def _as_we_made_it(step: PlannedStep, found: Association) -> bool:
    return _same(found, step.before)


def _same(found: Association, side: Mapping[str, Json]) -> bool:
    """Both roles, and whether sessions bear tags: a target role may ask for the external id instead."""
    wanted = (side["role_arn"], side.get("target_role_arn", ""), side.get("session_tags", True))
    return (found.role_arn, found.target_role_arn, found.session_tags) == wanted


def _named(found: Association) -> str:
    target = f", target {found.target_role_arn}" if found.target_role_arn else ""
    return f"{found.role_arn}{target}{'' if found.session_tags else ', without session tags'}"


def _made_by_us(found: Association, context: Context) -> bool:
    """By the id the walk there recorded; by its run's tag when it was killed before it could record one."""
    made = (context.forward.get("result") or {}).get("association")
    return found.id == made or found.tags.get(RUN_TAG) in context.forward.get("runs", ())


def _create(step: PlannedStep, context: Context) -> None:
    """The pair can have one association, however often the call is made.

    EKS answers a token it knows with what it made then, even if that is gone. So the token is the run's for a process's
    first try, which takes up one that was cut off, and new for each further one.
    """
    first = context.image is not None
    context.cluster.create_association(
        namespace=step.on["namespace"],
        service_account=step.on["service_account"],
        role_arn=step.after["role_arn"],
        tags={**step.after["tags"], RUN_TAG: context.run},
        token=f"{context.run}-association" if first else f"{context.run}-{uuid4().hex}",
        target_role_arn=step.after.get("target_role_arn", ""),
        session_tags=step.after.get("session_tags", True),
    )


def _gate(context: Context, expected: Identity, found: Association | None) -> Settling:
    problem = otherwise(context, expected)
    if problem:
        return NotYet(reason=problem)
    return Settled(result={"association": found.id if found else None}, note=passed(context, expected))
