"""Many workers share a fleet while they are killed and stopped at random, and the clouds throttle, drop and dawdle.

In the end every service stands where its world says, and each change was made exactly once. `CHAOS_SERVICES`,
`CHAOS_KILLS` and `CHAOS_SEED` in the environment set how many and which; 500 take a quarter of an hour. A small
storm is in the quick run too.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import flocks, harness, scenes
from tests.lab.harness import Fleet
from tests.lab.invariants import Invariant
from tests.lab.look import check
from tests.lab.shift import Shift

SEED = int(os.environ.get("CHAOS_SEED", "5"))
CLUSTERS = ("north", "east", "south", "west")
WORKERS = 8
LEASE = 10
TABLE = {"table": "migrate", "region": "eu-west-1", "lease": LEASE}
STATIC = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x"}


@dataclass(frozen=True)
class Size:
    """How large a storm.

    Attributes:
        services: over all clusters.
        kills: workers killed.
        pauses: workers stopped for longer than a lease.
        mishaps: in how many of a hundred calls the rarest of the weather strikes.
        limit: seconds within which all must be over.
    """

    services: int
    kills: int
    pauses: int
    mishaps: int
    limit: int

    @property
    def weather(self) -> list[dict[str, Any]]:
        """What the clouds do to calls all the while."""
        share = self.mishaps / 100
        return [
            {"name": "throttled-iam", "fail": {"aws": {"service": "iam"}, "with": "throttled", "share": 3 * share}},
            {"name": "throttled-eks", "fail": {"aws": {"service": "eks"}, "with": "throttled", "share": 3 * share}},
            {"name": "busy", "fail": {"kube": {}, "with": "unavailable", "share": share}},
            {"name": "lost-before", "drop": {"aws": {"service": "eks"}, "share": share}},
            {"name": "lost-after", "drop": {"aws": {"service": "eks"}, "side": "after", "share": share}},
            {"name": "lost-write", "drop": {"kube": {"verb": "write"}, "side": "after", "share": share}},
            {"name": "slow-iam", "slow": {"aws": {"service": "iam"}, "seconds": 1, "share": 2 * share}},
            {
                "name": "slow-kube",
                "slow": {"kube": {"verb": "write"}, "seconds": 1, "share": 2 * share, "side": "after"},
            },
            {"name": "overlooked", "webhookMisses": {"serviceAccount": "shop/missed*"}},
        ]


MANY = int(os.environ.get("CHAOS_SERVICES", "80"))
LARGE = Size(MANY, int(os.environ.get("CHAOS_KILLS", "40")), pauses=5, mishaps=1, limit=max(2400, 12 * MANY))
SMALL = Size(services=16, kills=6, pauses=0, mishaps=3, limit=400)  # fewer calls: to strike at all, more of them


def services(number: int) -> list[scenes.Service]:
    """A cluster's: most are plain, one in twenty must not be moved, one in twenty will not come up after the move."""
    few = max(1, number // 20)
    return [
        *flocks.many(number - 3 * few, "plain"),
        *flocks.many(few, "keys", env=STATIC),
        *flocks.many(few, "missed"),
        *flocks.many(few, "held"),
    ]


EXPECTED = {"plain": "migrated", "keys": "planned", "missed": "rolled-back", "held": "planned"}


@pytest.fixture
def fleet(tmp_path: Path, size: Size) -> Iterator[Fleet]:
    each = size.services // len(CLUSTERS)
    world = flocks.write(tmp_path, {alias: services(each) for alias in CLUSTERS})
    with harness.unwatched(world, tmp_path) as running, ExitStack() as stack:
        for witness in running.witnesses.values():  # pods are followed; each is asked for its credentials in the end
            stack.callback(witness.stop)
            witness.start()
        running.migrate("plan").ok()
        for file in Path(running.environment["MIGRATE_PLANS"]).glob("*/shop/held*.yaml"):
            service = f"{file.parts[-3]}/shop/{file.stem}"
            scenes.edit(running, service, hold=True)
        yield running


LONG = [pytest.mark.slow, pytest.mark.timeout(600 + LARGE.limit)]


@pytest.mark.apart
@pytest.mark.parametrize(
    ("store", "size"),
    [
        pytest.param("sqlite", SMALL, id="small", marks=pytest.mark.timeout(200 + SMALL.limit)),
        pytest.param("sqlite", LARGE, id="sqlite", marks=LONG),
        pytest.param("dynamodb", LARGE, id="dynamodb", marks=LONG),
    ],
)
def test_chaos(fleet: Fleet, store: str, size: Size) -> None:
    """On one machine, where a worker that is stopped keeps its locks; and on many, where it loses its leases."""
    calm(fleet)
    if store == "dynamodb":
        flocks.state(fleet, dynamodb={**TABLE, "account": flocks.ACCOUNTS[0]})
        fleet.migrate("store", "init", "--yes").ok()
    whims: dict[str, Any] = {"pauses": size.pauses, "paused_for": 2 * LEASE, "seed": SEED}
    shift = Shift(fleet, fleet.folder / "shift", WORKERS, size.kills, **whims)
    began = time.monotonic()
    fleet.notes.killed = True
    for service in flocks.standings(fleet):
        if "/missed" in service:
            fleet.waive(Invariant.CREDENTIALS, service, "the webhook overlooks its pods, whoever restarts them")
    with fleet.faults(*size.weather):
        shift.work(every=1.0, limit=size.limit)
    judge(fleet, shift, size, time.monotonic() - began)


def calm(fleet: Fleet) -> None:
    """What the fleet file says of batches: nothing that would stop this one."""
    flocks.policy(
        fleet,
        limits={"services": 2, "per_cluster": 5, "api_rate": 500},
        budget={"failures": 10000, "share": 1},
        breaker=10000,
        canary=1,
    )
    scenes.waits(fleet, verify=2)


def judge(fleet: Fleet, shift: Shift, size: Size, seconds: float) -> None:
    """Whether all is as it should be, once the weather is fine; and the figures."""
    last = fleet.migrate("batch", "--output", "json")
    assert last.exit in {Exit.BLOCKED, Exit.DONE}, last.err
    assert last.data["services"] == []
    stands = flocks.standings(fleet)
    wrong = {
        service: standing
        for service, standing in stands.items()
        if standing != EXPECTED[service.rpartition("/")[2].rstrip("0123456789")]
    }
    assert not wrong
    assert len(stands) == size.services // len(CLUSTERS) * len(CLUSTERS)
    assert shift.fates["killed"] >= size.kills
    assert shift.fates["paused"] >= min(2, size.pauses)
    assert fleet.migrate("status", "--output", "json").data["locks"] == []
    if not fleet.state.exists():  # what the table holds is judged as the file that it makes
        fleet.migrate("store", "export", "state.jsonl").ok()
        flocks.state(fleet, sqlite="state.db")
        fleet.migrate("store", "import", "state.jsonl").ok()
    check(fleet)
    faults = Counter(one["fault"] for one in fleet.lab_page("faults")["log"])
    assert {one["name"] for one in size.weather} - faults.keys() == set()
    sys.stdout.write(
        f"\n{len(stands)} services, {len(CLUSTERS)} clusters, {WORKERS} workers, seed {SEED}, {seconds:.0f} s;"
        f"\nworkers: {dict(sorted(shift.fates.items()))}; started {sum(one.starts for one in shift.workers)} times,"
        f" took over from others or lost to them {shift.said('took over')} times"
        f"\nclouds: {dict(sorted(faults.items()))}"
        f"\nend: {dict(Counter(stands.values()))}\n"
    )
