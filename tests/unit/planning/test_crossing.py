"""The plan of a service whose role lives in another account."""

import json
from typing import Any

import pytest

from migrator.model.facts import Unread
from migrator.model.fleet import Policy
from migrator.model.ids import RoleArn
from migrator.model.permissions import Permissions
from migrator.model.plan import Order, Plan, Verdict
from migrator.model.source_role import source_arn, source_name, source_tags
from migrator.model.trust import Subject, allows, ours, statement_for, subject_from
from migrator.planning.planner import PlanSettings
from tests.fakes.planning import CLUSTER, SERVICE, SUBJECT, World, account, association, trust_for

AWAY = "222222222222"
TARGET = f"arn:aws:iam::{AWAY}:role/data/reader"
SOURCE = source_arn(CLUSTER.arn, SERVICE.namespace, SERVICE.name, "/")
OWN: dict[str, Any] = {"cluster_arn": CLUSTER.arn, "namespace": SERVICE.namespace, "name": SERVICE.name}
WORLD = World(accounts=[account(TARGET)], trusts={TARGET: trust_for(SUBJECT, account=AWAY)})


def plan(world: World = WORLD, **policy: str) -> Plan:
    (made,) = world.plans(PlanSettings(policy=Policy(**policy)))  # type: ignore[arg-type] # texts only
    return made


def test_source_role_then_target_trust_then_the_association_of_both() -> None:
    made = plan()
    assert made.verdict is Verdict.READY
    assert [step.id for step in made.forward] == [
        "agent",
        "source-role",
        "target-trust",
        "association",
        "annotation",
        "restart",
        "verify",
    ]
    source, target, linked = (made.step(kind) for kind in ("source-role", "target-trust", "association"))
    assert source is not None
    assert target is not None
    assert linked is not None
    assert source.on == {"role": SOURCE, "target": TARGET, "subject": OWN}
    assert source.before == {"made": False}
    assert source.after == {
        "made": True,
        "trust": {"Version": "2012-10-17", "Statement": [statement_for(Subject(**OWN))]},
        "policy": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": TARGET}],
        },
        "tags": {"managed-by": "irsa-migrator", "irsa-migrator/service": str(SERVICE)},
    }
    assert target.on == {"role": TARGET, "role_id": "AROA-reader"}
    assert target.after["subject"] == {**OWN, "path": "/", "tagged": True}
    assert target.after["statement"]["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert target.after["statement"]["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": SOURCE},
        "StringEquals": {
            "aws:RequestTag/eks-cluster-arn": CLUSTER.arn,
            "aws:RequestTag/kubernetes-namespace": SERVICE.namespace,
            "aws:RequestTag/kubernetes-service-account": SERVICE.name,
        },
    }
    assert (linked.after["role_arn"], linked.after["target_role_arn"]) == (SOURCE, TARGET)
    assert "session_tags" not in linked.after


def test_the_way_back_keeps_both_ways_in_until_the_pods_are_proven() -> None:
    back = [(step.id, step.after) for step in plan().back]
    assert back == [
        ("annotation", {"value": TARGET}),
        ("association", {"role_arn": None}),
        ("restart", {"restarted": False}),
        ("verify", {"identity": "irsa"}),
        ("target-trust", {"pod_identity": False}),
        ("source-role", {"made": False}),
    ]


def test_both_orders_have_the_roles_before_the_association() -> None:
    made = plan(order=Order.ANNOTATION_LAST)
    assert [step.id for step in made.forward][1:] == [
        "source-role",
        "target-trust",
        "association",
        "restart",
        "verify",
        "annotation",
    ]


def test_with_an_external_id_sessions_bear_no_tags_and_nothing_asks_for_any() -> None:
    made = plan(cross_account_condition="external-id", source_role_path="/eks/")
    source, target, linked = (made.step(kind) for kind in ("source-role", "target-trust", "association"))
    assert source is not None
    assert target is not None
    assert linked is not None
    assert "RequestTag" not in json.dumps([source.after, target.after])
    assert source.on["role"] == source_arn(CLUSTER.arn, SERVICE.namespace, SERVICE.name, "/eks/")
    assert target.after["statement"]["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": source.on["role"]},
        "StringEquals": {
            "sts:ExternalId": f"{CLUSTER.region}/111111111111/{CLUSTER.name}/{SERVICE.namespace}/{SERVICE.name}"
        },
    }
    assert linked.after["session_tags"] is False


@pytest.mark.parametrize(
    ("world", "policy"),
    [
        pytest.param(WORLD, {"cross_account": "block"}, id="policy"),
        pytest.param(WORLD.but(closed={AWAY: "AccessDenied"}), {}, id="unreadable"),
        pytest.param(WORLD.but(linked=[association(TARGET, owner_arn="arn:aws:eks:x")]), {}, id="add-on"),
    ],
)
def test_what_stays_a_block_has_a_reason_and_no_steps(world: World, policy: dict[str, str]) -> None:
    made = plan(world, **policy)
    assert made.verdict is Verdict.BLOCKED
    assert (made.forward, made.back) == ((), ())
    (block,) = (one for one in made.findings if one.code == "role-other-account")
    assert not block.says.endswith(": ")


def test_what_is_there_already_is_said() -> None:
    moved = Subject(**OWN, path="/")
    trust = trust_for(SUBJECT, account=AWAY)
    trust["Statement"].append(statement_for(moved))
    source = {"Version": "2012-10-17", "Statement": [statement_for(Subject(**OWN))]}
    linked = association(SOURCE, target_role_arn=TARGET)
    ours = {SOURCE: Permissions(tags=source_tags(str(SERVICE)))}
    made = plan(WORLD.but(trusts={TARGET: trust, SOURCE: source}, linked=[linked], granted=ours))
    before = {step.id: step.before for step in made.forward}
    assert before["source-role"] == {"made": True}
    assert before["target-trust"] == {"pod_identity": True}
    assert before["association"] == {"role_arn": SOURCE}
    assert before["verify"] == {"identity": "pod-identity"}
    assert {one.code for one in made.findings} == {"cross-account", "association-exists"}
    assert made.facts["association"]["target_role_arn"] == TARGET
    assert made.facts["others_trusted"] == []


def test_services_of_one_target_role_share_a_statement_of_their_namespace() -> None:
    names = ["a", "b"]
    accounts = [account(TARGET, name=name) for name in names]
    trust = trust_for(*(f"system:serviceaccount:{SERVICE.namespace}:{name}" for name in names), account=AWAY)
    plans = WORLD.but(accounts=accounts, trusts={TARGET: trust}).plans()
    steps = [made.step("target-trust") for made in plans]
    subjects = [subject_from(step.after["subject"]) for step in steps if step]
    assert [subject.source for subject in subjects] == [
        source_arn(CLUSTER.arn, SERVICE.namespace, name, "/") for name in names
    ]
    assert len({step.after["statement"]["Sid"] for step in steps if step}) == 1


def test_a_source_roles_name_fits_and_belongs_to_one_service() -> None:
    long = source_name(f"arn:aws:eks:eu-west-1:111111111111:cluster/{'c' * 100}", "n" * 63, "s" * 253)
    assert len(long) == 64
    names = {source_name(CLUSTER.arn, namespace, name) for namespace, name in (("a", "b-c"), ("a-b", "c"))}
    assert len(names) == 2
    assert all(RoleArn.parse(f"arn:aws:iam::111111111111:role/{name}") for name in (long, *names))


def test_the_planned_statement_lets_in_this_service_and_nobody_else() -> None:
    step = plan().step("target-trust")
    assert step is not None
    document = json.dumps({"Version": "2012-10-17", "Statement": [step.after["statement"]]})
    subject = subject_from(step.after["subject"])
    assert allows(document, subject)
    assert ours(document) == {subject}
    others = [Subject(**{**OWN, "name": "other"}, path="/"), Subject(**OWN, path="/x/"), Subject(**OWN)]
    assert not any(allows(document, one) for one in [*others, Subject(**OWN, path="/", tagged=False)])


def test_a_policy_that_changes_later_moves_no_service_that_has_moved() -> None:
    trust = trust_for(SUBJECT, account=AWAY)
    trust["Statement"].append(statement_for(Subject(**OWN, path="/")))
    made = plan(WORLD.but(trusts={TARGET: trust}), cross_account_condition="external-id", source_role_path="/eks/")
    target, linked = made.step("target-trust"), made.step("association")
    assert target is not None
    assert linked is not None
    assert target.before == {"pod_identity": True}
    assert target.after["subject"] == {**OWN, "path": "/", "tagged": True}
    assert (linked.after["role_arn"], linked.after.get("session_tags", True)) == (SOURCE, True)


TAGS = source_tags(str(SERVICE))
NOBODYS = Unread(what="what the roles of account 111111111111 may do", why="AccessDenied")


@pytest.mark.parametrize(
    ("granted", "lacked"),
    [
        pytest.param(
            Permissions(), "irsa-migrator/service=prod/orders/orders-api, managed-by=irsa-migrator", id="none"
        ),
        pytest.param(
            Permissions(tags={**TAGS, "irsa-migrator/service": "other/shop/orders"}),
            "irsa-migrator/service=prod/orders/orders-api",
            id="another service's",
        ),
        pytest.param(Permissions(tags={**TAGS, "team": "orders"}), "", id="ours"),
        pytest.param(Permissions(unread=(NOBODYS,)), "", id="not to be read"),
    ],
)
def test_a_role_that_has_the_source_roles_name_must_be_ours(granted: Permissions, lacked: str) -> None:
    taken = {**WORLD.trusts, SOURCE: {"Version": "2012-10-17", "Statement": []}}
    made = plan(WORLD.but(trusts=taken, granted={SOURCE: granted}))
    assert [one.value for one in made.findings if one.code == "source-role-taken"] == ([lacked] if lacked else [])
    assert (made.verdict is Verdict.BLOCKED) is bool(lacked)
