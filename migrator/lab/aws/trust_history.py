"""What every role's trust policy was before: whoever is behind the times reads it here."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT = 50


class TrustHistory:
    """The changes of trust policies, by role ARN; the last fifty of each."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._changes: dict[str, deque[tuple[float, Any, Any]]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._lock = threading.Lock()

    def wrote(self, arn: str, before: Any | None, after: Any) -> None:
        """Notes a change; `before` is None for a new role."""
        with self._lock:
            self._changes[arn].append((self._now(), before, after))

    def forget(self) -> None:
        """From now on everything has always been as it is."""
        with self._lock:
            self._changes.clear()

    def seen(self, arn: str, current: Any, then: float) -> Any | None:
        """The document as it was at that moment (monotonic); None if there was no such role then."""
        with self._lock:
            changes = list(self._changes.get(arn, ()))
        if not changes:
            return current
        known = [after for when, _, after in changes if when <= then]
        return known[-1] if known else changes[0][1]
