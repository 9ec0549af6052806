"""Worlds as the checker of the invariants sees them, all sound but `STRANDED`; and what they are made of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, JournalLine, Outcome, Run, Standing, Status, StepRecord
from tests.lab.seen import Link, Seen, Service, Unanswered, Walked
from tests.lab.witness import Annotated, PodLife, Stamped, moment

ARN = "arn:aws:eks:eu-west-1:111111111111:cluster/main"
ROLE = "arn:aws:iam::111111111111:role/orders"
ORDERS = ServiceId("main", "shop", "orders")
KEY = ("main", "shop", "orders")
OURS = "Botocore/1 irsa-migrator/0.1.0"
DAY = "2026-01-01T00:00:"
FIRST, LAST = moment(f"{DAY}10+00:00"), moment(f"{DAY}50+00:00")
IRSA = '{"Statement":[{"Sid":"Irsa","Effect":"Allow"}]}'
OPENED = (
    '{"Statement":[{"Sid":"Irsa","Effect":"Allow"},{"Sid":"IrsaMigrator1","Effect":"Allow","Condition":{"StringEquals":'
    f'{{"aws:RequestTag/eks-cluster-arn":"{ARN}","aws:RequestTag/kubernetes-namespace":"shop",'
    '"aws:RequestTag/kubernetes-service-account":"orders"}}}]}'
)
THERE = ("trust", "association", "annotation", "restart", "verify")
BACK = ("annotation", "association", "restart", "verify", "trust")


def walked(direction: Direction, at: int, **differs: Status) -> Walked:
    """A run whose steps are all done but for those that differ; one that failed is its last."""
    name = f"run-{direction}-{at}"
    run = Run(
        id=name,
        service=ORDERS,
        direction=direction,
        outcome=Outcome.DONE,
        plan={},
        actor="a",
        host="h",
        started=f"{DAY}{at:02}+00:00",
        ended=f"{DAY}{at + 5:02}+00:00",
    )
    steps: Sequence[str] = THERE if direction is Direction.FORWARD else BACK
    steps = steps[: next((n for n, step in enumerate(steps, 1) if differs.get(step) is Status.FAILED), len(steps))]
    records = {
        step: StepRecord(
            run=name,
            step=step,
            status=differs.get(step, Status.DONE),
            at=f"{DAY}{at + 1:02}+00:00",
            image={"before": step},
            result={"association": "a-1"} if step == "association" else None,
        )
        for step in steps
    }
    lines = [
        JournalLine(
            at=f"{DAY}{at + 3:02}+00:00",
            run=name,
            direction=direction,
            actor="a",
            host="h",
            step=step,
            status=status,
            result=records[step].result if status == Status.DONE else None,
        )
        for step in steps
        for status in (Status.STARTED, records[step].status)
    ]
    return Walked(run=run, records=records, lines=lines)


def call(operation: str, at: int, **params: Any) -> dict[str, Any]:
    return {
        "operation": operation,
        "time": f"{DAY}{at:02}+00:00",
        "account": "111111111111",
        "params": params,
        "status": 200,
        "user_agent": OURS,
    }


def pod(identity: str, at: int, until: int | None = None, **differs: Any) -> PodLife:
    born = moment(f"{DAY}{at:02}+00:00")
    leaving = moment(f"{DAY}{until:02}+00:00") if until else None
    made = PodLife(
        cluster="main",
        namespace="shop",
        name=f"orders-{at}",
        uid=f"uid-{at}",
        account="orders",
        owner="ReplicaSet",
        identity=identity,
        born=born,
        ready=(born, born + 1),
        leaving=leaving,
        well=until is None,
    )
    return replace(made, **differs)


CREATED = call(
    "CreatePodIdentityAssociation",
    12,
    clusterName="main",
    namespace="shop",
    serviceAccount="orders",
    clientRequestToken="t-1",
)
DELETED = {
    **call("DeletePodIdentityAssociation", 12, associationId="a-1"),
    "time": f"{DAY}12.500000+00:00",
    "user_agent": "aws-cli",
}
SEEDED = {**call("UpdateAssumeRolePolicy", 1, RoleName="orders", PolicyDocument=IRSA), "user_agent": "aws-cli"}
EDITED = call("UpdateAssumeRolePolicy", 11, RoleName="orders", PolicyDocument=OPENED)


def annotated(at: int, value: str | None, manager: str = "kubectl") -> Annotated:
    return Annotated(moment(f"{DAY}{at:02}+00:00"), *KEY, uid="u", value=value, manager=manager)


def stamped(at: int, stamp: str) -> Stamped:
    where = ("main", "shop", "deployments/orders/u", "orders")
    return Stamped(moment(f"{DAY}{at:02}+00:00"), *where, stamp=stamp, restarted_at=f"{DAY}{at}")


SERVICE = Service(
    id=ORDERS,
    cluster="main",
    cluster_arn=ARN,
    role=ROLE,
    annotation=ROLE,
    standing=Standing.MIGRATED,
    walked=[walked(Direction.FORWARD, 10)],
    ours=frozenset(THERE),
)
TAGS = {"irsa-migrator/service": "main/shop/orders"}
LINK = Link(id="a-1", cluster="main", namespace="shop", account="orders", role=ROLE, tags=TAGS)
MIGRATED = Seen(
    clusters={"main": "main"},
    services=[SERVICE],
    trusts={ROLE: OPENED},
    links=[LINK],
    accounts={KEY: None},
    pods=[pod("irsa", 2, until=14), pod("pod-identity", 14)],
    annotated=[annotated(1, ROLE), annotated(13, None)],
    stamped=[stamped(14, "run-forward-10")],
    calls=[SEEDED, EDITED, CREATED],
)
RETURNED = replace(
    MIGRATED,
    services=[
        replace(
            SERVICE,
            standing=Standing.ROLLED_BACK,
            walked=[*SERVICE.walked, walked(Direction.BACK, 30)],
            ours=frozenset(),
        )
    ],
    trusts={ROLE: IRSA},
    links=[],
    accounts={KEY: ROLE},
    pods=[pod("irsa", 2, until=14), pod("pod-identity", 14, until=33), pod("irsa", 33)],
    annotated=[*MIGRATED.annotated, annotated(31, ROLE, "irsa-migrator")],
    stamped=[*MIGRATED.stamped, stamped(33, "run-back-30")],
    calls=[
        *MIGRATED.calls,
        call("DeletePodIdentityAssociation", 32, clusterName="main", associationId="a-1"),
        call("UpdateAssumeRolePolicy", 40, RoleName="orders", PolicyDocument=IRSA),
    ],
)
STRANDED = replace(
    RETURNED,
    services=[
        replace(
            SERVICE,
            standing=Standing.STRANDED,
            walked=[*SERVICE.walked, walked(Direction.BACK, 30, restart=Status.FAILED)],
        )
    ],
    pods=[pod("pod-identity", 14)],
)
OTHER = ServiceId("main", "shop", "other")
REFUSED = Unanswered(
    since=LAST,
    at=LAST,
    cluster="main",
    namespace="shop",
    pod="orders-14",
    uid="uid-14",
    account="orders",
    why="no agent",
)


def but(seen: Seen, **service: Any) -> Seen:
    """The same with its one service different."""
    return replace(seen, services=[replace(seen.services[0], **service)])


def with_calls(seen: Seen, *calls: dict[str, Any]) -> Seen:
    return replace(seen, calls=[*seen.calls, *calls])


def without(seen: Seen, operation: str) -> Seen:
    """The same without our calls of that operation."""
    ours = [one for one in seen.calls if one["operation"] == operation and one["user_agent"] == OURS]
    return replace(seen, calls=[one for one in seen.calls if one not in ours])
