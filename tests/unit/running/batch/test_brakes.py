"""What stops a cluster or the fleet: breakers, the failure budget, and what is not tried again."""

from dataclasses import replace

import pytest

from migrator.model.batch import Budget, Limits
from migrator.model.errors import CredentialsExpired, EnvironmentFault
from migrator.model.exits import Exit
from migrator.model.journal import Direction, Outcome, Run
from migrator.running.batch.agenda import Left
from migrator.running.batch.brakes import Brakes
from tests.fakes.nights import (
    FAILS,
    OPEN,
    Night,
    code,
    cut_off,
    exits,
    left,
    many,
    plan,
    short,
)


def test_a_canary_that_fails_is_followed_by_another_alone_until_the_breaker_opens() -> None:
    night = Night([*many(9, "bad"), *many(3, "good")], replace(OPEN, canary=1, breaker=2))
    night.ends(FAILS, *(f"bad/s{number}" for number in range(9)))

    night.run()

    assert [short(one) for one in night.script.began if one.cluster == "bad"] == ["bad/s0", "bad/s1"]
    assert night.script.by_cluster["bad"] == 1
    assert {short(one) for one in night.script.over if one.cluster == "good"} == {"good/s0", "good/s1", "good/s2"}


def test_the_breaker_of_one_cluster_opens_and_the_others_go_on() -> None:
    night = Night([*many(9, "bad"), *many(4, "good")], replace(OPEN, limits=Limits(), breaker=3))
    night.ends(FAILS, *(f"bad/s{number}" for number in range(9)))

    batch = night.run()

    failed = [name for name, how in exits(batch).items() if how is Exit.ROLLED_BACK]
    assert len(failed) in {3, 4}  # one more may have been under way already
    assert {name for name, how in exits(batch).items() if how is Exit.DONE} == {f"good/s{n}" for n in range(4)}
    assert set(left(batch).values()) == {Left.BREAKER}
    assert len(left(batch)) == 9 - len(failed)
    assert "services failed in a row" in batch.brakes.open()["bad"]
    assert code(batch) is Exit.ROLLED_BACK


def test_an_open_breaker_stays_open_until_a_person_closes_it() -> None:
    night = Night(many(6), replace(OPEN, limits=Limits(services=1), breaker=2))
    night.ends(FAILS, "s0", "s1")
    night.run()
    night.clock.sleep(10 * 86400)
    night.script.began.clear()

    again = night.run()
    assert night.script.began == []
    assert code(again) is Exit.BLOCKED

    brakes = Brakes(journal=night.journal, policy=night.policy, clock=night.clock)
    brakes.look()
    brakes.close("c")
    closed = night.run()
    assert closed.brakes.open() == {}
    assert {name for name, how in exits(closed).items() if how is Exit.DONE} >= {"s3", "s4", "s5"}


def test_a_success_in_between_keeps_the_breaker_closed() -> None:
    night = Night(many(5), replace(OPEN, limits=Limits(services=1), breaker=2))
    night.ends(FAILS, "s0", "s2", "s4")

    batch = night.run()

    assert (batch.brakes.open(), len(batch.ended)) == ({}, 5)


@pytest.mark.parametrize(
    ("budget", "ended", "says"),
    [
        pytest.param(Budget(failures=2, share=1.0), 2, "2 services failed within 24 h", id="[count]"),
        pytest.param(Budget(failures=99, share=0.1), 21, "3 of 21 services failed within 24 h", id="[share]"),
    ],
)
def test_the_failure_budget(budget: Budget, ended: int, says: str) -> None:
    night = Night([*many(20, "one"), *many(4, "two")], replace(OPEN, limits=Limits(services=1), budget=budget))
    night.ends(FAILS, "one/s0", "one/s1", "two/s0")

    batch = night.run()

    assert len(batch.ended) == ended
    assert batch.stopped == "budget"
    assert says in (batch.brakes.spent() or "")
    assert set(left(batch).values()) == {Left.LATER}


def test_failures_of_long_ago_are_off_the_budget() -> None:
    night = Night(many(4), replace(OPEN, limits=Limits(services=1), budget=Budget(failures=1, share=1.0, within=3600)))
    night.ends(FAILS, "s0")
    assert len(night.run().ended) == 1
    night.clock.sleep(4000)
    assert len(night.run().ended) == 3


def test_what_failed_is_not_tried_again_unless_a_person_says_so_or_plans_anew() -> None:
    night = Night([plan("a"), plan("b")], OPEN)
    night.ends(FAILS, "a")
    assert code(night.run()) is Exit.ROLLED_BACK

    again = night.run()
    assert (left(again), code(again)) == ({"a": Left.FAILED}, Exit.BLOCKED)

    night.script.ends.clear()
    assert exits(night.run(retry_failed=True)) == {"a": Exit.DONE}


def test_a_newer_plan_of_what_failed_is_begun() -> None:
    night = Night([plan("a")], OPEN)
    night.ends(FAILS, "a")
    night.run()
    night.script.ends.clear()
    fresh = plan("a")
    night.plans = [replace(fresh, facts={**fresh.facts, "agent": {"addon": "v9"}})]

    assert exits(night.run()) == {"a": Exit.DONE}


def test_what_a_person_took_back_stays_so() -> None:
    night = Night([plan("a")], OPEN)
    night.run()
    done = night.journal.all_runs[-1]
    back = Run(
        id="back",
        service=done.service,
        direction=Direction.BACK,
        outcome=Outcome.OPEN,
        plan=done.plan,
        actor="ann",
        host="desk",
        started=night.clock.now(),
        cause=done.id,
    )
    night.journal.begin(back)
    night.journal.end("back", Outcome.DONE, "", night.clock.now())

    batch = night.run(retry_failed=True)

    assert (left(batch), code(batch)) == ({"a": Left.ROLLED_BACK}, Exit.DONE)


def test_what_was_cut_off_is_finished_though_the_budget_is_spent_and_the_breaker_open() -> None:
    night = Night([plan("a"), plan("b"), plan("new")], replace(OPEN, limits=Limits(services=1), breaker=1))
    night.ends(FAILS, "a")
    night.run(selected=lambda service, _plan: service.name == "a")
    cut_off(night, "b", Direction.FORWARD)

    batch = night.run()

    assert exits(batch) == {"b": Exit.DONE}
    assert left(batch) == {"a": Left.FAILED, "new": Left.BREAKER}


def test_a_cluster_out_of_reach_is_left_after_some_tries_and_the_others_go_on() -> None:
    night = Night([*many(9, "far"), *many(3, "near")], replace(OPEN, limits=Limits(services=2), breaker=3))
    night.ends(EnvironmentFault("no route"), *(f"far/s{number}" for number in range(9)))

    batch = night.run()

    assert len([one for one in batch.ended if one.service.cluster == "far"]) in {3, 4}
    assert len([one for one in batch.ended if one.exit is Exit.DONE]) == 3
    assert set(left(batch).values()) == {Left.UNREACHABLE}


def test_with_the_policy_as_it_is_one_broken_cluster_stops_only_itself() -> None:
    night = Night([*many(9, "bad"), *many(9, "good")])
    night.ends(FAILS, *(f"bad/s{number}" for number in range(9)))

    batch = night.run()

    assert {name for name, how in exits(batch).items() if how is Exit.DONE} == {f"good/s{n}" for n in range(9)}
    assert set(left(batch).values()) == {Left.BREAKER}


def test_one_accounts_expired_credentials_stop_its_clusters_and_no_others() -> None:
    night = Night([*many(3, "one"), *many(3, "two")], replace(OPEN, limits=Limits(services=1)))
    night.ends(CredentialsExpired("they ran out"), "one/s0")

    batch = night.run()

    assert exits(batch) == {"one/s0": Exit.UNFINISHED, **{f"two/s{n}": Exit.DONE for n in range(3)}}
    assert (left(batch), batch.stopped) == ({"one/s1": Left.LATER, "one/s2": Left.LATER}, "credentials")
    assert code(batch) is Exit.UNFINISHED


def test_failures_in_a_row_count_night_after_night() -> None:
    night = Night(many(4), replace(OPEN, breaker=2))
    for number in range(2):
        night.ends(FAILS, f"s{number}")
        night.run(max_services=1)
        night.clock.sleep(3 * 86400)

    assert list(night.run().brakes.open()) == ["c"]
