"""Observes which identity every container of every pod really has, and how far that can be proven from outside.

Three levels: the variables were seen; AWS answered from inside a pod; the service's own check passed. A pod that the
webhook missed is made anew once. Beside the pods it looks at what they live on: association, agents, trust policy.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from migrator.model import identity, trust
from migrator.model.facts import Json, Pod
from migrator.model.fleet import Waits
from migrator.model.identity import Identity
from migrator.model.moving import STAMPED
from migrator.model.plan import PlannedStep
from migrator.model.trust_match import irsa_match
from migrator.steps.crowd import Crowd, crowds, is_wrong
from migrator.steps.missed import MISSED, Memory, evict_next, expected, rerolled
from migrator.steps.pods import JOBS, count, judged, left_out, listed, run_check
from migrator.steps.questions import Answer, Word, ask
from migrator.steps.step import Context, Failed, NotYet, Position, Reading, Settled, Settling

_KEPT = 50  # containers that the journal names


class Level(StrEnum):
    """How far it was proven."""

    ENV = "env seen"
    CREDENTIALS = "credentials answered"
    CHECK = "own check passed"


class VerifyStep:
    """BEFORE until this run has seen it: an observation made by an earlier run proves nothing now."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """Always to be done anew."""
        del step, context
        return Reading(position=Position.BEFORE)

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Evicts a pod that the webhook missed, once the memo names it.

        Raises:
            Rejected: reason `budget` while a PodDisruptionBudget does not allow it.
        """
        memory = Memory(context.memory)
        if memory.count(MISSED):
            for crowd in crowds(step, context, _wanted(step)):
                evict_next(context.cluster, crowd, memory.uids(MISSED, crowd.ref))

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Every judged container has the expected identity and an agent, all are ready, the role lets them in."""
        wanted = _wanted(step)
        service = context.service
        pods = context.cluster.pods_of(service.namespace, service.name)
        seen = judged(pods, bare=context.recreate_bare_pods)
        found = crowds(step, context, wanted)
        problem = (
            _missed(context, found)
            or _others(seen, found, wanted)
            or _through(context, found)
            or _association(context, seen, wanted)
            or _agents(context, seen, wanted)
            or _readiness(seen)
        )
        if problem or not context.last_look:
            return problem or Settled()
        return _trust(step, context, wanted) or _proven(context, seen, pods, wanted)

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
    memory = Memory(context.memory)
    looks = (rerolled(crowd, memory, context.refused) for crowd in found)
    return next((one for one in looks if one is not None), None)


def _others(pods: Sequence[Pod], found: Sequence[Crowd], wanted: Identity) -> Settling | None:
    """Pods that nobody here replaces: their owner may do so yet."""
    here = {crowd.ref for crowd in found}
    wrong = [pod for pod in pods if pod.owner not in here and is_wrong(pod, wanted)]
    return NotYet(reason=expected(wanted, wrong)) if wrong else None


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
    if context.role_arn and found.role_arn != context.role_arn:
        return Failed(reason=f'association "{found.id}" names another role, "{found.role_arn}"')
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
    role = context.trust.role(context.role_arn) if context.role_arn else None
    if role is None:
        return NotYet(reason=f'role "{context.role_arn}" is not to be found') if context.role_arn else None
    if _lets_in(step.on, context, role.trust, wanted):
        return None
    said = "by Pod Identity" if wanted is Identity.POD_IDENTITY else "by IRSA"
    return NotYet(reason=f'the trust policy of role "{role.arn}" no longer lets "{context.service}" in {said}')


def _lets_in(on: Mapping[str, Json], context: Context, document: str, wanted: Identity) -> bool:
    """Where IRSA was broken when the plan was made, there is nothing to ask of it."""
    service, cluster_arn, irsa = context.service, on["cluster_arn"], on["irsa"]
    if wanted is Identity.POD_IDENTITY:
        return trust.allows(document, trust.Subject(cluster_arn, service.namespace, service.name))
    return (
        not irsa["works"]
        or irsa_match(
            document,
            issuer_host=irsa["issuer"],
            account=cluster_arn.split(":")[4],
            partition=cluster_arn.split(":")[1],
            namespace=service.namespace,
            name=service.name,
            audience=irsa["audience"],
        ).works
    )


def _proven(context: Context, seen: Sequence[Pod], pods: Sequence[Pod], wanted: Identity) -> Settling:
    """What is dear to ask: once, at the end of the settle period."""
    answers = []
    for answer in _asked(context, seen):
        if answer.word in {Word.REFUSED, Word.GONE}:
            return NotYet(reason=f"credentials in {answer.pod}/{answer.container}: {answer.said}")
        if answer.word is Word.WRONG_ROLE:
            said = f"{answer.pod}/{answer.container} is {answer.said}"
            return Failed(reason=f'{said}, expected role "{context.role_arn.rpartition("/")[2]}"')
        answers.append(answer)
    problem = _own_check(context, seen)
    if problem is not None:
        return problem
    proof = seen or _witnesses(pods, wanted)
    left = [name for name in left_out(pods, bare=context.recreate_bare_pods) if name not in {one.name for one in proof}]
    checked = replace(context, check=context.check if seen else None)
    return Settled(result=_result(checked, proof, answers), note=_note(checked, proof, left, wanted, answers))


def _witnesses(pods: Sequence[Pod], wanted: Identity) -> list[Pod]:
    """Where nothing else runs, a Job's pod proves it, over or not; one that began before us is no witness."""
    jobs = (pod for pod in pods if pod.owner is not None and pod.owner.kind in JOBS and identity.by_container(pod))
    return [pod for pod in jobs if not is_wrong(pod, wanted)]


def _asked(context: Context, pods: Sequence[Pod]) -> Iterator[Answer]:
    return ask(context.cluster, pods, context.role_arn, context.waits.check) if context.role_arn else iter(())


def _own_check(context: Context, pods: Sequence[Pod]) -> Settling | None:
    if context.check is None:
        return None
    for pod in pods:
        ran = run_check(context.cluster, pod, context.check, context.waits.check)
        if ran.gone:
            return NotYet(reason=f"{pod.name} went away")
        if not ran.passed:
            return NotYet(reason=f"own check failed in {pod.name}/{ran.container}, {ran.said}")
    return None


def _level(context: Context, pods: Sequence[Pod], answers: Sequence[Answer]) -> Level | None:
    if not pods:
        return None
    if context.check is not None:
        return Level.CHECK
    return Level.CREDENTIALS if answers and all(a.word is Word.ANSWERED for a in answers) else Level.ENV


def _result(context: Context, pods: Sequence[Pod], answers: Sequence[Answer]) -> Json:
    """The levels and what they rest on; of a crowd of containers only the first are named."""
    containers = {f"{pod.name}/{name}": str(seen) for pod in pods for name, seen in identity.by_container(pod)}
    level = _level(context, pods, answers)
    words = [answer.word for answer in answers]
    return {
        "containers": dict(list(containers.items())[:_KEPT]),
        "pods": len(pods),
        "level": str(level) if level else None,
        "credentials": {str(word): words.count(word) for word in sorted(set(words))},
        "own_check": "passed" if context.check and pods else "none",
        "missed": Memory(context.memory).count(MISSED),
    }


def _note(
    context: Context, pods: Sequence[Pod], others: Sequence[str], wanted: Identity, answers: Sequence[Answer]
) -> str:
    left = [f"left out, bare or a Job's: {listed(others)}"] if others else []
    if not pods:
        return "; ".join(["no pods now: the next pod will show", *left])
    parts = [f"{count(len(pods), 'pod')} on {wanted}"]
    parts += [str(Level.CREDENTIALS)] if any(a.word is Word.ANSWERED for a in answers) else []
    parts += [str(Level.CHECK)] if context.check else []
    unasked = sorted({a.said for a in answers if a.word is Word.OPEN})
    again = Memory(context.memory).count(MISSED)
    more = [f"credentials not asked everywhere: {listed(unasked)}"] if unasked else []
    more += [f"{count(again, 'pod')} that the webhook had missed made anew"] if again else []
    return "; ".join([", ".join(parts), *more, *left])
