"""What must hold after every test on the practice fleet, whatever the test did and whatever went wrong in it.

CREDENTIALS  no pod of a service we touched is ever without credentials because of us
ONCE         each change was made exactly as often as the journal says that it was
AGREE        store, plans and world agree
LOCKS        no lock is left
KEPT         what others changed is as they left it

Pure: facts in (`Seen`), violations out. A test that breaks one on purpose waives it, with its reason.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from migrator.model.journal import Direction, Outcome, Standing, Status
from tests.lab.deeds import Judgement, by_us, creates, done, trust_edits, where, where_linked
from tests.lab.once import once
from tests.lab.seen import PROGRAM, Seen, Service, Unanswered, shares
from tests.lab.witness import PodLife, moment

RUN_TAG, SERVICE_TAG = f"{PROGRAM}/run", f"{PROGRAM}/service"
ALL = "*"


class Invariant(StrEnum):
    """Their names, as waivers give them."""

    CREDENTIALS = "credentials"
    ONCE = "once"
    AGREE = "agree"
    LOCKS = "locks"
    KEPT = "kept"


@dataclass(frozen=True)
class Violation:
    """One thing that should not be so; `service` is its id, or empty for what belongs to none."""

    invariant: Invariant
    service: str
    text: str

    def __str__(self) -> str:
        return f"[{self.invariant}] {self.service or 'fleet'}: {self.text}"


@dataclass(frozen=True)
class Waiver:
    """A test's word that an invariant does not hold for a service (`*`: for any) on purpose."""

    invariant: Invariant
    service: str
    reason: str

    def covers(self, violation: Violation) -> bool:
        """Whether the violation is what it speaks of."""
        return self.invariant == violation.invariant and self.service in {ALL, violation.service}


def violations(seen: Seen, waivers: Sequence[Waiver] = ()) -> list[Violation]:
    """Everything that should not be so and that nobody waived."""
    found = [
        Violation(invariant, service, text) for invariant, judge in JUDGES.items() for service, text in judge(seen)
    ]
    return [one for one in found if not any(waiver.covers(one) for waiver in waivers)]


def credentials(seen: Seen) -> Judgement:
    """Pods made after we came have an identity; those on Pod Identity are served from first to last."""
    for service in seen.services:
        name = str(service.id)
        for pod in _pods_of(seen, service):
            if pod.born > service.first and pod.identity in {"none", "part"}:
                yield name, f"pod {pod.name} was admitted with identity {pod.identity}"
            if pod.identity == "pod-identity" and pod.born > service.first and not _served_when_ready(seen, pod):
                yield name, f"pod {pod.name} became ready on Pod Identity while its service had no association"
            for at in _shares_removed(seen, service):
                if _alive_at(pod, at) and pod.identity == "pod-identity":
                    yield name, f"pod {pod.name} was still on Pod Identity when its role's trust was taken away"
    touched = {(one.id.cluster, one.id.namespace, one.id.name): one for one in seen.services}
    for one in seen.unanswered:
        service_of = touched.get((one.cluster, one.namespace, one.account))
        if service_of is not None and one.at > service_of.first and not _on_its_way_back(service_of, one):
            yield str(service_of.id), f"pod {one.pod} was refused credentials: {one.why}"


def _on_its_way_back(service: Service, one: Unanswered) -> bool:
    """Between the association's end and the restart, a pod lives on what it was given; a fleet's may not have asked.

    EKS offers no other order: the webhook honours the annotation only when the association is gone.
    """
    if one.served_before:
        return False
    for walked in service.walked:
        lines = [line for line in walked.lines if walked.run.direction is Direction.BACK]
        begun = [moment(line.at) for line in lines if (line.step, line.status) == ("association", Status.STARTED)]
        over = [moment(line.at) for line in lines if (line.step, line.status) == ("restart", Status.DONE)]
        if begun and begun[0] <= one.at <= (over[-1] if over else float("inf")):
            return True
    return False


def _pods_of(seen: Seen, service: Service) -> list[PodLife]:
    key = (service.id.cluster, service.id.namespace, service.id.name)
    return [pod for pod in seen.pods if (pod.cluster, pod.namespace, pod.account) == key]


def _alive_at(pod: PodLife, at: float) -> bool:
    """`at` is well inside the pod's ready life: whole seconds are all that the API tells of ends."""
    return (
        pod.ready is not None and pod.ready[1] < at and not pod.finished and (pod.leaving is None or pod.leaving > at)
    )


def _served_when_ready(seen: Seen, pod: PodLife) -> bool:
    if pod.ready is None:
        return True
    since, until = pod.ready
    return any(begin <= until and since <= end for begin, end in _association_spans(seen, pod))


def _association_spans(seen: Seen, pod: PodLife) -> list[tuple[float, float]]:
    """When there was an association for the pod's ServiceAccount, as far as the call log tells."""
    cluster = seen.clusters[pod.cluster]
    made = creates(seen, cluster, pod.namespace, pod.account)
    ours = _association_ids(seen, pod)
    gone = [
        moment(call["time"])
        for call in done(seen, "DeletePodIdentityAssociation")
        if call["params"].get("associationId") in ours
    ]
    begins = [moment(call["time"]) for call in made] or [0.0]
    return [(begin, min((end for end in gone if end > begin), default=float("inf"))) for begin in begins]


def _association_ids(seen: Seen, pod: PodLife) -> set[str]:
    key = (pod.cluster, pod.namespace, pod.account)
    walked = [one for service in seen.services if where(service) == key for one in service.walked]
    results = [line.result for one in walked for line in one.lines if line.step == "association"]
    return {result["association"] for result in results if isinstance(result, Mapping) and result.get("association")}


def _shares_removed(seen: Seen, service: Service) -> list[float]:
    """When one of our calls took the service's share out of its role's trust."""
    times = []
    for before, call in trust_edits(seen, service.role):
        had, has = shares(before) if before else set(), shares(call["params"]["PolicyDocument"])
        share = (service.cluster_arn, service.id.namespace, service.id.name)
        if share in had and share not in has and by_us(call):
            times.append(moment(call["time"]))
    return times


def agree(seen: Seen) -> Judgement:
    """What the store says of a service is what the world shows, and nothing of ours is in the world unknown to it."""
    for problem in seen.broken_plans:
        yield "", f"a plan file cannot be read: {problem}"
    by_key = {where(service): service for service in seen.services}
    yield from _known(seen, by_key)
    for service in seen.services:
        judge = {
            Standing.MIGRATED: _is_migrated,
            Standing.ROLLED_BACK: _is_back,
        }.get(service.standing, _is_open)
        yield from ((str(service.id), f"is {service.standing}, but {text}") for text in judge(seen, service))


def _known(seen: Seen, by_key: Mapping[tuple[str, str, str], Service]) -> Judgement:
    for link in seen.links:
        if SERVICE_TAG in link.tags:
            service = by_key.get((link.cluster, link.namespace, link.account))
            if service is None or "association" not in service.ours:
                yield link.tags[SERVICE_TAG], f"association {link.id} bears our tags and the store does not know it"
    arns = {service.cluster_arn: service.id.cluster for service in seen.services}
    for role, document in seen.trusts.items():
        for cluster_arn, namespace, name in shares(document):
            service = by_key.get((arns.get(cluster_arn, cluster_arn), namespace, name))
            if service is None or "trust" not in service.ours:
                yield f"{cluster_arn}/{namespace}/{name}", f"{role} has our statement and the store does not know it"


def _is_migrated(seen: Seen, service: Service) -> Iterator[str]:
    links = [one for one in seen.links if (one.cluster, one.namespace, one.account) == where(service)]
    if [one.role for one in links] != [service.role]:
        yield f"its associations are {[one.role for one in links]}"
    if seen.accounts.get(where(service)) is not None:
        yield f"its annotation is still {seen.accounts[where(service)]}"
    if "trust" in service.ours and not _has_share(seen, service):
        yield f"{service.role} does not have our statement"
    wrong = [f"{pod.name} {pod.identity}" for pod in _judged(seen, service) if pod.identity != "pod-identity"]
    if wrong:
        yield f"pods are not on Pod Identity: {', '.join(wrong)}"


def _is_back(seen: Seen, service: Service) -> Iterator[str]:
    ours = [one.id for one in seen.links if where_linked(one) == where(service) and SERVICE_TAG in one.tags]
    if ours:
        yield f"our association {ours[0]} is still there"
    if seen.accounts.get(where(service)) != service.annotation:
        yield f"its annotation is {seen.accounts.get(where(service))}, before us it was {service.annotation}"
    if _has_share(seen, service):
        yield f"{service.role} still has our statement for it"
    others = any(where_linked(one) == where(service) for one in seen.links)
    wrong = [f"{pod.name} {pod.identity}" for pod in _judged(seen, service) if pod.identity in {"pod-identity", "none"}]
    if wrong and not others:
        yield f"pods are not back on IRSA: {', '.join(wrong)}"


def _is_open(seen: Seen, service: Service) -> Iterator[str]:
    """Half-way: a change that the ledger does not hold must not be in the world."""
    if "annotation" not in service.ours and seen.accounts.get(where(service)) != service.annotation:
        yield f"its annotation is {seen.accounts.get(where(service))}, and the store knows nothing of that"
    last = service.walked[-1]
    if last.run.outcome is Outcome.OPEN and last.run.ended:
        yield f"its run {last.run.id} is open and has an end"


def _has_share(seen: Seen, service: Service) -> bool:
    share = (service.cluster_arn, service.id.namespace, service.id.name)
    return share in shares(seen.trusts.get(service.role, {}))


def _judged(seen: Seen, service: Service) -> list[PodLife]:
    """The pods that run, stay, and are somebody's to replace."""
    return [pod for pod in _pods_of(seen, service) if pod.well and not pod.finished and pod.owner not in {"", "Job"}]


def locks(seen: Seen) -> Judgement:
    """Nobody holds anything; a row may be left only where a process was killed, and holds nothing then."""
    for key in seen.locks_held:
        yield "", f"lock {key} is held"
    if not seen.killed:
        for key in seen.lock_rows:
            yield "", f"lock {key} was left behind, and nobody was killed"


def kept(seen: Seen) -> Judgement:
    """What the test declared."""
    for one in seen.kept:
        if not one.so:
            yield "", f"not kept: {one.what}"


JUDGES: Mapping[Invariant, Callable[[Seen], Judgement]] = {
    Invariant.CREDENTIALS: credentials,
    Invariant.ONCE: once,
    Invariant.AGREE: agree,
    Invariant.LOCKS: locks,
    Invariant.KEPT: kept,
}
