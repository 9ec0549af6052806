"""The one policy by which a flaky call is tried again: exponential pauses with jitter, and a deadline that looks ahead.

Only calls that are safe to repeat may be given to it: reads, and writes that are idempotent by a token or guarded by a
comparison. Waiting for the *world* is not done here; that is the executor's work, over `settled`.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

T = TypeVar("T")


def _no_pause(_error: BaseException) -> float:
    return 0.0


def _untold(_error: BaseException) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When to try again, and when to stop; all times in seconds.

    The cap on attempts matters only when `sleep` returns early (as an interruptible one does): it keeps the policy from
    hammering the other side until the deadline.
    """

    first: float = 0.25
    longest: float = 8.0
    deadline: float = 45.0
    attempts: int = 12
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def run(
        self,
        call: Callable[[], T],
        *,
        transient: Callable[[BaseException], bool],
        pause: Callable[[BaseException], float] = _no_pause,
        again: Callable[[BaseException], None] = _untold,
    ) -> T:
        """What `call` gives.

        Args:
            call: safe to repeat.
            transient: whether an error is worth another try.
            pause: the shortest wait that the other side asked for with this error, seconds.
            again: is told of every error after which another try is made, before the wait.

        Raises:
            Exception: the last error, as it came, once it is not transient, the attempts are used up, or the next
                try would begin after the deadline.
        """
        began = self.monotonic()

        def wait(state: RetryCallState) -> float:
            grown = min(self.longest, self.first * 2.0 ** (state.attempt_number - 1))
            asked = pause(error) if state.outcome and (error := state.outcome.exception()) else 0.0
            return max(asked, grown * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not cryptography

        def enough(state: RetryCallState) -> bool:
            return (
                state.attempt_number >= self.attempts
                or self.monotonic() - began + state.upcoming_sleep >= self.deadline
            )

        def tell(state: RetryCallState) -> None:
            if state.outcome and (error := state.outcome.exception()):
                again(error)

        policy = Retrying(
            retry=retry_if_exception(transient),
            wait=wait,
            stop=enough,
            sleep=self.sleep,
            before_sleep=tell,
            reraise=True,
        )
        return policy(call)
