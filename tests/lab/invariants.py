"""What must hold after every test on the practice fleet, whatever the test did and whatever went wrong in it.

CREDENTIALS  no pod of a service we touched is ever without credentials because of us (`tests.lab.served`)
ONCE         each change was made exactly as often as the journal says that it was
AGREE        store, plans and world agree
LOCKS        no lock is left
KEPT         what others changed is as they left it

Pure: facts in (`Seen`), violations out. A test that breaks one on purpose waives it, with its reason.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from migrator.model.journal import Outcome, Standing
from tests.lab.deeds import Judgement, pods_of, where, where_linked
from tests.lab.once import EDITS, once
from tests.lab.seen import PROGRAM, Seen, Service, shares
from tests.lab.served import credentials
from tests.lab.witness import PodLife

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
            if service is None or not EDITS & service.ours:
                yield f"{cluster_arn}/{namespace}/{name}", f"{role} has our statement and the store does not know it"


def _is_migrated(seen: Seen, service: Service) -> Iterator[str]:
    links = [one for one in seen.links if (one.cluster, one.namespace, one.account) == where(service)]
    if [one.role for one in links] != [service.role]:
        yield f"its associations are {[one.role for one in links]}"
    if seen.accounts.get(where(service)) not in {None, service.left} and not service.of_addon:
        yield f"its annotation is still {seen.accounts[where(service)]}"
    if EDITS & service.ours and not _has_share(seen, service):
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
    if service.source in seen.trusts and "source-role" not in service.found:
        yield f"its source role {service.source} is still there"
    others = any(where_linked(one) == where(service) for one in seen.links)
    wrong = [f"{pod.name} {pod.identity}" for pod in _judged(seen, service) if pod.identity in {"pod-identity", "none"}]
    if wrong and not others:
        yield f"pods are not back on IRSA: {', '.join(wrong)}"


def _is_open(seen: Seen, service: Service) -> Iterator[str]:
    """Half-way: a change that the ledger does not hold must not be in the world."""
    known = "annotation" in service.ours or service.of_addon
    if not known and seen.accounts.get(where(service)) != service.annotation:
        yield f"its annotation is {seen.accounts.get(where(service))}, and the store knows nothing of that"
    last = service.walked[-1]
    if last.run.outcome is Outcome.OPEN and last.run.ended:
        yield f"its run {last.run.id} is open and has an end"


def _has_share(seen: Seen, service: Service) -> bool:
    share = (service.cluster_arn, service.id.namespace, service.id.name)
    return share in shares(seen.trusts.get(service.role, {}))


def _judged(seen: Seen, service: Service) -> list[PodLife]:
    """The pods that run, stay, and are somebody's to replace."""
    return [pod for pod in pods_of(seen, service) if pod.well and not pod.finished and pod.owner not in {"", "Job"}]


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
