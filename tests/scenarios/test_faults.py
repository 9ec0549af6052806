"""Each fault that concerns one service, over the wire: its promised outcome, exit code and state, then the invariants.

The scenarios of all services are played side by side on one fleet, and judged one by one.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.lab import harness, scenes
from tests.lab.harness import Fleet
from tests.lab.invariants import Invariant, Violation, Waiver, violations
from tests.lab.look import look
from tests.scenarios.fault_table import SCENARIOS
from tests.scenarios.faulty import Outcome, Scenario, lost, play, services

pytestmark = pytest.mark.timeout(900)  # whichever comes first plays all of them
AT_ONCE = 6
Outcomes = Mapping[str, Outcome]
WEB_IDENTITY = {"cluster": "main", "namespace": "shop", "serviceAccount": "other"}
OTHER = {"name": "other", "trust": {"irsa": [WEB_IDENTITY], "podIdentity": True}}


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("faults")
    made = [*services(SCENARIOS), {**scenes.service("other"), "role": OTHER}]
    with harness.fleet(scenes.write(folder, made, addons=["eks-pod-identity-agent"]), folder, plane) as running:
        scenes.waits(
            running,
            trust=10,
            gate=10,
            gate_probes=12,
            verify=8,
            rollout=20,
            settle=0.6,
            reconcile=0.8,
            trust_settle=1.5,
        )
        running.migrate("plan").ok()
        yield running


@pytest.fixture(scope="module")
def outcomes(fleet: Fleet, plane: str, request: pytest.FixtureRequest) -> Outcomes:
    """What came of every scenario that was asked for."""
    tests = [item for item in request.session.items if isinstance(item, pytest.Function)]
    mine = [item.callspec.params for item in tests if item.function is test_fault]
    chosen = [given["scenario"] for given in mine if given["plane"] == plane]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played = pool.map(lambda scenario: (scenario.name, play(fleet, scenario)), _scenarios(chosen))
        return dict(played)


def _scenarios(given: Sequence[object]) -> list[Scenario]:
    return [one for one in given if isinstance(one, Scenario)]


@pytest.fixture(scope="module")
def wrong(fleet: Fleet, outcomes: Outcomes) -> Iterator[list[Violation]]:
    """What the checker finds after all of them, but for what a fault itself broke; at the end, none of it elsewhere."""
    assert outcomes
    waivers = [
        Waiver(Invariant(name), scenario.service, reason)
        for scenario in SCENARIOS
        for name, reason in scenario.waived.items()
    ]
    found = violations(look(fleet), waivers)
    yield found
    of_services = {scenario.service for scenario in SCENARIOS}
    assert [str(one) for one in found if not of_services & set(one.service.split(", "))] == []


@pytest.fixture(autouse=True)
def invariants_hold() -> None:
    """In place of the check of everything after each test: nothing happens between these, and each judges its own."""


@pytest.mark.parametrize("scenario", [pytest.param(one, id=f"[{one.tag}] {one.name}") for one in SCENARIOS])
def test_fault(scenario: Scenario, fleet: Fleet, outcomes: Outcomes, wrong: list[Violation]) -> None:
    problems = outcomes[scenario.name].problems(scenario)
    problems += [str(one) for one in wrong if scenario.service in one.service.split(", ")]
    problems += [f"{mark} of somebody else's is gone" for mark in lost(fleet, scenario)]
    assert not problems, "\n".join(problems)
