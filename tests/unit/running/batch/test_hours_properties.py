"""Nothing starts that cannot end in time: batches in zones with odd changes of the clock, around those changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.model.batch import BatchPolicy, Limits
from migrator.model.windows import Window, open_until
from migrator.running.batch.agenda import Left
from migrator.running.batch.hours import Hours
from tests.fakes.nights import Night, plan
from tests.unit.model.test_window_properties import worlds

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # the fake clock's midnight
QUICK = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(world=worlds(), longest=st.integers(60, 36000))
def test_what_begins_in_a_night_ends_in_it(world: tuple[list[Window], datetime], longest: int) -> None:
    windows, now = world
    policy = BatchPolicy(windows=tuple(windows), longest=float(longest), canary=0, limits=Limits(services=1))
    hours = Hours.of(policy, now, None)
    if hours is None:
        assert open_until(windows, now) is None
        return
    closes = open_until(windows, now)
    night = Night([plan(f"s{number}") for number in range(3)], policy, hours=hours)
    night.clock.time = (now - EPOCH).total_seconds()
    ends: list[datetime] = []

    def takes_as_long_as_it_may(_service: object) -> None:
        night.clock.sleep(longest - 1)  # the fake clock ticks whenever it is asked
        ends.append(EPOCH + timedelta(seconds=night.clock.time))

    night.script.meanwhile = takes_as_long_as_it_may
    batch = night.run()

    assert closes is not None
    assert all(end <= closes for end in ends)
    assert all(open_until(windows, end - timedelta(seconds=longest / 2)) is not None for end in ends)
    left = [why for why in batch.agenda.left.values() if why is Left.LATER]
    assert len(ends) + len(left) == 3
    assert (batch.stopped == "window") == bool(left)
    room = (closes - now).total_seconds()
    assert ends or room < longest + 1


def test_a_run_that_begins_outside_begins_nothing() -> None:
    policy = replace(BatchPolicy(), windows=(Window.parse("Mon 22:00-04:00 Europe/Berlin"),))
    assert Hours.of(policy, datetime(2026, 11, 29, 12, tzinfo=UTC), None) is None
