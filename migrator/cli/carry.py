"""What apply and rollback share: show what will be done, ask, carry it out service by service, tell how it ended."""

import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Protocol

from migrator.cli.ask import agreed
from migrator.cli.options import Common
from migrator.cli.output import Output
from migrator.cli.reporting import reporting
from migrator.cli.run import Complaint, CutOff, complaint
from migrator.cli.signals import Signals, saying
from migrator.cli.stores import Memory
from migrator.model.errors import CredentialsExpired, Interrupted, MigrateError, StoreFault
from migrator.model.events import Reporter
from migrator.model.exits import Exit, worst
from migrator.model.ids import ServiceId
from migrator.model.plan import Plan
from migrator.model.ports.running import Interrupt, Journal
from migrator.render.redact import redacted
from migrator.render.views import walk as view
from migrator.render.views.walk import Ended, Intended
from migrator.running.result import Result
from migrator.running.service import Runner

_ENDS_ALL = (Interrupted, CredentialsExpired, StoreFault)  # what no other service could get past either


class Crew(Protocol):
    """Gives every service its runner."""

    def runner(self, service: ServiceId) -> Runner:
        """The runner of the service's cluster."""
        ...


class Desk(Protocol):
    """What carrying out needs of the wiring."""

    @property
    def common(self) -> Common:
        """The common options."""
        ...

    def memory(self) -> AbstractContextManager[Memory | None]:
        """The store, if there is one."""
        ...

    def crew(self, reporter: Reporter, interrupt: Interrupt, wake: threading.Event) -> AbstractContextManager[Crew]:
        """What runs need; the store is open for writing meanwhile."""
        ...


def _nothing() -> None:
    """Most errands need no preparation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What the two commands differ in.

    Attributes:
        command: its name.
        question: the verb of the question that is asked.
        intend: what would be done with a plan; the journal is None while there is none.
        carry: does it.
        prepare: what comes before the first of them, once it was agreed to or nothing is left to agree to.
    """

    command: str
    question: str
    intend: Callable[[Plan, Journal | None], Intended]
    carry: Callable[[Runner, Plan], Result]
    prepare: Callable[[], None] = _nothing


class Carrier:
    """One such command."""

    def __init__(self, desk: Desk, errand: Errand, *, yes: bool, dry_run: bool) -> None:
        self._desk = desk
        self._errand = errand
        self._yes = yes
        self._dry_run = dry_run
        self._output = Output(desk.common)

    def run(self, plans: Sequence[Plan]) -> Exit:
        """All of it, for these plans, in their order.

        Raises:
            UsageError: it should ask, and stdin is no terminal.
        """
        with self._desk.memory() as memory:
            intended = [self._errand.intend(plan, memory.journal if memory else None) for plan in plans]
        doable = [plan for plan, one in zip(plans, intended, strict=True) if not one.left_alone]
        changing = sum(not (one.left_alone or one.looks) for one in intended)
        self._preview(intended, asking=bool(changing))
        left = [
            Ended(service=one.plan.service, exit=one.exit, message=one.left_alone) for one in intended if one.left_alone
        ]
        if self._dry_run:
            return self._conclude(intended, left)
        if changing and not self._agreed(changing):
            sys.stderr.write("nothing was changed\n")
            return Exit.UNFINISHED
        self._errand.prepare()
        return self._conclude(intended, [*left, *self._carry_all(doable)])

    def _preview(self, intended: Sequence[Intended], *, asking: bool) -> None:
        """On stdout for people; on stderr when stdout is for machines and somebody is about to be asked."""
        blocks = view.intention_blocks(redacted(view.intention(self._errand.command, intended)))
        if self._output.for_people:
            self._output.draw(blocks)
        elif asking and not (self._yes or self._dry_run):
            self._output.draw(blocks, sys.stderr)

    def _agreed(self, count: int) -> bool:
        what = "this service" if count == 1 else f"these {count} services"
        return agreed(f"{self._errand.question} {what}?", yes=self._yes, stdin=sys.stdin, stderr=sys.stderr)

    def _carry_all(self, plans: Sequence[Plan]) -> list[Ended]:
        if not plans:
            return []
        try:
            return self._carry_each(plans)
        except KeyboardInterrupt as error:
            raise CutOff from error

    def _carry_each(self, plans: Sequence[Plan]) -> list[Ended]:
        ended: list[Ended] = []
        with ExitStack() as stack:
            reporter = stack.enter_context(reporting(self._desk.common))
            wake = threading.Event()
            signals = stack.enter_context(Signals(wake, saying(self._desk.common)))
            crew = stack.enter_context(self._desk.crew(reporter, signals, wake))
            for plan in plans:
                done, over = self._carry(crew, plan)
                ended.append(done)
                if over:
                    break
        return ended + [_not_begun(plan) for plan in plans[len(ended) :]]

    def _carry(self, crew: Crew, plan: Plan) -> tuple[Ended, bool]:
        """How it ended, and whether nothing else can be begun."""
        from migrator.render.log import turn

        try:
            with turn(plan.service):
                result = self._errand.carry(crew.runner(plan.service), plan)
        except MigrateError as error:
            said = complaint(error)
            return Ended(service=plan.service, exit=said.exit, message=said.sentence), isinstance(error, _ENDS_ALL)
        return Ended(service=plan.service, exit=result.exit, message=result.message), False

    def _conclude(self, intended: Sequence[Intended], ended: Sequence[Ended]) -> Exit:
        code = worst(one.exit for one in ended)
        document = view.document(self._errand.command, intended, ended, dry_run=self._dry_run, exit_code=code)
        self._output.show(document, view.result_blocks)
        for one in ended:
            if one.exit is not Exit.DONE:
                self._output.complain(Complaint(one.exit.label, f"{one.service}: {one.message}", one.exit))
        return code


def _not_begun(plan: Plan) -> Ended:
    return Ended(service=plan.service, exit=Exit.UNFINISHED, message="not begun: the run was stopped before")
