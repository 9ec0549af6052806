"""A look over the whole fleet before any of it is planned: who uses which role, in whichever cluster."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from migrator.model.errors import MigrateError
from migrator.model.fleet import Fleet, FleetCluster
from migrator.model.ids import ServiceId
from migrator.model.ports.planning import ClusterView, ResourceReader
from migrator.planning.resources import NO_RESOURCES, Resources, resources
from migrator.planning.users import Users, all_of, users_of
from migrator.render.views.plan import LeftOut

AT_ONCE = 8


class Shelves(Protocol):
    """What the look at resources needs of the wiring."""

    @property
    def fleet(self) -> Fleet:
        """The fleet file."""
        ...

    @property
    def resources(self) -> ResourceReader:
        """Policies of buckets and the like over all accounts."""
        ...


class Sights(Protocol):
    """What the look needs of the wiring."""

    @property
    def fleet(self) -> Fleet:
        """The fleet file."""
        ...

    def view(self, alias: str) -> ClusterView:
        """A cluster, to be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The clusters that could be read, the others with the reason, and the users of every role."""

    views: Mapping[str, ClusterView]
    closed: Mapping[str, LeftOut]
    users: Users
    issuers: Mapping[str, str]  # issuer of a cluster, without its scheme, to its alias


def survey(desk: Sights, remembered: Mapping[ServiceId, str]) -> Survey:
    """Reads the ServiceAccounts of every cluster of the fleet file, several clusters at once.

    One that cannot be read is named; that does not stop the others.
    """

    def one(cluster: FleetCluster) -> tuple[ClusterView, Users] | LeftOut:
        try:
            view = desk.view(cluster.alias)
            return view, users_of(view, remembered)
        except MigrateError as error:
            return left_out(cluster.alias, error)

    clusters: Sequence[FleetCluster] = desk.fleet.clusters
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(clusters))) as pool:
        outcomes = dict(zip((cluster.alias for cluster in clusters), pool.map(one, clusters), strict=True))
    seen = {alias: outcome for alias, outcome in outcomes.items() if not isinstance(outcome, LeftOut)}
    return Survey(
        views={alias: view for alias, (view, _) in seen.items()},
        closed={alias: outcome for alias, outcome in outcomes.items() if isinstance(outcome, LeftOut)},
        users=all_of(users for _, users in seen.values()),
        issuers={view.cluster().issuer_host: alias for alias, (view, _) in seen.items()},
    )


def looked_at(desk: Shelves, seen: Survey) -> Resources:
    """The policies of buckets and the like of the accounts and regions whose clusters could be read.

    They are the same whichever of the clusters are planned; without a service there is nothing to look for.
    """
    if desk.fleet.policy.resource_policies == "skip":
        return Resources(skipped=True)
    if not any(seen.users.values()):
        return NO_RESOURCES
    clusters = (view.cluster() for view in seen.views.values())
    return resources(desk.resources.read({(cluster.account, cluster.region) for cluster in clusters}))


def left_out(alias: str, error: MigrateError) -> LeftOut:
    """The cluster with the reason, which need not name it again."""
    return LeftOut(alias, error.sentence().removeprefix(f'cluster "{alias}": '))
