"""Pods that came up with the wrong identity although the gate had passed: made anew once, by eviction.

The webhook fails open, and each API server learns of an association in its own time, so that a pod may be missed. Once
is bad luck; a pod that is wrong again is a failure. Which pods were missed stands in the step's memo before the first
of them is touched: a run that is taken up again neither forgets nor repeats.

A new pod does not say whose place it takes. So the memo also holds which pods were there when some were last found
missed: those that came since, and are well, must be as many as were made anew since.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from migrator.model import identity
from migrator.model.facts import Json, Pod, WorkloadRef
from migrator.model.identity import Identity
from migrator.model.ports.steps import Workloads
from migrator.steps.crowds.crowd import Crowd
from migrator.steps.crowds.judged import SLOW_STARTS, listed
from migrator.steps.crowds.metadata import fallen_to
from migrator.steps.step import Failed, NotYet, Settling

MISSED = "missed"
BEFORE = "before"  # the pods that were wrong when a workload's turn came
_SEEN = "seen"  # the pods that were there when some were last found missed


@dataclass(frozen=True, slots=True)
class Memory:
    """A step's memo: lists of pod uids, by what they are remembered for and by workload."""

    memo: Json

    def uids(self, part: str, ref: WorkloadRef) -> frozenset[str]:
        """What is remembered of the workload's pods."""
        return frozenset(self._part(part).get(str(ref), ()))

    def has(self, part: str, ref: WorkloadRef) -> bool:
        """Whether anything is, even that there were no such pods."""
        return str(ref) in self._part(part)

    def adding(self, part: str, ref: WorkloadRef, uids: Iterable[str]) -> Json:
        """The memo with these in it."""
        return self.having(part, ref, self.uids(part, ref) | set(uids))

    def having(self, part: str, ref: WorkloadRef, uids: Iterable[str]) -> Json:
        """The memo with these in it instead of what it had there."""
        return {**(self.memo or {}), part: {**self._part(part), str(ref): sorted(uids)}}

    def merged(self, memos: Iterable[Json]) -> Json:
        """The memo with what each of these, made from it, has otherwise; they are about different workloads."""
        parts = {part: dict(self._part(part)) for part in self.memo or {}}
        for memo in memos:
            for part, by_ref in memo.items():
                changed = {ref: uids for ref, uids in by_ref.items() if uids != self._part(part).get(ref)}
                parts[part] = {**parts.get(part, {}), **changed}
        return parts

    def count(self, part: str) -> int:
        """Of how many pods, over all workloads."""
        return sum(len(uids) for uids in self._part(part).values())

    def _part(self, part: str) -> Mapping[str, Sequence[str]]:
        found: Mapping[str, Sequence[str]] = (self.memo or {}).get(part, {})
        return found


def rerolled(crowd: Crowd, memory: Memory, refused: str, *, among: Sequence[Pod] | None = None) -> Settling | None:
    """None when no pod was missed, or all that were have been made anew and are well.

    Args:
        crowd: the workload; its wrong pods that are remembered as BEFORE are left to the caller.
        memory: what was missed until now.
        refused: why the last eviction was refused, if it was.
        among: those of its pods that can be judged already; without them, all.
    """
    known = memory.uids(MISSED, crowd.ref)
    wrong = [pod for pod in crowd.wrong if among is None or pod in among]
    fresh = [pod for pod in wrong if pod.uid not in known | memory.uids(BEFORE, crowd.ref)]
    if fresh:
        return _fresh(crowd, memory, fresh)
    left = [pod for pod in crowd.wrong if pod.uid in known]
    if left:
        reason = f"{expected(crowd.wanted, left)}; being made anew{held_up(refused)}"
        return NotYet(reason=reason, again=True, stage=str(crowd.ref))
    return None


def _fresh(crowd: Crowd, memory: Memory, fresh: Sequence[Pod]) -> Settling:
    hopeless = [pod for pod in fresh if _written(pod)]
    if hopeless:
        return Failed(reason=expected(crowd.wanted, hopeless), memo=memory.memo)
    if _outstanding(crowd, memory) and len(crowd.pods) < crowd.workload.replicas:
        return NotYet(reason=f"{crowd.ref}: pods made anew are still to come", stage=str(crowd.ref))
    if _again(crowd, memory, fresh):
        reason = f"{expected(crowd.wanted, fresh)} again, made anew once already{fallen_to(fresh)}"
        return Failed(reason=reason, memo=memory.memo)
    reason = f"{expected(crowd.wanted, fresh)}; missed by the webhook, to be made anew once"
    memo = Memory(memory.having(_SEEN, crowd.ref, uids_of(crowd.pods))).adding(MISSED, crowd.ref, uids_of(fresh))
    return NotYet(reason=reason, again=True, memo=memo, stage=str(crowd.ref))


def _outstanding(crowd: Crowd, memory: Memory) -> int:
    """Of how many missed pods that were made anew the new one is not there yet, or not well."""
    known, there = memory.uids(MISSED, crowd.ref), frozenset(uids_of(crowd.pods))
    if not memory.has(_SEEN, crowd.ref):
        return len(known - there)
    seen = memory.uids(_SEEN, crowd.ref)
    well = there - seen - frozenset(uids_of(crowd.wrong))
    return max(len((known & seen) - there) - len(well), 0)


def _again(crowd: Crowd, memory: Memory, fresh: Sequence[Pod]) -> bool:
    """Whether one place was missed twice: a new one is not well, or more were missed than there are places."""
    missed = len(memory.uids(MISSED, crowd.ref)) + len(fresh)
    return _outstanding(crowd, memory) > 0 or missed > max(crowd.workload.replicas, len(crowd.pods))


def evict_next(cluster: Workloads, crowd: Crowd, uids: frozenset[str]) -> None:
    """Evicts one wrong pod of these, so that the workload has no more pods down for it than it would have anyway.

    One in trouble (a crash loop) goes at once: it serves nobody. One that is not ready may be so for a moment only: it
    goes while no other is still to come, or enough are ready. A ready one goes only while enough are.

    Raises:
        Rejected: reason `budget` while a PodDisruptionBudget does not allow it.
    """
    due = [pod for pod in crowd.wrong if pod.uid in uids]
    idle = [pod for pod in due if not pod.ready]
    broken = [pod for pod in idle if pod.trouble not in SLOW_STARTS]
    spare = idle if crowd.whole or not _coming(crowd, due) else []
    for pod in (broken or spare or (due if crowd.whole else []))[:1]:
        cluster.evict(pod)


def _coming(crowd: Crowd, due: Sequence[Pod]) -> bool:
    """Whether a pod of it is missing, or not ready, beside those that are to go."""
    starting = [pod for pod in crowd.pods if not pod.ready and pod not in due]
    return bool(starting) or len(crowd.pods) < crowd.workload.replicas


def uids_of(pods: Iterable[Pod]) -> list[str]:
    """What the memo holds of them."""
    return [pod.uid for pod in pods]


def expected(wanted: Identity, pods: Sequence[Pod]) -> str:
    """Which containers have what instead."""
    wrong = [
        f"{pod.name}/{name} has {seen}" for pod in pods for name, seen in identity.by_container(pod) if seen != wanted
    ]
    return f"expected {wanted}: {listed(wrong)}"


def held_up(refused: str) -> str:
    """The end of a sentence about an eviction that is not allowed yet."""
    return f"; not allowed yet: {refused}" if refused else ""


def _written(pod: Pod) -> bool:
    """Variables of both mechanisms: one of them stands in the pod template, and no new pod will be better."""
    return any(seen is Identity.BOTH for _, seen in identity.by_container(pod))
