"""Ages as kubectl writes them."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# up to how many seconds which two units are shown
_STEPS = (
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (730 * _DAY, _DAY, "d", 0, ""),
    (8 * 365 * _DAY, 365 * _DAY, "y", _DAY, "d"),
)


def age(stamp: str | None) -> str:
    """The time since a moment: ``45s``, ``3m20s``, ``5h``, ``12d``."""
    if not stamp:
        return "<unknown>"
    return duration(max(int((datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds()), 0))


def between(start: str, end: str) -> str:
    """The time from one moment to another."""
    return duration(int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()))


def duration(seconds: int) -> str:
    """A number of seconds in the one or two units that matter."""
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    for limit, large, large_name, small, small_name in _STEPS:
        if seconds < limit:
            count, rest = divmod(seconds, large)
            shown = rest // small if small else 0
            return f"{count}{large_name}{shown}{small_name}" if shown else f"{count}{large_name}"
    return f"{seconds // (365 * _DAY)}y"
