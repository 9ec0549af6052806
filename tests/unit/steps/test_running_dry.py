"""A rollout that replaces pods that have credentials by pods that have none, while no pod may be evicted."""

from dataclasses import replace

import pytest

from migrator.model.facts import Rollout, WorkloadRef
from migrator.model.identity import Identity
from migrator.model.ids import RESTART_STAMP
from migrator.steps.crowds import ways
from migrator.steps.crowds.crowd import Crowd
from migrator.steps.step import Context, Failed, NotYet
from tests.fakes.parts import deployment, pod
from tests.fakes.running import SERVICE, WAITS
from tests.fakes.world import FakeWorld

REF = WorkloadRef(kind="Deployment", namespace="shop", name="orders")
REFUSED = "The disruption budget orders needs 3 healthy pods and has 3 currently"


def context(world: FakeWorld, missed: list[str], refused: str) -> Context:
    memory = {"asked": {str(REF): ["1"]}, "missed": {str(REF): missed}}
    return Context(service=SERVICE, run="r1", cluster=world, trust=world, waits=WAITS, memory=memory, refused=refused)


def crowd(world: FakeWorld, new: list[str], *, complete: bool) -> Crowd:
    """Two old pods and new ones of these identities."""
    old = [pod("irsa", f"old-{number}", REF) for number in (1, 2)]
    made = [
        replace(pod(mode, f"new-{number}", REF), annotations={RESTART_STAMP: "r1"}) for number, mode in enumerate(new)
    ]
    rollout = Rollout(desired=3, updated=len(new), ready=3, old=0 if complete else 2, complete=complete, stamp="r1")
    return Crowd(
        workload=world.workloads_of("shop", "orders")[0],
        pods=tuple(made if complete else [*old, *made]),
        wanted=Identity.POD_IDENTITY,
        rollout=rollout,
    )


@pytest.mark.parametrize(
    ("new", "refused", "complete", "fails"),
    [
        pytest.param(["none"], REFUSED, False, True, id="[the first new pod]"),
        pytest.param(["none", "pod-identity"], REFUSED, False, True, id="[half]"),
        pytest.param(["none", "pod-identity", "pod-identity"], REFUSED, False, False, id="[fewer than half: wait]"),
        pytest.param(["none"], "", False, False, id="[it may be evicted]"),
        pytest.param(["irsa"], REFUSED, False, False, id="[it has other credentials]"),
        pytest.param(["none", "none", "none"], REFUSED, True, False, id="[the rollout is over: waiting harms nobody]"),
    ],
)
def test_it_ends_at_once_when_waiting_would_make_it_worse(
    new: list[str], refused: str, complete: bool, fails: bool
) -> None:
    world = FakeWorld(declared=[deployment("orders", replicas=3)])
    seen = crowd(world, new, complete=complete)
    wrong = [one.uid for one in seen.pods if one.name.startswith("new") and one in seen.wrong]

    answer = ways.look(context(world, wrong, refused), seen, natural=False)

    assert isinstance(answer, Failed if fails else NotYet)
    assert not fails or REFUSED in answer.reason
