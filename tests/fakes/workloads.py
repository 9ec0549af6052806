"""Workloads of each kind for the fake world, and what was done to them."""

from migrator.model import identity
from migrator.model.exits import Exit
from migrator.model.facts import WorkloadRef
from tests.fakes.parts import FakeWorkload
from tests.fakes.running import Bench


def of_kind(kind: str, name: str, replicas: int = 2, **differs: object) -> FakeWorkload:
    """A workload of that kind in the service's namespace; `differs` are fields of `FakeWorkload`."""
    made = FakeWorkload(ref=WorkloadRef(kind=kind, namespace="shop", name=name), replicas=replicas)
    for field, value in differs.items():
        setattr(made, field, value)
    return made


def moves(bench: Bench) -> list[str]:
    """What was done to workloads and pods, in order."""
    return [call for call in bench.world.calls if call.startswith(("restart", "evict", "set-aside", "recreate"))]


def identities(bench: Bench, owner: str | None = None) -> set[str]:
    """Which there are among the pods, or among those of one workload."""
    pods = bench.world.live.values()
    return {str(identity.of_pod(one)) for one in pods if owner is None or (one.owner and one.owner.name == owner)}


def apply(bench: Bench) -> Exit:
    """Carries the bench's plan out."""
    return bench.runner().apply(bench.plan, bench.document).exit
