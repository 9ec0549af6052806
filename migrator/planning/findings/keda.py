"""Rules about KEDA, which takes on the roles of what it scales.

Source: KEDA's documentation of the AWS providers. `aws-eks`, and `aws` with identityOwner `workload`, read the role
from the annotation of the workload's ServiceAccount; a trigger whose own identityOwner is `operator` does not use it.
"""

from collections.abc import Iterator

from migrator.model.plan import Finding
from migrator.model.surroundings import Scaler, Trigger, TriggerAuthentication
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found
from migrator.planning.findings.controllers import runs

_PROVIDER, _LEGACY = "aws", "aws-eks"


def judge(case: Case) -> Iterator[Finding]:
    """Findings about what KEDA scales, and about KEDA itself."""
    known = case.around.of(TriggerAuthentication, case.service.namespace)
    for scaler in case.around.of(Scaler, case.service.namespace):
        if _is_about(scaler, case):
            yield from _annotation(scaler, known)
    if runs(case, "keda-operator"):
        yield from _operator(case)


def _is_about(scaler: Scaler, case: Case) -> bool:
    if scaler.target is None:
        return scaler.account == case.service.name
    return any(workload.ref == scaler.target for workload in case.workloads)


def _annotation(scaler: Scaler, known: list[TriggerAuthentication]) -> Iterator[Finding]:
    for trigger in scaler.triggers:
        for one in known:
            if one.workload and _uses(trigger, one):
                value = f"{one.provider}, identityOwner workload"
                yield found("keda-workload-identity", str(one.ref), "spec.podIdentity", value, scaler=scaler.ref)


def _uses(trigger: Trigger, one: TriggerAuthentication) -> bool:
    named = (trigger.kind, trigger.name) == (one.ref.kind, one.ref.name)
    return named and not (one.provider == _LEGACY and trigger.owner == "operator")


def _operator(case: Case) -> Iterator[Finding]:
    """Of all namespaces: KEDA's own ServiceAccount takes the roles on."""
    for one in case.around.every(TriggerAuthentication):
        if one.provider == _PROVIDER and (one.role or one.workload):
            field = "spec.podIdentity.roleArn" if one.role else "spec.podIdentity.identityOwner"
            yield found("keda-operator", str(one.ref), field, one.role or "workload")
