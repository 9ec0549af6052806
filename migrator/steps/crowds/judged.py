"""What restart and verify agree on: which pods they answer for, and how the own check is run in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrator.model.errors import Rejected
from migrator.model.facts import Pod, Workload, WorkloadRef
from migrator.model.moving import REPLACED, how
from migrator.model.plan import Check
from migrator.model.ports.steps import Workloads

JOBS = frozenset({"Job", "CronJob"})  # their pods are left to finish
SLOW_STARTS = frozenset({"", "ContainerCreating", "PodInitializing"})  # no trouble of a pod that is only starting
_GONE = "NotFound"
_SHOWN = 6


def replaced_here(workloads: Iterable[Workload]) -> frozenset[WorkloadRef]:
    """The workloads whose pods a restart replaces, in whichever way."""
    return frozenset(one.ref for one in workloads if how(one) in REPLACED)


def live(pods: Iterable[Pod]) -> list[Pod]:
    """Neither finished nor on their way out, by name."""
    return sorted((pod for pod in pods if not pod.finished and not pod.deleting), key=lambda pod: pod.name)


def judged(pods: Iterable[Pod], *, bare: bool = False) -> list[Pod]:
    """The live ones but a Job's, which is left to finish, and the bare ones, unless those are made anew too."""
    return [pod for pod in live(pods) if _answered_for(pod, bare=bare)]


def left_out(pods: Iterable[Pod], *, bare: bool = False) -> list[str]:
    """Names of the live pods that are not judged."""
    return [pod.name for pod in live(pods) if not _answered_for(pod, bare=bare)]


def _answered_for(pod: Pod, *, bare: bool) -> bool:
    return bare if pod.owner is None else pod.owner.kind not in JOBS


def listed(parts: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    shown = "; ".join(parts[:_SHOWN])
    return shown if len(parts) <= _SHOWN else f"{shown}; and {len(parts) - _SHOWN} more"


def count(number: int, word: str) -> str:
    """`1 pod`, `2 pods`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How the own check ended in one pod; `gone` when the pod went away before it could be asked."""

    pod: str
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
        return Checked(pod=pod.name, container=container, passed=False, said=error.message, gone=error.reason == _GONE)
    last: Sequence[str] = result.output.strip().splitlines()[-1:] or ["no output"]
    said = f"exit {result.exit_code}: {last[0][:200]}"
    return Checked(pod=pod.name, container=container, passed=result.exit_code == 0, said=said)
