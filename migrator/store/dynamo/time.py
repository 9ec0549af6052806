"""What time it is at DynamoDB. The local wall clock is never asked: machines may disagree by hours.

Every answer of DynamoDB carries the `Date` of the moment it was made, in whole seconds. That moment lies between the
sending of the request and the arrival of the answer, both told by the local monotonic clock. So each answer gives a
bound from below and one from above for the time now, and the tightest of the last ones count. A lease is taken over
when it has run out even by the lower bound, and its holder stops when it has run out by the upper one.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from migrator.model.errors import StoreFault

_KEPT = 64  # answers: few enough that the drift of the local clock meanwhile is no matter
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps, where there is one


def monotonic() -> float:
    """Seconds since the machine was started."""
    return time.clock_gettime(_CLOCK)


class ServerTime:
    """Seconds since the epoch, as DynamoDB counts them; for several threads."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.clock = clock
        self._guard = threading.Lock()
        self._answers: deque[tuple[float, float]] = deque(maxlen=_KEPT)  # what to add to the clock, from and to

    def heard(self, date: str, sent: float) -> None:
        """An answer with that `Date` has come to a request that was sent then, by `clock`.

        Raises:
            StoreFault: it has none, or no date.
        """
        try:
            moment = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError) as error:
            raise StoreFault(
                f'an answer of DynamoDB has no usable "Date": {date!r}', remedy="look at what is between here and AWS"
            ) from error
        with self._guard:
            self._answers.append((moment - self.clock(), moment + 1 - sent))

    def earliest(self) -> float:
        """It is at least so late now."""
        with self._guard:
            return self.clock() + max(low for low, _high in self._answers)

    def passes(self, moment: float) -> float:
        """When, by `clock`, that moment may have come at the earliest."""
        with self._guard:
            return moment - min(high for _low, high in self._answers)
