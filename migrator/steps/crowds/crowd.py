"""The workloads whose pods are replaced from here, each with its pods, as one look shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.model import identity
from migrator.model.facts import Json, Pod, Rollout, Workload, WorkloadRef
from migrator.model.identity import Identity
from migrator.model.moving import REPLACED, STAMPED, How, how
from migrator.model.plan import PlannedStep
from migrator.steps.crowds.judged import live
from migrator.steps.step import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """One workload that has pods to replace, its live pods by name, and the identity they are to have.

    `rollout` is what its controller said before the pods were listed; None where it was not asked, or there is none.
    """

    workload: Workload
    pods: tuple[Pod, ...]
    wanted: Identity
    rollout: Rollout | None = None

    @property
    def ref(self) -> WorkloadRef:
        """Which workload."""
        return self.workload.ref

    @property
    def how(self) -> How:
        """How its pods are replaced."""
        return how(self.workload)

    @property
    def wrong(self) -> list[Pod]:
        """The pods with a container of another identity."""
        return [pod for pod in self.pods if is_wrong(pod, self.wanted)]

    @property
    def whole(self) -> bool:
        """Whether as many pods are ready as it wants, whatever its status says: that may be a moment old."""
        return sum(pod.ready for pod in self.pods) >= self.workload.replicas


def is_wrong(pod: Pod, wanted: Identity) -> bool:
    """Injection happens at admission only: a pod that came up wrong stays wrong."""
    return any(seen is not wanted for _, seen in identity.by_container(pod))


def crowds(step: PlannedStep, context: Context, wanted: Identity, *, rollouts: bool = False) -> list[Crowd]:
    """Those that are there now, in the order in which their turn comes: as planned, then what came since.

    Whatever was deleted or scaled to zero meanwhile has nothing to replace; what came or was scaled up has. With
    `rollouts` the controllers are asked too, and first: pods listed before a rollout is complete prove nothing of it.
    """
    service = context.service
    found = [w for w in context.cluster.workloads_of(service.namespace, service.name) if _has_pods(w)]
    said = {w.ref: context.cluster.rollout(w.ref) for w in found if rollouts and how(w) in STAMPED}
    pods = live(context.cluster.pods_of(service.namespace, service.name))
    return [
        Crowd(
            workload=one,
            pods=tuple(pod for pod in pods if pod.owner == one.ref),
            wanted=wanted,
            rollout=said.get(one.ref),
        )
        for one in _ordered(found, step.on.get("workloads", ()))
    ]


def _has_pods(workload: Workload) -> bool:
    return how(workload) in REPLACED and workload.replicas > 0


def _ordered(found: Sequence[Workload], planned: Sequence[Json]) -> list[Workload]:
    turns = {(one["kind"], one["name"]): turn for turn, one in enumerate(planned)}
    last = len(turns)
    return sorted(found, key=lambda w: (turns.get((w.ref.kind, w.ref.name), last), w.replicas, w.ref))
