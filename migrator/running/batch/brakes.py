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
from migrator.model.ports import Clock, Journal
from migrator.running.service import REPLACED

BREAKER = "breaker:"
_SKEW = 300.0  # seconds by which another worker's clock may be behind ours, so that we still see what it ends


@dataclass(slots=True, kw_only=True)
class Brakes:
    """Those of one fleet; `look` before you ask."""

    journal: Journal
    policy: BatchPolicy
    clock: Clock
    _ended: dict[str, Run] = field(default_factory=dict)
    _since: str = ""  # the next look reads what ended after it
    _marks: Mapping[str, Mark] = field(default_factory=dict)

    def look(self) -> frozenset[ServiceId]:
        """Reads what has ended lately; the services of what is new since the last look."""
        oldest, now = self._before(self.policy.budget.within), self._before(_SKEW)
        found = {run.id: run for run in self.journal.ended(max(self._since, oldest))}
        fresh = frozenset(run.service for run_id, run in found.items() if run_id not in self._ended)
        self._ended = {run_id: run for run_id, run in (self._ended | found).items() if run.ended >= oldest}
        self._since, self._marks = now, self.journal.marks(BREAKER)
        return fresh

    def remember(self) -> None:
        """Writes down breakers that have opened, so that they stay open for everybody until a person closes them."""
        for cluster, why in self.open().items():
            if cluster not in marked_open(self._marks):
                self.journal.mark(f"{BREAKER}{cluster}", {"open": True, "why": why}, self.clock.now())
        self._marks = self.journal.marks(BREAKER)

    def spent(self) -> str | None:
        """Why the failure budget is spent, or None."""
        return over_budget(counted(self._ended.values()), self.policy.budget)

    def open(self) -> Mapping[str, str]:
        """Clusters whose breaker is open, with the reason."""
        marked = marked_open(self._marks)
        clusters = {run.service.cluster for run in self._ended.values()} - marked.keys()
        judged = {cluster: why for cluster in sorted(clusters) if (why := self._judged(cluster))}
        return {**marked, **judged}

    def _judged(self, cluster: str) -> str | None:
        mark = self._marks.get(f"{BREAKER}{cluster}")
        since = mark.at if mark else ""
        own = (run for run in self._ended.values() if run.service.cluster == cluster and run.ended > since)
        failed = failures_in_a_row(counted(own))
        if len(failed) < self.policy.breaker:
            return None
        return f"{len(failed)} services failed in a row, last {failed[-1].service}: {failed[-1].note}"

    def _before(self, seconds: float) -> str:
        since = datetime.fromisoformat(self.clock.now()) - timedelta(seconds=seconds)
        return since.isoformat(timespec="microseconds")


def marked_open(marks: Mapping[str, Mark]) -> Mapping[str, str]:
    """Clusters whose breaker a batch has opened and nobody has closed, with the reason; from marks of that kind."""
    return {
        key.removeprefix(BREAKER): str(_data(mark).get("why", ""))
        for key, mark in marks.items()
        if _data(mark).get("open")
    }


def close_breaker(journal: Journal, cluster: str, at: str) -> None:
    """A person's word that the cluster is well again; what failed before counts no more."""
    journal.mark(f"{BREAKER}{cluster}", {"open": False}, at)


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
    """Why no more may be begun. A share says nothing before so many have ended that one failure is no more than it."""
    failed = sum(run.outcome is Outcome.FAILED for run in ended)
    hours = f"within {budget.within / 3600:g} h"
    if failed >= budget.failures:
        return f"{failed} services failed {hours}, the budget is {budget.failures}"
    if failed and len(ended) * budget.share >= 1 and failed > len(ended) * budget.share:
        return f"{failed} of {len(ended)} services failed {hours}, the budget is {budget.share:.0%}"
    return None


def _data(mark: Mark) -> Mapping[str, Json]:
    return mark.data or {}
