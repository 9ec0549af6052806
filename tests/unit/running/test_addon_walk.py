"""The step that updates an EKS add-on, walked there and back over the fake world."""

import json
from dataclasses import replace

import pytest

from migrator.model.errors import Blocked, Drift, UsageError
from migrator.model.exits import Exit
from migrator.model.facts import Association
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.plan import StepKind
from migrator.running.result import Result
from tests.fakes.addon_world import ARN, SIBLING, AddonWorld
from tests.fakes.parts import IRSA_TRUST, ROLE_ARN, deployment
from tests.fakes.running import SERVICE, Bench


def there(bench: Bench) -> Result:
    return bench.runner().apply(bench.plan, bench.document)


def back(bench: Bench) -> Result:
    return bench.runner().rollback(SERVICE)


def notes(bench: Bench, step: str) -> list[str]:
    return [line.note for line in bench.journal.lines if line.step == step]


def test_there_and_back_leaves_everything_as_it_was() -> None:
    bench = Bench(AddonWorld())
    before = bench.world.snapshot()
    assert there(bench).exit is Exit.DONE
    assert bench.world.made is not None
    assert bench.world.made.owner_arn == ARN
    assert ROLE_ARN_ANNOTATION not in bench.world.annotations  # EKS took it
    assert bench.world.calls == ["install-agent", "write-trust", "update-addon"]  # no annotation, no restart of ours
    assert back(bench).exit is Exit.DONE
    assert bench.world.snapshot() == {**before, "addon": "ACTIVE"}
    assert bench.world.calls[3:] == ["update-addon", "write-trust"]


def test_the_list_keeps_the_addons_other_associations() -> None:
    world = AddonWorld(sibling="pod-identity")
    bench = Bench(world)
    assert there(bench).exit is Exit.DONE
    assert back(bench).exit is Exit.DONE
    both, only_theirs = {"orders": ROLE_ARN, SIBLING: ROLE_ARN}, {SIBLING: ROLE_ARN}
    assert [one["associations"] for one in world.given] == [both, only_theirs]


@pytest.mark.parametrize(("sibling", "given"), [("irsa", ROLE_ARN), ("pod-identity", ""), ("none", "")])
def test_the_role_is_given_again_while_another_account_of_the_addon_lives_on_it(sibling: str, given: str) -> None:
    world = AddonWorld(sibling=sibling)
    assert there(Bench(world)).exit is Exit.DONE
    assert [one["role_arn"] for one in world.given] == [given]


def test_a_role_and_an_annotation_that_eks_does_not_take_are_no_failure() -> None:
    bench = Bench(AddonWorld(keeps_role=True))
    assert there(bench).exit is Exit.DONE
    assert bench.world.annotations[ROLE_ARN_ANNOTATION] == ROLE_ARN


def test_an_addon_without_a_role_gets_the_annotated_one_where_eks_took_the_annotation() -> None:
    world = AddonWorld()
    world.installed = replace(world.installed, role_arn="")  # somebody annotated the ServiceAccount by hand
    bench = Bench(world)
    assert there(bench).exit is Exit.DONE
    assert back(bench).exit is Exit.DONE
    assert world.given[-1] == {"associations": {}, "role_arn": ROLE_ARN}
    assert world.annotations[ROLE_ARN_ANNOTATION] == ROLE_ARN


def test_an_update_that_fails_walks_the_way_back_and_leaves_the_addon_active() -> None:
    bench = Bench(AddonWorld(failing=True))
    before = bench.world.snapshot()
    result = there(bench)
    assert result.exit is Exit.ROLLED_BACK
    assert 'update u-1 of add-on "shop-driver" Failed: Unknown: the controller did not come up' in result.message
    assert bench.world.snapshot() == {**before, "addon": "ACTIVE"}


def test_a_busy_addon_and_a_fresh_trust_are_waited_for() -> None:
    bench = Bench(AddonWorld(busy=2, trust_accepted_after=2))
    assert there(bench).exit is Exit.DONE
    assert bench.world.calls.count("update-addon") == 1


def test_a_degraded_addon_is_waited_for_and_fails_only_at_the_deadline() -> None:
    world = AddonWorld(ends_as="DEGRADED")
    bench = Bench(world)
    began = bench.clock.time
    result = there(bench)
    assert result.exit is Exit.ROLLED_BACK
    assert "DEGRADED" in result.message
    assert bench.clock.time - began > 40  # the whole deadline, and no sooner


def test_pods_that_the_addon_does_not_roll_are_told_of_and_made_anew_once() -> None:
    world = AddonWorld(rolls=False, declared=[deployment("orders"), deployment("worker")])
    bench = Bench(world)
    assert there(bench).exit is Exit.DONE
    assert "EKS did not roll orders-1; worker-2" in notes(bench, "addon")[-1]
    assert [call for call in world.calls if call.startswith("evict")] == ["evict orders-1", "evict worker-2"]


def test_an_association_that_the_addon_had_before_stays_on_the_way_back() -> None:
    world = AddonWorld(made=owned())
    world.installed = replace(world.installed, role_arn="")
    bench = Bench(world)
    assert there(bench).exit is Exit.DONE
    assert bench.statuses()["addon"] == "found"
    assert back(bench).exit is Exit.DONE
    assert world.made is not None
    assert world.given == []


def owned(role: str = ROLE_ARN, owner: str = ARN) -> Association:
    return Association(id="a-1", namespace="shop", service_account="orders", role_arn=role, owner_arn=owner)


@pytest.mark.parametrize(
    ("drift", "said"),
    [
        ({"made": owned(owner="")}, "which cannot adopt it"),
        ({"made": owned(role=f"{ROLE_ARN}-other")}, "names another role"),
        ({"annotations": {ROLE_ARN_ANNOTATION: f"{ROLE_ARN}-other"}}, "is annotated with another role"),
    ],
)
def test_drift_before_the_update_stops(drift: dict[str, object], said: str) -> None:
    bench = Bench(AddonWorld())
    for name, value in drift.items():
        setattr(bench.world, name, value)
    with pytest.raises(Drift, match=said):
        there(bench)
    assert bench.world.calls == []


def test_an_addon_that_was_installed_anew_is_another() -> None:
    world = AddonWorld()
    bench = Bench(world)
    world.installed = replace(world.installed, arn=f"{ARN}5")
    with pytest.raises(Drift, match="installed anew"):
        there(bench)


def test_a_role_that_somebody_else_gave_the_addon_is_not_overwritten_on_the_way_back() -> None:
    world = AddonWorld()
    bench = Bench(world)
    assert there(bench).exit is Exit.DONE
    world.installed = replace(world.installed, role_arn=f"{ROLE_ARN}-other")
    with pytest.raises(Drift, match="was given another role by somebody else"):
        back(bench)


def test_no_way_back_while_irsa_would_not_take_its_pods() -> None:
    world = AddonWorld()
    bench = Bench(world)
    assert there(bench).exit is Exit.DONE
    world.trust = world.trust.replace("shop:orders", "shop:others")
    with pytest.raises(Drift, match="no longer trusts"):
        back(bench)
    assert world.made is not None


def test_a_plan_without_the_addon_is_refused_while_the_addons_association_is_ours() -> None:
    bench = Bench(AddonWorld())
    assert there(bench).exit is Exit.DONE
    ordinary = replace(bench.plan, forward=tuple(one for one in bench.plan.forward if one.id != "addon"))
    with pytest.raises(Blocked, match="an earlier run changed another addon"):
        bench.runner().apply(ordinary, bench.document)


def test_to_a_step_that_the_plan_does_not_have_is_a_wrong_command() -> None:
    bench = Bench(AddonWorld())
    with pytest.raises(UsageError, match='has no step "restart"'):
        bench.runner().apply(bench.plan, bench.document, to=StepKind.RESTART)
    assert bench.journal.all_runs == []


def test_statements_of_other_clusters_and_issuers_are_never_touched() -> None:
    """Nor is IRSA's own: an add-on's role keeps every OIDC statement it has, there and back."""
    document = json.loads(IRSA_TRUST)
    foreign = [
        federated("oidc.eks.eu-west-1.amazonaws.com/id/FEDCBA9876543210FEDCBA9876543210"),
        federated("token.actions.githubusercontent.com"),
    ]
    document["Statement"] += foreign
    bench = Bench(AddonWorld(trust=json.dumps(document)))
    before = bench.world.trust
    assert there(bench).exit is Exit.DONE
    kept = json.loads(bench.world.trust)["Statement"]
    assert all(one in kept for one in document["Statement"])
    assert len(kept) == len(document["Statement"]) + 1
    assert back(bench).exit is Exit.DONE
    assert bench.world.trust == before


def federated(issuer: str) -> dict[str, object]:
    return {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::111111111111:oidc-provider/{issuer}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:sub": ["system:serviceaccount:shop:orders"]}},
    }
