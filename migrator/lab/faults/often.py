"""How many of the occasions a fault takes: all, the first few, every n-th, or a share of them evenly spread."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Often:
    """Which occasions count; at most one of `first`, `every` and `share` is given.

    Attributes:
        first: only so many, from the beginning.
        every: only every n-th.
        share: so many of a hundred hundredths, evenly spread; nothing is left to chance.
        skip: how many are let pass before any of that begins.
    """

    first: int | None = None
    every: int | None = None
    share: float | None = None
    skip: int = 0

    def takes(self, occasion: int) -> bool:
        """Whether the fault takes the n-th occasion, counted from 1."""
        number = occasion - self.skip
        if number <= 0:
            return False
        if self.first is not None:
            return number <= self.first
        if self.every is not None:
            return number % self.every == 0
        if self.share is not None:
            return int(number * self.share + _ROUNDING) > int((number - 1) * self.share + _ROUNDING)
        return True


_ROUNDING = 1e-9  # three times a third is one


def often_of(given: Mapping[str, Any]) -> Often:
    """What the fields of a declaration say of it."""
    return Often(given.get("first"), given.get("every"), given.get("share"), given.get("skip", 0))


class Turns:
    """Counts the occasions of one fault; safe to share between threads."""

    def __init__(self, often: Often) -> None:
        self._often = often
        self._met = 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether the fault takes the occasion that has just come."""
        with self._lock:
            self._met += 1
            return self._often.takes(self._met)
