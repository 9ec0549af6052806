"""When a wall clock shows a time, be it put forward or back meanwhile; `zone` None is the clock of this machine."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def occurrences(wall: datetime, zone: ZoneInfo | None) -> tuple[datetime, datetime]:
    """The first and the last instant at which the clock shows `wall`, a time without a zone.

    They differ where the clock is put back over it. Where it is put forward over it, both are right after that gap.
    """
    early, late = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if _shown(early, zone) == wall:
        return early, late
    after = _first(early, late, lambda moment: _shown(moment, zone) >= wall)
    return after, after


def never_before(wall: datetime, zone: ZoneInfo | None) -> datetime:
    """The instant from which on the clock shows no time before `wall` any more."""
    just_before = wall - _SECOND
    _, last = occurrences(just_before, zone)
    return last + _SECOND if _shown(last, zone) == just_before else last


def _shown(moment: datetime, zone: ZoneInfo | None) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _first(before: datetime, after: datetime, holds: Callable[[datetime], bool]) -> datetime:
    """The first whole second that `holds`, which `after` does and `before` does not; it goes on holding in between."""
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(before + middle * _SECOND) else (middle, high)
    return before + high * _SECOND
