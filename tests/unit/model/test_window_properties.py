"""When windows are open, against an oracle that walks minute by minute through UTC and looks at the zone's clock.

The oracle knows nothing of gaps and repeated hours: at a minute a window is open if, for one of its days, the clock has
shown its start or later by then, and shows a time before its end then or later.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate, groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from migrator.model.windows import Window, next_opening, open_until

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
PAST = 3 * 1440  # minutes before now that the oracle walks
SOON = 8 * DAY

ODD = (
    "Africa/Cairo",  # changes at midnight; in some years four times
    "Africa/Casablanca",  # an hour back for the month of Ramadan
    "America/Havana",  # back from 01:00 to 00:00
    "America/Nuuk",
    "America/Santiago",  # changes at midnight: the day begins at 01:00
    "America/New_York",
    "America/St_Johns",  # long changed at 00:01: back into the day before
    "America/Caracas",  # half an hour, once
    "Antarctica/Troll",  # two hours
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",  # half an hour
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/Istanbul",
    "Pacific/Apia",  # no 30th of December 2011
    "Pacific/Chatham",
    "Pacific/Kwajalein",  # no 21st of August 1993
    "UTC",
)
BEGIN, END = datetime(1990, 1, 1, tzinfo=UTC), datetime(2037, 12, 1, tzinfo=UTC)


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The moments, to the hour, at which the zone's offset changes; at least one, for zones that never do."""
    clock = ZoneInfo(zone)
    days = [BEGIN + n * DAY for n in range((END - BEGIN).days)]
    offsets = [day.astimezone(clock).utcoffset() for day in days]
    found = [days[n] for n in range(1, len(days)) if offsets[n] != offsets[n - 1]]
    return tuple(found) or (days[0],)


@st.composite
def moments(draw: st.DrawFn, zones: Sequence[str]) -> datetime:
    """Any minute, or one within three days of a change of one of the zones."""
    if draw(st.integers(0, 4)) == 0:
        return BEGIN + draw(st.integers(0, (END - BEGIN) // MINUTE)) * MINUTE
    return draw(st.sampled_from(changes(draw(st.sampled_from(zones))))) + draw(st.integers(-4320, 4320)) * MINUTE


ROUND = st.sampled_from([time(h, m) for h in (0, 1, 2, 3, 4, 22, 23) for m in (0, 30)])
TIMES = ROUND | st.builds(time, st.integers(0, 23), st.integers(0, 59))


def window(zones: Sequence[str]) -> st.SearchStrategy[Window]:
    days = st.frozensets(st.integers(0, 6), min_size=1)
    made = st.builds(Window, days=days, start=TIMES, end=TIMES, zone=st.sampled_from(zones))
    return made.filter(lambda one: one.start != one.end or one.start == time())


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Window], datetime]:
    zones = draw(st.lists(st.sampled_from(ODD), min_size=1, max_size=2))
    return draw(st.lists(window(zones), min_size=1, max_size=4)), draw(moments(zones))


class Oracle:
    """What is open, minute by minute around `now`."""

    def __init__(self, windows: Iterable[Window], now: datetime, ahead: int) -> None:
        self.now, self.ahead = now, ahead
        self.minutes = bytearray(PAST + ahead)
        for zone, same in groupby(sorted(windows, key=attrgetter("zone")), key=attrgetter("zone")):
            self._mark(list(same), ZoneInfo(zone))

    def _mark(self, windows: list[Window], zone: ZoneInfo) -> None:
        walls = [(self.now + n * MINUTE).astimezone(zone).replace(tzinfo=None) for n in range(-PAST, self.ahead)]
        latest = list(accumulate(walls, max))  # the latest time that was shown up to a minute
        earliest = list(accumulate(reversed(walls), min))[::-1]  # the earliest that is shown from it on
        for day in self._days(walls[0], walls[-1]):
            for one in windows:
                if day.weekday() in one.days:
                    start = datetime.combine(day, one.start)
                    end = datetime.combine(day if one.start < one.end else day + DAY, one.end)
                    first, over = bisect_left(latest, start), bisect_left(earliest, end)
                    self.minutes[first:over] = b"\1" * max(0, over - first)

    @staticmethod
    def _days(first: datetime, last: datetime) -> Iterator[date]:
        return ((first.date() + n * DAY) for n in range(-2, (last.date() - first.date()).days + 3))

    def open(self, minute: int) -> bool:
        """Whether it is open so many minutes from now."""
        return bool(self.minutes[PAST + minute])

    def turns(self, minute: int, *, to_open: bool) -> int | None:
        """The first minute from there on at which it is so; None within what was walked."""
        at = self.minutes.find(to_open, PAST + minute)
        return None if at < 0 else at - PAST


SLOW = settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])


def made(text: str, now: str) -> tuple[list[Window], datetime]:
    return [Window.parse(part) for part in text.split("; ")], datetime.fromisoformat(now).replace(tzinfo=UTC)


@SLOW
@given(worlds(), st.integers(0, 59))
@example(made("Fri 10:00-12:00 Pacific/Apia", "2011-12-30T09:59"), 0)
@example(made("Thu 22:00-04:00 Pacific/Apia", "2011-12-30T09:59"), 59)
@example(made("Sun 02:00-02:30 Australia/Lord_Howe", "2026-10-03T15:00"), 0)
@example(made("Sun 01:30-01:45 Australia/Lord_Howe", "2026-04-04T14:45"), 0)
@example(
    made("Sat 22:00-24:00; Sun 01:00-03:00 America/Santiago".replace(";", " America/Santiago;"), "2026-09-06T02:00"), 0
)
@example(made("Sat 23:30-24:00 America/Santiago", "2026-04-05T03:10"), 30)
@example(made("Fri 23:45-23:40 America/St_Johns", "2006-10-29T02:30"), 30)
@example(made("Sat 22:00-24:00 America/Havana", "2026-11-01T04:30"), 0)
@example(made("Sun 02:00-03:00 Africa/Casablanca", "2026-02-15T01:00"), 0)
def test_it_is_open_exactly_as_long_as_the_clock_says(world: tuple[list[Window], datetime], seconds: int) -> None:
    windows, now = world
    oracle = Oracle(windows, now, ahead=9 * 1440)
    precise = now + timedelta(seconds=seconds)

    until = open_until(windows, precise)

    assert (until is not None) == oracle.open(0)
    if until is None:
        return
    assert until > precise
    closes = oracle.turns(0, to_open=False)
    if closes is None or closes * MINUTE >= SOON:
        assert until - now >= SOON
    else:
        assert until == now + closes * MINUTE
        assert open_until(windows, until - timedelta(microseconds=1)) == until
        assert open_until(windows, until) is None


@SLOW
@given(worlds(), st.integers(0, 59))
@example(made("Fri 10:00-12:00 Pacific/Apia", "2011-12-23T00:00"), 0)
@example(made("Sun 02:00-03:00 Europe/Berlin", "2026-03-22T02:00"), 1)
@example(made("Sun 00:30-00:45 America/Santiago", "2026-08-30T05:00"), 1)
@example(
    made(
        "Mon-Sat 00:00-24:00 Europe/Berlin; Sun 00:00-02:00 Europe/Berlin; Sun 03:00-24:00 Europe/Berlin",
        "2026-03-22T01:00",
    ),
    0,
)
def test_the_next_opening_is_where_the_clock_comes_to_it(world: tuple[list[Window], datetime], seconds: int) -> None:
    windows, now = world
    oracle = Oracle(windows, now, ahead=17 * 1440)
    closed = oracle.turns(0, to_open=False)
    opens = None if closed is None else oracle.turns(closed, to_open=True)

    found = next_opening(windows, now + timedelta(seconds=seconds))

    if opens is None:
        assert found - now >= SOON
    else:
        assert found == now + opens * MINUTE
        assert open_until(windows, found) is not None
        assert open_until(windows, found - timedelta(microseconds=1)) is None


@st.composite
def always(draw: st.DrawFn) -> tuple[list[Window], datetime]:
    """A zone's day cut into windows that meet."""
    zone = draw(st.sampled_from(ODD))
    cuts = sorted(draw(st.sets(TIMES, min_size=1, max_size=5)))
    every = frozenset(range(7))
    pairs = zip(cuts, [*cuts[1:], cuts[0]], strict=True) if len(cuts) > 1 else [(time(), time())]
    parts = [Window(days=every, start=start, end=end, zone=zone) for start, end in pairs]
    return draw(st.permutations(parts)), draw(moments([zone]))


@settings(max_examples=200)
@given(always())
def test_windows_around_the_clock_never_close(world: tuple[list[Window], datetime]) -> None:
    windows, now = world

    until = open_until(windows, now)

    assert until is not None
    assert until - now >= SOON


@settings(max_examples=200)
@given(window(ODD))
def test_a_window_is_written_as_it_is_read(one: Window) -> None:
    assert Window.parse(str(one)) == one
