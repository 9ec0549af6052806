"""The association's step before the real webhook: settled when its probes agree in a row, each by a new connection."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, cast

import pytest

from migrator.model.facts import Association, Probe
from migrator.model.fleet import Waits
from migrator.model.ids import ServiceId
from migrator.model.plan import PlannedStep, StepKind
from migrator.steps.association import AssociationStep
from migrator.steps.step import Context, NotYet, Settled, Settling
from tests.controlplane import tier
from tests.controlplane.gatehouse import ROLE, UNKNOWN, Gatehouse, Service, add_service, open_gatehouse, said

pytestmark = getattr(pytest.mark, tier.MARK)
IRSA, POD_IDENTITY, NONE = "irsa", "pod-identity", "none"
PROBES = 5
_FLIP = 0.05  # seconds


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gatehouse]:
    with open_gatehouse(tmp_path_factory.mktemp("gate")) as opened:
        yield opened


def nothing(_number: int) -> None:
    """Nobody changes anything."""


@dataclass
class Cluster:
    """EKS lists the association, or not; the gate is the real one. `before` is called with each probe's number."""

    service: Service
    listed: bool = True
    before: Callable[[int], None] = nothing
    heard: list[str] = field(default_factory=list)

    def association(self, namespace: str, service_account: str) -> Association | None:
        assert (namespace, service_account) == self.service.pair
        made = Association(id="a-1", namespace=namespace, service_account=service_account, role_arn=ROLE)
        return made if self.listed else None

    def probe(self, namespace: str, service_account: str) -> Probe:
        assert (namespace, service_account) == self.service.pair
        self.before(len(self.heard) + 1)
        probe = self.service.ask()
        self.heard.append(said(probe))
        return probe

    def settled(self) -> Settling:
        """One look of the step, there, or back when EKS lists nothing any more."""
        namespace, name = self.service.pair
        context = Context(
            service=ServiceId("real", namespace, name),
            run="run-1",
            cluster=cast("Any", self),
            trust=cast("Any", None),
            waits=Waits(gate_probes=PROBES),
            role_arn=ROLE,
        )
        ends = ({"role_arn": None}, {"role_arn": ROLE, "tags": {}})
        before, after = ends if self.listed else ends[::-1]
        on = {"namespace": namespace, "service_account": name}
        step = PlannedStep(id="association", kind=StepKind.ASSOCIATION, on=on, before=before, after=after)
        return AssociationStep().settled(step, context)


def test_probes_in_a_row_each_by_a_connection_of_its_own(house: Gatehouse) -> None:
    service = add_service(house, annotated=True)
    service.runs()
    cluster = Cluster(service)
    with house.associated(service):
        service.turns(POD_IDENTITY)
        before = house.relay.connections
        answer = cluster.settled()

    assert isinstance(answer, Settled)
    assert answer.result == {"association": None}
    assert cluster.heard == [POD_IDENTITY] * PROBES
    assert house.relay.connections - before == PROBES


def test_one_wrong_answer_ends_the_round_and_the_next_begins_at_one(house: Gatehouse) -> None:
    service = add_service(house, annotated=True)
    service.turns(IRSA)
    turns = {1: POD_IDENTITY, 4: IRSA, 5: POD_IDENTITY}

    def flip(number: int) -> None:
        if number in turns:
            house.identities.changed(frozenset({service.pair} if turns[number] == POD_IDENTITY else ()))
            service.turns(turns[number])

    cluster = Cluster(service, before=flip)
    first, second = cluster.settled(), cluster.settled()
    house.identities.changed(frozenset())

    assert isinstance(first, NotYet)
    assert first.reason == "admission gate, probe 4 of 5: expected pod-identity, got probe: irsa"
    assert isinstance(second, Settled)
    assert cluster.heard == [POD_IDENTITY] * 3 + [IRSA] + [POD_IDENTITY] * PROBES


def test_a_file_that_flips_all_the_time_never_passes_by_chance(house: Gatehouse) -> None:
    service = add_service(house, annotated=True)
    service.turns(IRSA)
    rounds: list[tuple[list[str], Settling]] = []
    with flipping(service):
        until = time.monotonic() + 20
        while len({answer for heard, _ in rounds for answer in heard}) < 2 or len(rounds) < 20:
            assert time.monotonic() < until, rounds
            cluster = Cluster(service)
            rounds.append((cluster.heard, cluster.settled()))

    for heard, answer in rounds:
        assert isinstance(answer, Settled) == (heard == [POD_IDENTITY] * PROBES)
        assert isinstance(answer, Settled) or heard == [POD_IDENTITY] * (len(heard) - 1) + [IRSA]
    with house.associated(service):
        service.turns(POD_IDENTITY)
        assert isinstance(Cluster(service).settled(), Settled)


def test_back_irsa_must_be_what_all_probes_say(house: Gatehouse) -> None:
    service = add_service(house, annotated=True)
    with house.associated(service):
        service.turns(POD_IDENTITY)
        cluster = Cluster(service, listed=False)
        assert isinstance(cluster.settled(), NotYet)
        assert cluster.heard == [POD_IDENTITY]
    service.turns(IRSA)
    cluster = Cluster(service, listed=False)

    assert isinstance(cluster.settled(), Settled)
    assert cluster.heard == [IRSA] * PROBES


def test_a_webhook_that_is_away_settles_nothing(house: Gatehouse) -> None:
    service = add_service(house, annotated=True)
    with house.associated(service):
        service.turns(POD_IDENTITY)
        with house.webhook_killed():
            cluster, back = Cluster(service), Cluster(service, listed=False)
            assert isinstance(cluster.settled(), NotYet)
            assert isinstance(back.settled(), NotYet)
            assert (cluster.heard, back.heard) == ([NONE], [NONE])
        service.turns(POD_IDENTITY)
        assert isinstance(cluster.settled(), Settled)


def test_no_answer_settles_nothing(house: Gatehouse) -> None:
    cluster = Cluster(add_service(house, account=False))
    answer = cluster.settled()

    assert isinstance(answer, NotYet)
    assert answer.reason.startswith("admission gate, probe 1 of 5: no answer: ")
    assert cluster.heard == [UNKNOWN]


@contextmanager
def flipping(service: Service) -> Iterator[None]:
    """The file names the service, and does not name it, all the time for the block."""
    over, identities = threading.Event(), service.house.identities

    def flip() -> None:
        for there in cycle((True, False)):
            identities.changed(frozenset({service.pair} if there else ()))
            if over.wait(_FLIP):
                break
        identities.changed(frozenset())

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
