"""Windows of the week in which unattended work may start, like `Mon-Thu 22:00-04:00 Europe/Berlin`.

A window belongs to the day it starts on, and means the wall clock of its zone. When the clock is changed, it opens at
the first instant at which the clock shows its start or later, and closes at the last up to which it shows a time before
its end: a start or an end that is skipped is the instant after the gap, an hour of it that comes twice is in it twice.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from migrator.model.wall_clock import never_before, occurrences

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EXAMPLE = "Mon-Thu 22:00-04:00 Europe/Berlin"

_DAY = timedelta(days=1)
_MIDNIGHT = time()
_BEFORE = 2  # days back: the clock may be put back over midnight, into a window of the day before the last
_LONGEST = 12  # days ahead that one look goes: an opening that lasts longer is told of as far as that
_RAREST = 24  # days ahead within which every window opens: the clock skips it in one week at most
_LOOSE = re.compile(r"(?<=[A-Za-z])\s*([-,])\s*(?=[A-Za-z])|(?<=[0-9])\s*(-)\s*(?=[0-9])")
_TIMES = re.compile(r"([^-]+)-([^-]+)")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One span of the wall clock on certain days of the week (0: Monday).

    An end that is not after the start is on the next day; from midnight to midnight is the whole day.
    """

    days: frozenset[int]
    start: time
    end: time
    zone: str

    @classmethod
    def parse(cls, text: str) -> "Window":
        """The window in `text`.

        Raises:
            ValueError: it cannot be read; says which part is wrong, its value, and what is expected.
        """
        days, times, zone = _parts(text)
        start, end = _span(times)
        return cls(days=_days(days), start=start, end=end, zone=_zone(zone))

    def __str__(self) -> str:
        end = "24:00" if self.end == _MIDNIGHT else f"{self.end:%H:%M}"
        return f"{_days_text(self.days)} {self.start:%H:%M}-{end} {self.zone}"

    def spans(self, now: datetime, ahead: int) -> Iterator[tuple[datetime, datetime]]:
        """When it opens and closes, for starts from two days before `now` to `ahead` days after.

        A day on which the clock skips all of it is left out.
        """
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        for day in (today + n * _DAY for n in range(-_BEFORE, ahead + 1)):
            if day.weekday() in self.days:
                opens, _ = occurrences(datetime.combine(day, self.start), zone)
                last = day if self.end > self.start else day + _DAY
                closes = never_before(datetime.combine(last, self.end), zone)
                if opens < closes:
                    yield opens, closes


def open_until(windows: Iterable[Window], now: datetime) -> datetime | None:
    """When the opening that `now` lies in ends, windows that adjoin or overlap being one; None while none is open.

    Of an opening that lasts longer (windows that never close), a moment inside it is told, at least 8 days ahead.
    """
    opens, closes = next(_openings(windows, now, _LONGEST), (now, now))
    return closes if opens <= now < closes else None


def next_opening(windows: Iterable[Window], now: datetime) -> datetime:
    """When the next opening begins: after `now`, and after the opening that `now` lies in.

    Of windows that never close, a moment at least 8 days ahead.

    Raises:
        ValueError: there are no windows.
    """
    end = now
    for opens, closes in _openings(windows, now, _RAREST):
        if opens > now:
            return opens
        end = closes
    if end == now:
        raise ValueError("without a window nothing opens")
    return end


def _openings(windows: Iterable[Window], now: datetime, ahead: int) -> Iterator[tuple[datetime, datetime]]:
    """The openings that are not over yet, in their order, windows joined."""
    spans = sorted(span for window in windows for span in window.spans(now, ahead) if span[1] > now)
    while spans:
        opens, closes = spans.pop(0)
        while spans and spans[0][0] <= closes:
            closes = max(closes, spans.pop(0)[1])
        yield opens, closes


def _parts(text: str) -> tuple[str, str, str]:
    """Days, times and zone as written; the times are the first word that begins with a digit."""
    words = _LOOSE.sub(r"\1\2", text).split()
    if not words:
        raise ValueError(f'a window is empty; write it like "{EXAMPLE}"')
    at = next((n for n, word in enumerate(words) if word[0].isdigit()), None)
    if at is None:
        raise ValueError(f'no times in "{text}"; write them as HH:MM-HH:MM, like "{EXAMPLE}"')
    if at + 1 == len(words):
        raise ValueError(f'no time zone after the times "{words[at]}"; name one, like Europe/Berlin or UTC')
    return " ".join(words[:at]), words[at], " ".join(words[at + 1 :])


def _days(text: str) -> frozenset[int]:
    if not text or text.lower() == "daily":
        return frozenset(range(7))
    return frozenset(day for part in text.split(",") for day in _range(part))


def _range(text: str) -> Iterator[int]:
    first, dash, last = text.partition("-")
    begin = _day(first)
    end = _day(last) if dash else begin
    if dash and begin == end:
        raise ValueError(f'the days "{text}" begin and end on the same one; write "{DAYS[begin]}", or "daily" for all')
    return (day % 7 for day in range(begin, begin + (end - begin) % 7 + 1))


def _day(text: str) -> int:
    name = text.capitalize()
    if name not in DAYS:
        raise ValueError(
            f'the day "{text}" is not one of {", ".join(DAYS)}; write days like Mon-Thu or Mon,Wed,Fri, or daily'
        )
    return DAYS.index(name)


def _span(text: str) -> tuple[time, time]:
    match = _TIMES.fullmatch(text)
    if match is None:
        raise ValueError(f'the times "{text}" are not of the form HH:MM-HH:MM, like 22:00-04:00')
    if match[1] == match[2]:
        raise ValueError(f'the times "{text}" are of no length; write 00:00-24:00 for the whole day')
    return _clock(match[1]), _MIDNIGHT if match[2] == "24:00" else _clock(match[2])


def _clock(text: str) -> time:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(f'the time "{text}" is not one from 00:00 to 23:59 (24:00 as an end), two digits each')
    return time(int(match[1]), int(match[2]))


def _zone(text: str) -> str:
    if text in _zones():
        return text
    near = difflib.get_close_matches(text, _zones(), n=1) or [name for name in _zones() if name.lower() == text.lower()]
    hint = (
        f'did you mean "{near[0]}"?'
        if near
        else "it is a name of the IANA time zone database, like Europe/Berlin or UTC"
    )
    raise ValueError(f'the time zone "{text}" is not known; {hint}')


@cache
def _zones() -> tuple[str, ...]:
    """Every zone's name; what a machine calls its own is left out, since it means something else on another."""
    return tuple(sorted(available_timezones() - {"localtime", "Factory"}))


def _days_text(days: frozenset[int]) -> str:
    """`daily`, or the runs of days, a run of three or more as a range, from Monday on; one may pass the week's end."""
    if len(days) == len(DAYS):
        return "daily"
    return ",".join(_run_text(day, days) for day in sorted(days) if (day - 1) % 7 not in days)


def _run_text(first: int, days: frozenset[int]) -> str:
    length = next(n for n in range(1, 8) if (first + n) % 7 not in days)
    names = [DAYS[(first + n) % 7] for n in range(length)]
    return f"{names[0]}-{names[-1]}" if length > 2 else ",".join(names)
