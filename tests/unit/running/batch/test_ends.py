"""How a batch ends before all is done: time, signals, a store that fails, and errors nobody foresaw."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from migrator.model.batch import Limits
from migrator.model.errors import CredentialsExpired, Interrupted, RecordFault, StoreFault
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, ServiceState, Standing
from migrator.running.batch.agenda import Left
from migrator.running.batch.hours import TIME_IS_UP, Hours, instant
from migrator.store.database import Database
from migrator.store.sqlite import SqliteJournal
from tests.fakes.nights import (
    OPEN,
    UNTIL_TOLD,
    Night,
    code,
    cut_off,
    exits,
    left,
    many,
    plan,
    wait_for,
)


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


def test_credentials_that_end_with_the_last_service_are_the_reason_too() -> None:
    night = Night(many(2), OPEN)
    night.ends(CredentialsExpired("they ran out"), "s0", "s1")

    batch = night.run()

    assert (batch.stopped, code(batch)) == ("credentials", Exit.UNFINISHED)


def test_what_nobody_foresaw_is_told_and_the_others_go_on() -> None:
    night = Night([plan("a"), plan("b")], OPEN)
    night.ends(RuntimeError("a bug\nof ours"), "a")

    batch = night.run()

    assert exits(batch) == {"a": Exit.ERROR, "b": Exit.DONE}
    said = next(one.message for one in batch.ended if one.exit is Exit.ERROR)
    assert said == 'unexpected error: RuntimeError: a bug of ours; run "migrate apply --service c/shop/a --debug"'


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


def test_what_cannot_be_kept_of_one_service_stops_no_other() -> None:
    night = Night(many(4), replace(OPEN, limits=Limits(services=1)))
    night.ends(RecordFault("its plan needs 500000 bytes"), "s1")

    batch = night.run()

    assert exits(batch) == {"s0": Exit.DONE, "s1": Exit.ERROR, "s2": Exit.DONE, "s3": Exit.DONE}


def test_a_batch_that_lost_its_own_lock_begins_nothing_more() -> None:
    night = Night(many(3), replace(OPEN, limits=Limits(services=1)))

    def lose(_service: ServiceId) -> None:
        night.locks.lost = 'another runner took over "batch"'
        night.clock.sleep(61)

    night.script.meanwhile = lose

    batch = night.run()

    assert (len(batch.ended), batch.stopped, code(batch)) == (1, "lock", Exit.LOCKED)
