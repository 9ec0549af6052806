"""The pieces a Runner is wired from, in memory: clock, journal, locks, reporter, a plan for the fake world."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from migrator.model.events import AnyEvent
from migrator.model.facts import Json
from migrator.model.fleet import Waits
from migrator.model.ids import ServiceId
from migrator.model.journal import Holder, JournalLine, Outcome, Run, ServiceState, StepRecord
from migrator.model.plan import Edit, Plan, PlannedStep, StepKind, Verdict
from migrator.model.ports import Closing
from migrator.model.trust import Subject, statement_for
from migrator.running.service import Runner
from migrator.store.standing import standing
from tests.fakes.world import CLUSTER_ARN, ISSUER, ROLE_ARN, FakeWorld

SERVICE = ServiceId("prod", "shop", "orders")
WAITS = Waits(poll=1, agent=10, trust=10, gate=10, gate_probes=2, reconcile=3, rollout=20, verify=10, settle=3, check=5)


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> str:
        self.time += 0.001
        return f"2026-01-01T00:00:{self.time:09.3f}Z"

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

    def run(self, run_id: str) -> Run | None:
        return next((r for r in self.all_runs if r.id == run_id), None)

    def runs(self, service: ServiceId) -> Sequence[Run]:
        return [r for r in self.all_runs if r.service == service]

    def records(self, run: str) -> Mapping[str, StepRecord]:
        return {record.step: record for record in self.lines if record.run == run}

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

    @contextmanager
    def held(self, key: str, *, doing: str) -> Iterator[None]:
        assert doing
        self.open.append(key)
        try:
            yield
        finally:
            self.open.remove(key)

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
        self.plan = plan_for(self.world, self.edit)

    @property
    def document(self) -> Json:
        return {"plan": str(self.plan)}

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
            plan_of=lambda _document: self.plan,
        )

    def statuses(self) -> dict[str, str]:
        """Step to status of the newest run."""
        run = self.journal.all_runs[-1]
        return {step: str(record.status) for step, record in self.journal.records(run.id).items()}


def plan_for(world: FakeWorld, edit: Edit | None = None) -> Plan:
    """The plan a planner would write for the fake world's one service."""
    forward = _steps(world)
    order = ("annotation", "association", "restart", "verify", "trust")
    by_id = {step.id: step for step in forward}
    back = tuple(replace(by_id[step], before=by_id[step].after, after=by_id[step].before) for step in order)
    workloads = [{"kind": w.ref.kind, "name": w.ref.name} for w in world.workloads]
    return Plan(
        service=SERVICE,
        edit=edit or Edit(),
        verdict=Verdict.READY,
        findings=(),
        facts={"cluster": {"arn": CLUSTER_ARN, "issuer": ISSUER}, "workloads": workloads},
        forward=forward,
        back=back,
    )


def _steps(world: FakeWorld) -> tuple[PlannedStep, ...]:
    subject = {"cluster_arn": CLUSTER_ARN, "namespace": "shop", "name": "orders"}
    statement = statement_for(Subject(**subject))
    pair = {"namespace": "shop", "service_account": "orders"}
    listed = [{"kind": w.ref.kind, "name": w.ref.name, "uid": f"uid-{w.ref.name}"} for w in world.workloads]
    rows: list[tuple[StepKind, dict[str, Json], dict[str, Json], dict[str, Json]]] = [
        (
            StepKind.AGENT,
            {"cluster": "prod", "addon": "eks-pod-identity-agent"},
            {"agent": "absent"},
            {"agent": "ready"},
        ),
        (
            StepKind.TRUST,
            {"role": ROLE_ARN, "role_id": "AROAORDERS"},
            {"pod_identity": False},
            {"pod_identity": True, "statement": statement, "subject": subject},
        ),
        (
            StepKind.ASSOCIATION,
            {"cluster": "prod", **pair},
            {"role_arn": None},
            {"role_arn": ROLE_ARN, "tags": {"managed-by": "irsa-migrator"}},
        ),
        (
            StepKind.ANNOTATION,
            {**pair, "uid": "sa-uid", "key": "eks.amazonaws.com/role-arn"},
            {"value": ROLE_ARN},
            {"value": None},
        ),
        (StepKind.RESTART, {**pair, "workloads": listed, "left": []}, {"restarted": False}, {"restarted": True}),
        (StepKind.VERIFY, pair, {"identity": "irsa"}, {"identity": "pod-identity"}),
    ]
    return tuple(
        PlannedStep(id=str(kind), kind=kind, on=on, before=before, after=after) for kind, on, before, after in rows
    )
