"""The pieces a Runner is wired from, in memory: clock, journal, locks, reporter, a plan for the fake world."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from migrator.model.events import AnyEvent
from migrator.model.facts import Json
from migrator.model.fleet import Policy, Waits
from migrator.model.ids import ServiceId
from migrator.model.journal import Holder, JournalLine, Mark, Outcome, Run, ServiceState, StepRecord
from migrator.model.plan import Edit, Plan
from migrator.model.ports.running import Closing
from migrator.planning.planner import PlanSettings, plan_cluster
from migrator.running.service import Runner
from migrator.store.plan_document import document_of, plan_of
from migrator.store.standing import standing
from tests.fakes.world import FakeWorld

SERVICE = ServiceId("prod", "shop", "orders")
_MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
WAITS = Waits(
    poll=1,
    agent=10,
    addon=30,
    trust=10,
    trust_settle=2,
    gate=10,
    gate_probes=2,
    reconcile=3,
    rollout=20,
    verify=10,
    settle=3,
    check=5,
)


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> str:
        self.time += 0.001
        return (_MIDNIGHT + timedelta(seconds=self.time)).isoformat(timespec="microseconds")

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Collector:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    def tell(self, event: AnyEvent) -> None:
        self.events.append(event)


@dataclass
class MemoryJournal:
    """The Journal port in memory; `on_write` is told of each write before it counts, so that a sweep can die there."""

    all_runs: list[Run] = field(default_factory=list)
    lines: list[StepRecord] = field(default_factory=list)
    on_write: Any = lambda _what: None
    notes: dict[str, Mark] = field(default_factory=dict)

    def begin(self, run: Run, closing: Closing | None = None) -> None:
        self.on_write(f"begin {run.direction}")
        if closing is not None:
            self._close(closing.run, closing.outcome, closing.note, run.started)
        assert self.open_run(run.service) is None
        self.all_runs.append(run)

    def record(self, record: StepRecord) -> None:
        self.on_write(f"{record.step} {record.status}")
        self.lines.append(record)

    def end(self, run: str, outcome: Outcome, note: str, at: str) -> None:
        self.on_write(f"end {outcome}")
        self._close(run, outcome, note, at)

    def _close(self, run: str, outcome: Outcome, note: str, at: str) -> None:
        position, old = next((i, r) for i, r in enumerate(self.all_runs) if r.id == run)
        assert old.outcome is Outcome.OPEN
        self.all_runs[position] = replace(old, outcome=outcome, note=note or old.note, ended=at)

    def open_run(self, service: ServiceId) -> Run | None:
        return next((r for r in self.runs(service) if r.outcome is Outcome.OPEN), None)

    def open_runs(self) -> Sequence[Run]:
        return sorted((r for r in self.all_runs if r.outcome is Outcome.OPEN), key=lambda run: run.service)

    def run(self, run_id: str) -> Run | None:
        return next((r for r in self.all_runs if r.id == run_id), None)

    def runs(self, service: ServiceId) -> Sequence[Run]:
        return [r for r in self.all_runs if r.service == service]

    def records(self, run: str) -> Mapping[str, StepRecord]:
        return {record.step: record for record in self.lines if record.run == run}

    def recent(self, step: str, since: str) -> Sequence[StepRecord]:
        return [record for record in self.lines if record.step == step and record.at >= since]

    def ended(self, since: str) -> Sequence[Run]:
        over = [replace(run, plan=None) for run in self.all_runs if run.ended and run.ended >= since]
        return sorted(over, key=lambda run: (run.ended, run.id))

    def mark(self, key: str, data: Json, at: str) -> None:
        self.on_write(f"mark {key}")
        self.notes[key] = Mark(key=key, data=data, at=at)

    def marks(self, prefix: str) -> Mapping[str, Mark]:
        return {key: mark for key, mark in sorted(self.notes.items()) if key.startswith(prefix)}

    def state(self, service: ServiceId) -> ServiceState:
        runs = self.runs(service)
        last = runs[-1] if runs else None
        steps = tuple(self.records(last.id).values()) if last else ()
        return ServiceState(standing=standing(last, steps), run=last, steps=steps)

    def states(self) -> Mapping[ServiceId, ServiceState]:
        return {service: self.state(service) for service in {r.service for r in self.all_runs}}

    def history(self, service: ServiceId) -> Sequence[JournalLine]:
        raise NotImplementedError(str(service))


class NoLocks:
    """Locks that nobody else wants; counts what is held, to show that nothing is left."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.on_renew: Callable[[], None] = lambda: None

    @contextmanager
    def held(self, key: str, *, doing: str) -> Iterator[None]:
        assert doing
        self.open.append(key)
        try:
            yield
        finally:
            self.open.remove(key)

    def renew(self) -> None:
        self.on_renew()

    def holders(self) -> Sequence[Holder]:
        return []


@dataclass
class Bench:
    """A runner over a fake world; `runner()` gives a new process, as it were, over the same journal."""

    world: FakeWorld
    edit: Edit = field(default_factory=Edit)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    clock: FakeClock = field(default_factory=FakeClock)
    reporter: Collector = field(default_factory=Collector)
    locks: NoLocks = field(default_factory=NoLocks)
    signal: int | None = None
    plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        self.replan()

    def replan(self) -> None:
        """What `migrate plan` would do now."""
        self.plan = plan_for(self.world, self.edit)

    @property
    def document(self) -> Json:
        return document_of(self.plan)

    def runner(self) -> Runner:
        return Runner(
            cluster=self.world,
            trust=self.world,
            journal=self.journal,
            locks=self.locks,
            clock=self.clock,
            reporter=self.reporter,
            interrupt=lambda: self.signal,
            waits=WAITS,
            actor="tester",
            host="here",
            plan_of=plan_of,
            file_of=lambda service: f"plans/{service}.yaml",
        )

    def statuses(self) -> dict[str, str]:
        """Step to status of the newest run."""
        run = self.journal.all_runs[-1]
        return {step: str(record.status) for step, record in self.journal.records(run.id).items()}


def plan_for(world: FakeWorld, edit: Edit | None = None) -> Plan:
    """The plan that the planner writes for the fake world's one service, as it is now."""
    (plan,) = plan_cluster(world, world, PlanSettings(policy=Policy()))
    return replace(plan, edit=edit or Edit())
