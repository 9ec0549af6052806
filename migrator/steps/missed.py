"""Pods that came up with the wrong identity although the gate had passed: made anew once, by eviction.

The webhook fails open, and each API server learns of an association in its own time, so that a pod may be missed. Once
is bad luck; a pod that is wrong again is a failure. Which pods were missed stands in the step's memo before the first
of them is touched: a run that is taken up again neither forgets nor repeats.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from migrator.model import identity
from migrator.model.facts import Json, Pod, WorkloadRef
from migrator.model.identity import Identity
from migrator.model.ports import Workloads
from migrator.steps.crowd import Crowd
from migrator.steps.pods import listed
from migrator.steps.step import Failed, NotYet, Settling

MISSED = "missed"
BEFORE = "before"  # the pods that were wrong when a workload's turn came


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
        known = sorted(self.uids(part, ref) | set(uids))
        return {**(self.memo or {}), part: {**self._part(part), str(ref): known}}

    def count(self, part: str) -> int:
        """Of how many pods, over all workloads."""
        return sum(len(uids) for uids in self._part(part).values())

    def _part(self, part: str) -> Mapping[str, Sequence[str]]:
        found: Mapping[str, Sequence[str]] = (self.memo or {}).get(part, {})
        return found


def rerolled(crowd: Crowd, memory: Memory, refused: str, *, allowed: int | None = None) -> Settling | None:
    """None when no pod was missed, or all that were have been made anew and are well.

    Args:
        crowd: the workload; its wrong pods that are remembered as BEFORE are left to the caller.
        memory: what was missed until now.
        refused: why the last eviction was refused, if it was.
        allowed: how many pods may be missed over time; without a number, those of one look only.
    """
    known = memory.uids(MISSED, crowd.ref)
    fresh = [pod for pod in crowd.wrong if pod.uid not in known | memory.uids(BEFORE, crowd.ref)]
    hopeless = [pod for pod in fresh if _written(pod)]
    again = bool(known) if allowed is None else len(known) + len(fresh) > allowed
    if fresh and (hopeless or again):
        why = " again, made anew once already" if known and not hopeless else ""
        return Failed(reason=f"{expected(crowd.wanted, hopeless or fresh)}{why}", memo=memory.memo)
    if fresh:
        reason = f"{expected(crowd.wanted, fresh)}; missed by the webhook, to be made anew once"
        memo = memory.adding(MISSED, crowd.ref, uids_of(fresh))
        return NotYet(reason=reason, again=True, memo=memo, stage=str(crowd.ref))
    left = [pod for pod in crowd.wrong if pod.uid in known]
    if left:
        reason = f"{expected(crowd.wanted, left)}; being made anew{held_up(refused)}"
        return NotYet(reason=reason, again=True, stage=str(crowd.ref))
    return None


def evict_next(cluster: Workloads, crowd: Crowd, uids: frozenset[str]) -> None:
    """Evicts one wrong pod of these: one that serves nobody at once, a ready one only while the workload is whole.

    Raises:
        Rejected: reason `budget` while a PodDisruptionBudget does not allow it.
    """
    due = [pod for pod in crowd.wrong if pod.uid in uids]
    idle = [pod for pod in due if not pod.ready]
    for pod in (idle or (due if crowd.whole else []))[:1]:
        cluster.evict(pod)


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
