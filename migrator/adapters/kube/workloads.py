"""Structs to facts: the objects that make pods, and who is at the head of an owner chain. Pure."""

from collections.abc import Iterable

from migrator.adapters.kube.decode import pod_spec
from migrator.adapters.kube.structs import MetaOnly, Template
from migrator.adapters.kube.workload_structs import WorkloadObject
from migrator.model.facts import Workload, WorkloadRef

ROLLED = ("Deployment", "StatefulSet", "DaemonSet")  # by a change of the pod template
RESTARTABLE = (*ROLLED, "Rollout")
LISTED = (*RESTARTABLE, "CronJob", "Job", "ReplicaSet")
_LENDERS = frozenset({"Deployment", "ReplicaSet", "PodTemplate"})
_ENDED = frozenset({"Complete", "Failed"})


def workload(kind: str, found: WorkloadObject, lent: Template | None = None) -> Workload:
    """The fact for a workload of that kind; `lent` is the pod template that an Argo Rollout has by reference.

    A paused Argo Rollout is none here: its controller carries out a restart all the same.
    """
    template = lent or template_of(kind, found)
    meta = found.metadata
    return Workload(
        ref=WorkloadRef(kind=kind, namespace=meta.namespace, name=meta.name),
        uid=meta.uid,
        replicas=wanted(kind, found),
        spec=pod_spec(template.spec),
        labels=template.metadata.labels or {},
        annotations=template.metadata.annotations or {},
        strategy=_strategy(kind, found),
        paused=kind == "Deployment" and found.spec.paused,
        partition=partition_of(found) if kind == "StatefulSet" else 0,
    )


def _strategy(kind: str, found: WorkloadObject) -> str:
    if kind == "Rollout":
        return "BlueGreen" if found.spec.strategy.blue_green is not None else "Canary"
    return (found.spec.strategy if kind == "Deployment" else found.spec.update_strategy).type


def lender_of(kind: str, found: WorkloadObject) -> WorkloadRef | None:
    """The object whose pod template an Argo Rollout uses instead of one of its own."""
    ref = found.spec.workload_ref if kind == "Rollout" else None
    if ref is None or ref.kind not in _LENDERS:
        return None
    return WorkloadRef(kind=ref.kind, namespace=found.metadata.namespace, name=ref.name)


def partition_of(found: WorkloadObject) -> int:
    """A StatefulSet's partition; an update strategy other than RollingUpdate has none."""
    rolling = found.spec.update_strategy.rolling_update
    return (rolling.partition or 0) if rolling is not None else 0


def template_of(kind: str, found: WorkloadObject) -> Template:
    """The pod template, which a CronJob keeps one floor down and a PodTemplate one floor up."""
    if kind == "PodTemplate":
        return found.template
    return found.spec.job_template.spec.template if kind == "CronJob" else found.spec.template


def wanted(kind: str, found: WorkloadObject) -> int:
    """How many pods it wants now; the API's default is one where nothing is written."""
    spec = found.spec
    if kind == "DaemonSet":
        return found.status.desired_number_scheduled
    if kind == "CronJob":
        return 0
    if kind == "Job":
        return 0 if spec.suspend else _or_one(spec.parallelism)
    return _or_one(spec.replicas)


def makes_pods_itself(kind: str, found: WorkloadObject) -> bool:
    """Whether it is a workload in its own right: not a part of another one, and not over for good.

    A ReplicaSet with any controller belongs to that one; a Job with one (a CronJob, a workflow) as well. A finished Job
    makes no pods any more.
    """
    if kind == "ReplicaSet":
        return found.metadata.controller is None
    if kind == "Job":
        return found.metadata.controller is None and not _over(found)
    return True


def heads(kind: str, parts: Iterable[MetaOnly]) -> dict[tuple[str, str, str], WorkloadRef]:
    """For ReplicaSets or Jobs: which workload each belongs to; those of nobody are left out."""
    return {
        (part.metadata.namespace, kind, part.metadata.name): WorkloadRef(
            kind=owner.kind, namespace=part.metadata.namespace, name=owner.name
        )
        for part in parts
        if (owner := part.metadata.controller) is not None
    }


def _over(found: WorkloadObject) -> bool:
    return any(condition.type in _ENDED and condition.status == "True" for condition in found.status.conditions or ())


def _or_one(count: int | None) -> int:
    return 1 if count is None else count
