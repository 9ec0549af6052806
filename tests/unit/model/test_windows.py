"""Windows: how they are written, and when they are open, worked out by hand around changes of the clock."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from migrator.model.windows import Window, next_opening, open_until

SPRING = "2026-03-29"  # in Berlin 02:00 is followed by 03:00: at 01:00 UTC
AUTUMN = "2026-10-25"  # in Berlin 02:00 to 03:00 comes twice: the second time from 01:00 UTC on
SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def windows(*texts: str) -> list[Window]:
    return [Window.parse(text) for text in texts]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        pytest.param("Mon-Thu 22:00-04:00 Europe/Berlin", "Mon-Thu 22:00-04:00 Europe/Berlin", id="[normal]"),
        pytest.param("Mon,Wed,Fri 06:00-07:30 UTC", "Mon,Wed,Fri 06:00-07:30 UTC", id="[list]"),
        pytest.param("Sat-Mon 00:00-24:00 Asia/Tokyo", "Sat-Mon 00:00-24:00 Asia/Tokyo", id="[wraps]"),
        pytest.param("Fri-Thu 01:00-02:00 UTC", "daily 01:00-02:00 UTC", id="[wraps, all of it]"),
        pytest.param("daily 22:00-04:00 UTC", "daily 22:00-04:00 UTC", id="[daily]"),
        pytest.param("22:00-04:00 UTC", "daily 22:00-04:00 UTC", id="[no days]"),
        pytest.param("22:00-00:00 UTC", "daily 22:00-24:00 UTC", id="[midnight]"),
        pytest.param("Sun,mon,TUE,mon 01:00-02:00 UTC", "Sun-Tue 01:00-02:00 UTC", id="[case and order]"),
        pytest.param("Mon-Wed,Sat-Sun 01:00-02:00 UTC", "Sat-Wed 01:00-02:00 UTC", id="[ranges that meet]"),
        pytest.param("Tue-Wed,Fri 01:00-02:00 UTC", "Tue,Wed,Fri 01:00-02:00 UTC", id="[two days are a list]"),
        pytest.param("  Mon - Wed , Fri   01:00 - 02:00  UTC ", "Mon-Wed,Fri 01:00-02:00 UTC", id="[spaces]"),
        pytest.param("Mon 01:00-02:00 Etc/GMT-5", "Mon 01:00-02:00 Etc/GMT-5", id="[zone with a dash]"),
        pytest.param("Mon 01:00-02:00 GB-Eire", "Mon 01:00-02:00 GB-Eire", id="[zone with a dash and letters]"),
    ],
)
def test_what_a_window_is_read_as(written: str, normal: str) -> None:
    assert str(Window.parse(written)) == normal
    assert Window.parse(normal) == Window.parse(written)


ONE_OF = "is not one of Mon, Tue, Wed, Thu, Fri, Sat, Sun; write days like Mon-Thu or Mon,Wed,Fri, or daily"
FORM = "are not of the form HH:MM-HH:MM, like 22:00-04:00"
RANGE = "is not one from 00:00 to 23:59 (24:00 as an end), two digits each"
EXAMPLE = '"Mon-Thu 22:00-04:00 Europe/Berlin"'
NOT_IANA = "it is a name of the IANA time zone database, like Europe/Berlin or UTC"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        pytest.param(" ", f"a window is empty; write it like {EXAMPLE}", id="[empty]"),
        pytest.param(
            "Mon-Thu UTC", f'no times in "Mon-Thu UTC"; write them as HH:MM-HH:MM, like {EXAMPLE}', id="[no times]"
        ),
        pytest.param(
            "Mon 22:00-04:00",
            'no time zone after the times "22:00-04:00"; name one, like Europe/Berlin or UTC',
            id="[no zone]",
        ),
        pytest.param("Mon-Tho 22:00-04:00 UTC", f'the day "Tho" {ONE_OF}', id="[day]"),
        pytest.param("Monday 22:00-04:00 UTC", f'the day "Monday" {ONE_OF}', id="[day in full]"),
        pytest.param("Mon Tue 22:00-04:00 UTC", f'the day "Mon Tue" {ONE_OF}', id="[days without a comma]"),
        pytest.param("Mon, 22:00-04:00 UTC", f'the day "" {ONE_OF}', id="[a comma too many]"),
        pytest.param("Mon- 22:00-04:00 UTC", f'the day "" {ONE_OF}', id="[half a range]"),
        pytest.param("Mon-Wed-Fri 22:00-04:00 UTC", f'the day "Wed-Fri" {ONE_OF}', id="[two dashes]"),
        pytest.param("daily,Mon 22:00-04:00 UTC", f'the day "daily" {ONE_OF}', id="[daily and more]"),
        pytest.param(
            "Mon-mon 22:00-04:00 UTC",
            'the days "Mon-mon" begin and end on the same one; write "Mon", or "daily" for all',
            id="[range of one day]",
        ),
        pytest.param("Mon 22:00 UTC", f'the times "22:00" {FORM}', id="[one time]"),
        pytest.param("Mon 22:00-23:00-24:00 UTC", f'the times "22:00-23:00-24:00" {FORM}', id="[three times]"),
        pytest.param("Mon 22-04 UTC", f'the time "22" {RANGE}', id="[hours only]"),
        pytest.param("Mon 6:00-07:00 UTC", f'the time "6:00" {RANGE}', id="[one digit]"),
        pytest.param("Mon 22:00-24:30 UTC", f'the time "24:30" {RANGE}', id="[hour]"),
        pytest.param("Mon 22:60-23:00 UTC", f'the time "22:60" {RANGE}', id="[minute]"),
        pytest.param("Mon 24:00-04:00 UTC", f'the time "24:00" {RANGE}', id="[24:00 as a start]"),
        pytest.param("Mon 22:00:30-23:00 UTC", f'the time "22:00:30" {RANGE}', id="[seconds]"),
        pytest.param("Mon \u0662\u0662:00-23:00 UTC", f'the time "\u0662\u0662:00" {RANGE}', id="[other digits]"),
        pytest.param(
            "Mon 22:00-22:00 UTC",
            'the times "22:00-22:00" are of no length; write 00:00-24:00 for the whole day',
            id="[no length]",
        ),
        pytest.param(
            "Mon 00:00-00:00 UTC",
            'the times "00:00-00:00" are of no length; write 00:00-24:00 for the whole day',
            id="[no length at midnight]",
        ),
        pytest.param(
            "22:00-04:00 Europe/Berln",
            'the time zone "Europe/Berln" is not known; did you mean "Europe/Berlin"?',
            id="[zone misspelt]",
        ),
        pytest.param(
            "22:00-04:00 EUROPE/BERLIN",
            'the time zone "EUROPE/BERLIN" is not known; did you mean "Europe/Berlin"?',
            id="[zone in capitals]",
        ),
        pytest.param(
            "22:00-04:00 America/New York",
            'the time zone "America/New York" is not known; did you mean "America/New_York"?',
            id="[zone with a space]",
        ),
        pytest.param(
            "22:00-04:00 +01:00", f'the time zone "+01:00" is not known; {NOT_IANA}', id="[offset for a zone]"
        ),
        pytest.param(
            "22:00-04:00 ../../etc/passwd", f'the time zone "../../etc/passwd" is not known; {NOT_IANA}', id="[path]"
        ),
        pytest.param(
            "22:00-04:00 localtime", f'the time zone "localtime" is not known; {NOT_IANA}', id="[this machine's]"
        ),
    ],
)
def test_what_is_wrong_with_it_is_said_in_one_sentence(written: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        Window.parse(written)


def test_the_zones_come_along_where_the_system_has_none() -> None:
    script = "from migrator.model.windows import Window; print(Window.parse('Mon 22:00-04:00 Australia/Lord_Howe'))"

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("Mon 22:00-04:00 Australia/Lord_Howe\n", "")


@pytest.mark.parametrize(
    ("texts", "opens", "closes"),
    [
        pytest.param(["Thu 22:00-04:00"], "2026-06-11T20:00", "2026-06-12T02:00", id="[summer]"),
        pytest.param(["Thu 22:00-04:00"], "2026-12-10T21:00", "2026-12-11T03:00", id="[winter]"),
        pytest.param(["Thu 00:00-24:00"], "2026-06-10T22:00", "2026-06-11T22:00", id="[whole day]"),
        pytest.param(["Sat 22:00-04:00"], "2026-03-28T21:00", f"{SPRING}T02:00", id="[spring, over the gap: 5 hours]"),
        pytest.param(["Sun 02:30-05:00"], f"{SPRING}T01:00", f"{SPRING}T03:00", id="[spring, start in the gap]"),
        pytest.param(["Sat 22:00-02:30"], "2026-03-28T21:00", f"{SPRING}T01:00", id="[spring, end in the gap]"),
        pytest.param(["Sun 01:00-02:00"], f"{SPRING}T00:00", f"{SPRING}T01:00", id="[spring, up to the gap]"),
        pytest.param(["Sun 03:00-04:00"], f"{SPRING}T01:00", f"{SPRING}T02:00", id="[spring, from the gap on]"),
        pytest.param(["Sun 00:00-24:00"], "2026-03-28T23:00", f"{SPRING}T22:00", id="[spring, a day of 23 hours]"),
        pytest.param(
            ["Sun 00:00-02:00", "Sun 03:00-06:00"], "2026-03-28T23:00", f"{SPRING}T04:00", id="[spring, gap joins two]"
        ),
        pytest.param(["Sat 22:00-04:00"], "2026-10-24T20:00", f"{AUTUMN}T03:00", id="[autumn, over it: 7 hours]"),
        pytest.param(["Sun 02:30-04:00"], f"{AUTUMN}T00:30", f"{AUTUMN}T03:00", id="[autumn, start comes twice]"),
        pytest.param(["Sat 22:00-02:30"], "2026-10-24T20:00", f"{AUTUMN}T01:30", id="[autumn, end comes twice]"),
        pytest.param(["Sun 02:00-03:00"], f"{AUTUMN}T00:00", f"{AUTUMN}T02:00", id="[autumn, the hour itself]"),
        pytest.param(["Sun 02:15-02:45"], f"{AUTUMN}T00:15", f"{AUTUMN}T01:45", id="[autumn, inside the hour]"),
        pytest.param(["Sun 01:00-02:00"], "2026-10-24T23:00", f"{AUTUMN}T00:00", id="[autumn, up to it]"),
        pytest.param(["Sun 03:00-04:00"], f"{AUTUMN}T02:00", f"{AUTUMN}T03:00", id="[autumn, after it]"),
        pytest.param(["Sun 00:00-24:00"], "2026-10-24T22:00", f"{AUTUMN}T23:00", id="[autumn, a day of 25 hours]"),
    ],
)
def test_berlin_by_hand(texts: list[str], opens: str, closes: str) -> None:
    found = windows(*(f"{text} Europe/Berlin" for text in texts))

    assert next_opening(found, at(opens) - timedelta(hours=2)) == at(opens)
    assert open_until(found, at(opens) - SECOND) is None
    assert open_until(found, at(opens)) == at(closes)
    assert open_until(found, at(closes) - SECOND) == at(closes)
    assert open_until(found, at(closes)) is None


def test_a_window_that_the_clock_skips_opens_a_week_later() -> None:
    found = windows("Sun 02:00-03:00 Europe/Berlin")

    assert next_opening(found, at("2026-03-22T03:00")) == at("2026-04-05T00:00")
    assert open_until(found, at(f"{SPRING}T01:00")) is None


def test_a_day_that_the_calendar_skips() -> None:
    """Samoa went from Thursday the 29th of December 2011 straight to Saturday the 31st, at 10:00 UTC."""
    friday = windows("Fri 08:00-09:00 Pacific/Apia")
    nights = windows("Thu 22:00-04:00 Pacific/Apia")

    assert next_opening(friday, at("2011-12-25T00:00")) == at("2012-01-05T18:00")
    assert open_until(nights, at("2011-12-30T08:00")) == at("2011-12-30T10:00")


@pytest.mark.parametrize(
    ("texts", "now", "until"),
    [
        pytest.param(
            ["Mon 22:00-24:00 UTC", "Tue 00:00-02:00 UTC"], "2026-06-08T23:00", "2026-06-09T02:00", id="[meet]"
        ),
        pytest.param(
            ["Mon 22:00-24:00 UTC", "Mon 23:00-02:00 UTC"], "2026-06-08T22:30", "2026-06-09T02:00", id="[lap]"
        ),
        pytest.param(["Mon 22:00-04:00 UTC", "Mon 23:00-24:00 UTC"], "2026-06-08T22:30", "2026-06-09T04:00", id="[in]"),
        pytest.param(
            ["Mon 22:00-24:00 UTC", "Tue 00:01-02:00 UTC"], "2026-06-08T23:00", "2026-06-09T00:00", id="[a minute off]"
        ),
        pytest.param(
            ["Mon 20:00-24:00 Europe/Berlin", "Mon 18:00-20:00 America/New_York"],
            "2026-06-08T19:00",
            "2026-06-09T00:00",
            id="[zones]",
        ),
    ],
)
def test_windows_that_meet_are_one(texts: list[str], now: str, until: str) -> None:
    assert open_until(windows(*texts), at(now)) == at(until)
    assert open_until(windows(*reversed(texts)), at(now)) == at(until)


def test_the_next_opening_comes_after_the_one_that_now_lies_in() -> None:
    found = windows("Mon-Thu 22:00-04:00 UTC")

    assert next_opening(found, at("2026-06-08T22:00")) == at("2026-06-09T22:00")
    assert next_opening(found, at("2026-06-11T23:00")) == at("2026-06-15T22:00")


def test_windows_that_never_close() -> None:
    found = windows("Mon-Fri 00:00-24:00 Asia/Tokyo", "Sat,Sun 00:00-24:00 Asia/Tokyo")
    now = at("2026-06-10T12:00")

    until = open_until(found, now)

    assert until is not None
    assert until >= now + timedelta(days=8)
    assert next_opening(found, now) >= now + timedelta(days=8)


def test_a_moment_of_any_zone_is_understood() -> None:
    elsewhere = datetime.fromisoformat("2026-06-09T07:00+09:00")

    assert open_until(windows("Mon 22:00-04:00 UTC"), elsewhere) == at("2026-06-09T04:00")


def test_without_windows_nothing_opens() -> None:
    assert open_until([], at("2026-06-09T04:00")) is None
    with pytest.raises(ValueError, match="without a window nothing opens"):
        next_opening([], at("2026-06-09T04:00"))
