"""The invariant ONCE: counts what was really done against what the journal says, in both directions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from migrator.model.journal import Direction, Status
from tests.lab.deeds import Judgement, by_us, creates, done, pair, trust_edits, where
from tests.lab.seen import PROGRAM, Seen, Service, Walked

EDITS = frozenset({"trust", "target-trust"})  # the steps that edit the trust policy of the annotated role


def once(seen: Seen) -> Judgement:
    """Counts what was really done against what the journal says, in both directions."""
    yield from _trust_once(seen)
    for service in seen.services:
        name = str(service.id)
        made = {
            call["params"].get("clientRequestToken") for call in creates(seen, service.cluster, *pair(service), True)
        }
        yield from _counted(name, "association created", len(made), _begun(service, Direction.FORWARD, "association"))
        yield from _source_once(seen, service)
        if not service.of_addon:  # there EKS takes the annotation and puts it back
            yield from _annotation_once(seen, service)
        yield from _restarted_once(seen, service)
    yield from _deleted_once(seen)
    updates = {call["params"].get("clientRequestToken") for call in done(seen, "UpdateAddon") if by_us(call)}
    bounds = [_begun(service, direction, "addon") for service in seen.services for direction in Direction]
    yield from _counted("", "add-ons updated", len(updates), _sum(bounds))
    for alias, cluster in seen.clusters.items():
        added = [c for c in done(seen, "CreateAddon") if by_us(c) and c["params"].get("clusterName") == cluster]
        tokens = {call["params"].get("clientRequestToken") for call in added}
        of_cluster = [service for service in seen.services if service.id.cluster == alias]
        bounds = [_begun(service, Direction.FORWARD, "agent") for service in of_cluster]
        yield from _counted("", f"agent of {alias} installed", len(tokens), _sum(bounds))


Bounds = tuple[int, int]
_BEGINNINGS = {(Status.STARTED, old) for old in (None, Status.PENDING, Status.FAILED, Status.FOUND)}


def _counted(service: str, what: str, count: int, bounds: Bounds) -> Judgement:
    least, most = bounds
    if not least <= count <= most:
        expected = str(least) if least == most else f"{least} to {most}"
        yield service, f"{what} {count} times, the journal says {expected}"


def _begun(service: Service, direction: Direction, step: str) -> Bounds:
    """How often the journal says that the step was done, at least and at most.

    What was begun and not concluded may have been done or not. What failed may be begun again, and each further try
    that the journal announced with a memo of its own may be one more.
    """
    least = most = 0
    for walked in service.walked:
        lines = [line for line in walked.lines if line.step == step]
        if walked.run.direction is not direction or not lines:
            continue
        before = [None, *(line.status for line in lines)]
        starts = [line for line, old in zip(lines, before, strict=False) if (line.status, old) in _BEGINNINGS]
        least += walked.records[step].status is Status.DONE
        most += len(starts) + len(_announced(walked, step))
    return least, most


def _announced(walked: Walked, step: str) -> set[str]:
    """The further tries that the journal announced, each with a memo of its own; some memos say that none is made."""
    memos = [line.result for line in walked.lines if (line.step, line.status) == (step, Status.STARTED)]
    tried = [memo for memo in memos if memo and not (isinstance(memo, Mapping) and memo.get("write") is False)]
    return {repr(memo) for memo in tried}


def _intents(service: Service, direction: Direction, step: str) -> int:
    """How often the journal announced the step: a run that was cut off cannot know whether others undid its change."""
    lines = [line for walked in service.walked if walked.run.direction is direction for line in walked.lines]
    return sum((line.step, line.status) == (step, Status.STARTED) for line in lines)


def _sum(bounds: Sequence[Bounds]) -> Bounds:
    return sum(one[0] for one in bounds), sum(one[1] for one in bounds)


def _trust_once(seen: Seen) -> Judgement:
    for role in sorted({service.role for service in seen.services}):
        of_role = [service for service in seen.services if service.role == role]
        names = ", ".join(str(service.id) for service in of_role)
        edits = [(before, call) for before, call in trust_edits(seen, role) if by_us(call)]
        idle = sum(
            before is not None and _same_document(before, call["params"]["PolicyDocument"]) for before, call in edits
        )
        every = [(service, walked, step) for service in of_role for walked in service.walked for step in EDITS]
        announced = sum(len(_announced(walked, step)) for _, walked, step in every)
        if idle > announced:
            yield names, f"trust of {role} written again as it was, {idle} times"
        bounds = [
            _begun(service, direction, step) for service in of_role for direction in Direction for step in sorted(EDITS)
        ]
        yield from _counted(names, f"trust of {role} edited", len(edits), _sum(bounds))


def _same_document(one: str, other: str) -> bool:
    return "".join(one.split()) == "".join(other.split())


def _source_once(seen: Seen, service: Service) -> Judgement:
    """A source role is made, permitted, deprived of its permission and deleted by a call each."""
    there, back = (_begun(service, direction, "source-role") for direction in Direction)
    for operation, bounds in (
        ("CreateRole", there),
        ("PutRolePolicy", there),
        ("DeleteRolePolicy", back),
        ("DeleteRole", back),
    ):
        calls = [call for call in done(seen, operation) if by_us(call)]
        count = sum(call["params"]["RoleName"] == service.source.rpartition("/")[2] for call in calls)
        yield from _counted(str(service.id), f"{operation} of its source role", count, bounds)


def _annotation_once(seen: Seen, service: Service) -> Judgement:
    """Taken out as often as the journal says, and put back by us as often; others may put it back and take it, too."""
    key = where(service)
    moves = [one for one in seen.annotated if (one.cluster, one.namespace, one.account) == key]
    pairs = list(pairwise(moves))
    same = [(a, b) for a, b in pairs if a.uid == b.uid]
    taken = sum(a.value is not None and b.value is None for a, b in same)
    put = Counter(b.manager for a, b in same if a.value is None and b.value is not None)
    untold = put.pop("", 0)  # an object that nobody is said to manage, as an API server has it with nothing set
    by_us = put.pop(PROGRAM, 0)
    there, back = (_begun(service, direction, "annotation") for direction in Direction)
    most = min(there[1] + put.total() + untold, _intents(service, Direction.FORWARD, "annotation"))
    yield from _counted(str(service.id), "annotation taken out", taken, (there[0], most))
    yield from _counted(str(service.id), "annotation put back by us", by_us, (back[0] - untold, back[1]))


def _restarted_once(seen: Seen, service: Service) -> Judgement:
    """A run stamps a workload once, and again when somebody took the stamp out and the journal announced it."""
    name, key = str(service.id), where(service)
    stamped = [one for one in seen.stamped if (one.cluster, one.namespace, one.account) == key and one.stamp]
    runs = {walked.run.id for walked in service.walked}
    for (workload, stamp), count in Counter((one.workload, one.stamp) for one in stamped).items():
        if stamp in runs and count > _asked(service, stamp, workload):
            yield name, f"{workload} was restarted {count} times by run {stamp}"


def _asked(service: Service, run: str, workload: str) -> int:
    """How often the run announced that it would stamp the workload; once needs no announcement."""
    name = workload.split("/")[1]
    memos = [line.result or {} for one in service.walked if one.run.id == run for line in one.lines]
    asked = [tries for memo in memos if isinstance(memo, Mapping) for tries in memo.get("asked", {}).items()]
    return max([1, *(len(tries) for ref, tries in asked if ref.endswith(f" {name}"))])


def _deleted_once(seen: Seen) -> Judgement:
    """Deletions name ids only: all of ours together against all ways back together."""
    deleted = {c["params"].get("associationId") for c in done(seen, "DeletePodIdentityAssociation") if by_us(c)}
    bounds = [_begun(service, Direction.BACK, "association") for service in seen.services]
    yield from _counted("", "associations deleted", len(deleted), _sum(bounds))
