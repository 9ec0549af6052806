"""What `migrate verify` sees: identities, the own check, and what AWS answers from inside."""

from dataclasses import replace

import pytest

from migrator.model.facts import Association, WorkloadRef
from migrator.model.identity import SKIP_CONTAINERS, Identity
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.running.observe import Manned, Observation, Verdict, observe
from tests.fakes.parts import ROLE_ARN, FakeWorkload, deployment, pod
from tests.fakes.running import SERVICE
from tests.fakes.world import FakeWorld


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
    found = observation.verdict(Identity.POD_IDENTITY)
    assert found is (Verdict.OTHERWISE if answered is False else Verdict.AS_EXPECTED)


def test_only_one_pod_of_a_workload_on_a_node_is_asked_and_only_a_ready_one() -> None:
    world = FakeWorld()
    owner = world.declared[0].ref
    pods = [pod("irsa", f"p{n}", owner) for n in range(3)]
    world.live = {one.name: one for one in (replace(pods[0], ready=False), *pods[1:])}

    observation = observe(world, SERVICE, None, 5.0, role_arn=ROLE_ARN)

    assert [bool(entry.credentials) for entry in observation.seen] == [False, True, False]


@pytest.mark.parametrize(("mode", "expected"), [("none", True), ("irsa", False)])
def test_pods_without_credentials_are_told_where_their_sdks_end_up(mode: str, *, expected: bool) -> None:
    world = FakeWorld(made=there())
    world.live = {"odd": pod(mode, "odd", world.declared[0].ref)}

    problems = observe(world, SERVICE, None, 5.0).problems(Identity.POD_IDENTITY)

    assert problems[0].startswith("expected pod-identity")
    assert ("hop limit of 2 or more" in problems[0]) is expected


OTHER = f"{ROLE_ARN}-other"
NIGHTLY = FakeWorkload(ref=WorkloadRef(kind="CronJob", namespace="shop", name="nightly"), replicas=0)


def there(role_arn: str = ROLE_ARN) -> Association:
    return Association(id="a-1", namespace="shop", service_account="orders", role_arn=role_arn)


def look(world: FakeWorld, *, under_way: bool = False) -> Observation:
    return observe(world, SERVICE, None, 5.0, role_arn=ROLE_ARN, under_way=under_way)


@pytest.mark.parametrize("gone", [True, False], ids=["no pod", "not ready"])
def test_a_workload_short_of_ready_pods_is_not_as_expected(*, gone: bool) -> None:
    world = FakeWorld(declared=[deployment(), deployment("z-recreate", 2)])
    name = next(name for name, one in world.live.items() if one.owner == world.declared[1].ref)
    late = world.live.pop(name)
    if not gone:
        world.live[name] = replace(late, ready=False)

    observation = look(world)

    assert observation.identity is Identity.IRSA
    assert [(one.workload, one.ready, one.wanted) for one in observation.short] == [("Deployment z-recreate", 1, 2)]
    assert observation.verdict(Identity.IRSA) is Verdict.OTHERWISE


@pytest.mark.parametrize("expected", [Identity.POD_IDENTITY, Identity.IRSA])
def test_an_association_with_another_role_is_not_as_expected(expected: Identity) -> None:
    world = FakeWorld(made=there(OTHER))
    world.live = {"p1": pod(str(expected), "p1", world.declared[0].ref)}

    observation = look(world)

    assert observation.identity is expected
    assert observation.verdict(expected) is Verdict.OTHERWISE
    (said,) = observation.problems(expected)
    assert OTHER in said


@pytest.mark.parametrize(
    ("annotation", "under_way", "verdict"),
    [
        pytest.param(ROLE_ARN, False, Verdict.AS_EXPECTED, id="[the plan's]"),
        pytest.param(OTHER, False, Verdict.OTHERWISE, id="[another]"),
        pytest.param(OTHER, True, Verdict.OTHERWISE, id="[another, run open]"),
        pytest.param("", False, Verdict.OTHERWISE, id="[missing]"),
        pytest.param("", True, Verdict.AS_EXPECTED, id="[taken out by the open run]"),
    ],
)
def test_irsa_needs_the_annotation_of_the_plan(annotation: str, verdict: Verdict, *, under_way: bool) -> None:
    world = FakeWorld()
    world.annotations = {"team": "orders", **({ROLE_ARN_ANNOTATION: annotation} if annotation else {})}

    assert look(world, under_way=under_way).verdict(Identity.IRSA) is verdict


def test_pod_identity_does_not_need_the_annotation() -> None:
    world = FakeWorld(made=there())
    world.annotations = {"team": "orders"}

    assert look(world).verdict(Identity.POD_IDENTITY) is Verdict.AS_EXPECTED


@pytest.mark.parametrize(
    ("association", "expected", "verdict"),
    [
        pytest.param(None, Identity.IRSA, Verdict.PENDING, id="[irsa]"),
        pytest.param(there(), Identity.POD_IDENTITY, Verdict.PENDING, id="[pod identity]"),
        pytest.param(None, Identity.POD_IDENTITY, Verdict.OTHERWISE, id="[no association]"),
        pytest.param(there(OTHER), Identity.POD_IDENTITY, Verdict.OTHERWISE, id="[another role]"),
        pytest.param(there(), Identity.IRSA, Verdict.OTHERWISE, id="[the next pod is on Pod Identity]"),
    ],
)
def test_without_a_pod_it_is_pending_where_the_next_one_will_be_right(
    association: Association | None, expected: Identity, verdict: Verdict
) -> None:
    world = FakeWorld(declared=[NIGHTLY, deployment("idle", 0)], made=association)

    assert look(world).verdict(expected) is verdict


def test_workloads_without_pods_are_told_apart_from_those_that_are_proven() -> None:
    world = FakeWorld(declared=[deployment(), NIGHTLY, deployment("idle", 0)])

    observation = look(world)

    assert observation.verdict(Identity.IRSA) is Verdict.AS_EXPECTED
    pending = [one.workload for one in observation.crews if one.state is Manned.PENDING]
    assert pending == ["CronJob nightly", "Deployment idle"]


def test_a_cron_job_with_a_pod_is_proven_by_it() -> None:
    world = FakeWorld(declared=[NIGHTLY])
    world.live = {"n1": replace(pod("irsa", "n1", NIGHTLY.ref), ready=False)}

    observation = look(world)

    assert [one.state for one in observation.crews] == [Manned.READY]
    assert observation.verdict(Identity.IRSA) is Verdict.AS_EXPECTED


def test_pods_that_ask_to_be_skipped_prove_nothing_and_are_not_pending() -> None:
    world = FakeWorld()
    world.live = {name: replace(one, annotations={SKIP_CONTAINERS: "main"}) for name, one in world.live.items()}

    assert look(world).verdict(Identity.IRSA) is Verdict.OTHERWISE
