"""Moments of the command line: durations, times of this machine's clock, dates with their time, and what is refused."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from migrator.model.moments import EXAMPLES, parse_moment

NOW = datetime(2026, 11, 29, 4, 40, tzinfo=UTC)  # 05:40 in Berlin
FORM = "write it like 2026-03-01T06:00+01:00"


@pytest.fixture
def clock_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the zone of this machine's clock."""

    def put(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        pytest.param("90s", "2026-11-29T04:41:30", id="[seconds]"),
        pytest.param("45m", "2026-11-29T05:25", id="[minutes]"),
        pytest.param("2h", "2026-11-29T06:40", id="[hours]"),
        pytest.param("1h30m", "2026-11-29T06:10", id="[hours and minutes]"),
        pytest.param("1H30M5S", "2026-11-29T06:10:05", id="[all, in capitals]"),
        pytest.param("48h", "2026-12-01T04:40", id="[days]"),
        pytest.param(" 45m\n", "2026-11-29T05:25", id="[spaces]"),
        pytest.param("06:00", "2026-11-29T05:00", id="[time, today]"),
        pytest.param("05:40", "2026-11-30T04:40", id="[time, just now: tomorrow]"),
        pytest.param("00:00", "2026-11-29T23:00", id="[midnight]"),
        pytest.param("2026-12-01T06:00+09:00", "2026-11-30T21:00", id="[moment with a zone]"),
        pytest.param("2026-12-01T06:00Z", "2026-12-01T06:00", id="[moment in UTC]"),
        pytest.param("2026-12-01T06:00", "2026-12-01T05:00", id="[moment of this machine's clock]"),
        pytest.param("2026-07-01 06:00:30", "2026-07-01T04:00:30", id="[moment in summer, and passed]"),
        pytest.param("2026-03-29T02:30", "2026-03-29T01:00", id="[moment that the clock skips]"),
        pytest.param("2026-10-25T02:30", "2026-10-25T00:30", id="[moment that comes twice]"),
    ],
)
def test_what_is_meant(clock_of: Callable[[str], None], text: str, means: str) -> None:
    clock_of("Europe/Berlin")

    moment = parse_moment(text, NOW)

    assert moment == at(means)
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("zone", "now", "text", "means"),
    [
        pytest.param("Europe/Berlin", "2026-03-29T00:40", "02:30", "2026-03-29T01:00", id="[skipped: after the gap]"),
        pytest.param("Europe/Berlin", "2026-03-29T01:00", "02:30", "2026-03-30T00:30", id="[was skipped: tomorrow]"),
        pytest.param("Europe/Berlin", "2026-10-25T00:15", "02:30", "2026-10-25T00:30", id="[comes twice: the first]"),
        pytest.param("Europe/Berlin", "2026-10-25T00:45", "02:30", "2026-10-25T01:30", id="[comes again]"),
        pytest.param("Europe/Berlin", "2026-10-25T01:45", "02:30", "2026-10-26T01:30", id="[came twice: tomorrow]"),
        pytest.param("America/Los_Angeles", "2026-06-10T02:00", "20:00", "2026-06-10T03:00", id="[date of that zone]"),
        pytest.param("Asia/Tokyo", "2026-06-10T20:00", "04:59", "2026-06-11T19:59", id="[tomorrow there]"),
    ],
)
def test_a_time_is_the_next_such_one(
    clock_of: Callable[[str], None], zone: str, now: str, text: str, means: str
) -> None:
    clock_of(zone)

    assert parse_moment(text, at(now)) == at(means)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", f'"" is no moment; {EXAMPLES}', id="[nothing]"),
        pytest.param("soon", f'"soon" is no moment; {EXAMPLES}', id="[word]"),
        pytest.param("1d", f'"1d" is no moment; {EXAMPLES}', id="[unit]"),
        pytest.param("30m1h", f'"30m1h" is no moment; {EXAMPLES}', id="[order]"),
        pytest.param("-5m", f'"-5m" is no moment; {EXAMPLES}', id="[minus]"),
        pytest.param("1.5h", f'"1.5h" is no moment; {EXAMPLES}', id="[fraction]"),
        pytest.param("6:00", f'"6:00" is no moment; {EXAMPLES}', id="[one digit]"),
        pytest.param("2026-12-01", f'"2026-12-01" is no moment; {EXAMPLES}', id="[date only]"),
        pytest.param("90", '"90" has no unit; write 90s, 90m or 90h', id="[no unit]"),
        pytest.param("0h0m", '"0h0m" is no time at all; write a duration like 45m', id="[no time]"),
        pytest.param("99999999h", '"99999999h" is longer than the calendar goes', id="[year after 9999]"),
        pytest.param("9" * 5000 + "s", f'"{"9" * 40}" is longer than the calendar goes', id="[endless]"),
        pytest.param("24:00", '"24:00" is not a time from 00:00 to 23:59', id="[hour]"),
        pytest.param("12:60", '"12:60" is not a time from 00:00 to 23:59', id="[minute]"),
        pytest.param(
            "2026-02-30T06:00", f'"2026-02-30T06:00" is not a moment of the calendar; {FORM}', id="[no such day]"
        ),
        pytest.param(
            "2026-12-01T06:00 UTC", f'"2026-12-01T06:00 UTC" is not a moment of the calendar; {FORM}', id="[zone name]"
        ),
        pytest.param(
            "0001-01-01T00:00", f'"0001-01-01T00:00" is not a moment of the calendar; {FORM}', id="[before the first]"
        ),
        pytest.param(
            "9999-12-31T23:59", f'"9999-12-31T23:59" is not a moment of the calendar; {FORM}', id="[after the last]"
        ),
    ],
)
def test_what_is_refused(clock_of: Callable[[str], None], text: str, says: str) -> None:
    clock_of("America/New_York")

    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        parse_moment(text, NOW)
