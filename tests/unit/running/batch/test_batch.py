"""A batch over many services: what it begins, in which order, how many at once, and what it leaves alone."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from migrator.model.batch import BatchPolicy, Budget, Limits
from migrator.model.errors import CredentialsExpired, EnvironmentFault, Interrupted, RecordFault, StoreFault
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run, ServiceState, Standing
from migrator.model.plan import Plan, Verdict
from migrator.running.batch.agenda import Left
from migrator.running.batch.batch import Batch
from migrator.running.batch.brakes import Brakes
from migrator.running.batch.hours import TIME_IS_UP, Hours, instant
from migrator.running.batch.summing import summary_of
from migrator.store.database import Database
from migrator.store.plan_document import document_of
from migrator.store.sqlite import SqliteJournal
from tests.fakes.nights import FAILS, HANGS_BACK, PENDING, POSTPONED, UNTIL_TOLD, Night, exits, plan, short, wait_for
from tests.fakes.running import FakeClock

WIDE = Limits(services=8, per_cluster=8, per_role=1)
OPEN = BatchPolicy(limits=WIDE, canary=0, breaker=99, budget=Budget(failures=99, share=1.0))


def many(count: int, cluster: str = "c", **edit: Any) -> list[Plan]:
    return [plan(f"{cluster}/s{number}", **edit) for number in range(count)]


def left(batch: Batch) -> dict[str, Left]:
    return {short(service): why for service, why in batch.agenda.left.items()}


def code(batch: Batch, signal: int | None = None) -> Exit:
    return summary_of(batch, run="r", worker="w", began="b", signal=signal).exit


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


def test_as_many_as_the_command_line_says() -> None:
    batch = Night(many(5), OPEN).run(max_services=2)

    assert (len(batch.ended), batch.stopped) == (2, "max-services")
    assert set(left(batch).values()) == {Left.LATER}
    assert code(batch) is Exit.UNFINISHED


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


def cut_off(night: Night, name: str, direction: Direction) -> None:
    one = plan(name)
    night.journal.begin(
        Run(
            id=f"cut-{name}",
            service=one.service,
            direction=direction,
            outcome=Outcome.OPEN,
            plan=document_of(one),
            actor="cron",
            host="here",
            started=night.clock.now(),
        )
    )


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


def test_what_was_cut_off_is_finished_though_the_budget_is_spent_and_the_breaker_open() -> None:
    night = Night([plan("a"), plan("b"), plan("new")], replace(OPEN, limits=Limits(services=1), breaker=1))
    night.ends(FAILS, "a")
    night.run(selected=lambda service, _plan: service.name == "a")
    cut_off(night, "b", Direction.FORWARD)

    batch = night.run()

    assert exits(batch) == {"b": Exit.DONE}
    assert left(batch) == {"a": Left.FAILED, "new": Left.BREAKER}


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


def at(night: Night, seconds: float) -> Any:
    return instant(night.clock) + timedelta(seconds=seconds)


def test_nothing_begins_that_may_not_be_over_when_the_window_closes() -> None:
    night = Night([plan("new"), plan("there"), plan("back")], OPEN)
    cut_off(night, "there", Direction.FORWARD)
    cut_off(night, "back", Direction.BACK)
    night.hours = Hours(closes=at(night, 100), longest=200)

    batch = night.run()

    assert exits(batch) == {"back": Exit.ROLLED_BACK}
    assert (left(batch), batch.stopped) == ({"new": Left.LATER, "there": Left.LATER}, "window")


def test_when_the_time_is_up_nothing_more_begins() -> None:
    night = Night(many(4), replace(OPEN, limits=Limits(services=1)))
    night.hours = Hours(until=at(night, 100))
    night.script.meanwhile = lambda _service: night.clock.sleep(60)

    batch = night.run()

    assert (len(batch.ended), batch.stopped, code(batch)) == (2, "until", Exit.UNFINISHED)


def test_a_service_that_stops_because_time_is_up_is_not_finished_and_no_more() -> None:
    night = Night([plan("a")], OPEN)
    night.ends(Interrupted(TIME_IS_UP), "a")

    batch = night.run()

    assert exits(batch) == {"a": Exit.UNFINISHED}
    assert "the next run goes on" in batch.ended[0].message


def test_a_signal_ends_it_at_the_next_checkpoint() -> None:
    night = Night(many(3), replace(OPEN, limits=Limits(services=1)))

    def stop(_service: object) -> None:
        night.signal = 15

    night.script.meanwhile = stop
    night.ends(Interrupted(15), "s0")

    batch = night.run()

    assert (exits(batch), batch.stopped) == ({"s0": Exit.TERMINATED}, "signal")
    assert code(batch, 15) is Exit.TERMINATED


@pytest.mark.parametrize(
    ("error", "reason", "ends"),
    [
        pytest.param(CredentialsExpired("they ran out"), "credentials", Exit.UNFINISHED, id="[the only account's]"),
        pytest.param(StoreFault("the disk is full"), "store", Exit.ERROR, id="[store]"),
    ],
)
def test_what_no_other_service_could_get_past_ends_the_run(error: Exception, reason: str, ends: Exit) -> None:
    night = Night(many(4), replace(OPEN, limits=Limits(services=1)))
    night.ends(error, "s1")

    batch = night.run()

    assert (len(batch.ended), batch.stopped, code(batch)) == (2, reason, ends)


def test_a_cluster_out_of_reach_is_left_after_some_tries_and_the_others_go_on() -> None:
    night = Night([*many(9, "far"), *many(3, "near")], replace(OPEN, limits=Limits(services=2), breaker=3))
    night.ends(EnvironmentFault("no route"), *(f"far/s{number}" for number in range(9)))

    batch = night.run()

    assert len([one for one in batch.ended if one.service.cluster == "far"]) in {3, 4}
    assert len([one for one in batch.ended if one.exit is Exit.DONE]) == 3
    assert set(left(batch).values()) == {Left.UNREACHABLE}


def test_what_nobody_foresaw_is_told_and_the_others_go_on() -> None:
    night = Night([plan("a"), plan("b")], OPEN)
    night.ends(RuntimeError("a bug\nof ours"), "a")

    batch = night.run()

    assert exits(batch) == {"a": Exit.ERROR, "b": Exit.DONE}
    said = next(one.message for one in batch.ended if one.exit is Exit.ERROR)
    assert said == 'unexpected error: RuntimeError: a bug of ours; run "migrate apply --service c/shop/a --debug"'


def test_what_another_runner_is_at_work_on_is_left_to_it() -> None:
    night = Night([plan("a", wave=0), plan("b", wave=1)], OPEN)
    night.locks.others.add("service:c/shop/a")

    batch = night.run()

    assert (exits(batch), left(batch)) == ({"b": Exit.DONE}, {"a": Left.LOCKED})
    assert code(batch) is Exit.UNFINISHED


def test_a_worker_waits_for_it_and_takes_over_what_a_dead_one_left() -> None:
    night = Night([plan("a", wave=0), plan("b", wave=1)], OPEN)
    night.locks.others.add("service:c/shop/a")
    batch = night.batch(worker=True)
    seen: list[str] = []
    real = night.locks.holders

    def holders() -> Any:
        seen.append("looked")
        if len(seen) == 3:
            night.locks.others.clear()
        night.clock.time += 3
        return real()

    night.locks.holders = holders  # type: ignore[method-assign] # others come and go

    batch.run()

    assert [short(one) for one in night.script.over] == ["a", "b"]


class Late(Batch):
    """What it knows is old."""

    def look(self) -> None:
        if not self.states and not self.agenda.tasks:
            super().look()


def test_another_worker_was_faster() -> None:
    """Between this one's look at the journal and its lock, another migrated one service and failed with the other."""
    night = Night([plan("a"), plan("b")], OPEN)
    night.ends(FAILS, "b")
    late = night.batch(kind=Late)
    late.look()
    night.run()
    night.script.began.clear()

    late.run()

    assert night.script.began == []
    assert (late.ended, left(late)) == ([], {"b": Left.FAILED})


def test_plans_that_cannot_be_read_are_left_and_told() -> None:
    night = Night([plan("a")], OPEN)
    batch = night.batch()
    batch.unreadable = frozenset({plan("bad").service})

    batch.run()

    assert left(batch) == {"bad": Left.UNREADABLE}
    assert code(batch) is Exit.USAGE


def test_the_threads_are_gone_and_every_share_is_given_back() -> None:
    night = Night([*many(5, "one"), *many(5, "two")])
    night.run()
    wait_for(lambda: night.locks.taken == {})


def test_what_fails_between_two_tasks_lets_those_under_way_come_to_a_checkpoint() -> None:
    night = Night(many(6), replace(OPEN, limits=Limits(services=3, per_cluster=3)))
    night.script.together = 3
    night.ends(UNTIL_TOLD, "s1", "s2")
    real = night.journal.state

    def full(service: ServiceId) -> ServiceState:
        if service.name == "s0" and len(night.script.over) == 1:
            raise StoreFault("the disk is full")
        return real(service)

    night.journal.state = full  # type: ignore[method-assign] # from a certain moment on

    batch = night.run()

    assert exits(batch) == {"s0": Exit.DONE, "s1": Exit.UNFINISHED, "s2": Exit.UNFINISHED}
    assert (batch.stopped, str(batch.trouble), code(batch)) == ("store", "the disk is full", Exit.ERROR)
    assert left(batch) == dict.fromkeys(("s3", "s4", "s5"), Left.LATER)
    assert night.locks.taken == {}


def test_a_full_disk_in_the_middle_of_a_night(tmp_path: Path) -> None:
    """A real state file that takes no more pages; once there is room again, the next run finishes everything."""
    database = Database(tmp_path / "state.db")
    night = Night(many(6), replace(OPEN, limits=Limits(services=2)))
    night.script.journal = night.journal = SqliteJournal(database)  # type: ignore[assignment] # the port's other side
    pages = database.rows("PRAGMA page_count")[0][0]
    database.rows(f"PRAGMA max_page_count = {pages + 4}")

    batch = night.run()

    assert batch.stopped == "store"
    assert "database or disk is full" in " ".join([str(batch.trouble), *(one.message for one in batch.ended)])
    assert code(batch) is Exit.ERROR
    database.rows("PRAGMA max_page_count = 1000000")
    assert code(night.run()) is Exit.DONE
    assert {state.standing for state in night.journal.states().values()} == {Standing.MIGRATED}
    assert len(night.journal.states()) == 6
    database.close()


def test_with_the_policy_as_it_is_one_broken_cluster_stops_only_itself() -> None:
    night = Night([*many(9, "bad"), *many(9, "good")])
    night.ends(FAILS, *(f"bad/s{number}" for number in range(9)))

    batch = night.run()

    assert {name for name, how in exits(batch).items() if how is Exit.DONE} == {f"good/s{n}" for n in range(9)}
    assert set(left(batch).values()) == {Left.BREAKER}


def test_a_worker_that_may_begin_no_more_waits_for_no_wave() -> None:
    night = Night([plan("a", wave=1), plan("b", wave=1), plan("z", wave=2)], OPEN)

    batch = night.run(worker=True, max_services=1)

    assert (len(batch.ended), batch.stopped, set(left(batch).values())) == (1, "max-services", {Left.LATER})


def test_what_cannot_be_kept_of_one_service_stops_no_other() -> None:
    night = Night(many(4), replace(OPEN, limits=Limits(services=1)))
    night.ends(RecordFault("its plan needs 500000 bytes"), "s1")

    batch = night.run()

    assert exits(batch) == {"s0": Exit.DONE, "s1": Exit.ERROR, "s2": Exit.DONE, "s3": Exit.DONE}


def test_one_accounts_expired_credentials_stop_its_clusters_and_no_others() -> None:
    night = Night([*many(3, "one"), *many(3, "two")], replace(OPEN, limits=Limits(services=1)))
    night.ends(CredentialsExpired("they ran out"), "one/s0")

    batch = night.run()

    assert exits(batch) == {"one/s0": Exit.UNFINISHED, **{f"two/s{n}": Exit.DONE for n in range(3)}}
    assert (left(batch), batch.stopped) == ({"one/s1": Left.LATER, "one/s2": Left.LATER}, "credentials")
    assert code(batch) is Exit.UNFINISHED


def test_looks_are_one_at_a_time_while_something_is_to_be_begun_and_no_worker_repeats_them() -> None:
    soaked = [plan(f"old{number}") for number in range(4)]
    night = Night(soaked, replace(OPEN, soak=9999))
    night.run()
    night.plans = [*soaked, *many(4)]
    night.policy = replace(OPEN, soak=9999, limits=Limits(services=3, per_cluster=3))
    other = night.batch(kind=Late, worker=True)
    other.look()
    night.script.errands.clear()

    night.run()
    assert [errand for errand, _ in night.script.errands[:4]].count("look") <= 2
    assert sum(errand == "look" for errand, _ in night.script.errands) == 4
    night.script.errands.clear()

    other.run()
    assert not any(service.name.startswith("old") for _errand, service in night.script.errands)


@pytest.mark.parametrize("worker", [False, True])
def test_a_first_service_that_waits_keeps_its_cluster_waiting_and_no_worker(worker: bool) -> None:
    night = Night([*many(3, "one"), *many(2, "two")], replace(OPEN, canary=1))
    night.ends(POSTPONED, "one/s0")

    batch = night.run(worker=worker)

    assert [short(one) for one in night.script.began if one.cluster == "one"] == ["one/s0"]
    assert left(batch) == {"one/s1": Left.CANARY, "one/s2": Left.CANARY}
    assert code(batch) is Exit.UNFINISHED


def test_a_first_service_without_pods_proves_nothing_and_the_next_goes_alone_too() -> None:
    night = Night(many(4), replace(OPEN, canary=1))
    night.ends(PENDING, "s0")

    night.run()

    assert [short(one) for one in night.script.over[:2]] == ["s0", "s1"]
    assert len(night.script.over) == 4


def test_what_one_worker_tried_in_vain_the_others_do_not_try_again() -> None:
    night = Night([plan("a")], OPEN)
    night.ends(HANGS_BACK, "a")
    night.run()
    late = night.batch(kind=Late, worker=True)
    late.look()
    night.script.errands.clear()
    night.run()
    assert [errand for errand, _ in night.script.errands] == ["back"]

    late.run()

    assert [errand for errand, _ in night.script.errands] == ["back"]
    assert left(late) == {"a": Left.LATER}


def test_a_worker_whose_clock_is_fast_sees_what_others_end() -> None:
    night = Night(many(4), replace(OPEN, breaker=2, limits=Limits(services=1)))
    fast = FakeClock()
    fast.time = 1800.0
    brakes = Brakes(journal=night.journal, policy=night.policy, clock=fast)
    brakes.look()
    night.ends(FAILS, "s0", "s1")
    night.run()

    assert len(brakes.look()) == 2
    assert list(brakes.open()) == ["c"]


def test_failures_in_a_row_count_night_after_night() -> None:
    night = Night(many(4), replace(OPEN, breaker=2))
    for number in range(2):
        night.ends(FAILS, f"s{number}")
        night.run(max_services=1)
        night.clock.sleep(3 * 86400)

    assert list(night.run().brakes.open()) == ["c"]


def test_a_batch_that_lost_its_own_lock_begins_nothing_more() -> None:
    night = Night(many(3), replace(OPEN, limits=Limits(services=1)))

    def lose(_service: ServiceId) -> None:
        night.locks.lost = 'another runner took over "batch"'
        night.clock.sleep(61)

    night.script.meanwhile = lose

    batch = night.run()

    assert (len(batch.ended), batch.stopped, code(batch)) == (1, "lock", Exit.LOCKED)


def test_where_others_hold_all_shares_that_is_the_reason() -> None:
    night = Night(many(2), OPEN)
    night.locks.others |= {f"slot:cluster:c:{number}" for number in range(8)}

    batch = night.run()

    assert (batch.ended, batch.stopped, code(batch)) == ([], "limits", Exit.UNFINISHED)


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
