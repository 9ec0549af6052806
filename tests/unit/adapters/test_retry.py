"""The one retry policy: what is tried again, how long it waits, and when it stops."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from migrator.adapters.retry import Retry


class Flaky(Exception):
    """Worth another try; `asks` is how long the other side wants us to wait."""

    def __init__(self, asks: float = 0.0) -> None:
        self.asks = asks
        super().__init__("flaky")


@dataclass
class Time:
    """A clock that moves only when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def policy(self, sleep: Callable[[float], None] | None = None, *, attempts: int = 12) -> Retry:
        return Retry(attempts=attempts, sleep=sleep or self.sleep, monotonic=lambda: self.now)


@dataclass
class Calls:
    """Fails with each of `errors` in turn, then gives `ok`."""

    errors: list[Exception]
    count: int = 0

    def __call__(self) -> str:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return "ok"


def run(policy: Retry, calls: Calls) -> str:
    return policy.run(
        calls,
        transient=lambda error: isinstance(error, Flaky),
        pause=lambda error: error.asks if isinstance(error, Flaky) else 0.0,
    )


def test_first_success_needs_no_sleep() -> None:
    time, calls = Time(), Calls([])
    assert (run(time.policy(), calls), calls.count, time.slept) == ("ok", 1, [])


def test_transient_errors_are_tried_again_with_growing_pauses() -> None:
    time, calls = Time(), Calls([Flaky(), Flaky(), Flaky()])
    assert run(time.policy(), calls) == "ok"
    for pause, grown in zip(time.slept, (0.25, 0.5, 1.0), strict=True):
        assert grown / 2 <= pause <= grown


def test_other_errors_come_at_once_and_as_they_are() -> None:
    time, calls = Time(), Calls([KeyError("x")])
    with pytest.raises(KeyError):
        run(time.policy(), calls)
    assert (calls.count, time.slept) == (1, [])


def test_the_deadline_looks_ahead() -> None:
    time = Time()
    with pytest.raises(Flaky):
        run(time.policy(), Calls([Flaky() for _ in range(99)]))
    assert time.now < 45.0


def test_a_pause_the_server_asks_for_is_kept() -> None:
    time = Time()
    assert run(time.policy(), Calls([Flaky(asks=7.0)])) == "ok"
    assert time.slept == [7.0]


def test_a_pause_beyond_the_deadline_fails_now() -> None:
    time, calls = Time(), Calls([Flaky(asks=120.0)])
    with pytest.raises(Flaky):
        run(time.policy(), calls)
    assert (calls.count, time.slept) == (1, [])


def test_a_sleep_that_returns_early_does_not_make_it_hammer() -> None:
    time, calls = Time(), Calls([Flaky() for _ in range(99)])
    with pytest.raises(Flaky):
        run(time.policy(lambda _seconds: None, attempts=5), calls)
    assert calls.count == 5
