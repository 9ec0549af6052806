"""What `migrate verify` sees: identities, the own check, and what AWS answers from inside."""

from dataclasses import replace

import pytest

from migrator.model.facts import Association
from migrator.model.identity import Identity
from migrator.running.observe import Observation, observe
from tests.fakes.running import SERVICE
from tests.fakes.world import ROLE_ARN, FakeWorld, pod


def seen(**differs: str) -> Observation:
    there = Association(id="a-1", namespace="shop", service_account="orders", role_arn=ROLE_ARN)
    world = FakeWorld(made=there, answers=differs.get("answers", "arn"), agent_status=differs.get("agent_status", ""))
    return observe(world, SERVICE, None, 5.0, role_arn=ROLE_ARN)


@pytest.mark.parametrize(
    ("differs", "answered", "says"),
    [
        pytest.param({}, True, 'role "orders"', id="[answered]"),
        pytest.param({"answers": "other"}, False, 'wrong role: role "node"', id="[wrong role]"),
        pytest.param({"answers": "refused"}, False, "AccessDenied", id="[refused]"),
        pytest.param({"answers": "forbidden"}, None, "not asked: pods/exec is not permitted", id="[no exec]"),
        pytest.param({"answers": "absent"}, None, "not asked: no aws, curl or wget", id="[nothing to ask with]"),
        pytest.param({"answers": "absent", "agent_status": "200"}, True, "by the agent", id="[curl]"),
    ],
)
def test_aws_is_asked_from_inside(differs: dict[str, str], answered: bool | None, says: str) -> None:
    observation = seen(**differs)

    (entry,) = observation.seen
    assert entry.answered is answered
    assert says in entry.credentials
    assert observation.as_expected(Identity.POD_IDENTITY) is (answered is not False)


def test_only_one_pod_of_a_workload_on_a_node_is_asked_and_only_a_ready_one() -> None:
    world = FakeWorld()
    owner = world.declared[0].ref
    pods = [pod("irsa", f"p{n}", owner) for n in range(3)]
    world.live = {one.name: one for one in (replace(pods[0], ready=False), *pods[1:])}

    observation = observe(world, SERVICE, None, 5.0, role_arn=ROLE_ARN)

    assert [bool(entry.credentials) for entry in observation.seen] == [False, True, False]
