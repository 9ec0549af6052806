"""Observes which identity every container of every pod really has, and how far that can be proven from outside.

Three levels: the variables were seen; AWS answered from inside a pod; the service's own check passed. A pod that the
webhook missed is made anew once. Beside the pods it looks at what they live on: association, agents, trust policy.
Back, no pod may be left on Pod Identity, whoever it belongs to: what lets it in is about to be taken out.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from migrator.model.facts import Json, Pod, Role
from migrator.model.fleet import Waits
from migrator.model.identity import Identity
from migrator.model.moving import STAMPED
from migrator.model.plan import PlannedStep
from migrator.model.trust.match import irsa_match
from migrator.steps.crowds.crowd import Crowd, crowds, is_wrong
from migrator.steps.crowds.doors import closed
from migrator.steps.crowds.judged import count, judged, listed, live
from migrator.steps.crowds.logs import last_words
from migrator.steps.crowds.metadata import fallen_to
from migrator.steps.crowds.missed import MISSED, Memory, evict_next, expected, rerolled
from migrator.steps.crowds.proof import proven
from migrator.steps.crowds.stuck import on_pod_identity
from migrator.steps.crowds.trying import each
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling


@dataclass(frozen=True, slots=True)
class VerifyStep:
    """BEFORE until this run has seen it: an observation made by an earlier run proves nothing now.

    `now` tells seconds that only grow.
    """

    now: Callable[[], float] = time.monotonic

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """Always to be done anew."""
        del step, context
        return Reading(position=Position.BEFORE)

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Evicts a pod of each workload that the webhook missed, once the memo names it.

        Raises:
            Rejected: at the end, reason `budget` while a PodDisruptionBudget does not allow it.
        """
        memory = Memory(context.memory)
        found = crowds(step, context, _wanted(step)) if memory.count(MISSED) else []
        each(partial(evict_next, context.cluster, crowd, memory.uids(MISSED, crowd.ref)) for crowd in found)

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Every judged container has the expected identity and an agent, all are ready, the role lets them in."""
        answer = self._seen(step, context)
        if not (isinstance(answer, NotYet) and answer.holding):
            context.between.clear()  # what was answered counts in one settle period only
        return answer

    def _seen(self, step: PlannedStep, context: Context) -> Settling:
        wanted = _wanted(step)
        service = context.service
        pods = context.cluster.pods_of(service.namespace, service.name)
        seen = judged(pods, bare=context.judges_bare and not step.on.get("as_found"))
        found = crowds(step, context, wanted)
        problem = (
            _missed(context, found)
            or _others(seen, found, wanted)
            or _left_behind(pods, seen, wanted)
            or _crashed(context, seen, wanted)
            or _through(context, found)
            or _association(context, seen, wanted)
            or _agents(context, seen, wanted)
            or _readiness(seen)
        )
        if problem or not context.last_look:
            return problem or Settled()
        return _trust(step, context, wanted) or proven(context, seen, pods, wanted, self.now)

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.verify`, beside the settle period."""
        del step
        return waits.verify + waits.settle

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """The fleet's `waits.settle`."""
        del step
        return waits.settle


def _wanted(step: PlannedStep) -> Identity:
    return Identity(step.after["identity"])


def _missed(context: Context, found: Sequence[Crowd]) -> Settling | None:
    """What any workload is waiting for; what is to be made anew is remembered of all of them at once.

    Back, one that fails counts once nothing is left to do for the others.
    """
    memory = Memory(context.memory)
    looks = [one for one in (rerolled(crowd, memory, context.refused) for crowd in found) if one is not None]
    failed = next((one for one in looks if isinstance(one, Failed)), None)
    memos = [one.memo for one in looks if isinstance(one, NotYet) and one.memo is not None]
    first = next((one for one in looks if isinstance(one, NotYet) and one.again), None)
    if first is None or (failed and found[0].wanted is Identity.POD_IDENTITY):
        return failed or next(iter(looks), None)
    return replace(first, memo=memory.merged(memos) if memos else None)


def _others(pods: Sequence[Pod], found: Sequence[Crowd], wanted: Identity) -> Settling | None:
    """Pods that nobody here replaces: their owner may do so yet."""
    here = {crowd.ref for crowd in found}
    wrong = [pod for pod in pods if pod.owner not in here and is_wrong(pod, wanted)]
    return NotYet(reason=f"{expected(wanted, wrong)}{fallen_to(wrong)}") if wrong else None


def _left_behind(pods: Sequence[Pod], seen: Sequence[Pod], wanted: Identity) -> Settling | None:
    """Back: a Job's pod, or a bare one, that came in while the association was there."""
    left = [pod.name for pod in live(pods) if pod not in seen and on_pod_identity(pod)]
    if wanted is not Identity.IRSA or not left:
        return None
    return NotYet(reason=f"still on Pod Identity: {listed(left)}; let them finish, or delete them")


def _crashed(context: Context, pods: Sequence[Pod], wanted: Identity) -> Settling | None:
    """There: waiting does not help a container whose SDK is too old."""
    there = wanted is Identity.POD_IDENTITY
    too_old = last_words(context.cluster, pods, context.waits.log_lines) if there else ""
    return Failed(reason=too_old) if too_old else None


def _through(context: Context, found: Sequence[Crowd]) -> Settling | None:
    """No pod of an older revision is left, and none is still to come."""
    for crowd in found:
        rollout = context.cluster.rollout(crowd.ref) if crowd.how in STAMPED else None
        if rollout is not None and rollout.old:
            return NotYet(reason=f"{crowd.ref}: {count(rollout.old, 'old pod')} still there")
        if rollout is not None and not rollout.complete:
            return NotYet(reason=f"{crowd.ref}: {rollout.ready} of {count(rollout.desired, 'pod')} ready")
    return None


def _association(context: Context, pods: Sequence[Pod], wanted: Identity) -> Settling | None:
    """Nor do they without the association they are for: pods that were injected keep the variables when it is gone."""
    if wanted is not Identity.POD_IDENTITY or not pods:
        return None
    found = context.cluster.association(context.service.namespace, context.service.name)
    if found is None:
        return NotYet(reason="the pods are set up for Pod Identity, but EKS lists no association")
    if context.role_arn and (found.role_arn, found.target_role_arn) != (context.role_arn, context.target):
        named = found.role_arn if found.role_arn != context.role_arn else found.target_role_arn
        return Failed(reason=f'association "{found.id}" names another role, "{named}"')
    return None


def _agents(context: Context, pods: Sequence[Pod], wanted: Identity) -> Settling | None:
    """The variables alone give no credentials: each pod's node must have a ready agent, or one built in (Auto Mode)."""
    if wanted is not Identity.POD_IDENTITY or not pods:
        return None
    built_in = {node.name for node in context.cluster.nodes() if node.compute_type == "auto"}
    served = context.cluster.agent().ready_nodes | built_in
    without = [f"{pod.name} on {pod.node or 'no node yet'}" for pod in pods if pod.node not in served]
    return NotYet(reason=f"no ready agent for {listed(without)}") if without else None


def _readiness(pods: Sequence[Pod]) -> Settling | None:
    slow = [f"{pod.name}{f' ({pod.trouble})' if pod.trouble else ''}" for pod in pods if not pod.ready]
    return NotYet(reason=f"not ready: {listed(slow)}") if slow else None


def _trust(step: PlannedStep, context: Context, wanted: Identity) -> Settling | None:
    """A trust policy that was put back shows nowhere else until credentials expire. IAM's reads may be stale: wait."""
    if wanted is Identity.POD_IDENTITY:
        problem = closed(context, step.on["cluster_arn"])
        return NotYet(reason=problem) if problem else None
    arn = context.identity_arn
    role = context.trust.role(arn) if arn else None
    if role is None:
        return NotYet(reason=f'role "{arn}" is not to be found') if arn else None
    if _by_irsa(step.on, context, role):
        return None
    return NotYet(reason=f'the trust policy of role "{role.arn}" no longer lets "{context.service}" in by IRSA')


def _by_irsa(on: Mapping[str, Json], context: Context, role: Role) -> bool:
    """Where IRSA was broken when the plan was made, there is nothing to ask of it."""
    service, irsa = context.service, on["irsa"]
    return (
        not irsa["works"]
        or irsa_match(
            role.trust,
            issuer_host=irsa["issuer"],
            account=role.account,
            partition=on["cluster_arn"].split(":")[1],
            namespace=service.namespace,
            name=service.name,
            audience=irsa["audience"],
        ).works
    )
