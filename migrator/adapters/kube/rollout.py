"""How far a rollout is, by the rules of `kubectl rollout status`, from one reading of the object. Pure.

A status counts only once its controller has seen the newest spec (`observedGeneration`); until then every pod
is an old one. `status.replicas` counts old pods too: a Deployment is through only when it equals the updated ones.
"""

from migrator.adapters.kube.workload_structs import WorkloadObject
from migrator.adapters.kube.workloads import partition_of, template_of, wanted
from migrator.model.facts import Rollout

STAMP = "irsa-migrator/restart"
_TOO_LONG = "ProgressDeadlineExceeded"
_ON_DELETE = "OnDelete"


def rollout(kind: str, found: WorkloadObject) -> Rollout:
    """The rollout of a Deployment, StatefulSet or DaemonSet."""
    return {"Deployment": deployment, "StatefulSet": stateful_set, "DaemonSet": daemon_set}[kind](found)


def deployment(found: WorkloadObject) -> Rollout:
    """Complete: as many updated as wanted, no others left, all available."""
    status, desired = found.status, wanted("Deployment", found)
    complete = _seen(found) and status.updated_replicas == desired == status.replicas == status.available_replicas
    failure = ""
    if _seen(found) and not complete:
        too_long = any(c.type == "Progressing" and c.reason == _TOO_LONG for c in status.conditions or ())
        failure = _TOO_LONG if too_long else "Paused" if found.spec.paused else ""
    return Rollout(
        desired=desired,
        updated=status.updated_replicas if _seen(found) else 0,
        ready=status.available_replicas,
        old=max(status.replicas - status.updated_replicas, 0) if _seen(found) else status.replicas,
        complete=complete,
        stamp=stamp_of("Deployment", found),
        failure=failure,
    )


def stateful_set(found: WorkloadObject) -> Rollout:
    """Complete: all ready and of the newest revision; with a partition, those above it."""
    status, desired = found.status, wanted("StatefulSet", found)
    partition = partition_of(found)
    by_hand = found.spec.update_strategy.type == _ON_DELETE
    if by_hand or partition > 0:
        through = status.updated_replicas >= max(desired - partition, 0)
    else:
        through = status.update_revision == status.current_revision
    ready = status.ready_replicas >= desired and status.replicas == desired
    return Rollout(
        desired=desired,
        updated=status.updated_replicas if _seen(found) else 0,
        ready=status.ready_replicas,
        old=max(status.replicas - status.updated_replicas, 0) if _seen(found) else status.replicas,
        complete=_seen(found) and through and ready,
        stamp=stamp_of("StatefulSet", found),
    )


def daemon_set(found: WorkloadObject) -> Rollout:
    """Complete: updated and available on every node it is scheduled to."""
    status = found.status
    desired = status.desired_number_scheduled
    return Rollout(
        desired=desired,
        updated=status.updated_number_scheduled if _seen(found) else 0,
        ready=status.number_available,
        old=max(desired - status.updated_number_scheduled, 0) if _seen(found) else desired,
        complete=_seen(found) and status.updated_number_scheduled >= desired and status.number_available >= desired,
        stamp=stamp_of("DaemonSet", found),
    )


def stamp_of(kind: str, found: WorkloadObject) -> str:
    """Our restart stamp on the pod template, or an empty string."""
    return (template_of(kind, found).metadata.annotations or {}).get(STAMP, "")


def _seen(found: WorkloadObject) -> bool:
    return 0 < found.metadata.generation <= found.status.observed_generation
