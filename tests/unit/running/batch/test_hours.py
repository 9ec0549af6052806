"""Until when a batch works, and whom the end of its time interrupts."""

from datetime import UTC, datetime, timedelta

import pytest

from migrator.model.batch import BatchPolicy
from migrator.model.errors import Interrupted
from migrator.model.events import RunStarted, WayBack
from migrator.model.exits import Exit
from migrator.model.journal import Direction
from migrator.model.windows import Window
from migrator.running.batch.hours import TIME_IS_UP, Bell, Hours, instant
from tests.fakes.running import SERVICE, Collector, FakeClock

MONDAY_23 = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
NIGHTS = BatchPolicy(windows=(Window.parse("Mon-Thu 22:00-04:00 UTC"),), longest=3600)


def test_outside_every_window_there_are_no_hours() -> None:
    assert Hours.of(NIGHTS, MONDAY_23.replace(hour=12), None) is None


def test_without_windows_there_is_no_end() -> None:
    hours = Hours.of(BatchPolicy(), MONDAY_23, None)
    assert hours == Hours(longest=BatchPolicy().longest)
    assert (hours.over(MONDAY_23), hours.too_late(MONDAY_23)) == (None, None)


@pytest.mark.parametrize(
    ("after", "over", "too_late"),
    [
        pytest.param(timedelta(), None, None, id="[early]"),
        pytest.param(timedelta(hours=4), None, None, id="[just in time]"),
        pytest.param(timedelta(hours=4, seconds=1), None, "window", id="[a second too late]"),
        pytest.param(timedelta(hours=5), "window", "window", id="[closed]"),
    ],
)
def test_nothing_begins_that_cannot_end_in_the_window(after: timedelta, over: str | None, too_late: str | None) -> None:
    hours = Hours.of(NIGHTS, MONDAY_23, None)
    assert hours is not None
    assert (hours.over(MONDAY_23 + after), hours.too_late(MONDAY_23 + after)) == (over, too_late)


def test_the_command_lines_end_stops_what_is_under_way_and_lets_begin_until_then() -> None:
    hours = Hours(until=MONDAY_23, longest=3600)
    before = MONDAY_23 - timedelta(seconds=1)
    assert (hours.over(before), hours.too_late(before)) == (None, None)
    assert (hours.over(MONDAY_23), hours.too_late(MONDAY_23)) == ("until", "until")


def bell(clock: FakeClock, signals: list[int]) -> tuple[Bell, Collector]:
    reporter = Collector()
    hours = Hours(closes=instant(clock) + timedelta(seconds=10))
    return Bell(hours, clock, lambda: signals[-1] if signals else None, reporter), reporter


def test_the_end_of_the_time_interrupts_the_way_there() -> None:
    clock = FakeClock()
    rings, _ = bell(clock, [])
    assert rings() is None
    clock.sleep(20)
    assert rings() == TIME_IS_UP
    assert Interrupted(TIME_IS_UP).code_of_exit is Exit.UNFINISHED


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(WayBack(service=SERVICE, step="verify", reason="no credentials"), id="[turned round]"),
        pytest.param(
            RunStarted(service=SERVICE, direction=Direction.BACK, run="r", resumed=True, steps=("restart",)),
            id="[taken up]",
        ),
    ],
)
def test_a_way_back_is_carried_through_but_for_a_signal(event: WayBack | RunStarted) -> None:
    clock, signals = FakeClock(), list[int]()
    rings, reporter = bell(clock, signals)
    rings.tell(event)
    clock.sleep(20)
    assert rings() is None
    signals.append(15)
    assert rings() == 15
    assert reporter.events == [event]


def test_a_run_there_is_no_way_back() -> None:
    clock = FakeClock()
    rings, _ = bell(clock, [])
    rings.tell(RunStarted(service=SERVICE, direction=Direction.FORWARD, run="r", resumed=True, steps=("restart",)))
    clock.sleep(20)
    assert rings() == TIME_IS_UP
