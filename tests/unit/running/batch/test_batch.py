"""A batch over many services: what it begins, in which order, how many at once, and what it leaves alone."""

from dataclasses import replace
from typing import Any

import pytest

from migrator.model.batch import Limits
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, ServiceState
from migrator.model.plan import Verdict
from migrator.running.batch.agenda import Left
from tests.fakes.nights import (
    HANGS_BACK,
    OPEN,
    PENDING,
    Night,
    code,
    cut_off,
    exits,
    left,
    many,
    plan,
    short,
)


def test_everything_that_is_ready_is_done_and_nothing_else_is_touched() -> None:
    ready, held = plan("ready"), plan("held", hold=True)
    blocked = replace(plan("blocked"), verdict=Verdict.BLOCKED)
    warned = replace(plan("warned"), verdict=Verdict.ATTENTION)
    night = Night([ready, held, blocked, warned], OPEN)

    batch = night.run()

    assert exits(batch) == {"ready": Exit.DONE}
    assert left(batch) == {"held": Left.HOLD, "blocked": Left.BLOCKED, "warned": Left.ATTENTION}
    assert code(batch) is Exit.BLOCKED
    assert night.locks.taken == {}


def test_a_second_night_has_nothing_to_do() -> None:
    night = Night(many(3), OPEN)
    night.run()
    night.script.began.clear()

    batch = night.run()

    assert (night.script.began, batch.ended, batch.stopped, code(batch)) == ([], [], "", Exit.DONE)


def test_waves_come_one_after_the_other_and_the_rest_last() -> None:
    plans = [plan("z", wave=0), plan("m1", wave=2), plan("m2", wave=2), plan("a")]
    night = Night(plans, OPEN)

    night.run()

    began, over = list(map(short, night.script.began)), list(map(short, night.script.over))
    assert (began[0], set(began[1:3]), began[3]) == ("z", {"m1", "m2"}, "a")
    assert over[0] == "z"
    assert over[3] == "a"


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        pytest.param(Limits(services=3, per_cluster=9, per_role=9), 3, id="[services]"),
        pytest.param(Limits(services=9, per_cluster=2, per_role=9), 4, id="[per-cluster]"),
    ],
)
def test_so_many_at_once_and_no_more(limits: Limits, most: int) -> None:
    night = Night([*many(5, "one"), *many(5, "two")], replace(OPEN, limits=limits))
    night.script.together = most

    night.run()

    assert night.script.most == most
    assert max(night.script.by_cluster.values()) <= limits.per_cluster


def test_services_of_one_role_go_one_after_the_other() -> None:
    shared = "arn:aws:iam::111122223333:role/Shared"
    night = Night([plan("a", role=shared), plan("b", role=shared), plan("c", role=shared)], OPEN)

    night.run()

    assert night.script.most == 1
    assert len(night.script.over) == 3


def test_each_clusters_first_service_goes_alone() -> None:
    night = Night([*many(4, "one"), *many(4, "two")], replace(OPEN, canary=1))
    first: dict[str, int] = {}

    def note(service: ServiceId) -> None:
        first.setdefault(service.cluster, _of(night, service.cluster))

    night.script.meanwhile = note

    night.run()

    assert first == {"one": 1, "two": 1}
    assert all(
        night.script.over.index(began) < min(_places(night, began.cluster, beyond=began))
        for began in (_first(night, "one"), _first(night, "two"))
    )


def _of(night: Night, cluster: str) -> int:
    return sum(one.cluster == cluster for one in night.script.began) - sum(
        one.cluster == cluster for one in night.script.over
    )


def _first(night: Night, cluster: str) -> Any:
    return next(one for one in night.script.began if one.cluster == cluster)


def _places(night: Night, cluster: str, beyond: Any) -> list[int]:
    return [night.script.over.index(one) for one in night.script.over if one.cluster == cluster and one != beyond]


def test_as_many_as_the_command_line_says() -> None:
    batch = Night(many(5), OPEN).run(max_services=2)

    assert (len(batch.ended), batch.stopped) == (2, "max-services")
    assert set(left(batch).values()) == {Left.LATER}
    assert code(batch) is Exit.UNFINISHED


@pytest.mark.parametrize(
    ("services", "order"),
    [(1, ["back", "there", "new", "late"]), (2, ["back", "there", "late", "new"])],
    ids=["[one hand]", "[two hands]"],
)
def test_what_was_cut_off_comes_first_and_a_look_does_not_keep_the_only_hand(services: int, order: list[str]) -> None:
    plans = [plan(name, wave=0 if name == "new" else None) for name in ("new", "there", "back", "late")]
    night = Night(plans, replace(OPEN, limits=Limits(services=services, per_cluster=1)))
    night.ends(PENDING, "late")
    night.run(selected=lambda service, _plan: service.name == "late")
    night.script.errands.clear()
    cut_off(night, "there", Direction.FORWARD)
    cut_off(night, "back", Direction.BACK)

    night.run()

    assert [one.name for _errand, one in night.script.errands] == order


def test_a_way_back_that_failed_is_tried_again_every_night() -> None:
    night = Night([plan("a")], OPEN)
    night.ends(HANGS_BACK, "a")
    assert code(night.run()) is Exit.STRANDED
    assert code(night.run()) is Exit.STRANDED
    night.script.ends.clear()
    assert exits(night.run()) == {"a": Exit.ROLLED_BACK}


def test_in_its_soak_a_service_is_looked_at_again_and_then_no_more() -> None:
    night = Night([plan("a")], replace(OPEN, soak=3600))
    night.run()
    night.script.errands.clear()
    night.run()
    night.clock.sleep(4000)
    night.run()

    assert [errand for errand, _ in night.script.errands] == ["look"]


def test_plans_that_cannot_be_read_are_left_and_told() -> None:
    night = Night([plan("a")], OPEN)
    batch = night.batch()
    batch.unreadable = frozenset({plan("bad").service})

    batch.run()

    assert left(batch) == {"bad": Left.UNREADABLE}
    assert code(batch) is Exit.USAGE


def test_plan_files_of_which_nobody_knows_whose_they_are_end_it_with_two() -> None:
    night = Night([plan("a")], OPEN)
    batch = night.batch()
    batch.astray = True

    batch.run()

    assert (left(batch), code(batch)) == ({}, Exit.USAGE)


def test_a_first_service_without_pods_proves_nothing_and_the_next_goes_alone_too() -> None:
    night = Night(many(4), replace(OPEN, canary=1))
    night.ends(PENDING, "s0")

    night.run()

    assert [short(one) for one in night.script.over[:2]] == ["s0", "s1"]
    assert len(night.script.over) == 4


def test_the_states_of_what_ended_long_before_are_not_read_one_by_one() -> None:
    night = Night(many(20), OPEN)
    night.run()
    night.plans = [*night.plans, plan("new")]
    asked: list[ServiceId] = []
    real = night.journal.state

    def counted(service: ServiceId) -> ServiceState:
        asked.append(service)
        return real(service)

    batch = night.batch()
    night.journal.states = lambda: {one.service: real(one.service) for one in night.plans[:20]}  # type: ignore[method-assign]
    night.journal.state = counted  # type: ignore[method-assign] # to be counted
    batch.run()

    assert set(asked) == {plan("new").service}
