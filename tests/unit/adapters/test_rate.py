"""The rate of an account: a burst of one second's worth, then one call after the other, and nobody is turned away."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.adapters.rate import Rate
from tests.fakes.running import FakeClock


def test_a_quiet_account_answers_one_seconds_worth_at_once() -> None:
    rate = Rate(4, FakeClock())

    assert [rate.take("a") for _ in range(6)] == [0, 0, 0, 0, 0.25, 0.25]


def test_a_second_of_quiet_fills_the_bucket_and_not_more() -> None:
    clock = FakeClock()
    rate = Rate(4, clock)
    for _ in range(8):
        rate.take("a")
    clock.sleep(60)

    assert [rate.take("a") for _ in range(5)] == [0, 0, 0, 0, 0.25]


def test_accounts_do_not_wait_for_one_another() -> None:
    rate = Rate(1, FakeClock())

    assert [rate.take(account) for account in ("a", "b", "a", "b")] == [0, 0, 1, 0]


@pytest.mark.parametrize("per_second", [0.5, 1])
def test_the_first_call_of_a_slow_account_waits_for_nothing(per_second: float) -> None:
    rate = Rate(per_second, FakeClock())

    assert [rate.take("a"), rate.take("a")] == [0, 1 / per_second]


@given(st.floats(0.5, 50), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_stretch_of_time_sees_more_than_its_rate_and_one_burst(per_second: float, pauses: list[float]) -> None:
    clock = FakeClock()
    rate = Rate(per_second, clock)
    times = []
    for pause in pauses:
        clock.sleep(pause)
        rate.take("a")
        times.append(clock.monotonic())

    burst = max(1.0, per_second)
    for first, began in enumerate(times):
        for last, ended in enumerate(times[first:], first):
            assert last - first + 1 <= burst + per_second * (ended - began) + 1e-6 + 1


class Frozen(FakeClock):
    """Time stands still; who sleeps writes down for how long."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)


def test_threads_that_come_together_each_get_a_token_of_their_own() -> None:
    clock = Frozen()
    rate = Rate(10, clock)
    with ThreadPoolExecutor(max_workers=8) as pool:
        waited = list(pool.map(lambda _: rate.take("a"), range(50)))

    assert sorted(waited) == pytest.approx([0.0] * 10 + [number / 10 for number in range(1, 41)])
    assert sorted(clock.slept) == pytest.approx([number / 10 for number in range(1, 41)])
