"""The test of the checker: a sound world passes, and each way in which one can be unsound is found."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from migrator.model.journal import Direction, Standing, Status
from tests.lab.invariants import Invariant, Waiver, violations
from tests.lab.seen import Kept, Seen
from tests.lab.witness import moment
from tests.lab.worlds_seen import (
    CREATED,
    DAY,
    DELETED,
    EDITED,
    FIRST,
    IRSA,
    KEY,
    LAST,
    MIGRATED,
    OPENED,
    ORDERS,
    OTHER,
    REFUSED,
    RETURNED,
    ROLE,
    STRANDED,
    THERE,
    annotated,
    but,
    call,
    pod,
    stamped,
    walked,
    with_calls,
    without,
)


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


def test_a_refusal_of_a_pod_that_asked_before_we_came_is_none_of_ours() -> None:
    assert violations(replace(MIGRATED, unanswered=[replace(REFUSED, since=FIRST - 1)])) == []


def test_a_change_that_was_begun_and_never_concluded_may_have_been_made_or_not() -> None:
    cut_off = walked(Direction.FORWARD, 10, trust=Status.STARTED)
    half = but(MIGRATED, standing=Standing.INTERRUPTED, walked=[cut_off])
    assert violations(half) == []
    assert violations(replace(without(half, "UpdateAssumeRolePolicy"), trusts={ROLE: IRSA})) == []
