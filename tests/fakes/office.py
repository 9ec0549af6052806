"""Runners of several services of one role, and an IAM that may be late: nothing of them but their trust steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any

from hypothesis import strategies as st

from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run
from migrator.model.plan import PlannedStep, StepKind
from migrator.model.trust import Scope, Subject, ours
from migrator.running.lately import lately
from migrator.running.ledger import ledger
from migrator.running.moves import Book
from migrator.running.pulse import Pulse
from migrator.running.role_past import role_past
from migrator.running.walk import StepFailed, Walk
from migrator.steps.step import Context, Settled
from migrator.steps.trust import TRIES
from tests.fakes.iam import ACCOUNT, ARN, Killed, LateIam
from tests.fakes.running import WAITS, Collector, FakeClock, MemoryJournal, NoLocks
from tests.fakes.world import FakeWorld

PATIENT = replace(WAITS, trust=60)
CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"
NAMES = ("one", "two", "three")


@dataclass
class EventfulClock(FakeClock):
    """Time in which something may happen whenever somebody waits."""

    time: float = 0.0
    meanwhile: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.meanwhile()


@dataclass
class Office:
    """The runners; `scopes` says by what their plans let them in, `service` unless given."""

    scopes: Mapping[str, Scope] = field(default_factory=dict)
    clock: EventfulClock = field(default_factory=EventfulClock)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    iam: LateIam = field(init=False)
    serial: int = 0

    def __post_init__(self) -> None:
        self.iam = LateIam(self.clock)

    def late(self, lag: float, choose: Callable[[int], int]) -> "Office":
        """The same with readers that late."""
        self.iam = LateIam(self.clock, choose, lag)
        return self

    def walk(self, name: str, direction: Direction) -> None:
        """One process: takes up the service's open run, or begins one, and carries its trust step out."""
        service = ServiceId("prod", "shop", name)
        run = self.journal.open_run(service) or self._begin(service, direction)
        planned = self.step(name, run.direction)
        back = run.direction is Direction.BACK
        self.iam.shown, self.iam.writes = set(), 0
        Walk(
            steps=[planned],
            book=Book.open(run, self.journal, self.clock, Collector()),
            context=lambda _step: Context(
                service=service,
                run=run.id,
                cluster=FakeWorld(),
                trust=self.iam,
                waits=PATIENT,
                forward=ledger(self.journal, service).ours.get(StepKind.TRUST, {}) if back else {},
                past=partial(role_past, self.journal, service, planned),
                lately=lately(self.journal, self.clock, planned, PATIENT.trust),
            ),
            locks=NoLocks(),
            clock=self.clock,
            reporter=Collector(),
            interrupt=lambda: None,
            guard=lambda _step: Settled(),
            pulse=Pulse(NoLocks(), self.clock),
        ).go()
        self.journal.end(run.id, Outcome.DONE, "", self.clock.now())

    def walk_and_die(self, name: str, direction: Direction, dies: int) -> None:
        """The same, killed at that write. When late readers and others wear it out, it is tried in calmer times."""
        moments = count(1)

        def maybe_die(_moment: str) -> None:
            if next(moments) == dies:
                raise Killed

        self.journal.on_write = self.iam.around_write = maybe_die
        try:
            self.walk(name, direction)
        except Killed:
            pass  # as a process is
        except StepFailed:
            assert self.iam.lag
            self.journal.on_write = self.iam.around_write = lambda _moment: None
            self.clock.meanwhile = lambda: None
            self.clock.sleep(self.iam.lag)
            self.walk(name, direction)
        assert self.iam.writes <= TRIES

    def _begin(self, service: ServiceId, direction: Direction) -> Run:
        self.serial += 1
        run = Run(
            id=str(self.serial),
            service=service,
            direction=direction,
            outcome=Outcome.OPEN,
            plan=None,
            actor="tester",
            host="here",
            started=self.clock.now(),
        )
        self.journal.begin(run)
        return run

    def there(self) -> set[Subject]:
        """The shares of those whose walk there was the last one."""
        last = {run.service.name: run.direction for run in self.journal.all_runs}
        return {self.subject(name).share for name, direction in last.items() if direction is Direction.FORWARD}

    def subject(self, name: str) -> Subject:
        """As the service's plan names it."""
        return subject(name, self.scopes.get(name, Scope.SERVICE))

    def step(self, name: str, direction: Direction) -> PlannedStep:
        """The trust step of the service's plan."""
        on = {"role": ARN, "role_id": "AROASHARED"}
        before, after = {"pod_identity": False}, {"pod_identity": True, "subject": self.subject(name).plain()}
        there = PlannedStep(id="trust", kind=StepKind.TRUST, on=on, before=before, after=after)
        return there if direction is Direction.FORWARD else replace(there, before=after, after=before)


def subject(name: str, scope: Scope = Scope.SERVICE) -> Subject:
    """A service of the cluster."""
    return Subject(CLUSTER, "shop", name, scope)


Story = list[tuple[str, Direction, int]]  # who goes where, and at which write to journal or IAM it dies (0: never)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Up to seven walks; each service goes there and back by turns."""
    story: Story = []
    at = dict.fromkeys(NAMES, Direction.BACK)
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=7)):
        at[name] = Direction.FORWARD if at[name] is Direction.BACK else Direction.BACK
        story.append((name, at[name], draw(st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6]))))
    return story


def live_through(story: Story, dice: Any, lag: float, *, busy: bool, scopes: Mapping[str, Scope] | None = None) -> None:
    """The whole story, everything cut off taken up at last, and what must hold of it."""
    office = Office(scopes=scopes or {}).late(lag, dice.randrange)
    if busy:
        office.clock.meanwhile = lambda: office.iam.edited() if dice.random() < 0.2 else None
    for name, direction, dies in story:
        office.walk_and_die(name, direction, dies)
        assert not office.iam.ignored
        assert lag or not office.iam.lost
    for name in NAMES:
        if office.journal.open_run(ServiceId("prod", "shop", name)):
            office.walk_and_die(name, Direction.FORWARD, 0)

    assert not office.iam.ignored
    assert all(run.outcome is Outcome.DONE for run in office.journal.all_runs)
    assert ours(office.iam.truth) == office.there()
