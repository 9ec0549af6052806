"""The workloads' pods: old → new, by a rollout that each workload's own controller carries out.

The stamp on the pod template is the run's id: a run that is taken up again finds it and does not restart twice. Which
workloads there are is looked up anew each time: one that was deleted meanwhile needs no restart, and one that came or
was scaled up has pods that must not be forgotten.
"""

from migrator.model import identity
from migrator.model.facts import Rollout, WorkloadRef
from migrator.model.fleet import Waits
from migrator.model.identity import Identity
from migrator.model.plan import PlannedStep
from migrator.steps.pods import live, rolling
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

_SLOW_STARTS = frozenset({"", "ContainerCreating", "PodInitializing"})


class RestartStep:
    """Stamps every workload that does not bear this run's stamp yet; the controllers do the rest."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """AFTER when all bear the run's stamp, or when on the way back no pod was ever taken from IRSA."""
        stamps = {str(ref): rollout.stamp for ref, rollout in _rollouts(context)}
        if _never_left(step, context):
            return Reading(position=Position.AFTER, image={"stamps": stamps}, note="no pod had been restarted")
        done = all(stamp == context.run for stamp in stamps.values())
        return Reading(position=Position.AFTER if done else Position.BEFORE, image={"stamps": stamps})

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Stamps those without the run's stamp."""
        del step
        for ref, rollout in _rollouts(context):
            if rollout.stamp != context.run:
                context.cluster.restart(ref, context.run)

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Every stamped workload's rollout is complete."""
        del step
        stamped = 0
        for ref, rollout in _rollouts(context):
            if rollout.failure:
                return Failed(reason=f"{ref}: {rollout.failure}")
            if not rollout.complete:
                return NotYet(reason=_progress(context, ref, rollout))
            stamped += rollout.stamp == context.run
        return Settled(result={"stamp": context.run}, note=_note(stamped))

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.rollout`, for all workloads of the service together."""
        del step
        return waits.rollout

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """Verify holds."""
        del step, waits
        return 0.0


def _rollouts(context: Context) -> list[tuple[WorkloadRef, Rollout]]:
    """Every workload that rolls now, with how far it is; one that goes away between two looks is left out."""
    service = context.service
    found = rolling(context.cluster.workloads_of(service.namespace, service.name))
    looked = ((workload.ref, context.cluster.rollout(workload.ref)) for workload in found)
    return [(ref, rollout) for ref, rollout in looked if rollout is not None]


def _never_left(step: PlannedStep, context: Context) -> bool:
    """On the way back: the restart there was never begun, and every pod is still on IRSA."""
    if step.after["restarted"] or context.forward:
        return False
    pods = context.cluster.pods_of(context.service.namespace, context.service.name)
    return identity.of_pods(live(pods)) in {Identity.IRSA, Identity.NO_PODS}


def _progress(context: Context, ref: WorkloadRef, rollout: Rollout) -> str:
    counts = f"{rollout.updated} of {rollout.desired} updated, {rollout.ready} ready, {rollout.old} old"
    pods = context.cluster.pods_of(context.service.namespace, context.service.name)
    said = sorted({pod.trouble for pod in pods if pod.owner == ref and not pod.deleting} - _SLOW_STARTS)
    return f"{ref}: {counts}{'; ' if said else ''}{', '.join(said)}"


def _note(count: int) -> str:
    return f"{count} workload{'' if count == 1 else 's'} restarted" if count else "nothing to restart"
