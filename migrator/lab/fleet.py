"""A whole practice fleet in this process: the AWS front, every cluster, and the world's content in them."""

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from migrator.documents.yaml_file import Document
from migrator.lab.aws.cloudformation import LabStack
from migrator.lab.aws.front import AwsFront
from migrator.lab.cluster import PracticeCluster
from migrator.lab.faults.model import Fault
from migrator.lab.faults.pages import Pages
from migrator.lab.faults.play import FaultPlay
from migrator.lab.planes import Plane, PracticePlane
from migrator.lab.podrecord import PodRecords
from migrator.lab.readiness import progress
from migrator.lab.record import RunningCluster
from migrator.lab.world.errors import SeedError
from migrator.lab.world.faults import read_faults
from migrator.lab.world.index import Index
from migrator.lab.world.load import world_schema
from migrator.lab.world.model import World
from migrator.lab.world.seed_aws import AwsSeeder

_UP_LIMIT = 60.0
_QUIET = 3.0
_PAUSE = 0.1


def practice_plane(_alias: str) -> Plane:
    """Our own control plane, for every cluster."""
    return PracticePlane()


class Practice:
    """One practice fleet; moto's memory is the process's, so only one can be alive at a time.

    Attributes:
        front: the AWS front.
        clusters: the running clusters by alias.
        faults: what goes wrong in it.
        pods: every pod it has ever admitted.
    """

    def __init__(self, world: World, directory: Path, plane: Callable[[str], Plane] = practice_plane) -> None:
        """Args: the world; a folder for the clusters' files; what a cluster of that alias is built on."""
        self._world = world
        self.front = AwsFront(account.id for account in world.accounts)
        self.clusters = {
            cluster.alias: PracticeCluster(cluster, self.front, directory, plane(cluster.alias))
            for cluster in world.clusters
        }
        self._seeder = AwsSeeder(self.front.endpoint)
        self._index = Index(world.document)
        self.faults = FaultPlay(self._index, self.front)
        self.pods = PodRecords()

    def start(self) -> None:
        """Starts everything and returns when the workloads are up, as far as they ever will be.

        Raises:
            DocumentError: the world holds something that AWS or a cluster refuses.
        """
        try:
            self._start()
        except SeedError as error:
            raise self._world.refusal(error.at, error.problem) from error

    def stop(self) -> None:
        """Stops everything; what fails to stop does not keep the rest from it."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.front.stop)
            for cluster in self.clusters.values():
                stack.callback(cluster.stop)
            stack.callback(self.faults.stop)

    def running_clusters(self) -> tuple[RunningCluster, ...]:
        """How each cluster is reached, in the world's order."""
        return tuple(cluster.running() for cluster in self.clusters.values())

    def _start(self) -> None:
        self.front.start()
        for account in self._world.accounts:
            self.front.set_trust_quota(account.id, account.trust_quota)
            stacks = (LabStack(account.id, one.region, one.name, one.roles) for one in account.stacks)
            self.front.cloudformation.stacks.extend(stacks)
        with ThreadPoolExecutor(max_workers=len(self.clusters) + 1) as pool:
            _all_done([pool.submit(self._seed_accounts), *(pool.submit(self._begin, one) for one in self.clusters)])
            _all_done([pool.submit(self._populate, one) for one in self.clusters.values()])
        self._wait_until_up()
        for cluster in self.clusters.values():
            cluster.settle()
        self.faults.begin(self.clusters)
        self.faults.board.add(self._playable(self._world.document, self._world.faults))
        self.front.pages.update(Pages(self.faults, self.pods, self.clusters, self._read_faults).all())

    def _read_faults(self, document: Document) -> tuple[Fault, ...]:
        return self._playable(document, read_faults(self._index, document, world_schema()))

    def _playable(self, document: Document, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        """The faults, if every one of them can be played.

        Raises:
            DocumentError: one is about calls of an API server that is not ours.
        """
        wrong = self.faults.unplayable(faults)
        if wrong is not None:
            problem = f"{wrong.kind} of Kubernetes calls cannot be played: a real API server refuses and drops none"
            raise document.error(wrong.at, problem)
        return faults

    def _begin(self, alias: str) -> None:
        cluster = self.clusters[alias]
        cluster.start()
        cluster.stop_with(self.pods.follow(alias, cluster.kube).stop)

    def _seed_accounts(self) -> None:
        for account in self._world.accounts:
            self._seeder.account(account)
        for account in self._world.accounts:
            self._seeder.trusts(account)

    def _populate(self, cluster: PracticeCluster) -> None:
        """Associations and add-ons first, so that the first pods are as they would be on a cluster grown old."""
        self._seeder.cluster(cluster.spec)
        cluster.seeder.workloads()

    def _wait_until_up(self) -> None:
        """Until every workload is up, or none has come up for a while: some never can."""
        limit = time.monotonic() + _UP_LIMIT
        best, since = -1, time.monotonic()
        while time.monotonic() < limit and time.monotonic() - since < _QUIET:
            counts = [progress(cluster.kube) for cluster in self.clusters.values()]
            up = sum(ready for _wanted, ready in counts)
            if all(ready >= wanted for wanted, ready in counts):
                return
            if up > best:
                best, since = up, time.monotonic()
            time.sleep(_PAUSE)


def _all_done(futures: list[Future[None]]) -> None:
    """Waits for all of them, and then raises what the first that failed raised."""
    wait(futures)
    for future in futures:
        future.result()
