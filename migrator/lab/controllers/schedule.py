"""The five-field schedule of a CronJob. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES = {name: number for number, name in enumerate(_MONTHS, 1)} | {name: number for number, name in enumerate(_DAYS)}
_SHORTHANDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_FARTHEST = 366 * 8


@dataclass(frozen=True)
class Schedule:
    """The minutes, hours, days and months at which a job is due."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def next_after(self, moment: datetime) -> datetime | None:
        """The first due time later than this; None if there is none in eight years."""
        return self._seek(moment.replace(second=0, microsecond=0) + timedelta(minutes=1), forward=True)

    def latest_until(self, moment: datetime) -> datetime | None:
        """The last due time not later than this; None if there is none in eight years."""
        return self._seek(moment.replace(second=0, microsecond=0), forward=False)

    def _seek(self, start: datetime, *, forward: bool) -> datetime | None:
        step = timedelta(days=1 if forward else -1)
        day = start.replace(hour=0, minute=0)
        for _ in range(_FARTHEST):
            if self._due_on(day):
                times = [
                    day.replace(hour=hour, minute=minute)
                    for hour in sorted(self.hours, reverse=not forward)
                    for minute in sorted(self.minutes, reverse=not forward)
                ]
                for time in times:
                    if time >= start if forward else time <= start:
                        return time
            day += step
        return None

    def _due_on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return in_month and in_week
        return in_month or in_week


def parse(text: str) -> Schedule:
    """A schedule read.

    Raises:
        ValueError: it is not a five-field schedule or one of the shorthands.
    """
    fields = _SHORTHANDS.get(text.strip(), text).split()
    if len(fields) != 5:
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: {text!r}")
    sets = [_field(field, *limits) for field, limits in zip(fields, _LIMITS, strict=True)]
    stars = [field[0] in "*?" for field in fields]
    minutes, hours, days, months, weekdays = sets
    return Schedule(minutes, hours, days, months, weekdays, any_day=stars[2], any_weekday=stars[4])


def _field(text: str, low: int, high: int) -> frozenset[int]:
    return frozenset(number for part in text.split(",") for number in _range(part, low, high))


def _range(text: str, low: int, high: int) -> range:
    span, slash, step = text.partition("/")
    first, dash, last = span.partition("-")
    if span in ("*", "?"):
        begin, end = low, high
    else:
        begin = _number(first)
        end = _number(last) if dash else (high if slash else begin)
    width = int(step) if slash else 1
    if not (low <= begin <= end <= high) or width < 1:
        raise ValueError(f"{text!r} is not within {low}-{high}")
    return range(begin, end + 1, width)


def _number(text: str) -> int:
    return _NAMES[text.lower()] if text.lower() in _NAMES else int(text)
