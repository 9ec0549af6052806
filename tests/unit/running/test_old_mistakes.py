"""Mistakes that tools of this kind have made with other people's roles, each as it would show here.

Those that want a whole fleet are in `tests/lab/test_old_mistakes.py`.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from migrator.model import identity
from migrator.model.errors import Drift
from migrator.model.exits import Exit
from migrator.model.facts import Association, Pod, Stack
from migrator.model.identity import Identity
from migrator.model.ids import ROLE_ARN_ANNOTATION, ServiceId
from migrator.model.journal import Direction, Status
from migrator.model.plan import Edit, Order, Plan, StepKind, Verdict
from migrator.model.trust import Subject, merge, ours, size
from migrator.planning.verdict import may_accept
from tests.fakes import parts as fakes
from tests.fakes.office import Office, subject
from tests.fakes.parts import deployment
from tests.fakes.planning import (
    ACCOUNT,
    CLUSTER,
    ISSUER,
    ROLE,
    SERVICE,
    SUBJECT,
    World,
    account,
    association,
    trust_for,
)
from tests.fakes.running import SERVICE as ORDERS
from tests.fakes.running import Bench
from tests.fakes.world import FakeWorld

PATHED = f"arn:aws:iam::{ACCOUNT}:role/team/a/orders-web"
AWAY = "arn:aws:iam::222222222222:role/orders-api"
OTHER_CLUSTER = {
    "Effect": "Allow",
    "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.replace('0123', '3210')}"},
    "Action": "sts:AssumeRoleWithWebIdentity",
}
SINGLE = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {"Bool": {"a:b": True}}}
LOOSE = {"Version": "2008-10-17", "Statement": SINGLE}


def the(service: ServiceId, plans: tuple[Plan, ...]) -> Plan:
    return next(plan for plan in plans if plan.service == service)


def statements(document: str) -> list[Any]:
    found = json.loads(document)["Statement"]
    return found if isinstance(found, list) else [found]


def migrated(bench: Bench) -> Bench:
    result = bench.runner().apply(bench.plan, bench.document)
    assert result.exit is Exit.DONE, result.message
    return bench


# --- roles


def test_a_role_with_a_path_does_not_stop_the_planning_of_all_the_others() -> None:
    accounts = [account(), account(PATHED, name="orders-web")]
    trusts = {ROLE: trust_for(SUBJECT), PATHED: trust_for(SUBJECT.replace("orders-api", "orders-web"))}
    plans = World(accounts=accounts, trusts=trusts).plans()
    assert [plan.verdict for plan in plans] == [Verdict.READY, Verdict.READY]
    steps = the(replace(SERVICE, name="orders-web"), plans)
    trust, linked = steps.step("trust"), steps.step("association")
    assert trust is not None
    assert linked is not None
    assert (trust.on["role"], linked.after["role_arn"]) == (PATHED, PATHED)


def test_a_role_of_another_account_is_not_taken_for_the_one_of_the_same_name_here() -> None:
    world = World(accounts=[account(AWAY)], trusts={ROLE: trust_for(SUBJECT), AWAY: trust_for(SUBJECT)})
    (plan,) = world.plans()
    touched = [value for step in plan.forward for value in (*step.on.values(), *step.after.values())]
    assert ROLE not in touched
    assert "cross-account" in {found.code for found in plan.findings}


def test_a_service_that_shares_the_role_of_an_add_on_is_planned_like_any_other() -> None:
    """What belongs to an add-on is told by namespace and ServiceAccount, never by the role."""
    of_the_addon = replace(
        association(), namespace="kube-system", service_account="aws-node", owner_arn="arn:aws:eks:eu-west-1:1:addon/x"
    )
    (plan,) = World(linked=[of_the_addon]).plans()
    assert plan.verdict is Verdict.READY
    assert plan.findings == ()


def test_dashes_in_a_namespace_stay_dashes_in_what_marks_a_thing_as_ours() -> None:
    dashed = replace(account(), namespace="team-a-prod")
    subjects = "system:serviceaccount:team-a-prod:orders-api"
    (plan,) = World(accounts=[dashed], trusts={ROLE: trust_for(subjects)}, made_by=[], live=[]).plans()
    linked = plan.step("association")
    assert linked is not None
    assert linked.after["tags"]["irsa-migrator/service"] == "prod/team-a-prod/orders-api"


def test_a_role_of_a_stack_is_never_edited_behind_it_nor_are_its_tags_touched() -> None:
    """Its template is what has to change, and the plan says how."""
    (plan,) = World(of_roles={"stack": Stack(name="shop-roles", place="OrdersRole")}).plans()
    assert plan.verdict is Verdict.BLOCKED
    assert "role-cloudformation" in {found.code for found in plan.findings}
    assert not may_accept("role-cloudformation")
    (owner,) = plan.facts["owners"]
    assert (owner["step"], "shop-roles" in owner["name"], bool(owner["patches"])) == ("trust", True, True)


def test_a_principal_of_the_own_account_is_no_reason_to_leave_a_service() -> None:
    person = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}, "Action": "sts:AssumeRole"}
    document = trust_for(SUBJECT)
    (plan,) = World(trusts={ROLE: {**document, "Statement": [*document["Statement"], person]}}).plans()
    assert plan.verdict is Verdict.READY
    assert {found.code for found in plan.findings} == {"role-trusts-others"}


def test_several_subjects_in_one_plain_equals_are_seen_as_sharing_the_role() -> None:
    other = SUBJECT.replace("orders-api", "orders-web")
    (plan,) = World(trusts={ROLE: trust_for(SUBJECT, other)}).plans()
    assert plan.facts["others_trusted"] == [other]


# --- trust policies


def test_all_statements_are_looked_at_though_the_first_asks_for_nothing() -> None:
    first = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = trust_for(SUBJECT)
    (plan,) = World(trusts={ROLE: {**document, "Statement": [first, OTHER_CLUSTER, *document["Statement"]]}}).plans()
    assert "irsa-broken" not in {found.code for found in plan.findings}
    assert plan.verdict is Verdict.READY


def test_a_trust_policy_in_an_unusual_form_is_read_and_keeps_its_form() -> None:
    one = Subject(CLUSTER.arn, "orders", "orders-api")
    merged = merge(json.dumps(LOOSE), one).document
    assert json.loads(merged)["Version"] == LOOSE["Version"]
    assert json.dumps(statements(merged)[0]) == json.dumps(SINGLE)


def test_running_again_does_not_make_the_trust_policy_grow() -> None:
    bench = migrated(Bench(FakeWorld()))
    once = size(bench.world.trust)
    for _ in range(3):
        bench.world.annotations[ROLE_ARN_ANNOTATION] = fakes.ROLE_ARN  # somebody puts it back, and it is all done again
        bench.replan()
        assert bench.runner().apply(bench.plan, bench.document, anew=True).exit is Exit.DONE
    assert size(bench.world.trust) == once


def test_issuers_of_other_clusters_and_ci_keep_their_trust() -> None:
    world = FakeWorld()
    ours_too = json.loads(world.trust)
    ours_too["Statement"].insert(0, OTHER_CLUSTER)
    world.trust = json.dumps(ours_too, separators=(",", ":"))
    before = statements(world.trust)
    bench = migrated(Bench(world))
    assert statements(world.trust)[: len(before)] == before
    bench.runner().rollback(ORDERS)
    assert statements(world.trust) == before


def test_two_services_of_one_role_that_write_at_the_same_moment_both_stay() -> None:
    office = Office()
    moments = iter([True])

    def the_other(_moment: str) -> None:
        if next(moments, False):
            office.iam.put(merge(office.iam.truth, subject("two")).document)

    office.iam.around_write = the_other
    office.walk("one", Direction.FORWARD)
    assert ours(office.iam.truth) == {subject("one"), subject("two")}


def test_plans_of_two_services_made_before_either_is_applied_do_not_undo_each_other() -> None:
    """A plan holds what one service needs, never the whole document as it was when the plan was made."""
    office = Office()
    for name in ("one", "two", "one", "two"):
        office.walk(name, Direction.FORWARD)
    assert ours(office.iam.truth) == {subject("one"), subject("two")}


def test_what_somebody_wrote_between_plan_and_apply_is_still_there() -> None:
    bench = Bench(FakeWorld())
    document = json.loads(bench.world.trust)
    document["Statement"].append(OTHER_CLUSTER)
    bench.world.trust = json.dumps(document)
    migrated(bench)
    assert OTHER_CLUSTER in statements(bench.world.trust)


def test_the_way_back_leaves_what_others_wrote_since_and_replaces_the_pods() -> None:
    bench = migrated(Bench(FakeWorld()))
    document = json.loads(bench.world.trust)
    document["Statement"].append(OTHER_CLUSTER)
    bench.world.trust = json.dumps(document)
    bench.world.calls.clear()
    assert bench.runner().rollback(ORDERS).exit is Exit.DONE
    assert OTHER_CLUSTER in statements(bench.world.trust)
    assert not ours(bench.world.trust)
    assert "restart orders" in bench.world.calls
    assert bench.world.injected() == "irsa"


# --- order, memory, proof


@pytest.mark.parametrize("order", Order)
def test_at_no_moment_is_a_new_pod_without_an_identity(order: Order) -> None:
    """Neither the annotation nor IRSA's trust goes before the association is seen to work."""
    bench = Bench(FakeWorld(probes_until_visible=3), edit=Edit(order=order))
    irsa = statements(bench.world.trust)[0]
    seen: list[tuple[str, bool]] = []

    def look(name: str) -> None:
        seen.append((bench.world.injected(), irsa in statements(bench.world.trust)))

    bench.world.after_call = look
    migrated(bench)
    assert "none" not in {injected for injected, _ in seen}
    assert all(trusted for _, trusted in seen)


def test_the_before_image_is_durable_before_the_change_is_made() -> None:
    bench = Bench(FakeWorld())
    before = bench.world.trust
    found: list[Any] = []

    def look(name: str) -> None:
        if name == "write-trust":
            record = bench.journal.records(bench.journal.all_runs[-1].id)["trust"]
            found.append((record.status, record.image["trust"]))

    bench.world.before_call = look
    migrated(bench)
    assert found == [(Status.STARTED, before)]


def test_nothing_is_cleaned_up_before_the_pods_are_proven() -> None:
    bench = Bench(FakeWorld(reality="none"), edit=Edit(order=Order.ANNOTATION_LAST))
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.ROLLED_BACK
    assert "remove-annotation" not in bench.world.calls


def test_the_way_back_brings_trust_annotation_and_pods_back_not_the_annotation_alone() -> None:
    world = FakeWorld(daemonset=True)
    before = world.snapshot()
    bench = migrated(Bench(world))
    assert bench.world.annotations.get(ROLE_ARN_ANNOTATION) is None
    bench.runner().rollback(ORDERS)
    assert world.snapshot() == before


def test_one_good_pod_does_not_speak_for_the_others() -> None:
    bench = Bench(FakeWorld(declared=[deployment(), deployment("worker", baked=True)]))
    result = bench.runner().apply(bench.plan, replace_findings(bench))
    assert result.exit is Exit.ROLLED_BACK
    assert "worker" in result.message


def replace_findings(bench: Bench) -> Any:
    """The written-in variables are taken on by a person, so that only verify is left to see them."""
    bench.plan = replace(bench.plan, findings=())
    return bench.document


def test_one_good_container_does_not_speak_for_the_others() -> None:
    moved, left = fakes.pod("pod-identity"), fakes.pod("irsa")
    sidecar = replace(left.spec.containers[0], name="sidecar")
    both: Pod = replace(moved, spec=replace(moved.spec, containers=(*moved.spec.containers, sidecar)))
    assert dict(identity.by_container(both)) == {"main": Identity.POD_IDENTITY, "sidecar": Identity.IRSA}


def test_an_association_with_another_role_is_not_taken_for_success() -> None:
    other = Association(id="a-9", namespace="orders", service_account="orders-api", role_arn=AWAY)
    (plan,) = World(linked=[other]).plans()
    assert plan.verdict is Verdict.BLOCKED
    assert "association-other-role" in {found.code for found in plan.findings}


@pytest.mark.parametrize("way", ["apply", "rollback"])
def test_another_cluster_than_the_planned_one_is_not_touched(way: str) -> None:
    bench = Bench(FakeWorld())
    if way == "rollback":
        migrated(bench)
    bench.world.calls.clear()
    bench.world.difference = "the cluster's issuer is another one"
    with pytest.raises(Drift, match="issuer is another one"):
        bench.runner().apply(bench.plan, bench.document) if way == "apply" else bench.runner().rollback(ORDERS)
    assert bench.world.calls == []


def test_each_step_is_about_the_one_service_it_is_planned_for() -> None:
    """There is a plan, a run and a way back for one ServiceAccount; the whole cluster is never the unit."""
    plans = World(accounts=[account(), account(name="orders-web")]).plans()
    kinds = {StepKind.ASSOCIATION, StepKind.ANNOTATION, StepKind.RESTART, StepKind.VERIFY}
    for plan in plans:
        named = {step.on["service_account"] for step in plan.forward if step.kind in kinds}
        assert named == {plan.service.name}
