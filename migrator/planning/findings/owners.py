"""Rules about what makes the service's pods, and whether it can make them anew."""

from collections.abc import Iterator

from migrator.model.facts import Workload
from migrator.model.moving import ON_DELETE, How, how
from migrator.model.plan import Finding
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found


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


_WHY_LEFT = {
    How.NEXT: "its next Job comes with the new identity",
    How.FINISH: "left to finish",
    How.PERSON: "of a kind that is not known here",
}


def why_left(workload: Workload) -> str:
    """Why the workload's pods are not replaced, or nothing when they are."""
    zero = "" if workload.replicas > 0 else "scaled to zero"
    return _WHY_LEFT.get(how(workload), zero)


def _about(case: Case, workload: Workload) -> Iterator[Finding]:
    name, kind, moved = str(workload.ref), workload.ref.kind, how(workload)
    if moved is How.NEXT:
        yield found("pending-verification", name, "kind", "its next Job will show")
    elif moved is How.FINISH:
        if any(pod.owner == workload.ref for pod in case.pods):
            yield found("job-left", name, "kind", kind)
    elif moved is How.PERSON:
        yield found("workload-kind", name, "kind", kind)
    elif workload.replicas == 0:
        yield found("pending-verification", name, "replicas", "scaled to zero")
    else:
        yield from _about_pods(workload, name)


def _about_pods(workload: Workload, name: str) -> Iterator[Finding]:
    if workload.strategy == ON_DELETE:
        yield found("on-delete", name, "updateStrategy", workload.strategy)
    elif workload.partition > 0:
        yield found("partition", name, "updateStrategy.rollingUpdate.partition", str(workload.partition))
    elif how(workload) is How.EVICT:
        yield found("no-rollout", name, "kind", workload.ref.kind)
    if workload.paused:
        yield found("paused", name, "spec.paused", "true")
