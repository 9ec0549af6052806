"""Writes a plan's steps, there and back, as plain data: what the executor reads is what a person reviews.

The way back is no plain reverse. First the annotation returns and the association goes, then pods are made anew and
proven, and only then our share of the trust policy is taken out: until then both ways in stay open. The agent stays.
It leads to the state without us, whatever is seen at planning: what is in place then may be an earlier run's of ours.
Which of it is, and so is undone, only the journal knows.
"""

from collections.abc import Mapping

from migrator.model.facts import Json, Workload, WorkloadRef
from migrator.model.ids import AGENT_ADDON, MANAGED_BY, ROLE_ARN_ANNOTATION, RoleArn
from migrator.model.moving import how
from migrator.model.ownership import account_owner
from migrator.model.plan import PlannedStep, StepKind
from migrator.model.source_role import source_policy, source_tags, source_trust
from migrator.model.trust import Subject, statement_for
from migrator.planning.addon_drafts import addon_back, addon_there
from migrator.planning.addon_owners import AddonOwner
from migrator.planning.case import Case
from migrator.planning.crossing import refusal
from migrator.planning.findings.clusters import agent_found, needs_agent
from migrator.planning.findings.owners import why_left

Steps = tuple[PlannedStep, ...]

# what the way back leads to; the annotation goes back to the role it names now
_WITHOUT_US: Mapping[StepKind, Mapping[str, Json]] = {
    StepKind.TRUST: {"pod_identity": False},
    StepKind.SOURCE_ROLE: {"made": False},
    StepKind.TARGET_TRUST: {"pod_identity": False},
    StepKind.ASSOCIATION: {"role_arn": None},
    StepKind.RESTART: {"restarted": False},
    StepKind.VERIFY: {"identity": "irsa"},
}


def drafts(case: Case) -> tuple[Steps, Steps]:
    """The steps forward and the steps of the way back; none while the role cannot be associated at all."""
    view = case.role
    if view.role is None or view.merged is None or view.arn is None or not _associable(case, view.arn):
        return (), ()
    if case.addon is not None:
        return _through_addon(case, case.addon, view.role.id)
    trust, association, annotation = _trust(case, view.role.id), _association(case), _annotation(case)
    restart, verify = _restart(case), _verify(case)
    source = (_source(case),) if case.subject.source else ()
    forward = (_agent(case), *source, trust, association, annotation, restart, verify)
    back = tuple(map(_turned, (annotation, association, restart, verify, trust, *source)))
    return forward, back


def _associable(case: Case, arn: RoleArn) -> bool:
    return arn.partition == case.cluster.partition and not refusal(case)


def _through_addon(case: Case, owner: AddonOwner, role_id: str) -> tuple[Steps, Steps]:
    if not owner.supported:
        return (), ()
    trust, verify = _trust(case, role_id), _verify(case)
    forward = (_agent(case), trust, addon_there(case, owner), verify)
    return forward, (addon_back(case, owner), _turned(verify), _turned(trust))


def _turned(step: PlannedStep) -> PlannedStep:
    after = _WITHOUT_US.get(step.kind, step.before)
    return PlannedStep(id=step.id, kind=step.kind, on=step.on, before=step.after, after=after)


def _step(kind: StepKind, on: Json, before: Json, after: Json) -> PlannedStep:
    return PlannedStep(id=kind.value, kind=kind, on=on, before=before, after=after)


def _agent(case: Case) -> PlannedStep:
    on = {"cluster": case.cluster.name, "addon": AGENT_ADDON}
    return _step(StepKind.AGENT, on, {"agent": _agent_now(case)}, {"agent": "ready"})


def _agent_now(case: Case) -> str:
    if not agent_found(case):
        return "absent"
    covered = all(
        node.name in case.agent.ready_nodes
        for node in case.nodes.values()
        if node.os == "linux" and node.compute_type not in {"auto", "fargate", "hybrid"} and node.ready
    )
    return "ready" if covered or not needs_agent(case) else "installed"


def _trust(case: Case, role_id: str) -> PlannedStep:
    subject = case.subject
    after = {
        "pod_identity": True,
        "statement": statement_for(subject),
        "subject": subject.plain(),
    }
    on = {"role": case.role.written, "role_id": role_id}
    kind = StepKind.TARGET_TRUST if subject.source else StepKind.TRUST
    return _step(kind, on, {"pod_identity": case.role.allowed}, after)


def _source(case: Case) -> PlannedStep:
    """Its trust lets in the one service; where sessions bear no tags, there is nothing to tell services by."""
    subject, own = case.subject, Subject(case.cluster.arn, case.service.namespace, case.service.name)
    on = {"role": subject.source, "target": case.role.written, "subject": own.plain()}
    after = {
        "made": True,
        "trust": source_trust(statement_for(own), tagged=subject.tagged),
        "policy": source_policy(case.role.written),
        "tags": source_tags(str(case.service)),
    }
    return _step(StepKind.SOURCE_ROLE, on, {"made": case.role.source_there}, after)


def _association(case: Case) -> PlannedStep:
    on = {
        "cluster": case.cluster.name,
        "namespace": case.service.namespace,
        "service_account": case.service.name,
    }
    tags = {"managed-by": MANAGED_BY, f"{MANAGED_BY}/service": str(case.service)}
    before = {"role_arn": case.association.role_arn if case.association is not None else None}
    return _step(StepKind.ASSOCIATION, on, before, {**_associated(case), "tags": tags})


def _associated(case: Case) -> dict[str, Json]:
    source = case.subject.source
    if not source:
        return {"role_arn": case.role.written}
    tags = {} if case.subject.tagged else {"session_tags": False}
    return {"role_arn": source, "target_role_arn": case.role.written, **tags}


def _annotation(case: Case) -> PlannedStep:
    """With an owner who would put it back, the step leaves it to him."""
    on = {**_account(case), "uid": case.account.uid, "key": ROLE_ARN_ANNOTATION}
    owner = account_owner(case.account)
    if owner is not None:
        on["owner"] = owner.name
    return _step(StepKind.ANNOTATION, on, {"value": case.role.written}, {"value": None})


def _restart(case: Case) -> PlannedStep:
    judged = [(workload, why_left(workload)) for workload in sorted(case.workloads, key=_turn)]
    left = [{"kind": w.ref.kind, "name": w.ref.name, "why": why} for w, why in judged if why]
    left += [_left_pod(kind, name) for kind, name in _ownerless(case)]
    on = {**_account(case), "workloads": [_rolled(workload) for workload, why in judged if not why], "left": left}
    return _step(StepKind.RESTART, on, {"restarted": False}, {"restarted": True})


def _turn(workload: Workload) -> tuple[int, WorkloadRef]:
    """The smallest goes first: it is the canary of the others."""
    return workload.replicas, workload.ref


def _rolled(workload: Workload) -> Json:
    kind, name = workload.ref.kind, workload.ref.name
    return {"kind": kind, "name": name, "uid": workload.uid, "how": str(how(workload))}


def _ownerless(case: Case) -> list[tuple[str, str]]:
    pods = case.ownerless
    return sorted({(pod.owner.kind, pod.owner.name) if pod.owner else ("Pod", pod.name) for pod in pods})


def _left_pod(kind: str, name: str) -> Json:
    why = "a bare pod: nobody makes it anew" if kind == "Pod" else "of a kind that is not known here"
    return {"kind": kind, "name": name, "why": why}


def _verify(case: Case) -> PlannedStep:
    before = "pod-identity" if case.moved else "irsa"
    irsa = {
        "works": case.role.irsa is not None and case.role.irsa.works,
        "issuer": case.cluster.issuer_host,
        "audience": case.audience,
    }
    on = {**_account(case), "cluster_arn": case.cluster.arn, "irsa": irsa}
    return _step(StepKind.VERIFY, on, {"identity": before}, {"identity": "pod-identity"})


def _account(case: Case) -> dict[str, Json]:
    return {"namespace": case.service.namespace, "service_account": case.service.name}
