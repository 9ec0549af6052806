"""What verify judges, and what it leaves to its own devices."""

from dataclasses import replace

import pytest

from migrator.model.facts import Association, Pod, WorkloadRef
from migrator.model.plan import PlannedStep, StepKind
from migrator.steps.step import Context, Failed, NotYet, Settled, Settling
from migrator.steps.verify import VerifyStep
from tests.fakes.running import SERVICE, WAITS
from tests.fakes.world import ROLE_ARN, FakeWorld, pod

STEP = PlannedStep(
    id="verify", kind=StepKind.VERIFY, on={}, before={"identity": "irsa"}, after={"identity": "pod-identity"}
)
OWNER = WorkloadRef(kind="Deployment", namespace="shop", name="orders")
JOB = WorkloadRef(kind="Job", namespace="shop", name="import")
ASSOCIATION = Association(id="a-1", namespace="shop", service_account="orders", role_arn=ROLE_ARN)
GOOD = pod("pod-identity", "good", OWNER)


def verdict(*pods: Pod) -> Settling:
    world = FakeWorld(daemonset=True, made=ASSOCIATION)
    world.live = {one.name: one for one in pods}
    context = Context(service=SERVICE, run="r", cluster=world, trust=world, waits=WAITS)
    return VerifyStep().settled(STEP, context)


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        pytest.param(pod("irsa", "odd", OWNER), Failed, id="[irsa] stays so: injection is at admission only"),
        pytest.param(pod("none", "odd", OWNER), Failed, id="[none] missed by the webhook"),
        pytest.param(pod("pod-identity", "odd", OWNER, baked=True), Failed, id="[both] written into the template"),
        pytest.param(replace(pod("pod-identity", "odd", OWNER), ready=False), NotYet, id="[not ready]"),
        pytest.param(replace(pod("irsa", "odd", OWNER), deleting=True), Settled, id="[going] does not count"),
        pytest.param(pod("irsa", "odd", JOB), Settled, id="[job] is left to finish"),
        pytest.param(pod("irsa", "odd", None), Settled, id="[bare] was accepted in the plan"),
        pytest.param(replace(pod("irsa", "odd", OWNER), phase="Succeeded"), Settled, id="[finished]"),
    ],
)
def test_one_odd_pod_beside_a_good_one(odd: Pod, expected: type) -> None:
    assert isinstance(verdict(GOOD, odd), expected)


def test_the_answer_names_pod_and_container() -> None:
    answer = verdict(GOOD, pod("irsa", "odd", OWNER))

    assert isinstance(answer, Failed)
    assert "odd/main has irsa" in answer.reason


def test_no_pods_settle_without_proof() -> None:
    answer = verdict()

    assert isinstance(answer, Settled)
    assert answer.result["containers"] == {}
