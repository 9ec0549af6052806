"""What `migrate batch` does: opens the store, registers, lets the batch run, tells how it went."""

import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from migrator.cli.output import Output
from migrator.cli.reporting import reporting
from migrator.cli.run import Complaint, CutOff, complaint
from migrator.cli.select import Selectors, clusters_of
from migrator.cli.signals import Signals, saying
from migrator.cli.wiring import Crew, Wiring
from migrator.model.batch import Summary
from migrator.model.errors import MigrateError, UsageError
from migrator.model.events import Reporter
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.plan import Plan
from migrator.model.ports.running import Journal
from migrator.render import log
from migrator.render.json_out import as_json
from migrator.render.views import batch as view
from migrator.render.views import batch_plan as planned
from migrator.running import kept, proven
from migrator.running.batch.agenda import Agenda, Known, Left
from migrator.running.batch.alone import registered
from migrator.running.batch.batch import Batch
from migrator.running.batch.brakes import Brakes
from migrator.running.batch.canaries import held_up
from migrator.running.batch.desk import Orders, Tools
from migrator.running.batch.hours import Hours, opens
from migrator.running.batch.summing import summary_of, summary_outside_windows
from migrator.running.clock import SystemClock
from migrator.running.service import Runner

if TYPE_CHECKING:
    from migrator.render.textfile.reporter import Textfile


@dataclass(slots=True, kw_only=True)
class Batching:
    """One such command.

    Attributes:
        wiring: everything else.
        chosen: which services are meant.
        until: the command line's end of the run, aware.
        worker: one of many.
        max_services: how many may be begun.
        retry_failed: begin what failed before, too.
        close: clusters whose breaker a person closes.
    """

    wiring: Wiring
    chosen: Selectors
    until: datetime | None = None
    worker: bool = False
    max_services: int | None = None
    retry_failed: bool = False
    close: tuple[str, ...] = ()

    def run(self) -> Exit:
        """The batch itself.

        Raises:
            Locked: another one is at work.
            MigrateError: fleet file, plans or store cannot be used.
        """
        self._close_breakers()
        policy, now = self.wiring.fleet.batch, datetime.now(UTC)
        hours = Hours.of(policy, now, self.until)
        if hours is None:
            self._output.hint(
                f"every window is closed; the next opens at {opens(policy, now).isoformat(timespec='minutes')}"
            )
            return self._outside_windows()
        late = hours.too_late(now)
        if late == "window" and hours.closes is not None:
            self._output.hint(_too_short(hours.closes, policy.longest))
        wake = threading.Event()
        with ExitStack() as stack:
            reporter = stack.enter_context(reporting(self.wiring.common, live=False))
            signals = stack.enter_context(Signals(wake, saying(self.wiring.common)))
            textfile = self._textfile(reporter)
            crew = stack.enter_context(self.wiring.crew(textfile or reporter, signals, wake))
            stack.enter_context(registered(crew.memory.locks, worker=self.worker))
            summary = self._carry(crew, hours, _name(), signals)
        return self._tell(summary, textfile, url=self.wiring.fleet.batch.notify)

    def plan(self) -> Exit:
        """Only what would be done."""
        known, breakers = self._known()
        agenda = Agenda.of(known, self._selected)
        for service in list(held_up(agenda, known.states, known.marks, self.wiring.fleet.batch.canary)):
            agenda.put(service, Left.CANARY)
        self._output.show(planned.document(agenda, breakers), planned.blocks)
        return Exit.USAGE if known.unreadable or known.astray else Exit.DONE

    def _outside_windows(self) -> Exit:
        """Tells where everything stands; nothing is posted, as cron comes by again and again till a window opens."""
        known, breakers = self._known()
        agenda, now = Agenda.of(known, self._selected), SystemClock().now()
        with reporting(self.wiring.common, live=False) as reporter:
            textfile = self._textfile(reporter)
        told = {"run": uuid4().hex[:16], "worker": _name(), "now": now}
        return self._tell(summary_outside_windows(agenda, known, breakers=breakers, **told), textfile)

    def _known(self) -> tuple[Known, Mapping[str, str]]:
        """What is known without asking any cluster, and the breakers that are open."""
        with self.wiring.memory() as memory:
            states = memory.journal.states() if memory else {}
            plans, unreadable, astray = self._plans(lambda: states)
            known = Known(
                plans=plans,
                states=states,
                marks={**memory.journal.marks(proven.MARK), **memory.journal.marks(kept.MARK)} if memory else {},
                now=datetime.now(UTC),
                soak=self.wiring.fleet.batch.soak,
                plan_of=self.wiring.plan_of,
                unreadable=unreadable,
                astray=astray,
                retry_failed=self.retry_failed,
            )
            return known, self._brakes(memory.journal).open() if memory else {}

    def complain(self, error: MigrateError) -> Exit:
        """Says an error that is to pass for no failure."""
        found = complaint(error)
        self._output.complain(found, always=True)
        return found.exit

    def _carry(self, crew: Crew, hours: Hours, name: str, signals: Signals) -> Summary:
        plans, unreadable, astray = self._plans(crew.memory.journal.states)
        tools = Tools(
            journal=crew.memory.journal,
            locks=crew.memory.locks,
            clock=crew.clock,
            reporter=crew.reporter,
            interrupt=signals,
            runner=partial(_runner, crew, name),
            account_of=lambda alias: entry.account if (entry := self.wiring.fleet.cluster(alias)) else "",
            document_of=self.wiring.document_of,
            plan_of=self.wiring.plan_of,
        )
        orders = Orders(
            selected=self._selected,
            max_services=self.max_services,
            retry_failed=self.retry_failed,
            worker=self.worker,
        )
        began = crew.clock.now()
        batch = Batch(
            tools=tools,
            policy=self.wiring.fleet.batch,
            hours=hours,
            orders=orders,
            plans=plans,
            unreadable=unreadable,
            astray=astray,
        )
        try:
            batch.run()
        except KeyboardInterrupt as error:
            raise CutOff from error
        if batch.trouble is not None:
            self._output.complain(complaint(batch.trouble), always=True)
        return summary_of(batch, run=uuid4().hex[:16], worker=name, began=began, signal=signals())

    def _textfile(self, inner: Reporter) -> "Textfile | None":
        fleet = self.wiring.fleet
        if fleet.batch.metrics is None:
            return None
        from migrator.render.textfile.reporter import Place, Textfile

        clusters = tuple(one.alias for one in fleet.clusters)
        place = Place(path=fleet.batch.metrics, fleet=fleet.file, clusters=clusters)
        return Textfile(inner, place, self.wiring.meter)

    def _tell(self, summary: Summary, textfile: "Textfile | None", url: str = "") -> Exit:
        """Shows it, writes the metrics, posts it to the URL; neither of the two changes how the run ended."""
        from migrator.adapters.notify import post

        document = view.document(summary)
        self._output.show(document, view.blocks)
        complaints = [textfile.write(summary) if textfile else "", post(url, as_json(document)) if url else ""]
        for problem in filter(None, complaints):
            self._output.warn(problem)
        return summary.exit

    def _plans(
        self, states: Callable[[], Iterable[ServiceId]]
    ) -> tuple[dict[ServiceId, Plan], frozenset[ServiceId], bool]:
        """Those that can be read, the services of the others, and whether there is more, nobody can tell whose.

        `states` gives the services that the journal knows: their plans may stand in a folder that is closed.

        Raises:
            UsageError: there is no folder of plans, or the selectors leave no cluster.
            DocumentError: it cannot be looked into.
        """
        clusters_of(self.wiring.fleet, self.chosen)
        files, folder = self.wiring.plans, self.wiring.folder
        plans, unreadable = self.wiring.readable_plans()
        if not folder.is_dir():
            text = f'there is no folder of plans "{folder}"'
            raise UsageError(text, remedy='run "migrate plan" first, or correct "--plans"')
        astray = bool(files.strays())
        if not astray and not any(self._selected(service, plans.get(service)) for service in files.services()):
            given = self.chosen.given()
            self._output.hint(f"no plan is selected by {given}" if given else f'no plan is in "{folder}"')
        for one in unreadable:
            self._output.complain(Complaint("document", one.problem, Exit.USAGE), always=True)
        hidden = files.hidden(states()) if files.closed() else ()
        return plans, frozenset(files.services()).union(hidden) - plans.keys(), astray

    def _selected(self, service: ServiceId, plan: Plan | None) -> bool:
        entry = self.wiring.fleet.cluster(service.cluster)
        if entry is None or not self.chosen.cluster(service.cluster, entry.account):
            return False
        return self.chosen.planned(service, plan)

    def _close_breakers(self) -> None:
        """Before anything else: a person says so whatever the hour."""
        aliases = [one.alias for one in self.wiring.fleet.clusters]
        for alias in self.close:
            if alias not in aliases:
                known = ", ".join(f'"{one}"' for one in aliases)
                raise UsageError(f'"--close-breaker {alias}": no such cluster', remedy=f"the fleet file has {known}")
        if self.close:
            with self.wiring.stores.opened(create=True) as memory:
                brakes = self._brakes(memory.journal)
                for alias in self.close:
                    brakes.close(alias)
                    self._output.hint(f'the breaker of cluster "{alias}" is closed')

    def _brakes(self, journal: Journal) -> Brakes:
        brakes = Brakes(journal=journal, policy=self.wiring.fleet.batch, clock=SystemClock())
        brakes.look()
        return brakes

    @property
    def _output(self) -> Output:
        return Output(self.wiring.common)


def _runner(crew: Crew, worker: str, service: ServiceId) -> Runner:
    """Asked for in the thread that the service is carried out in: from here on, its log lines name the two."""
    log.begin(service, worker=worker)
    return crew.runner(service)


def _name() -> str:
    """Who this is, among workers."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _too_short(closes: datetime, longest: float) -> str:
    return (
        f"the window closes at {closes.isoformat(timespec='minutes')} and a service is taken to need {longest:g} s "
        '("batch.longest" of the fleet file): none is begun'
    )
