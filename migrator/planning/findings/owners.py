"""Rules about what makes the service's pods, and whether it can make them anew."""

from collections.abc import Iterator

from migrator.model.facts import Workload
from migrator.model.plan import Finding
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found

ROLLED = ("Deployment", "StatefulSet", "DaemonSet")
_RUNS_LATER = "CronJob"
_FINISHES = "Job"


def judge(case: Case) -> Iterator[Finding]:
    """Findings about workloads and bare pods."""
    for workload in case.workloads:
        yield from _about(case, workload)
    for pod in case.ownerless:
        if pod.owner is None:
            yield found("bare-pods", f"Pod {pod.name}", "ownerReferences")
        else:
            yield found("workload-kind", str(pod.owner), "kind", pod.owner.kind)
    if not case.workloads and not case.pods:
        yield found("no-workloads", f"ServiceAccount {case.service.name}")


def why_left(workload: Workload) -> str:
    """Why the workload is not restarted, or nothing when it is."""
    if workload.ref.kind == _RUNS_LATER:
        return "its next Job comes with the new identity"
    if workload.ref.kind == _FINISHES:
        return "left to finish"
    if workload.ref.kind not in ROLLED:
        return "no controller rolls it"
    if workload.strategy == "OnDelete":
        return "update strategy OnDelete"
    if workload.partition > 0:
        return f"update strategy with partition {workload.partition}"
    return "" if workload.replicas > 0 else "scaled to zero"


def _about(case: Case, workload: Workload) -> Iterator[Finding]:
    name, kind = str(workload.ref), workload.ref.kind
    if kind == _RUNS_LATER:
        yield found("pending-verification", name, "kind", "its next Job will show")
    elif kind == _FINISHES:
        if any(pod.owner == workload.ref for pod in case.pods):
            yield found("job-left", name, "kind", kind)
    elif kind not in ROLLED:
        yield found("workload-kind", name, "kind", kind)
    elif workload.replicas == 0:
        yield found("pending-verification", name, "replicas", "scaled to zero")
    else:
        yield from _about_rollout(workload, name)


def _about_rollout(workload: Workload, name: str) -> Iterator[Finding]:
    if workload.strategy == "OnDelete":
        yield found("on-delete", name, "updateStrategy", workload.strategy)
    if workload.partition > 0:
        yield found("partition", name, "updateStrategy.rollingUpdate.partition", str(workload.partition))
    if workload.paused:
        yield found("paused", name, "spec.paused", "true")
