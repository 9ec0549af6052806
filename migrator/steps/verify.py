"""Observes which identity every container of every pod really has; then runs the service's own check, if it has one."""

from collections.abc import Sequence

from migrator.model import identity
from migrator.model.facts import Json, Pod
from migrator.model.fleet import Waits
from migrator.model.identity import Identity
from migrator.model.plan import Check, PlannedStep
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

_SHOWN = 6
_LEFT_ALONE = frozenset({"Job", "CronJob"})


class VerifyStep:
    """Changes nothing. BEFORE until this run has seen it: an observation made by an earlier run proves nothing now."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """Always to be done anew."""
        del step, context
        return Reading(position=Position.BEFORE)

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Nothing to change."""

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Every container of every live pod has the expected identity, all pods are ready, and the check passes."""
        expected = Identity(step.after["identity"])
        pods = judged(context.cluster.pods_of(context.service.namespace, context.service.name))
        wrong = _wrong(pods, expected)
        if wrong:  # injection happens at admission only: a pod that came up wrong stays wrong
            return Failed(reason=f"expected {expected}: {_listed(wrong)}")
        slow = [f"{pod.name}{f' ({pod.trouble})' if pod.trouble else ''}" for pod in pods if not pod.ready]
        if slow:
            return NotYet(reason=f"not ready: {_listed(slow)}")
        failed = _failed_check(context, pods)
        if failed:
            return NotYet(reason=failed)
        return Settled(result=_seen(pods, context.check), note=_note(pods, expected, context.check))

    def deadline(self, waits: Waits) -> float:
        """The fleet's `waits.verify`, beside the settle period."""
        return waits.verify + waits.settle

    def hold(self, waits: Waits) -> float:
        """The fleet's `waits.settle`."""
        return waits.settle


def judged(pods: Sequence[Pod]) -> list[Pod]:
    """Pods that a rollout answers for: live, and neither bare nor a Job's, which nobody restarts."""
    live = (pod for pod in pods if not pod.finished and not pod.deleting)
    rolled = (pod for pod in live if pod.owner is not None and pod.owner.kind not in _LEFT_ALONE)
    return sorted(rolled, key=lambda pod: pod.name)


def _wrong(pods: Sequence[Pod], expected: Identity) -> list[str]:
    return [
        f"{pod.name}/{container} has {seen}"
        for pod in pods
        for container, seen in identity.by_container(pod)
        if seen is not expected
    ]


def _failed_check(context: Context, pods: Sequence[Pod]) -> str:
    check = context.check
    if check is None:
        return ""
    for pod in pods:
        container = check.container or next((c.name for c in pod.spec.containers if not c.init), "")
        result = context.cluster.run_in(pod, container, check.command, context.waits.check)
        if result.exit_code != 0:
            last = result.output.strip().splitlines()[-1:] or ["no output"]
            return f"own check failed in {pod.name}/{container}, exit {result.exit_code}: {last[0][:200]}"
    return ""


def _seen(pods: Sequence[Pod], check: Check | None) -> Json:
    containers = {f"{pod.name}/{name}": str(seen) for pod in pods for name, seen in identity.by_container(pod)}
    return {"containers": containers, "own_check": "passed" if check else "none"}


def _note(pods: Sequence[Pod], expected: Identity, check: Check | None) -> str:
    if not pods:
        return "no pods now: the next pod will show"
    count = f"{len(pods)} pod{'' if len(pods) == 1 else 's'} on {expected}"
    return f"{count}, own check passed" if check else count


def _listed(parts: Sequence[str]) -> str:
    shown = "; ".join(parts[:_SHOWN])
    return shown if len(parts) <= _SHOWN else f"{shown}; and {len(parts) - _SHOWN} more"
