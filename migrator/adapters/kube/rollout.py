"""How far a rollout is, by the rules of `kubectl rollout status`, from one reading of the object. Pure.

A status counts only once its controller has seen the newest spec (`observedGeneration`); until then every pod
is an old one. `status.replicas` counts old pods too: a Deployment is through only when it equals the updated ones.
"""

from dataclasses import replace
from datetime import datetime

from migrator.adapters.kube.workload_structs import WorkloadObject
from migrator.adapters.kube.workloads import RESTARTABLE, partition_of, template_of, wanted
from migrator.model.facts import Rollout

KINDS = (*RESTARTABLE, "ReplicaSet")
STAMP = "irsa-migrator/restart"
_TOO_LONG = "ProgressDeadlineExceeded"
_ON_DELETE = "OnDelete"
_INVALID_SPEC = "InvalidSpec"


def rollout(kind: str, found: WorkloadObject) -> Rollout:
    """The rollout of a workload of one of `KINDS`."""
    return replace(_BY_KIND[kind](found), seen=_seen(found))


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
    """Complete: all there and ready, and of the newest revision where its controller sees to that by itself.

    It does so neither with `OnDelete` nor below a partition.
    """
    status, desired = found.status, wanted("StatefulSet", found)
    partition = partition_of(found)
    if found.spec.update_strategy.type == _ON_DELETE:
        through = True
    elif partition > 0:
        through = status.updated_replicas >= desired - partition
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
    """Complete: available on every node it is scheduled to, and updated there unless that is left to people."""
    status = found.status
    desired = status.desired_number_scheduled
    by_hand = found.spec.update_strategy.type == _ON_DELETE
    through = by_hand or status.updated_number_scheduled >= desired
    return Rollout(
        desired=desired,
        updated=status.updated_number_scheduled if _seen(found) else 0,
        ready=status.number_available,
        old=max(desired - status.updated_number_scheduled, 0) if _seen(found) else desired,
        complete=_seen(found) and through and status.number_available >= desired,
        stamp=stamp_of("DaemonSet", found),
    )


def replica_set(found: WorkloadObject) -> Rollout:
    """Complete: as many as wanted, all available; it knows no revisions."""
    status, desired = found.status, wanted("ReplicaSet", found)
    return Rollout(
        desired=desired,
        updated=status.replicas if _seen(found) else 0,
        ready=status.available_replicas,
        old=0,
        complete=_seen(found) and status.replicas == desired == status.available_replicas,
    )


def argo(found: WorkloadObject) -> Rollout:
    """Complete: its controller has replaced every pod older than `spec.restartAt`, and all are available.

    `old` are the pods while a restart is under way: which of them are replaced the status does not tell. A canary that
    waits at a step, or was given up, is no failure of the restart.
    """
    status, desired = found.status, wanted("Rollout", found)
    restarted = _seen(found) and _same_time(found.spec.restart_at, status.restarted_at)
    complete = restarted and status.available_replicas >= desired and status.replicas >= desired
    return Rollout(
        desired=desired,
        updated=status.replicas if restarted else 0,
        ready=status.available_replicas,
        old=0 if restarted else status.replicas,
        complete=complete,
        stamp=(found.metadata.annotations or {}).get(STAMP, ""),
        failure="" if complete or not _seen(found) else _argo_failure(found),
    )


def _argo_failure(found: WorkloadObject) -> str:
    """Why its controller will not get further by itself: a spec it refuses, or no progress for too long."""
    for condition in found.status.conditions or ():
        if condition.type == _INVALID_SPEC and condition.status == "True":
            return _INVALID_SPEC
        if condition.type == "Progressing" and condition.reason == _TOO_LONG:
            return _TOO_LONG
    return ""


def _same_time(wanted_at: str | None, done_at: str | None) -> bool:
    if wanted_at is None:
        return True
    return done_at is not None and datetime.fromisoformat(wanted_at) == datetime.fromisoformat(done_at)


def stamp_of(kind: str, found: WorkloadObject) -> str:
    """Our restart stamp on the pod template, or an empty string."""
    return (template_of(kind, found).metadata.annotations or {}).get(STAMP, "")


def _seen(found: WorkloadObject) -> bool:
    """Whether the controller has seen the newest spec; what is no number (a hash, in old Argo) is taken as seen."""
    observed = str(found.status.observed_generation)
    if not observed.isdigit():
        return True
    return 0 < found.metadata.generation <= int(observed)


_BY_KIND = {
    "Deployment": deployment,
    "StatefulSet": stateful_set,
    "DaemonSet": daemon_set,
    "ReplicaSet": replica_set,
    "Rollout": argo,
}
