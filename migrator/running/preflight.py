"""The look before the first change, there and back: nothing is touched unless the walk can succeed."""

import json
from collections.abc import Callable, Sequence

from migrator.model import identity
from migrator.model.errors import Blocked, Drift
from migrator.model.facts import Rollout, WorkloadRef
from migrator.model.identity import Identity
from migrator.model.moving import REPLACED, How, how
from migrator.model.plan import Plan, PlannedStep, StepKind
from migrator.model.trust.match import AUDIENCE, irsa_match
from migrator.running.walk import STEPS
from migrator.steps.crowds.stuck import stuck
from migrator.steps.step import Context, Position

_REMEDY = "nothing was changed; look at it, then plan again and go on: migrate apply --from-drift"
_TURNED = {How.ROLLOUT: "rolls by itself now", How.EVICT: "no longer rolls by itself"}
_COMES_AND_GOES = "Job"  # it ends by itself, and nobody restarts it
_LOOKS = 5
_AUDIENCE_ANNOTATION = "eks.amazonaws.com/audience"


def before_going(plan: Plan, context: Callable[[], Context], pause: Callable[[], None]) -> None:
    """Reads what every step would read, and asks what would make the walk fail later.

    `pause` is called between two looks at a rollout that its controller has not seen yet.

    Raises:
        Drift: a step finds the world neither before nor after, or workloads came or went since the plan was made.
        Blocked: a workload is not well already, or a pod made now would not have the identity the plan starts from.
    """
    looking = context()
    for step in plan.forward:
        reading = STEPS[step.kind].read(step, looking)
        if reading.position is Position.OTHER:
            raise Drift(reading.note, doing=f'step "{step.id}" of "{plan.service}"', remedy=_REMEDY)
    _same_workloads(plan, looking)
    _way_back_is_open(plan, looking)
    _healthy(plan, looking, pause)
    _admitted_as_planned(plan, looking)


def before_returning(plan: Plan, steps: Sequence[PlannedStep], context: Callable[[str], Context]) -> None:
    """Asks whether IRSA would take the pods back, and whether every pod on Pod Identity can be replaced.

    `steps` are the way back's, `context` is asked with a step's id.

    Raises:
        Drift: a step finds the world changed by somebody else, or the role's trust policy no longer lets the
            ServiceAccount in by IRSA, as it did when the plan was made.
        Blocked: a pod that nobody would replace would be left without credentials.
    """
    looking = context("")
    _way_back_is_open(plan, looking)
    for step in steps:
        reading = STEPS[step.kind].read(step, context(step.id))
        if reading.position is Position.OTHER:
            doing = f'step "{step.id}" of the way back of "{plan.service}"'
            raise Drift(reading.note, doing=doing, remedy="nothing was changed; put that right, then run it again")
    service = plan.service
    _none_paused(plan, looking)
    left = [pod.name for pod in stuck(looking)]
    if left:
        raise Blocked(
            f'"{service}" cannot go back while pods run on Pod Identity that no restart replaces: {", ".join(left)}',
            remedy="nothing was changed; let them finish, or delete them, and run the same command again",
        )


def _same_workloads(plan: Plan, context: Context) -> None:
    service = plan.service
    planned = {(entry["kind"], entry["name"]) for entry in plan.facts["workloads"] if entry["kind"] != _COMES_AND_GOES}
    found = context.cluster.workloads_of(service.namespace, service.name)
    now = {(w.ref.kind, w.ref.name) for w in found if w.ref.kind != _COMES_AND_GOES}
    came, went = sorted(now - planned), sorted(planned - now)
    if came or went:
        said = [f"{kind} {name} is new" for kind, name in came] + [f"{kind} {name} is gone" for kind, name in went]
        raise Drift(f'since the plan of "{service}" was made, {", ".join(said)}', remedy=_REMEDY)
    restarted = {(w["kind"], w["name"]): w["how"] for step in plan.forward for w in step.on.get("workloads", ())}
    otherwise = [w for w in found if restarted.get((w.ref.kind, w.ref.name), how(w)) != how(w)]
    if otherwise:
        said = [f"{w.ref} {_TURNED[how(w)]}" for w in otherwise]
        raise Drift(f'since the plan of "{service}" was made, {", ".join(said)}', remedy=_REMEDY)


def irsa_is_closed(plan: Plan, context: Context) -> str:
    """Why IRSA does not work as it worked when the plan was made; where it was broken already, nothing is lost."""
    role = plan.facts["role"]
    found = context.trust.role(role["arn"])
    if found is None:
        return f'role "{role["arn"]}" does not exist any more'
    if _works(plan, json.dumps(role["trust"])) and not _works(plan, found.trust):
        return f'role "{role["arn"]}" no longer trusts "{plan.service}" by IRSA, as it did when the plan was made'
    return ""


def _way_back_is_open(plan: Plan, context: Context) -> None:
    closed = irsa_is_closed(plan, context)
    if closed:
        raise Drift(closed, remedy="nothing was changed; put that right, or plan again")


def _works(plan: Plan, trust: str) -> bool:
    cluster, service = plan.facts["cluster"], plan.service
    return irsa_match(
        trust,
        issuer_host=cluster["issuer"].removeprefix("https://"),
        account=plan.facts["role"]["arn"].split(":")[4],
        partition=cluster["arn"].split(":")[1],
        namespace=service.namespace,
        name=service.name,
        audience=plan.facts["service_account"]["annotations"].get(_AUDIENCE_ANNOTATION, AUDIENCE),
    ).works


def paused(plan: Plan, context: Context) -> str:
    """Which workload is paused, if one is: it does not roll, and its pods would keep what was taken from them."""
    service = plan.service
    found = context.cluster.workloads_of(service.namespace, service.name)
    name = next((str(workload.ref) for workload in found if workload.paused), "")
    return f'{name} of "{service}" is paused, and would not replace its pods' if name else ""


def unannotated(plan: Plan, context: Context) -> str:
    """Whether the ServiceAccount is there without its annotation: no pod made then would have any identity."""
    service = plan.service
    account = context.cluster.service_account(service.namespace, service.name)
    bare = account is not None and account.role_arn is None
    return f'the role annotation of "{service}" is gone, without which IRSA does not take its pods back' if bare else ""


def _none_paused(plan: Plan, context: Context) -> None:
    problem = paused(plan, context)
    if problem:
        raise Blocked(problem, remedy="nothing was changed; resume it, then run the same command again")


def _healthy(plan: Plan, context: Context, pause: Callable[[], None]) -> None:
    _none_paused(plan, context)
    service = plan.service
    for workload in context.cluster.workloads_of(service.namespace, service.name):
        has_pods = how(workload) in REPLACED and workload.replicas > 0
        rollout = _rollout(workload.ref, context, pause) if has_pods else None
        if rollout is not None and not rollout.complete:
            counts = f"{rollout.updated} of {rollout.desired} updated, {rollout.ready} ready, {rollout.old} old"
            unknown = "its controller has not seen its newest spec yet"
            said = rollout.failure or (f"its rollout is not complete: {counts}" if rollout.seen else unknown)
            raise Blocked(
                f'{workload.ref} of "{service}" is not well before anything was changed: {said}',
                remedy="mend it, or let its rollout end, and run the same command again",
            )


def _rollout(ref: WorkloadRef, context: Context, pause: Callable[[], None]) -> Rollout | None:
    """The rollout, asked for again while its controller is behind: to a Deployment a new annotation is a new spec."""
    rollout = context.cluster.rollout(ref)
    for _ in range(_LOOKS - 1):
        if rollout is None or rollout.seen:
            break
        pause()
        rollout = context.cluster.rollout(ref)
    return rollout


def _bare(plan: Plan, context: Context) -> bool:
    """Somebody deleted the association after a run of ours took the annotation: the walk there is the way out."""
    account = context.cluster.service_account(plan.service.namespace, plan.service.name)
    return account is not None and account.role_arn is None


def _admitted_as_planned(plan: Plan, context: Context) -> None:
    """One probe of the gate that the association's step will have to pass.

    IRSA always does to begin with: an association that is there already may not have reached the webhook yet.
    """
    service = plan.service
    verify = next((step for step in plan.forward if step.kind is StepKind.VERIFY), None)
    if verify is None:
        return
    expected = Identity(verify.before["identity"])
    probe = context.cluster.probe(service.namespace, service.name)
    if probe.pod is None:
        raise Blocked(
            f'the admission gate of "{service}" cannot be asked: a dry run of its pod is refused: {probe.refusal}',
            remedy="nothing was changed; mend that first",
        )
    well = {expected, Identity.IRSA}
    if context.cluster.association(service.namespace, service.name) is not None:
        well.add(Identity.POD_IDENTITY)  # made by an earlier run of ours, or found: the association's step judges it
    elif _bare(plan, context):
        well.add(Identity.NONE)
    wrong = [f"{name} would have {seen}" for name, seen in identity.by_container(probe.pod) if seen not in well]
    if wrong:
        text = f'a pod of "{service}" made now would not be on {expected}, as the plan says: {", ".join(wrong)}'
        raise Blocked(text, remedy="nothing was changed; look at the pod identity webhook, then plan again")
