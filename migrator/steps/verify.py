"""Observes which identity every container of every pod really has; then runs the service's own check, if it has one."""

from collections.abc import Sequence

from migrator.model import identity
from migrator.model.facts import Json, Pod, WorkloadRef
from migrator.model.fleet import Waits
from migrator.model.identity import Identity
from migrator.model.plan import Check, PlannedStep
from migrator.steps.pods import judged, left_out, replaced_by_hand, run_check
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

_SHOWN = 6


class VerifyStep:
    """Changes nothing. BEFORE until this run has seen it: an observation made by an earlier run proves nothing now."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """Always to be done anew."""
        del step, context
        return Reading(position=Position.BEFORE)

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Nothing to change."""

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Every judged container has the expected identity and an agent, all are ready, the check passes."""
        expected = Identity(step.after["identity"])
        service = context.service
        pods = context.cluster.pods_of(service.namespace, service.name)
        seen = judged(pods)
        return (
            _identities(context, seen, expected)
            or _association(context, seen, expected)
            or _agents(context, seen, expected)
            or _readiness(seen)
            or _own_check(context, seen)
            or Settled(result=_result(seen, context.check), note=_note(seen, left_out(pods), expected, context.check))
        )

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.verify`, beside the settle period."""
        del step
        return waits.verify + waits.settle

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.settle`."""
        del step
        return waits.settle


def _identities(context: Context, pods: Sequence[Pod], expected: Identity) -> Settling | None:
    """Injection happens at admission only: a pod that came up wrong stays wrong, unless somebody is to replace it."""
    wrong = [
        (pod.owner, f"{pod.name}/{container} has {seen}")
        for pod in pods
        for container, seen in identity.by_container(pod)
        if seen is not expected
    ]
    if not wrong:
        return None
    reason = f"expected {expected}: {_listed([said for _, said in wrong])}"
    by_hand = _by_hand(context)
    return NotYet(reason=reason) if all(owner in by_hand for owner, _ in wrong) else Failed(reason=reason)


def _by_hand(context: Context) -> frozenset[WorkloadRef]:
    return replaced_by_hand(context.cluster.workloads_of(context.service.namespace, context.service.name))


def _association(context: Context, pods: Sequence[Pod], expected: Identity) -> Settling | None:
    """Nor do they without the association they are for: pods that were injected keep the variables when it is gone."""
    if expected is not Identity.POD_IDENTITY or not pods:
        return None
    found = context.cluster.association(context.service.namespace, context.service.name)
    if found is None:
        return NotYet(reason="the pods are set up for Pod Identity, but EKS lists no association")
    if context.role_arn and found.role_arn != context.role_arn:
        return Failed(reason=f'association "{found.id}" names another role, "{found.role_arn}"')
    return None


def _agents(context: Context, pods: Sequence[Pod], expected: Identity) -> Settling | None:
    """The variables alone give no credentials: each pod's node must have a ready agent, or one built in (Auto Mode)."""
    if expected is not Identity.POD_IDENTITY or not pods:
        return None
    built_in = {node.name for node in context.cluster.nodes() if node.compute_type == "auto"}
    served = context.cluster.agent().ready_nodes | built_in
    without = [f"{pod.name} on {pod.node or 'no node yet'}" for pod in pods if pod.node not in served]
    return NotYet(reason=f"no ready agent for {_listed(without)}") if without else None


def _readiness(pods: Sequence[Pod]) -> Settling | None:
    slow = [f"{pod.name}{f' ({pod.trouble})' if pod.trouble else ''}" for pod in pods if not pod.ready]
    return NotYet(reason=f"not ready: {_listed(slow)}") if slow else None


def _own_check(context: Context, pods: Sequence[Pod]) -> Settling | None:
    """Once, at the end of the settle period."""
    if context.check is None or not context.last_look:
        return None
    for pod in pods:
        ran = run_check(context.cluster, pod, context.check, context.waits.check)
        if ran.gone:
            return NotYet(reason=f"{pod.name} went away")
        if not ran.passed:
            return NotYet(reason=f"own check failed in {pod.name}/{ran.container}, {ran.said}")
    return None


def _result(pods: Sequence[Pod], check: Check | None) -> Json:
    containers = {f"{pod.name}/{name}": str(seen) for pod in pods for name, seen in identity.by_container(pod)}
    return {"containers": containers, "own_check": "passed" if check else "none"}


def _note(pods: Sequence[Pod], others: Sequence[str], expected: Identity, check: Check | None) -> str:
    left = f"; left out, bare or a Job's: {_listed(others)}" if others else ""
    if not pods:
        return f"no pods now: the next pod will show{left}"
    count = f"{len(pods)} pod{'' if len(pods) == 1 else 's'} on {expected}"
    return f"{count}{', own check passed' if check else ''}{left}"


def _listed(parts: Sequence[str]) -> str:
    shown = "; ".join(parts[:_SHOWN])
    return shown if len(parts) <= _SHOWN else f"{shown}; and {len(parts) - _SHOWN} more"
