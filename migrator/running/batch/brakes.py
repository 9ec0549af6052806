"""What stops new services from being begun: a fleet's failure budget, and a breaker for each cluster.

Both are told from the journal, so that they count over every run and every worker. A breaker that opened stays open
until a person closes it: what broke a cluster is not mended by the next night.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from migrator.model.batch import BatchPolicy, Budget
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Mark, Outcome, Run
from migrator.model.ports.running import Clock, Journal
from migrator.running.service import REPLACED

BREAKER = "breaker:"
_HORIZON = 30 * 86400.0  # seconds for which failures in a row count
_ENOUGH = 20  # services that must have ended before a share of them counts
_SKEW = 3600.0  # seconds by which one worker's clock may be behind another's, so that what it ends is still seen


@dataclass(slots=True, kw_only=True)
class Brakes:
    """Those of one fleet; `look` before you ask."""

    journal: Journal
    policy: BatchPolicy
    clock: Clock
    _ended: dict[str, Run] = field(default_factory=dict)
    _marks: Mapping[str, Mark] = field(default_factory=dict)

    def look(self) -> frozenset[ServiceId]:
        """Reads what has ended since, by the clocks of those who ended it; the services of what is new."""
        newest = max((run.ended for run in self._ended.values()), default="")
        since = earlier(newest, _SKEW) if newest else earlier(self.clock.now(), _HORIZON)
        fresh = [run for run in self.journal.ended(since) if run.id not in self._ended]
        self._ended |= {run.id: run for run in fresh}
        self._marks = self.journal.marks(BREAKER)
        return frozenset(run.service for run in fresh)

    def remember(self) -> None:
        """Writes down breakers that have opened, so that they stay open for everybody until a person closes them."""
        for cluster, why in self.open().items():
            if cluster not in marked_open(self._marks):
                data = {"open": True, "why": why, "forgiven": sorted(self._forgiven(cluster))}
                self.journal.mark(f"{BREAKER}{cluster}", data, self.clock.now())
        self._marks = self.journal.marks(BREAKER)

    def spent(self) -> str | None:
        """Why the failure budget is spent, or None. What an open breaker stops counts no more: it stops by itself."""
        since, broken = earlier(self.clock.now(), self.policy.budget.within), self.open()
        lately = (run for run in self._ended.values() if run.ended >= since and run.service.cluster not in broken)
        return over_budget(counted(lately), self.policy.budget)

    def open(self) -> Mapping[str, str]:
        """Clusters whose breaker is open, with the reason."""
        marked = marked_open(self._marks)
        clusters = {run.service.cluster for run in self._ended.values()} - marked.keys()
        judged = {cluster: why for cluster in sorted(clusters) if (why := self._judged(cluster))}
        return {**marked, **judged}

    def close(self, cluster: str) -> None:
        """A person's word that the cluster is well again; what has failed in a row until now counts no more."""
        forgiven = sorted(run.id for run in self._failed(cluster))
        self.journal.mark(f"{BREAKER}{cluster}", {"open": False, "forgiven": forgiven}, self.clock.now())
        self._marks = self.journal.marks(BREAKER)

    def _judged(self, cluster: str) -> str | None:
        forgiven = self._forgiven(cluster)
        failed = [run for run in self._failed(cluster) if run.id not in forgiven]
        if len(failed) < self.policy.breaker:
            return None
        return f"{len(failed)} services failed in a row, last {failed[-1].service}: {failed[-1].note}"

    def _failed(self, cluster: str) -> list[Run]:
        return failures_in_a_row(counted(run for run in self._ended.values() if run.service.cluster == cluster))

    def _forgiven(self, cluster: str) -> frozenset[str]:
        mark = self._marks.get(f"{BREAKER}{cluster}")
        return frozenset(_data(mark).get("forgiven", ()) if mark else ())


def marked_open(marks: Mapping[str, Mark]) -> Mapping[str, str]:
    """Clusters whose breaker a batch has opened and nobody has closed, with the reason; from marks of that kind."""
    return {
        key.removeprefix(BREAKER): str(_data(mark).get("why", ""))
        for key, mark in marks.items()
        if _data(mark).get("open")
    }


def earlier(moment: str, seconds: float) -> str:
    """So many seconds before it, written alike."""
    return (datetime.fromisoformat(moment) - timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def counted(runs: Iterable[Run]) -> list[Run]:
    """The walks there that say something about their cluster: done, or failed; oldest end first."""
    there = (run for run in runs if run.direction is Direction.FORWARD and run.note != REPLACED)
    return sorted(
        (run for run in there if run.outcome in {Outcome.DONE, Outcome.FAILED}), key=lambda run: (run.ended, run.id)
    )


def failures_in_a_row(ended: Sequence[Run]) -> list[Run]:
    """Those at the end, oldest first, that have no success behind them."""
    failed: list[Run] = []
    for run in reversed(ended):
        if run.outcome is not Outcome.FAILED:
            break
        failed.append(run)
    return failed[::-1]


def over_budget(ended: Sequence[Run], budget: Budget) -> str | None:
    """Why no more may be begun; a share says little before enough have ended."""
    failed = sum(run.outcome is Outcome.FAILED for run in ended)
    hours = f"within {budget.within / 3600:g} h"
    if failed >= budget.failures:
        return f"{failed} services failed {hours}, the budget is {budget.failures}"
    if len(ended) >= _ENOUGH and failed > len(ended) * budget.share:
        return f"{failed} of {len(ended)} services failed {hours}, the budget is {budget.share:.0%}"
    return None


def _data(mark: Mark) -> Mapping[str, Json]:
    return mark.data or {}
