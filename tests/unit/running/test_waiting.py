"""How long the world is waited for: each stage has the deadline to itself, but only once."""

from collections.abc import Iterator

from migrator.running.waiting import GaveUp, Patience, Waiter
from migrator.steps.step import Later, NotYet, Settled, Settling
from tests.fakes.running import FakeClock

PATIENCE = Patience(poll=1, deadline=5, hold=0)


def waited(looks: Iterator[Settling]) -> tuple[Settling | GaveUp, float]:
    clock = FakeClock()
    waiter = Waiter(clock, lambda: None)
    answer = waiter.until_settled(lambda _last: next(looks), lambda _answer: None, PATIENCE, lambda _why, _for: None)
    return answer, clock.monotonic()


def stage(name: str, looks: int) -> list[Settling]:
    return [NotYet(reason=f"{name} is under way", stage=name)] * looks


def test_each_stage_has_the_deadline_to_itself() -> None:
    answer, seconds = waited(iter([*stage("a", 4), *stage("b", 4), *stage("c", 4), Settled()]))

    assert isinstance(answer, Settled)
    assert seconds >= 12


def test_a_stage_that_does_not_end_is_given_up() -> None:
    answer, _ = waited(iter([*stage("a", 4), *stage("b", 100)]))

    assert answer == GaveUp(reason="gave up after 5 s: b is under way")


def test_falling_back_to_an_earlier_stage_gives_no_more_time() -> None:
    answer, _ = waited(iter(stage("a", 2) + stage("b", 2) + (stage("a", 1) + stage("b", 1)) * 50))

    assert isinstance(answer, GaveUp)


def test_what_a_later_run_must_see_is_not_waited_for() -> None:
    assert waited(iter([Later(reason="their owner's turn")])) == (Later(reason="their owner's turn"), 0)


def test_a_look_that_was_not_through_keeps_the_settle_period() -> None:
    told: list[bool] = []
    looks: Iterator[Settling] = iter([Settled(), NotYet(reason="still asking", holding=True), Settled()])

    def look(last: bool) -> Settling:
        told.append(last)
        return next(looks)

    waiter = Waiter(FakeClock(), lambda: None)
    patience = Patience(poll=1, deadline=5, hold=1)
    answer = waiter.until_settled(look, lambda _answer: None, patience, lambda _why, _for: None)

    assert isinstance(answer, Settled)
    assert told == [False, True, True]
