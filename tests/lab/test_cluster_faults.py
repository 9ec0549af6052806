"""Faults that concern a whole cluster, one after another: the agent, the webhook, and whatever stops every service."""

from collections.abc import Iterator

import pytest

from tests.lab import harness, scenes
from tests.lab.harness import Fleet
from tests.lab.invariants import Invariant
from tests.scenarios.faulty import (
    APPLIED,
    BLOCKED,
    DONE,
    DRIFT,
    PODS,
    ROLLED_BACK,
    STRANDED,
    UNFINISHED,
    WEB,
    Scenario,
    play,
)

pytestmark = pytest.mark.slow
ADDON = "eks-pod-identity-agent"
CREATED = {"side": "after", "aws": {"operation": "CreatePodIdentityAssociation"}}


def sick(status: str) -> dict[str, object]:
    """The agent's add-on is so, with an issue that a person may read."""
    return {"addonSick": {"status": status, "issues": [{"code": "InsufficientNumberOfReplicas", "message": "too few"}]}}


AGENT = (
    Scenario(
        name="create-failed", tag="add-on", faults=[sick("CREATE_FAILED")],
        during=(("apply", ROLLED_BACK), ("apply", DRIFT)), says="CREATE_FAILED", stands=WEB,
    ),
    Scenario(
        name="creating", tag="add-on", faults=[sick("CREATING")],
        during=(("apply", ROLLED_BACK),), says="CREATING", after=APPLIED, stands=PODS,
    ),
    Scenario(
        name="degraded", tag="add-on", faults=[sick("DEGRADED")], during=APPLIED, says="DEGRADED", stands=PODS,
    ),
    Scenario(
        name="one-node-missing", tag="agent", faults=[{"agentMissing": {"node": "*-1"}}],
        during=(("apply", ROLLED_BACK),), says="no ready agent pod on", after=APPLIED, stands=PODS,
    ),
)  # fmt: skip
WEBHOOK = (
    Scenario(
        name="webhook-off", tag="webhook", faults=[{"webhookOff": {}}],
        during=(("apply", BLOCKED),), says="webhook", after=APPLIED, stands=PODS,
    ),
    Scenario(
        name="webhook-unregistered", tag="webhook", faults=[{"webhookOff": {"how": "unregistered"}}],
        during=(("apply", BLOCKED),), says="webhook", after=APPLIED, stands=PODS, plays=False,
    ),
    Scenario(
        name="webhook-off-midway", tag="webhook", faults=[{"when": CREATED, "webhookOff": {}}],
        during=(("apply", STRANDED),), says="migrate rollback --service main/shop/webhook-off-midway",
        after=(("rollback", DONE),), stands=WEB,
    ),
)  # fmt: skip
CREDENTIALS = (
    Scenario(
        name="all-expired", tag="credentials", faults=[{"expire": {"aws": {}}, "when": CREATED}],
        during=(("apply", UNFINISHED), ("apply", UNFINISHED)), says="expired", after=APPLIED, stands=PODS,
    ),
)  # fmt: skip
ON_A_GOOD_CLUSTER = (*WEBHOOK, *CREDENTIALS)


def made(
    tmp_path_factory: pytest.TempPathFactory, scenarios: tuple[Scenario, ...], **cluster: object
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("cluster-faults")
    services = [scenes.service(one.name, replicas=one.replicas) for one in scenarios]
    with harness.fleet(scenes.write(folder, services, **cluster), folder) as running:
        scenes.waits(running, agent=6, trust=5, gate=6, verify=8, rollout=20, settle=0.6, reconcile=0.8)
        running.migrate("plan").ok()
        yield running


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    yield from made(tmp_path_factory, ON_A_GOOD_CLUSTER, addons=[ADDON])


@pytest.fixture
def bare_fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One of its own: whose agent is sick is told from all others of the cluster."""
    yield from made(tmp_path_factory, (request.getfixturevalue("scenario"),))


def judged(fleet: Fleet, scenario: Scenario) -> None:
    for name, reason in scenario.waived.items():
        fleet.waive(Invariant(name), scenario.service, reason)
    problems = play(fleet, scenario).problems(scenario)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("scenario", [pytest.param(one, id=f"[{one.tag}] {one.name}") for one in ON_A_GOOD_CLUSTER])
def test_fault(scenario: Scenario, fleet: Fleet) -> None:
    judged(fleet, scenario)


@pytest.mark.parametrize("scenario", [pytest.param(one, id=f"[{one.tag}] {one.name}") for one in AGENT])
def test_agent(scenario: Scenario, bare_fleet: Fleet) -> None:
    judged(bare_fleet, scenario)
