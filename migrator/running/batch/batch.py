"""The batch itself: begins what may begin, takes in what has ended, until nothing is left that it could do."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial

from migrator.model.batch import BatchPolicy, ServiceEnded
from migrator.model.errors import CredentialsExpired, Interrupted, Locked, MigrateError, StoreFault
from migrator.model.events import Noticed, Reporter
from migrator.model.exits import Exit
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import ServiceState, Standing
from migrator.model.plan import Plan
from migrator.model.ports import Clock, Interrupt, Journal, Locks
from migrator.running import proven
from migrator.running.batch.agenda import Agenda, Errand, Known, Selected, Task
from migrator.running.batch.brakes import Brakes
from migrator.running.batch.ending import ended_as
from migrator.running.batch.hands import Finished, Hands
from migrator.running.batch.hours import REASONS, TIME_IS_UP, Bell, Hours, instant
from migrator.running.batch.round import LOCKED, WAVE, Round, earliest, why_left
from migrator.running.batch.slots import Slots
from migrator.running.result import Result
from migrator.running.runs import PlanOf
from migrator.running.service import Runner

_BEGIN_AGAIN = 2.0  # seconds after which it looks for shares that others have given back
_PAUSE = 0.5  # seconds between two looks at signals and at the hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the command line says.

    Attributes:
        selected: whether a service is meant.
        max_services: how many may be begun; None for any number.
        retry_failed: begin what failed earlier, too.
        worker: one of many; it waits for what others are at work on, and takes over what they leave.
    """

    selected: Selected
    max_services: int | None = None
    retry_failed: bool = False
    worker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a batch works with. `runner` gives the runner of a service's cluster, `document_of` a plan's plain data."""

    journal: Journal
    locks: Locks
    clock: Clock
    reporter: Reporter
    interrupt: Interrupt
    runner: Callable[[ServiceId], Runner]
    document_of: Callable[[Plan], Json]
    plan_of: PlanOf


class Overtaken(MigrateError):
    """Another runner was at work on the service since the journal was read; nothing was done."""

    code = "overtaken"


@dataclass(slots=True, kw_only=True)
class Running:
    """A task under way, with the shares that it holds."""

    task: Task
    shares: ExitStack
    began: float  # monotonic


@dataclass(slots=True, kw_only=True)
class Batch:
    """One run of it. `plans` are those that can be read; `unreadable` are services whose plan file cannot."""

    tools: Tools
    policy: BatchPolicy
    hours: Hours
    orders: Orders
    plans: Mapping[ServiceId, Plan]
    unreadable: frozenset[ServiceId] = frozenset()
    ended: list[ServiceEnded] = field(default_factory=list)
    agenda: Agenda = field(default_factory=Agenda)
    states: dict[ServiceId, ServiceState] = field(default_factory=dict)
    stopped: str = ""  # the first reason for which nothing more is begun
    _running: dict[ServiceId, Running] = field(default_factory=dict)
    _faults: dict[str, int] = field(default_factory=dict)  # of the environment, in a row, by cluster
    _begun: int = 0
    _next_fill: float = 0.0  # monotonic; before it, nothing has become free that could be known here
    _held: frozenset[str] = frozenset()  # services that others were at work on, at the last look
    _hands: Hands = field(default_factory=Hands)
    brakes: Brakes = field(init=False)
    _slots: Slots = field(init=False)

    def __post_init__(self) -> None:
        self.brakes = Brakes(journal=self.tools.journal, policy=self.policy, clock=self.tools.clock)
        self._slots = Slots(locks=self.tools.locks, limits=self.policy.limits, canary=self.policy.canary)

    def look(self) -> None:
        """Reads the whole journal, and makes the agenda anew."""
        self.states = dict(self.tools.journal.states())
        self.agenda = Agenda.of(self._known(), self.orders.selected)
        for service in [*self._running, *(one.service for one in self.ended)]:
            self.agenda.put(service, None)

    def _known(self) -> Known:
        return Known(
            plans=self.plans,
            states=self.states,
            marks=self.tools.journal.marks(proven.MARK),
            now=instant(self.tools.clock),
            soak=self.policy.soak,
            plan_of=self.tools.plan_of,
            unreadable=self.unreadable,
            retry_failed=self.orders.retry_failed,
        )

    def run(self) -> None:
        """All of it; how it went is in `ended`, `agenda.left`, `states` and `stopped`.

        Raises:
            StoreFault: the journal cannot be read.
        """
        self.look()
        while True:
            self._halt(self._time_is_up())
            began = self._fill()
            if not (began or self._running or self._waits()):
                break
            finished = self._hands.next(_PAUSE)
            while finished is not None:
                self._take_in(finished)
                finished = self._hands.next(0)
        self._leave()

    def _fill(self) -> bool:
        """Begins as much as may begin now; whether anything did."""
        if self.stopped or not self.agenda.tasks or len(self._running) >= self.policy.limits.services:
            return False
        if self.tools.clock.monotonic() < self._next_fill:
            return False
        self._next_fill = self.tools.clock.monotonic() + _BEGIN_AGAIN
        round_, full, before = self._round(), set[str](), len(self._running)
        for task in self.agenda.queue():
            if len(self._running) >= self.policy.limits.services:
                break
            if self._why_not(round_, task) is None:
                first = task.errand is Errand.BEGIN and self._first_of_its_cluster(task)
                shares = self._slots.take(task, first=first, full=full)
                if shares is not None:
                    self._start(task, shares)
        return len(self._running) > before

    def _catch_up(self, held: frozenset[str]) -> None:
        """Takes in what others have done since the last look, or left: what they held, and what has ended."""
        changed = self.brakes.look() | {ServiceId.parse(name) for name in self._held - held}
        self.brakes.remember()
        self._held = held
        mine = {one.service for one in self.ended} | self._running.keys()
        for service in changed - mine:
            self.states[service] = self.tools.journal.state(service)
        if changed - mine:
            known = self._known()
            for service in changed - mine:
                found = known.errand(service)
                meant = service in self.agenda.tasks or service in self.agenda.left
                self.agenda.put(service, found if meant else None)

    def _round(self) -> Round:
        own = {f"service:{service}" for service in self._running}
        others = {holder.key for holder in self.tools.locks.holders()} - own
        held = frozenset(key.removeprefix("service:") for key in others if key.startswith("service:"))
        self._catch_up(held)
        breakers = frozenset(self.brakes.open())
        unreachable = frozenset(name for name, count in self._faults.items() if count >= self.policy.breaker)
        waiting = (
            task
            for task in self.agenda.tasks.values()
            if task.service.cluster not in breakers | unreachable
            and (self.orders.worker or str(task.service) not in held)
        )
        return Round(
            now=instant(self.tools.clock),
            hours=self.hours,
            held=held,
            unreachable=unreachable,
            breakers=breakers,
            spent=self.brakes.spent(),
            wave=earliest([*waiting, *(running.task for running in self._running.values())]),
        )

    def _why_not(self, round_: Round, task: Task) -> str | None:
        most = self.orders.max_services
        hindrance = round_.why_not(task)
        if task.errand is Errand.BEGIN and most is not None and self._begun >= most:
            return hindrance or "max-services"
        return hindrance

    def _first_of_its_cluster(self, task: Task) -> bool:
        cluster = task.service.cluster
        migrated = sum(
            state.standing is Standing.MIGRATED for one, state in self.states.items() if one.cluster == cluster
        )
        return migrated < self.policy.canary

    def _start(self, task: Task, shares: ExitStack) -> None:
        self.agenda.put(task.service, None)
        self._begun += task.errand is Errand.BEGIN
        self._running[task.service] = Running(task=task, shares=shares, began=self.tools.clock.monotonic())
        self._hands.start(task.service, partial(self._carry, task, self.states.get(task.service)))

    def _carry(self, task: Task, seen: ServiceState | None) -> Result:
        """In a thread of its own."""
        bell = Bell(self.hours, self.tools.clock, self.tools.interrupt, self.tools.reporter)
        runner = replace(
            self.tools.runner(task.service), interrupt=bell, reporter=bell, at_lock=partial(self._still_as, seen)
        )
        if task.errand is Errand.RETURN:
            return runner.go_back(task.service)
        if task.errand is Errand.LOOK:
            return runner.look(task.service)
        return runner.apply(task.plan, self.tools.document_of(task.plan))

    def _still_as(self, seen: ServiceState | None, service: ServiceId) -> None:
        """Another worker may have been there since the journal was read: what failed there is not begun anew here."""
        now = next(reversed(self.tools.journal.runs(service)), None)
        before = seen.run if seen else None
        if (now.id, now.outcome) != (before.id, before.outcome) if now and before else now is not before:
            raise Overtaken(f'another runner was at work on "{service}"')

    def _take_in(self, finished: Finished) -> None:
        self._next_fill = 0.0
        running = self._running.pop(finished.service)
        running.shares.close()
        self.states[finished.service] = self.tools.journal.state(finished.service)
        if isinstance(finished.error, Locked | Overtaken):
            data = {"service": str(finished.service), "why": finished.error.message}
            self.tools.reporter.tell(Noticed(what="left to another runner", data=data))
            self.agenda.put(finished.service, self._known().errand(finished.service))
            return
        told = ended_as(finished, self.tools.clock.monotonic() - running.began)
        cluster = finished.service.cluster
        self._faults[cluster] = self._faults.get(cluster, 0) + 1 if told.exit is Exit.ERROR else 0
        self.ended.append(told)
        self._halt(_ends_all(finished.error))

    def _halt(self, reason: str | None) -> None:
        if reason and not self.stopped:
            self.stopped = reason
            self.tools.reporter.tell(Noticed(what="stopping", data={"reason": reason}))

    def _time_is_up(self) -> str | None:
        return "signal" if self.tools.interrupt() is not None else self.hours.over(instant(self.tools.clock))

    def _waits(self) -> bool:
        """Whether a worker with nothing to do stays: others hold what it could do, or will leave it something."""
        if self.stopped or not self.orders.worker:
            return False
        if self.agenda.tasks and self.tools.clock.monotonic() < self._next_fill:
            return True
        round_ = self._round()
        return any(self._why_not(round_, task) in {None, LOCKED, WAVE} for task in self.agenda.tasks.values())

    def _leave(self) -> None:
        """What was not begun is left, and tells why the run ends here."""
        round_ = self._round()
        for task in self.agenda.queue():
            hindrance = self._why_not(round_, task)
            self.agenda.put(task.service, why_left(hindrance))
            if hindrance is not None and hindrance in REASONS:
                self.stopped = self.stopped or hindrance


def _ends_all(error: Exception | None) -> str | None:
    """Why no other service could get any further either."""
    if isinstance(error, Interrupted):
        return None if error.signal == TIME_IS_UP else "signal"
    if isinstance(error, CredentialsExpired):
        return "credentials"
    return "store" if isinstance(error, StoreFault) else None
