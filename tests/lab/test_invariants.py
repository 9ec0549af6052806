"""The test of the checker: a sound world passes, and each way in which one can be unsound is found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, JournalLine, Outcome, Run, Standing, Status, StepRecord
from tests.lab.invariants import Invariant, Waiver, violations
from tests.lab.seen import Kept, Link, Seen, Service, Unanswered, Walked
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


@pytest.mark.parametrize("seen", [MIGRATED, RETURNED, Seen(clusters={})], ids=["[there]", "[back]", "[nothing]"])
def test_a_sound_world_passes(seen: Seen) -> None:
    assert [str(one) for one in violations(seen)] == []


BROKEN: Sequence[tuple[str, Seen, Invariant, str]] = (
    (
        "[credentials] a new pod has no identity",
        replace(MIGRATED, pods=[*MIGRATED.pods, pod("none", 15, until=16)]),
        Invariant.CREDENTIALS,
        "admitted with identity none",
    ),
    (
        "[credentials] one of its containers has none",
        replace(MIGRATED, pods=[*MIGRATED.pods, pod("part", 15, until=16)]),
        Invariant.CREDENTIALS,
        "admitted with identity part",
    ),
    (
        "[credentials] on Pod Identity before the association",
        replace(MIGRATED, pods=[*MIGRATED.pods, pod("pod-identity", 10, born=FIRST + 0.5)]),
        Invariant.CREDENTIALS,
        "had no association",
    ),
    (
        "[credentials] on Pod Identity after the association has gone",
        replace(RETURNED, pods=[*RETURNED.pods, pod("pod-identity", 36, until=38)]),
        Invariant.CREDENTIALS,
        "had no association",
    ),
    (
        "[credentials] trust taken away under a pod",
        replace(RETURNED, pods=[*RETURNED.pods, pod("pod-identity", 14, until=45)]),
        Invariant.CREDENTIALS,
        "when its role's trust was taken away",
    ),
    (
        "[credentials] refused",
        replace(MIGRATED, unanswered=[REFUSED]),
        Invariant.CREDENTIALS,
        "refused credentials: no agent",
    ),
    (
        "[credentials] left on Pod Identity when the way back failed",
        STRANDED,
        Invariant.CREDENTIALS,
        "left on Pod Identity when their association was deleted",
    ),
    (
        "[credentials] refused once the way back had failed",
        replace(STRANDED, unanswered=[REFUSED]),
        Invariant.CREDENTIALS,
        "refused credentials: no agent",
    ),
    (
        "[credentials] annotation taken out behind a deleted association",
        replace(with_calls(MIGRATED, DELETED), links=[]),
        Invariant.CREDENTIALS,
        "taken out while there was no association",
    ),
    ("[once] trust written twice", with_calls(MIGRATED, EDITED), Invariant.ONCE, "written again as it was"),
    ("[once] trust never written", without(MIGRATED, "UpdateAssumeRolePolicy"), Invariant.ONCE, "edited 0 times"),
    (
        "[once] association created twice",
        with_calls(MIGRATED, {**CREATED, "params": {**CREATED["params"], "clientRequestToken": "t-2"}}),
        Invariant.ONCE,
        "association created 2 times",
    ),
    (
        "[once] association never created",
        without(MIGRATED, "CreatePodIdentityAssociation"),
        Invariant.ONCE,
        "association created 0 times",
    ),
    (
        "[once] association deleted and not recorded",
        with_calls(MIGRATED, call("DeletePodIdentityAssociation", 20, associationId="a-1")),
        Invariant.ONCE,
        "associations deleted 1 times",
    ),
    (
        "[once] association never deleted",
        without(RETURNED, "DeletePodIdentityAssociation"),
        Invariant.ONCE,
        "associations deleted 0 times",
    ),
    (
        "[once] agent installed and not recorded",
        with_calls(MIGRATED, call("CreateAddon", 11, clusterName="main", clientRequestToken="t")),
        Invariant.ONCE,
        "installed 1 times",
    ),
    (
        "[once] annotation taken out twice",
        replace(MIGRATED, annotated=[*MIGRATED.annotated, annotated(14, ROLE), annotated(15, None)]),
        Invariant.ONCE,
        "annotation taken out 2 times",
    ),
    (
        "[once] annotation put back by us on the way there",
        replace(MIGRATED, annotated=[*MIGRATED.annotated, annotated(14, ROLE, "irsa-migrator")]),
        Invariant.ONCE,
        "annotation put back by us 1 times",
    ),
    (
        "[once] restarted twice by one run",
        replace(MIGRATED, stamped=[*MIGRATED.stamped, stamped(16, "run-forward-10")]),
        Invariant.ONCE,
        "restarted 2 times",
    ),
    ("[agree] a plan file cannot be read", replace(MIGRATED, broken_plans=["x"]), Invariant.AGREE, "cannot be read"),
    ("[agree] migrated without association", replace(MIGRATED, links=[]), Invariant.AGREE, "its associations are []"),
    ("[agree] migrated with annotation", replace(MIGRATED, accounts={KEY: ROLE}), Invariant.AGREE, "is still"),
    (
        "[agree] migrated without trust",
        replace(MIGRATED, trusts={ROLE: IRSA}),
        Invariant.AGREE,
        "does not have our statement",
    ),
    (
        "[agree] migrated with a pod on IRSA",
        replace(MIGRATED, pods=[*MIGRATED.pods, pod("irsa", 3)]),
        Invariant.AGREE,
        "not on Pod Identity",
    ),
    ("[agree] back with our association", replace(RETURNED, links=MIGRATED.links), Invariant.AGREE, "is still there"),
    ("[agree] back without annotation", replace(RETURNED, accounts={KEY: None}), Invariant.AGREE, "before us it was"),
    ("[agree] back with our statement", replace(RETURNED, trusts={ROLE: OPENED}), Invariant.AGREE, "our statement"),
    (
        "[agree] back with a pod on Pod Identity",
        replace(RETURNED, pods=[*RETURNED.pods, pod("pod-identity", 15)]),
        Invariant.AGREE,
        "not back on IRSA",
    ),
    (
        "[agree] association unknown to the store",
        but(MIGRATED, ours=frozenset(THERE) - {"association"}),
        Invariant.AGREE,
        "association a-1 bears our tags",
    ),
    (
        "[agree] statement unknown to the store",
        but(MIGRATED, ours=frozenset(THERE) - {"trust"}),
        Invariant.AGREE,
        "has our statement and the store does not know it",
    ),
    (
        "[agree] annotation gone half-way, unknown to the store",
        but(MIGRATED, standing=Standing.INTERRUPTED, ours=frozenset({"trust", "association"})),
        Invariant.AGREE,
        "the store knows nothing of that",
    ),
    ("[locks] one is held", replace(MIGRATED, locks_held=["role:x"]), Invariant.LOCKS, "role:x is held"),
    ("[locks] a row is left", replace(MIGRATED, lock_rows=["role:x"]), Invariant.LOCKS, "nobody was killed"),
    (
        "[kept] a foreign edit is gone",
        replace(MIGRATED, kept=[Kept(what="their statement", so=False)]),
        Invariant.KEPT,
        "their statement",
    ),
)


@pytest.mark.parametrize(("seen", "invariant", "says"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_an_unsound_world_is_found(seen: Seen, invariant: Invariant, says: str) -> None:
    found = violations(seen)
    assert any(one.invariant is invariant and says in one.text for one in found), [str(one) for one in found]


def test_every_invariant_has_a_broken_world() -> None:
    assert {case[2] for case in BROKEN} == set(Invariant)


def test_a_row_of_a_killed_process_is_no_lock() -> None:
    assert violations(replace(MIGRATED, lock_rows=["role:x"], killed=True)) == []


def test_a_waiver_covers_its_own_invariant_and_service_only() -> None:
    broken = replace(MIGRATED, links=[], locks_held=["role:x"])
    waived = Waiver(Invariant.AGREE, str(ORDERS), "the test deleted it")
    assert [one.invariant for one in violations(broken, [waived])] == [Invariant.LOCKS]
    assert violations(broken, [replace(waived, service=str(OTHER))]) == violations(broken)


def test_a_pod_that_never_asked_may_be_refused_between_association_and_restart_of_the_way_back() -> None:
    early = replace(REFUSED, since=moment(f"{DAY}33+00:00"), at=moment(f"{DAY}33+00:00"))
    assert violations(replace(RETURNED, unanswered=[early])) == []
    assert violations(replace(RETURNED, unanswered=[replace(early, at=LAST)])) == []  # the answer took long to come
    assert violations(replace(RETURNED, unanswered=[replace(early, served_before=True)])) != []
    assert violations(replace(RETURNED, unanswered=[REFUSED])) != []


def test_a_change_that_was_begun_and_never_concluded_may_have_been_made_or_not() -> None:
    cut_off = walked(Direction.FORWARD, 10, trust=Status.STARTED)
    half = but(MIGRATED, standing=Standing.INTERRUPTED, walked=[cut_off])
    assert violations(half) == []
    assert violations(replace(without(half, "UpdateAssumeRolePolicy"), trusts={ROLE: IRSA})) == []
