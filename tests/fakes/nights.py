"""A batch's surroundings in memory: plans by the dozen, locks that threads share, runners that do as a script says."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from migrator.model.batch import BatchPolicy, Budget, Limits, ServiceEnded
from migrator.model.errors import Interrupted, Locked
from migrator.model.exits import Exit
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Holder, Outcome, Run, Status, StepRecord
from migrator.model.plan import Edit, Plan, StepKind, Verdict
from migrator.model.ports.running import Closing
from migrator.running.batch.agenda import Left
from migrator.running.batch.batch import Batch
from migrator.running.batch.desk import Orders, Tools
from migrator.running.batch.hours import Hours
from migrator.running.batch.summing import summary_of
from migrator.running.result import Result
from migrator.running.service import AUTOMATIC, Runner
from migrator.store.plan_document import document_of, plan_of
from tests.fakes.running import WAITS, Collector, FakeClock, MemoryJournal
from tests.fakes.samples import sample_plan
from tests.fakes.world import FakeWorld

WORLD = FakeWorld()
DONE, FAILS, PENDING, HANGS_BACK, POSTPONED, UNTIL_TOLD = "done", "fails", "pending", "stranded", "postponed", "told"


@cache
def _sample() -> Plan:
    return replace(sample_plan(), verdict=Verdict.READY)


def plan(name: str, *, role: str = "", **edit: Any) -> Plan:
    """The plan of `CLUSTER/NAME` or of NAME in cluster "c"; its role is its own unless one is named."""
    cluster, _, account = name.rpartition("/")
    service = ServiceId(cluster or "c", "shop", account)
    steps = tuple(
        replace(step, on={**step.on, "role": role or f"arn:aws:iam::111122223333:role/{service.cluster}-{account}"})
        if step.kind is StepKind.TRUST
        else step
        for step in _sample().forward
    )
    return replace(_sample(), service=service, forward=steps, edit=Edit(**edit))


class SharedLocks:
    """Locks between threads; `others` are held by runners elsewhere."""

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}
        self.others: set[str] = set()
        self.lost = ""  # what is said to whoever holds something
        self._guard = threading.Lock()

    @contextmanager
    def held(self, key: str, *, doing: str) -> Iterator[None]:
        with self._guard:
            if key in self.taken or key in self.others:
                raise Locked(f'"{key}" is held ({doing})')
            self.taken[key] = threading.get_ident()
        try:
            yield
        finally:
            with self._guard:
                del self.taken[key]

    def renew(self) -> None:
        if self.lost:
            raise Locked(self.lost)

    def holders(self) -> Sequence[Holder]:
        with self._guard:
            keys = [*self.taken, *self.others]
        return [
            Holder(key=key, owner="o", host="elsewhere", pid=1, since="then", doing="apply", expires="") for key in keys
        ]


class SafeJournal(MemoryJournal):
    """The journal in memory, for threads."""

    def __init__(self) -> None:
        super().__init__()
        self._guard = threading.RLock()

    def begin(self, run: Any, closing: Closing | None = None) -> None:
        with self._guard:
            super().begin(run, closing)

    def end(self, run: str, outcome: Outcome, note: str, at: str) -> None:
        with self._guard:
            super().end(run, outcome, note, at)

    def states(self) -> Mapping[ServiceId, Any]:
        with self._guard:
            return super().states()


@dataclass
class Script:
    """What becomes of each service, and what was seen: who began in which order, how many were at work at once.

    Attributes:
        ends: by service: one of the words above, or an error to raise; `done` where nothing is said.
        together: wait until so many are at work at once, so that a limit is seen to be reached.
    """

    journal: SafeJournal
    clock: FakeClock
    ends: dict[ServiceId, Any] = field(default_factory=dict)
    together: int = 1
    began: list[ServiceId] = field(default_factory=list)
    errands: list[tuple[str, ServiceId]] = field(default_factory=list)
    over: list[ServiceId] = field(default_factory=list)
    most: int = 0
    by_cluster: dict[str, int] = field(default_factory=dict)
    meanwhile: Callable[[ServiceId], None] = lambda _service: None
    _now: list[ServiceId] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def play(self, runner: Runner, service: ServiceId, errand: str, document: Json = None) -> Result:
        self._enter(service, errand)
        try:
            self.meanwhile(service)
            return self._end(runner, service, errand, document)
        finally:
            with self._changed:
                self._now.remove(service)
                self.over.append(service)
                self._changed.notify_all()

    def _enter(self, service: ServiceId, errand: str) -> None:
        with self._changed:
            self.began.append(service)
            self.errands.append((errand, service))
            self._now.append(service)
            self.most = max(self.most, len(self._now))
            same = sum(one.cluster == service.cluster for one in self._now)
            self.by_cluster[service.cluster] = max(self.by_cluster.get(service.cluster, 0), same)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self.together, timeout=20)

    def _end(self, runner: Runner, service: ServiceId, errand: str, document: Json) -> Result:
        how = self.ends.get(service, DONE)
        if isinstance(how, Exception):
            raise how
        if how == UNTIL_TOLD:
            wait_for(lambda: runner.interrupt() is not None)
            raise Interrupted(runner.interrupt() or 0)
        if errand == "look":
            return Result(service=service, exit=Exit.DONE, message="already migrated; nothing to do")
        run = self.journal.open_run(service) or runner._runs.begin(service, Direction.FORWARD, document)
        if run.direction is Direction.BACK:
            return self._back(runner, run, how)
        return self._there(runner, run, how)

    def _there(self, runner: Runner, run: Run, how: str) -> Result:
        if how == POSTPONED:
            self._record(run, Status.STARTED, "waits for its owner's own rollout")
            return Result(service=run.service, exit=Exit.UNFINISHED, message="stopped")
        if how in {FAILS, HANGS_BACK}:
            note = f"verify: {run.service.name} shows no credentials"
            closing = Closing(run=run.id, outcome=Outcome.FAILED, note=note)
            back = runner._runs.begin(
                run.service, Direction.BACK, run.plan, cause=run.id, note=AUTOMATIC, closing=closing
            )
            return self._back(runner, back, how)
        self._record(run, Status.DONE, result={"containers": [] if how == PENDING else ["app"]})
        runner._runs.end(run, Outcome.DONE, "")
        return Result(service=run.service, exit=Exit.UNFINISHED if how == PENDING else Exit.DONE, message="migrated")

    def _back(self, runner: Runner, run: Run, how: str) -> Result:
        if how == HANGS_BACK:
            self._record(run, Status.FAILED, "no pods")
            return Result(service=run.service, exit=Exit.STRANDED, message="the way back failed")
        runner._runs.end(run, Outcome.DONE, "", why=run.note and "verify: no credentials")
        return Result(service=run.service, exit=Exit.ROLLED_BACK, message="rolled back")

    def _record(self, run: Run, status: Status, note: str = "", result: Json = None) -> None:
        record = StepRecord(
            run=run.id, step="verify", status=status, at=self.clock.now(), note=note, image={}, result=result
        )
        self.journal.record(record)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedRunner(Runner):
    """A runner that does as the script says."""

    script: Script

    def apply(self, plan: Plan, document: Json, **_told: Any) -> Result:
        with self._service(plan.service, "apply"):
            return self.script.play(self, plan.service, "apply", document)

    def look(self, service: ServiceId) -> Result:
        with self._service(service, "look"):
            return self.script.play(self, service, "look")

    def go_back(self, service: ServiceId) -> Result:
        with self._service(service, "rollback"):
            return self.script.play(self, service, "back")


class NightClock(FakeClock):
    """Time passes by itself, and when somebody says so."""

    slept = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.slept += seconds


@dataclass
class Night:
    """A fleet of plans, and batches over it."""

    plans: Sequence[Plan]
    policy: BatchPolicy = field(default_factory=BatchPolicy)
    journal: SafeJournal = field(default_factory=SafeJournal)
    locks: SharedLocks = field(default_factory=SharedLocks)
    clock: FakeClock = field(default_factory=NightClock)
    reporter: Collector = field(default_factory=Collector)
    hours: Hours = field(default_factory=Hours)
    signal: int | None = None
    script: Script = field(init=False)

    def __post_init__(self) -> None:
        self.script = Script(self.journal, self.clock)

    def ends(self, how: Any, *names: str) -> None:
        """What becomes of these services."""
        self.script.ends.update({plan(name).service: how for name in names})

    def batch(self, kind: type[Batch] = Batch, **orders: Any) -> Batch:
        """One that has not begun."""
        tools = Tools(
            journal=self.journal,
            locks=self.locks,
            clock=self.clock,
            reporter=self.reporter,
            interrupt=lambda: self.signal,
            runner=self._runner,
            account_of=lambda cluster: f"account of {cluster}",
            document_of=document_of,
            plan_of=plan_of,
        )
        return kind(
            tools=tools,
            policy=self.policy,
            hours=self.hours,
            orders=Orders(**{"selected": lambda _service, _plan: True, **orders}),
            plans={one.service: one for one in self.plans},
        )

    def run(self, **orders: Any) -> Batch:
        """One that has run; what is under way in the end would be a thread of a dead process."""
        batch = self.batch(**orders)
        batch.run()
        return batch

    def _runner(self, service: ServiceId) -> ScriptedRunner:
        assert service
        return ScriptedRunner(
            cluster=WORLD,
            trust=WORLD,
            journal=self.journal,
            locks=self.locks,
            clock=self.clock,
            reporter=self.reporter,
            interrupt=lambda: self.signal,
            waits=WAITS,
            actor="tester",
            host="here",
            plan_of=plan_of,
            file_of=lambda one: f"plans/{one}.yaml",
            script=self.script,
        )


def exits(batch: Batch) -> dict[str, Exit]:
    """By CLUSTER/NAME how each service of the run ended."""
    return {short(one): one.exit for one in batch.ended}


def short(one: ServiceEnded | ServiceId) -> str:
    """NAME in cluster "c", else CLUSTER/NAME."""
    service = one.service if isinstance(one, ServiceEnded) else one
    return service.name if service.cluster == "c" else f"{service.cluster}/{service.name}"


def wait_for(check: Callable[[], bool]) -> None:
    """Until it holds."""
    until = time.monotonic() + 20
    while not check():
        assert time.monotonic() < until
        time.sleep(0.01)


WIDE = Limits(services=8, per_cluster=8, per_role=1)
OPEN = BatchPolicy(limits=WIDE, canary=0, breaker=99, budget=Budget(failures=99, share=1.0))


def many(count: int, cluster: str = "c", **edit: Any) -> list[Plan]:
    """Plans of so many services of one cluster."""
    return [plan(f"{cluster}/s{number}", **edit) for number in range(count)]


def left(batch: Batch) -> dict[str, Left]:
    """What it left alone, and why."""
    return {short(service): why for service, why in batch.agenda.left.items()}


def code(batch: Batch, signal: int | None = None) -> Exit:
    """How it ended."""
    return summary_of(batch, run="r", worker="w", began="b", signal=signal).exit


def cut_off(night: Night, name: str, direction: Direction) -> None:
    """A run of that service was killed."""
    one = plan(name)
    night.journal.begin(
        Run(
            id=f"cut-{name}",
            service=one.service,
            direction=direction,
            outcome=Outcome.OPEN,
            plan=document_of(one),
            actor="cron",
            host="here",
            started=night.clock.now(),
        )
    )
