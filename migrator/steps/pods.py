"""What restart and verify agree on: which workloads roll, which pods they answer for, how the own check is run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrator.model.errors import Rejected
from migrator.model.facts import Pod, Workload, WorkloadRef
from migrator.model.plan import Check
from migrator.model.ports import Workloads

RESTARTABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_LEFT_ALONE = frozenset({"Job", "CronJob"})
_GONE = "NotFound"


def rolling(workloads: Iterable[Workload]) -> list[Workload]:
    """Those whose controller replaces their pods by itself, and that have pods to replace."""
    return sorted((one for one in workloads if _rolls(one) and one.replicas > 0), key=lambda one: one.ref)


def replaced_by_hand(workloads: Iterable[Workload]) -> frozenset[WorkloadRef]:
    """Those whose pods somebody has to replace: other kinds, `OnDelete`, and StatefulSets with a partition."""
    return frozenset(one.ref for one in workloads if not _rolls(one))


def _rolls(workload: Workload) -> bool:
    return workload.ref.kind in RESTARTABLE and workload.strategy != "OnDelete" and workload.partition == 0


def live(pods: Iterable[Pod]) -> list[Pod]:
    """Neither finished nor on their way out, by name."""
    return sorted((pod for pod in pods if not pod.finished and not pod.deleting), key=lambda pod: pod.name)


def judged(pods: Iterable[Pod]) -> list[Pod]:
    """The live ones that are neither bare nor a Job's, which nobody replaces."""
    return [pod for pod in live(pods) if pod.owner is not None and pod.owner.kind not in _LEFT_ALONE]


def left_out(pods: Iterable[Pod]) -> list[str]:
    """Names of the live pods that are not judged."""
    return [pod.name for pod in live(pods) if pod.owner is None or pod.owner.kind in _LEFT_ALONE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How the own check ended in one pod; `gone` when the pod went away before it could be asked."""

    container: str
    passed: bool
    said: str = ""
    gone: bool = False


def checked_container(pod: Pod, check: Check) -> str:
    """The container the check runs in: the one it names, else the first ordinary one."""
    return check.container or next((one.name for one in pod.spec.containers if not one.init), "")


def run_check(cluster: Workloads, pod: Pod, check: Check, timeout: float) -> Checked:
    """Runs the service's own check in a pod; `timeout` in seconds.

    Raises:
        MigrateError: the cluster cannot be asked.
    """
    container = checked_container(pod, check)
    try:
        result = cluster.run_in(pod, container, check.command, timeout)
    except Rejected as error:
        return Checked(container=container, passed=False, said=error.message, gone=error.reason == _GONE)
    last: Sequence[str] = result.output.strip().splitlines()[-1:] or ["no output"]
    said = f"exit {result.exit_code}: {last[0][:200]}"
    return Checked(container=container, passed=result.exit_code == 0, said=said)
