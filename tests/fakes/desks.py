"""The wiring of planning over declared worlds, one per cluster."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from migrator.cli.planning import run_planning
from migrator.cli.select import Selectors, clusters_of
from migrator.cli.stores import Memory
from migrator.model.errors import EnvironmentFault
from migrator.model.facts import Cluster
from migrator.model.fleet import Fleet, FleetCluster, Policy, SqliteState
from migrator.model.ports.planning import ClusterView, Roles
from migrator.render.views.plan import Planning
from migrator.store.plan_file import PlanFiles
from tests.fakes.planning import World
from tests.fakes.running import MemoryJournal, NoLocks
from tests.fakes.shelf import Shelf

EU = FleetCluster(alias="prod", name="shop-prod", region="eu-west-1", account="111111111111")
US = FleetCluster(alias="us", name="shop-us", region="us-east-1", account="222222222222")


@dataclass(frozen=True, kw_only=True)
class Closed(World):
    """A cluster that cannot be reached."""

    doing: str = 'reading cluster "us"'

    def cluster(self) -> Cluster:
        raise EnvironmentFault("no route to host", doing=self.doing)


@dataclass
class Office:
    """The wiring over declared worlds."""

    folder: Path
    worlds: dict[str, World] = field(default_factory=lambda: {"prod": World(), "us": Closed()})
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    locks: NoLocks = field(default_factory=NoLocks)
    resources: Shelf = field(default_factory=Shelf)
    policy: Policy = field(default_factory=Policy)

    @property
    def fleet(self) -> Fleet:
        state, clusters = SqliteState(self.folder / "s"), (EU, US)
        return Fleet(file=self.folder / "f", state=state, plans=self.folder, clusters=clusters, policy=self.policy)

    @property
    def plans(self) -> PlanFiles:
        return PlanFiles(self.folder)

    def planning_roles(self, expected: Iterable[str]) -> Roles:
        del expected
        return self.worlds["prod"]

    def view(self, alias: str) -> ClusterView:
        return self.worlds.get(alias, Closed())

    @contextmanager
    def memory(self) -> Iterator[Memory | None]:
        yield Memory(self.journal, self.locks)

    def plan(self, chosen: Selectors | None = None, *, dry_run: bool = False, by_role: bool = False) -> Planning:
        selected = chosen or Selectors(clusters=("prod",))
        clusters = clusters_of(self.fleet, selected)
        return run_planning(self, selected, clusters, dry_run=dry_run, by_role=by_role)
