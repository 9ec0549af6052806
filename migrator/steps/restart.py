"""The workloads' pods: old → new, by a rollout that each workload's own controller carries out.

The stamp on the pod template is the run's id: a run that is taken up again finds it and does not restart twice.
"""

from migrator.model import identity
from migrator.model.facts import Rollout, WorkloadRef
from migrator.model.fleet import Waits
from migrator.model.identity import Identity
from migrator.model.plan import PlannedStep
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

_SLOW_STARTS = frozenset({"", "ContainerCreating", "PodInitializing"})


class RestartStep:
    """Stamps every workload that does not bear this run's stamp yet; the controllers do the rest."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """AFTER when all bear the run's stamp, or when on the way back no pod was ever taken from IRSA."""
        rollouts = {str(ref): context.cluster.rollout(ref) for ref in _refs(step)}
        gone = [name for name, rollout in rollouts.items() if rollout is None]
        if gone:
            return Reading(position=Position.OTHER, note=f"{', '.join(gone)} does not exist any more")
        stamps = {name: rollout.stamp for name, rollout in rollouts.items() if rollout}
        if _never_left(step, context):
            return Reading(position=Position.AFTER, image={"stamps": stamps}, note="no pod had been restarted")
        done = all(stamp == context.run for stamp in stamps.values())
        return Reading(position=Position.AFTER if done else Position.BEFORE, image={"stamps": stamps})

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Stamps those without the run's stamp."""
        for ref in _refs(step):
            rollout = context.cluster.rollout(ref)
            if rollout is not None and rollout.stamp != context.run:
                context.cluster.restart(ref, context.run)

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Every workload's rollout is complete."""
        for ref in _refs(step):
            rollout = context.cluster.rollout(ref)
            if rollout is None:
                return Failed(reason=f"{ref} does not exist any more")
            if rollout.failure:
                return Failed(reason=f"{ref}: {rollout.failure}")
            if not rollout.complete:
                return NotYet(reason=_progress(context, ref, rollout))
        return Settled(result={"stamp": context.run}, note=_note(step))

    def deadline(self, waits: Waits) -> float:
        """The fleet's `waits.rollout`, for all workloads of the service together."""
        return waits.rollout

    def hold(self, waits: Waits) -> float:
        """Verify holds."""
        del waits
        return 0.0


def _refs(step: PlannedStep) -> list[WorkloadRef]:
    namespace = step.on["namespace"]
    return [WorkloadRef(kind=w["kind"], namespace=namespace, name=w["name"]) for w in step.on["workloads"]]


def _never_left(step: PlannedStep, context: Context) -> bool:
    """On the way back: the restart there was never begun, and every pod is still on IRSA."""
    if step.after["restarted"] or context.forward:
        return False
    pods = context.cluster.pods_of(context.service.namespace, context.service.name)
    running = [pod for pod in pods if not pod.finished and not pod.deleting]
    return identity.of_pods(running) in {Identity.IRSA, Identity.NO_PODS}


def _progress(context: Context, ref: WorkloadRef, rollout: Rollout) -> str:
    counts = f"{rollout.updated} of {rollout.desired} updated, {rollout.ready} ready, {rollout.old} old"
    pods = context.cluster.pods_of(context.service.namespace, context.service.name)
    said = sorted({pod.trouble for pod in pods if pod.owner == ref and not pod.deleting} - _SLOW_STARTS)
    return f"{ref}: {counts}{'; ' if said else ''}{', '.join(said)}"


def _note(step: PlannedStep) -> str:
    count = len(step.on["workloads"])
    return f"{count} workload{'' if count == 1 else 's'} restarted" if count else "nothing to restart"
