"""What the planner writes: steps there and back, facts, verdict; the same for the same world."""

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from migrator.model.facts import Addon, AgentState, Node
from migrator.model.ids import ServiceId
from migrator.model.plan import Acceptance, Edit, Plan, PlannedStep, Verdict
from migrator.model.trust import Subject, allows, merge, statement_for, subject_from
from migrator.planning.planner import PlanSettings
from migrator.planning.verdict import open_blocks, verdict
from tests.fakes.planning import (
    CLUSTER,
    NODE,
    ROLE,
    SERVICE,
    SUBJECT,
    World,
    account,
    association,
    pod,
    trust_for,
    workload,
)

WORLD = World()
TRUSTING = merge(json.dumps(trust_for(SUBJECT)), Subject(CLUSTER.arn, SERVICE.namespace, SERVICE.name)).document
ON = {"namespace": "orders", "service_account": "orders-api"}


def plan(world: World = WORLD, settings: PlanSettings | None = None) -> Plan:
    return next(one for one in world.plans(settings) if one.service == SERVICE)


def step(made: Plan, kind: str) -> PlannedStep:
    return next(one for one in made.forward if one.kind == kind)


def test_a_healthy_service_is_ready() -> None:
    made = plan()

    assert made.verdict is Verdict.READY
    assert [one.id for one in made.forward] == ["agent", "trust", "association", "annotation", "restart", "verify"]
    assert [one.id for one in made.back] == ["annotation", "association", "restart", "verify", "trust"]


HALF_MADE: dict[str, World] = {
    "[fresh]": WORLD,
    "[trusted already]": WORLD.but(trusts={ROLE: TRUSTING}),
    "[associated already]": WORLD.but(linked=[association()]),
    "[associated with another role]": WORLD.but(linked=[association("arn:aws:iam::111111111111:role/other")]),
    "[trusted and associated already]": WORLD.but(trusts={ROLE: TRUSTING}, linked=[association()]),
}


@pytest.mark.parametrize("world", HALF_MADE.values(), ids=HALF_MADE.keys())
def test_the_way_back_leads_to_the_state_without_us_whatever_is_there(world: World) -> None:
    made = plan(world)

    assert [(back.kind, back.on, back.before) for back in made.back] == [
        (there.kind, there.on, there.after) for there in map(made.step, [back.id for back in made.back]) if there
    ]
    assert {back.id: back.after for back in made.back} == {
        "annotation": {"value": ROLE},
        "association": {"role_arn": None},
        "restart": {"restarted": False},
        "verify": {"identity": "irsa"},
        "trust": {"pod_identity": False},
    }


def test_the_steps_say_exactly_what_the_executor_reads() -> None:
    made = plan(WORLD.but(agent_state=AgentState()))
    subject: dict[str, Any] = {"cluster_arn": CLUSTER.arn, "namespace": "orders", "name": "orders-api"}
    steps = {one.id: (one.on, one.before, one.after) for one in made.forward}

    assert steps == {
        "agent": (
            {"cluster": "shop-prod", "addon": "eks-pod-identity-agent"},
            {"agent": "absent"},
            {"agent": "ready"},
        ),
        "trust": (
            {"role": ROLE, "role_id": "AROA-orders-api"},
            {"pod_identity": False},
            {"pod_identity": True, "statement": statement_for(subject_from(subject)), "subject": subject},
        ),
        "association": (
            {"cluster": "shop-prod", **ON},
            {"role_arn": None},
            {
                "role_arn": ROLE,
                "tags": {"managed-by": "irsa-migrator", "irsa-migrator/service": "prod/orders/orders-api"},
            },
        ),
        "annotation": (
            {**ON, "uid": "uid-orders-api", "key": "eks.amazonaws.com/role-arn"},
            {"value": ROLE},
            {"value": None},
        ),
        "restart": (
            {
                **ON,
                "workloads": [{"kind": "Deployment", "name": "orders-api", "uid": "uid-orders-api", "how": "rollout"}],
                "left": [],
            },
            {"restarted": False},
            {"restarted": True},
        ),
        "verify": (
            {
                **ON,
                "cluster_arn": CLUSTER.arn,
                "irsa": {"works": True, "issuer": CLUSTER.issuer_host, "audience": "sts.amazonaws.com"},
            },
            {"identity": "irsa"},
            {"identity": "pod-identity"},
        ),
    }


def test_what_is_there_already_is_said() -> None:
    made = plan(WORLD.but(trusts={ROLE: TRUSTING}, linked=[association()]))

    assert step(made, "trust").before == {"pod_identity": True}
    assert step(made, "trust").after == step(plan(), "trust").after
    assert step(made, "association").before == {"role_arn": ROLE}
    assert step(made, "verify").before == {"identity": "pod-identity"}
    assert made.facts["association"] == {"id": "a-1", "role_arn": ROLE, "owner_arn": None}


def _names() -> tuple[str, str]:
    return SERVICE.namespace, SERVICE.name


@pytest.mark.parametrize(
    ("state", "nodes", "before"),
    [
        (AgentState(), [NODE], "absent"),
        (AgentState(daemonset=True), [NODE], "installed"),
        (AgentState(addon=Addon(name="x", status="CREATING", version="v1")), [NODE], "installed"),
        (AgentState(daemonset=True, ready_nodes=frozenset({"node-1"})), [NODE], "ready"),
        (AgentState(), [Node(name="a", compute_type="auto"), Node(name="f", compute_type="fargate")], "ready"),
        (AgentState(daemonset=True), [Node(name="w", os="windows")], "ready"),
    ],
)
def test_the_agent_as_it_was_found(state: AgentState, nodes: list[Node], before: str) -> None:
    made = plan(WORLD.but(agent_state=state, machines=nodes))

    assert step(made, "agent").before == {"agent": before}


def test_each_kind_is_replaced_in_its_own_way_the_smallest_first() -> None:
    kinds = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicaSet", "Rollout", "Database"]
    made_by = [workload(kind, kind.lower()) for kind in kinds]
    resting, slow = workload(name="resting", replicas=0), workload("DaemonSet", "slow", strategy="OnDelete")
    canary = workload("StatefulSet", "canary", partition=1, replicas=1)
    made = plan(WORLD.but(made_by=[*made_by, resting, slow, canary], live=[pod(None, "bare"), pod(made_by[0])]))
    on = step(made, "restart").on

    assert [(one["name"], one["how"]) for one in on["workloads"]] == [
        ("canary", "evict"),
        ("daemonset", "rollout"),
        ("slow", "evict"),
        ("deployment", "rollout"),
        ("replicaset", "evict"),
        ("rollout", "restartAt"),
        ("statefulset", "rollout"),
    ]
    assert {one["name"]: one["why"] for one in on["left"]} == {
        "database": "of a kind that is not known here",
        "resting": "scaled to zero",
        "cronjob": "its next Job comes with the new identity",
        "job": "left to finish",
        "bare": "a bare pod: nobody makes it anew",
    }


def test_a_blocked_service_shows_its_steps_where_they_can_be_computed() -> None:
    broken = plan(WORLD.but(trusts={ROLE: trust_for("system:serviceaccount:a:b")}))
    missing = plan(WORLD.but(trusts={}))

    assert (broken.verdict, len(broken.forward), len(broken.back)) == (Verdict.BLOCKED, 6, 5)
    assert (missing.verdict, missing.forward, missing.back) == (Verdict.BLOCKED, (), ())
    assert missing.facts["role"] is None


def test_the_statement_of_the_plan_lets_the_service_in() -> None:
    made = plan()
    trust = made.facts["role"]["trust"]
    trust["Statement"].append(step(made, "trust").after["statement"])

    assert allows(json.dumps(trust), Subject(CLUSTER.arn, *_names()))


def test_nothing_depends_on_the_order_of_the_lists() -> None:
    accounts = [account(), account(name="a"), account(name="b")]
    made_by = [workload(name=name) for name in ("x", "y", "z")]
    live = [pod(None, "p"), pod(made_by[0], "q"), pod(made_by[1], "r")]
    world = WORLD.but(accounts=accounts, made_by=made_by, live=live, machines=[NODE, Node(name="a"), Node(name="b")])
    expected = world.plans()

    for seed in range(5):
        shuffled = {
            key: random.Random(seed).sample(list(getattr(world, key)), 3)  # noqa: S311 - an order, no secret
            for key in ("accounts", "made_by", "live", "machines")
        }
        assert world.but(**shuffled).plans() == expected


def test_excludes_and_the_selection_leave_services_out() -> None:
    world = WORLD.but(accounts=[account(), account(name="web"), account("x", name="job")])
    settings = PlanSettings(excludes=("prod/orders/w*",), wanted=lambda _service, role: role == ROLE)

    assert [str(one.service) for one in world.plans(settings)] == ["prod/orders/orders-api"]
    shared = world.plans(settings)[0].facts["other_services_of_role"]
    assert shared == ["prod/orders/web"]


def test_without_the_annotation_there_is_no_service() -> None:
    bare = replace(account(), annotations={})

    assert WORLD.but(accounts=[bare]).plans() == ()


def test_what_a_person_wrote_is_kept_and_counts() -> None:
    world = WORLD.but(live=[pod(None)])
    edit = Edit(hold=True, accept=(Acceptance(code="bare-pods", reason="made anew by hand"),))
    kept: dict[ServiceId, Edit] = {SERVICE: edit}

    assert plan(world).verdict is Verdict.BLOCKED
    made = plan(world, PlanSettings(edit_of=kept.get))
    assert (made.edit, made.verdict) == (edit, Verdict.READY)


def test_only_warnings_and_soft_blocks_can_be_accepted() -> None:
    world = WORLD.but(machines=[Node(name="node-1", compute_type="fargate")], live=[pod(None)])
    findings = plan(world).findings
    accepted = [Acceptance(code=code, reason="because") for code in ("fargate", "bare-pods")]

    assert open_blocks(findings) == ("bare-pods", "fargate")
    assert open_blocks(findings, accepted) == ("fargate",)
    assert verdict(findings, accepted) is Verdict.BLOCKED


def test_a_warning_wants_attention() -> None:
    assert plan(WORLD.but(made_by=[workload(host_network=True)])).verdict is Verdict.ATTENTION
