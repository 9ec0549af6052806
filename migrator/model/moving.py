"""How a workload's pods are made anew: by its controller, by eviction, by its next run, or by nobody here."""

from enum import StrEnum

from migrator.model.facts import Workload

ON_DELETE = "OnDelete"
_ROLLED = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


class How(StrEnum):
    """What replaces the pods; the value stands in plans."""

    ROLLOUT = "rollout"  # the controller, once the pod template is stamped
    RESTART_AT = "restartAt"  # the controller of Argo Rollouts, once it is told the time
    EVICT = "evict"  # nobody rolls them, but an evicted pod is made again
    NEXT = "next"  # a CronJob's next Job
    FINISH = "finish"  # a Job is left to its work
    PERSON = "person"  # of a kind unknown here: whether an evicted pod comes back is not known either


_BY_KIND = {"Rollout": How.RESTART_AT, "ReplicaSet": How.EVICT, "CronJob": How.NEXT, "Job": How.FINISH}
REPLACED = frozenset({How.ROLLOUT, How.RESTART_AT, How.EVICT})
STAMPED = frozenset({How.ROLLOUT, How.RESTART_AT})


def how(workload: Workload) -> How:
    """Whatever the number of its pods is.

    A StatefulSet with a partition rolls the pods above it only: all are evicted, and those below come back at their
    old revision, which is well, since the identity is given at admission.
    """
    if workload.ref.kind in _ROLLED:
        return How.EVICT if workload.strategy == ON_DELETE or workload.partition > 0 else How.ROLLOUT
    return _BY_KIND.get(workload.ref.kind, How.PERSON)
