"""The one module that knows every class and joins them. Everything is made when it is first asked for."""

import socket
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.cli.options import Common
from migrator.cli.select import resolve
from migrator.cli.stores import Memory, Stores, user
from migrator.documents.errors import DocumentError
from migrator.model.errors import RecordFault, UsageError
from migrator.model.facts import Json
from migrator.model.fleet import Fleet
from migrator.model.ids import ServiceId
from migrator.model.meter import Meter
from migrator.model.plan import Plan
from migrator.model.ports.planning import ClusterView, ResourceReader, Roles
from migrator.model.ports.running import Clock, Interrupt

if TYPE_CHECKING:
    from migrator.adapters.aws.sessions import AwsSessions
    from migrator.adapters.aws.source_roles import Iam
    from migrator.adapters.fence import Fence
    from migrator.adapters.kube.cluster import LiveCluster
    from migrator.model.events import Reporter
    from migrator.render.views.status import Unreadable
    from migrator.running.service import Runner
    from migrator.store.plan_file import PlanFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """All that a run needs besides its plan."""

    wiring: "Wiring"
    memory: Memory
    clock: Clock
    reporter: "Reporter"
    interrupt: Interrupt

    def runner(self, service: ServiceId) -> "Runner":
        """The runner of the service's cluster.

        Raises:
            UsageError: the fleet file has no such cluster.
            MigrateError: its account cannot be reached.
        """
        from migrator.running.service import Runner

        return Runner(
            cluster=self.wiring.live(service),
            trust=self.wiring.roles,
            journal=self.memory.journal,
            locks=self.memory.locks,
            clock=self.clock,
            reporter=self.reporter,
            interrupt=self.interrupt,
            waits=self.wiring.fleet.waits,
            actor=self.wiring.actor(service),
            host=socket.gethostname(),
            plan_of=self.wiring.plan_of,
            file_of=self.wiring.plan_file,
        )


class Wiring:
    """The objects of one command. Calls to the clouds are counted in `meter`.

    `api_rate` takes from the fleet file how many calls a second may go to one AWS account; without it as many as come.
    """

    def __init__(self, common: Common, *, api_rate: "Callable[[Fleet], float] | None" = None) -> None:
        self.common = common
        self.meter = Meter()
        self._api_rate = api_rate
        self._clusters: dict[str, LiveCluster] = {}
        self._making = threading.Lock()

    @cached_property
    def fleet(self) -> Fleet:
        """The fleet file.

        Raises:
            DocumentError: it cannot be used.
        """
        from migrator.store.fleet_file import load_fleet

        return load_fleet(self.common.fleet)

    @property
    def folder(self) -> Path:
        """The folder of the plan files."""
        return self.common.plans or self.fleet.plans

    @cached_property
    def plans(self) -> "PlanFiles":
        """The plan files."""
        from migrator.store.plan_file import PlanFiles

        return PlanFiles(self.folder)

    @cached_property
    def fence(self) -> "Fence":
        """What every change of a run asks first."""
        from migrator.adapters.fence import Fence

        return Fence()

    @cached_property
    def sessions(self) -> "AwsSessions":
        """AWS, account by account."""
        from migrator.adapters.aws.sessions import AwsSessions
        from migrator.adapters.rate import Rate
        from migrator.running.clock import SystemClock

        rate = Rate(self._api_rate(self.fleet), SystemClock()) if self._api_rate else None  # no signal cuts it short
        return AwsSessions(self.fleet, meter=self.meter, rate=rate, fence=self.fence)

    @cached_property
    def roles(self) -> "Iam":
        """IAM over all accounts."""
        from migrator.adapters.aws.source_roles import Iam

        return Iam(self.sessions)

    def planning_roles(self, expected: Iterable[str]) -> Roles:
        """IAM as one planning sees it, in which roles of these ARNs will be asked for; read-only."""
        from migrator.adapters.aws.planning_roles import PlanningRoles

        return PlanningRoles(self.sessions, expected)

    @cached_property
    def resources(self) -> ResourceReader:
        """Policies of buckets and the like, over all accounts."""
        from migrator.adapters.aws.resource_policies import ResourceReading

        return ResourceReading(self.sessions)

    def live(self, service: ServiceId) -> "LiveCluster":
        """The cluster of a service."""
        return self.live_cluster(service.cluster)

    def view(self, alias: str) -> ClusterView:
        """A cluster as the planner may see it: read-only, what two facts need is read once."""
        return self.live_cluster(alias).snapshot()

    def live_cluster(self, alias: str) -> "LiveCluster":
        """A cluster of the fleet by its alias; thread-safe.

        Raises:
            UsageError: the fleet file has none of that alias.
        """
        from migrator.adapters.kube.cluster import LiveCluster

        entry = self.fleet.cluster(alias)
        if entry is None:
            known = ", ".join(f'"{one.alias}"' for one in self.fleet.clusters)
            raise UsageError(f'cluster "{alias}" is not in {self.fleet.file}', remedy=f"it has {known}")
        with self._making:
            if alias not in self._clusters:
                self._clusters[alias] = LiveCluster(entry, self.sessions)
            return self._clusters[alias]

    def actor(self, service: ServiceId) -> str:
        """Who acts: the local user and the AWS caller in the cluster's account."""
        entry = self.fleet.cluster(service.cluster)
        caller = self.sessions.identity(entry.account, entry.region).arn if entry else ""
        return f"{user()} as {caller}" if caller else user()

    def document_of(self, plan: Plan) -> Json:
        """The plan as plain data, as a run carries it."""
        from migrator.store.plan_document import document_of

        return document_of(plan)

    def plan_of(self, document: Json) -> Plan:
        """The plan that a run carries."""
        from migrator.store.plan_document import plan_of

        try:
            return plan_of(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"a run carries no plan ({type(error).__name__}: {error})"
            raise RecordFault(
                f"{self.fleet.state} is damaged: {what}",
                remedy="nothing was changed; restore the file from a backup",
            ) from error

    def plan_file(self, service: ServiceId) -> str:
        """The path of a service's plan file, as people are shown it."""
        return shown(self.plans.path(service))

    @cached_property
    def stores(self) -> Stores:
        """The store that the fleet file names."""
        return Stores(self.fleet.state, lambda: self.sessions)

    @contextmanager
    def memory(self) -> Iterator[Memory | None]:
        """The store for reading; None while there is no state file, as nothing has ever been done. Makes none."""
        with self.stores.memory() as memory:
            yield memory

    @contextmanager
    def crew(self, reporter: "Reporter", interrupt: Interrupt, wake: threading.Event) -> Iterator[Crew]:
        """What runs need; the store is open for writing meanwhile."""
        from migrator.running.clock import SystemClock

        with self.stores.opened(create=True) as memory, self.fence.by(memory.locks):
            yield Crew(wiring=self, memory=memory, clock=SystemClock(wake), reporter=reporter, interrupt=interrupt)

    def find(self, wanted: Sequence[str], memory: Memory | None) -> tuple[ServiceId, ...]:
        """The services meant on the command line: those with a plan file, and those the journal knows.

        Raises:
            UsageError: one is unknown or ambiguous.
            DocumentError: nobody can tell, as a folder of plans cannot be looked into.
        """
        known = set(self.plans.services())
        if memory is not None:
            known.update(memory.journal.states())
        named = {ServiceId(*parts) for text in wanted if len(parts := text.split("/")) == 3}
        known.update(service for service in named - known if self.plans.stands(service))  # a name cut short tells no id
        if len(named) < len(set(wanted)):
            for error in self.plans.closed():  # what is meant by part of an id may stand there
                raise error
        return resolve(wanted, sorted(known), self._workload_names)

    def _workload_names(self) -> Mapping[ServiceId, Collection[str]]:
        plans, _unreadable = self.readable_plans()  # an unreadable one is still found by its id
        return {
            service: {str(one["name"]) for one in plan.facts.get("workloads", ())} for service, plan in plans.items()
        }

    def readable_plans(self, files: "PlanFiles | None" = None) -> "tuple[dict[ServiceId, Plan], list[Unreadable]]":
        """Every plan, and the files that cannot be used with the reason; `files` are read instead of `plans`."""
        from migrator.render.views.status import Unreadable

        files = files or self.plans
        plans: dict[ServiceId, Plan] = {}
        unreadable: list[Unreadable] = []
        for service in files.services():
            try:
                plans[service] = files.read(service)
            except DocumentError as error:
                unreadable.append(Unreadable(self.plan_file(service), str(error)))
        strays = [Unreadable(shown(Path(error.path)), str(error)) for error in files.strays()]
        return plans, [*unreadable, *strays]


def shown(path: Path) -> str:
    """Relative to the working directory where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, RuntimeError):  # it is elsewhere, or a link to itself
        return str(path)
