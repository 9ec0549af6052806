"""Moments as people write them on a command line: `45m` from now, `06:00` next time, or a date with its time."""

import re
from datetime import UTC, datetime, time, timedelta

from migrator.model.wall_clock import occurrences

EXAMPLES = "write a duration like 90s, 45m or 1h30m, a time like 06:00, or a moment like 2026-03-01T06:00+01:00"

_DURATION = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?", re.IGNORECASE)
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})")
_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*", re.IGNORECASE)


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment that `text` means when it is written at `now`, in UTC.

    Durations count from `now`. A time of day is the next such one of this machine's clock; a date and time without a
    zone are this machine's too, and may have passed.

    Raises:
        ValueError: it means none; one sentence with the value and what is expected.
    """
    for read in (_after, _next, _dated):
        moment = read(text.strip(), now)
        if moment is not None:
            return moment
    if text.strip().isdecimal():
        raise ValueError(f'"{text}" has no unit; write {text.strip()}s, {text.strip()}m or {text.strip()}h')
    raise ValueError(f'"{text}" is no moment; {EXAMPLES}')


def _after(text: str, now: datetime) -> datetime | None:
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        return None
    try:
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        moment = now.astimezone(UTC) + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError) as error:  # more digits than a number may have, or a year after 9999
        raise ValueError(f'"{text:.40}" is longer than the calendar goes') from error
    if moment <= now:
        raise ValueError(f'"{text}" is no time at all; write a duration like 45m')
    return moment


def _next(text: str, now: datetime) -> datetime | None:
    """The next moment at which this machine's clock shows the time, or has just skipped it."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    if hour > 23 or minute > 59:
        raise ValueError(f'"{text}" is not a time from 00:00 to 23:59')
    today = now.astimezone().date()
    days = (today + timedelta(days=n) for n in (0, 1))
    walls = [datetime.combine(day, time(hour, minute)) for day in days]
    return min(moment for wall in walls for moment in occurrences(wall, None) if moment > now)


def _dated(text: str, _now: datetime) -> datetime | None:
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return occurrences(moment, None)[0] if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f'"{text}" is not a moment of the calendar; write it like 2026-03-01T06:00+01:00') from error
