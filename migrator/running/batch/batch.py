"""The batch itself: begins what may begin, takes in what has ended, until nothing is left that it could do.

What fails between two tasks (the store, the credentials for it, its own lock) begins nothing more, and has what is
under way stop at its next checkpoint: a run that was begun is never left to itself.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from migrator.model.batch import BatchPolicy, ServiceEnded
from migrator.model.errors import CredentialsExpired, Interrupted, Locked, MigrateError, RecordFault, StoreFault
from migrator.model.events import Noticed
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.journal import Mark, ServiceState, Standing
from migrator.model.plan import Plan
from migrator.running import kept, proven
from migrator.running.batch.agenda import Agenda, Errand, Known, Left, Task
from migrator.running.batch.brakes import Brakes
from migrator.running.batch.canaries import canaries
from migrator.running.batch.carrying import LOOKED, Carrying
from migrator.running.batch.desk import Orders, Overtaken, Running, Tools
from migrator.running.batch.ending import ended_as
from migrator.running.batch.hands import Finished, Hands
from migrator.running.batch.hours import TIME_IS_UP, Hours, instant
from migrator.running.batch.round import CANARY, LOCKED, REASONS, WAVE, Round, earliest, why_left
from migrator.running.batch.slots import Slots
from migrator.running.pulse import Pulse

_BEGIN_AGAIN = 2.0  # seconds after which it looks for shares that others have given back
_PAUSE = 0.5  # seconds between two looks at signals and at the hours
_OTHERS = frozenset({None, LOCKED, WAVE, CANARY})  # what others will take out of a worker's way
_FATAL = (StoreFault, CredentialsExpired, Locked)  # of the store, or of its own lock


@dataclass(slots=True, kw_only=True)
class Batch:
    """One run of it. `plans` are those that can be read; `unreadable` are services whose plan file cannot.

    `astray`: there are files or folders of plans besides of which nobody can tell whose they are.
    """

    tools: Tools
    policy: BatchPolicy
    hours: Hours
    orders: Orders
    plans: Mapping[ServiceId, Plan]
    unreadable: frozenset[ServiceId] = frozenset()
    astray: bool = False
    ended: list[ServiceEnded] = field(default_factory=list)
    agenda: Agenda = field(default_factory=Agenda)
    states: dict[ServiceId, ServiceState] = field(default_factory=dict)
    stopped: str = ""  # the first reason for which nothing more is begun
    trouble: MigrateError | None = None  # what failed between two tasks
    _running: dict[ServiceId, Running] = field(default_factory=dict)
    _faults: dict[str, int] = field(default_factory=dict)  # errors in a row, by cluster
    _expired: set[str] = field(default_factory=set)  # accounts whose credentials have
    _begun: int = 0
    _hope: bool = False  # something is left that others may take out of its way
    _next_fill: float = 0.0  # monotonic; before it, nothing has become free that could be known here
    _marks: Mapping[str, Mark] = field(default_factory=dict)
    _held: frozenset[str] = frozenset()  # services that others were at work on, at the last look
    _hands: Hands = field(default_factory=Hands)
    brakes: Brakes = field(init=False)
    _slots: Slots = field(init=False)
    _carrying: Carrying = field(init=False)
    _pulse: Pulse = field(init=False)

    def __post_init__(self) -> None:
        self.brakes = Brakes(journal=self.tools.journal, policy=self.policy, clock=self.tools.clock)
        self._slots = Slots(locks=self.tools.locks, limits=self.policy.limits)
        self._pulse = Pulse(self.tools.locks, self.tools.clock)
        self._carrying = Carrying(
            tools=self.tools, hours=self.hours, began=self.tools.clock.now(), halted=lambda: self.trouble is not None
        )

    def look(self) -> None:
        """Reads the whole journal, and makes the agenda."""
        self.brakes.look()
        self.states = dict(self.tools.journal.states())
        self._mark_up()
        self.agenda = Agenda.of(self._known(), self.orders.selected)

    def _mark_up(self) -> None:
        self._marks = {**self.tools.journal.marks(proven.MARK), **self.tools.journal.marks(kept.MARK)}

    def _known(self) -> Known:
        return Known(
            plans=self.plans,
            states=self.states,
            marks=self._marks,
            now=instant(self.tools.clock),
            soak=self.policy.soak,
            plan_of=self.tools.plan_of,
            unreadable=self.unreadable,
            retry_failed=self.orders.retry_failed,
        )

    def run(self) -> None:
        """All of it; how it went is in `ended`, `agenda.left`, `states`, `stopped` and `trouble`.

        Raises:
            StoreFault: the journal cannot be read: nothing was begun.
        """
        self.look()
        while self._turn():
            finished = self._hands.next(_PAUSE)
            while finished is not None:
                self._take_in(finished)
                finished = self._hands.next(0)
        self._leave()

    def _turn(self) -> bool:
        """Begins what may begin; whether anything is under way, or may come."""
        try:
            self._halt(self._time_is_up())
            return self._fill() or bool(self._running) or self._waits()
        except _FATAL as error:
            self._fails(error)
            return bool(self._running)

    def _fill(self) -> bool:
        """Begins as much as may begin now; whether anything did."""
        if self.stopped or not self.agenda.tasks or len(self._running) >= self.policy.limits.services:
            return False
        if self.tools.clock.monotonic() < self._next_fill:
            return False
        self._next_fill = self.tools.clock.monotonic() + _BEGIN_AGAIN
        round_, full, before = self._round(), set[str](), len(self._running)
        busy = self.agenda.begins()
        for task in self.agenda.queue(looks_last=self.policy.limits.services == 1):
            if len(self._running) >= self.policy.limits.services:
                break
            if busy and task.errand is Errand.LOOK and self._looking():
                continue  # one at a time, while something is to be begun
            if self._why_not(round_, task) is None:
                first = round_.first.get(task.service.cluster) if task.errand is Errand.BEGIN else None
                shares = self._slots.take(task, first=first, full=full)
                if shares is not None:
                    self._start(task, shares)
        self._hope = any(self._may_come(round_, task) for task in self.agenda.tasks.values())
        return len(self._running) > before

    def _looking(self) -> bool:
        return any(running.task.errand is Errand.LOOK for running in self._running.values())

    def _catch_up(self, held: frozenset[str]) -> None:
        """Takes in what others have done since the last look, or left: what they held, and what has ended."""
        changed = self.brakes.look() | {ServiceId.parse(name) for name in self._held - held}
        self.brakes.remember()
        self._held = held
        mine = {one.service for one in self.ended} | self._running.keys()
        if changed - mine:
            self._mark_up()
        for service in changed - mine:
            self._read_again(service)

    def _read_again(self, service: ServiceId) -> None:
        """What another runner did with the service; what it tried in vain is not tried again in this run."""
        before, now = self.states.get(service), self.tools.journal.state(service)
        self.states[service] = now
        if service not in self.agenda.tasks and service not in self.agenda.left:
            return  # not meant
        found = self._known().errand(service)
        in_vain = now.standing is not Standing.INTERRUPTED and now.steps[-1:] != (before.steps[-1:] if before else ())
        if isinstance(found, Task) and found.errand in {Errand.RETURN, Errand.RESUME} and in_vain:
            found = Left.LATER
        self.agenda.put(service, found)

    def _round(self) -> Round:
        self._pulse.beat()
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
            expired=frozenset(one for one in self._clusters() if self.tools.account_of(one) in self._expired),
            breakers=breakers,
            spent=self.brakes.spent(),
            first=canaries(self.states, self._marks, self.policy.canary, self._clusters()),
            wave=earliest([*waiting, *(running.task for running in self._running.values())]),
        )

    def _clusters(self) -> frozenset[str]:
        return frozenset(service.cluster for service in self.agenda.tasks)

    def _why_not(self, round_: Round, task: Task) -> str | None:
        most = self.orders.max_services
        hindrance = round_.why_not(task)
        if task.errand is Errand.BEGIN and most is not None and self._begun >= most and hindrance in _OTHERS:
            return "max-services"
        return hindrance

    def _may_come(self, round_: Round, task: Task) -> bool:
        """Whether others may clear its way; nobody does where its cluster's first service waits for a person."""
        hindrance, cluster = self._why_not(round_, task), task.service.cluster
        if hindrance != CANARY:
            return hindrance in _OTHERS
        others = (ServiceId.parse(name) for name in round_.held)
        going = (one.service for one in self.agenda.tasks.values() if one.errand is Errand.RESUME)
        return any(service.cluster == cluster for service in (*others, *going, *self._running))

    def _start(self, task: Task, shares: ExitStack) -> None:
        self.agenda.put(task.service, None)
        self._begun += task.errand is Errand.BEGIN
        self._running[task.service] = Running(task=task, shares=shares, began=self.tools.clock.monotonic())
        self._hands.start(task.service, partial(self._carrying.carry, task, self.states.get(task.service)))

    def _take_in(self, finished: Finished) -> None:
        self._next_fill = 0.0
        running = self._running.pop(finished.service)
        left_to_others = isinstance(finished.error, Locked | Overtaken)
        if not left_to_others:
            self._count(finished, self.tools.clock.monotonic() - running.began)
        try:
            running.shares.close()
            if left_to_others:
                self._leave_to_others(running.task, finished.error)
            else:
                self.states[finished.service] = self.tools.journal.state(finished.service)
            if running.task.errand is Errand.LOOK:
                self._mark_up()
                self.tools.journal.mark(f"{LOOKED}{finished.service}", {}, self.tools.clock.now())
        except _FATAL as error:
            self._fails(error)

    def _count(self, finished: Finished, seconds: float) -> None:
        told, cluster = ended_as(finished, seconds), finished.service.cluster
        self.ended.append(told)
        self._faults[cluster] = self._faults.get(cluster, 0) + 1 if told.exit is Exit.ERROR else 0
        if isinstance(finished.error, CredentialsExpired):
            self._expired.add(self.tools.account_of(cluster))
        elif isinstance(finished.error, StoreFault) and not isinstance(finished.error, RecordFault):
            self._fails(finished.error)
        elif isinstance(finished.error, Interrupted) and finished.error.signal != TIME_IS_UP:
            self._halt("signal")

    def _leave_to_others(self, task: Task, error: Exception | None) -> None:
        data = {"service": str(task.service), "why": str(error)}
        self.tools.reporter.tell(Noticed(what="left to another runner", data=data))
        self._begun -= task.errand is Errand.BEGIN
        if task.errand is not Errand.LOOK:  # one look is as good as another
            self.agenda.put(task.service, task)
            self._read_again(task.service)

    def _fails(self, error: MigrateError) -> None:
        self.trouble = self.trouble or error
        lost = "credentials" if isinstance(error, CredentialsExpired) else "store"
        self._halt("lock" if isinstance(error, Locked) else lost)

    def _halt(self, reason: str | None) -> None:
        if reason and not self.stopped:
            self.stopped = reason
            self.tools.reporter.tell(Noticed(what="stopping", data={"reason": reason}))

    def _time_is_up(self) -> str | None:
        return "signal" if self.tools.interrupt() is not None else self.hours.over(instant(self.tools.clock))

    def _waits(self) -> bool:
        """Whether a worker with nothing to do stays: others hold what it could do, or will leave it something."""
        return self.orders.worker and not self.stopped and bool(self.agenda.tasks) and self._hope

    def _leave(self) -> None:
        """What was not begun is left, and tells why the run ends here."""
        round_: Round | None = None
        try:
            round_ = self._round() if self.trouble is None else None
        except _FATAL as error:
            self._fails(error)
        for task in list(self.agenda.tasks.values()):
            hindrance = self._why_not(round_, task) if round_ else None
            self.agenda.put(task.service, why_left(hindrance))
            self.stopped = self.stopped or REASONS.get(hindrance, "")
        if self._expired and not self.stopped:
            self.stopped = "credentials"  # of services that it had begun, and of all that there were
