"""The trust step against an IAM with late readers and other writers, over several services of one role."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from migrator.model.journal import Direction
from migrator.model.plan import PlannedStep
from migrator.model.trust import Scope, Subject, merge, ours, remove, size
from migrator.running.walk import StepFailed
from migrator.steps import trust
from migrator.steps.step import Context
from migrator.steps.trust import TRIES
from tests.fakes.office import NAMES, PATIENT, Office, Story, live_through, stories, subject

ARRIVALS = st.permutations([(name, Direction.FORWARD, 0) for name in NAMES])
SHORT = st.sampled_from([0.0, 1.0, float(PATIENT.trust_settle)])
LONG = st.sampled_from([PATIENT.trust_settle * 2, PATIENT.trust_settle * 3])


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(stories(), st.randoms(), SHORT, st.booleans())
def test_nobody_loses_an_edit_that_could_be_seen(story: Story, dice: Any, lag: float, busy: bool) -> None:
    live_through(story, dice, lag, busy=busy)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(ARRIVALS, st.randoms(), LONG)
def test_no_service_loses_its_share_though_iam_is_later_than_thought(story: Story, dice: Any, lag: float) -> None:
    """Services that go there one after the other; who turns back at once is beyond what can be told from such reads."""
    live_through(story, dice, lag, busy=False)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(stories(), st.randoms(), SHORT, st.booleans(), st.lists(st.sampled_from(Scope), min_size=3, max_size=3))
def test_a_share_of_several_services_goes_with_the_last_of_them(
    story: Story, dice: Any, lag: float, busy: bool, scopes: list[Scope]
) -> None:
    live_through(story, dice, lag, busy=busy, scopes=dict(zip(NAMES, scopes, strict=True)))


def believes_any_look(_document: str, _context: Context) -> bool:
    return True


def knows_nobody_else(_step: PlannedStep, _context: Context) -> dict[Subject, bool]:
    return {}


@pytest.mark.parametrize(
    ("part", "broken", "told", "lags"),
    [("_certain", believes_any_look, stories(), SHORT), ("_others", knows_nobody_else, ARRIVALS, LONG)],
    ids=["believes any look", "knows nobody else"],
)
def test_the_tests_above_find_what_is_broken(
    monkeypatch: pytest.MonkeyPatch, part: str, broken: Any, told: Any, lags: Any
) -> None:
    monkeypatch.setattr(trust, part, broken)

    @settings(max_examples=2000, derandomize=True, database=None, phases=[Phase.generate])
    @given(told, st.randoms(), lags)
    def search(story: Story, dice: Any, lag: float) -> None:
        live_through(story, dice, lag, busy=lags is SHORT)

    with pytest.raises((AssertionError, BaseExceptionGroup)):
        search()


def test_a_write_that_was_cut_off_is_not_repeated_because_iam_is_late() -> None:
    office = Office().late(float(PATIENT.trust_settle), lambda _count: 0)
    office.walk_and_die("one", Direction.FORWARD, 4)  # begin, STARTED, before the write, after it
    assert ours(office.iam.truth) == {subject("one")}
    office.walk("one", Direction.FORWARD)
    assert office.iam.writes == 0
    assert ours(office.iam.truth) == {subject("one")}


def test_a_read_that_is_late_for_ever_so_long_is_not_built_on() -> None:
    office = Office()
    office.walk("one", Direction.FORWARD)
    before, after = office.iam.versions[-2][1], office.iam.truth
    office.iam.lag, office.iam.choose = 1e9, lambda _count: 0
    office.iam.versions = [(-1e9, before), (office.clock.time, after)]
    with pytest.raises(StepFailed, match="after 5 tries"):
        office.walk("two", Direction.FORWARD)
    assert ours(office.iam.truth) == {subject("one"), subject("two")}


def test_a_share_missing_for_long_was_taken_out_and_stays_out() -> None:
    office = Office()
    office.walk("one", Direction.FORWARD)
    office.clock.sleep(PATIENT.trust + 1)
    office.iam.put(remove(office.iam.truth, subject("one")).document)
    office.walk("two", Direction.FORWARD)
    assert ours(office.iam.truth) == {subject("two")}


@pytest.mark.parametrize("direction", Direction)
def test_what_is_always_put_back_is_given_up_in_the_end(direction: Direction) -> None:
    office = Office()
    if direction is Direction.BACK:
        office.walk("one", Direction.FORWARD)
    before = office.iam.truth
    office.clock.meanwhile = lambda: office.iam.put(before)
    with pytest.raises(StepFailed, match="something keeps putting it back"):
        office.walk("one", direction)
    assert office.iam.writes == TRIES
    said = office.journal.lines[-1].note
    assert ('still has our statement for "shop/one"' in said) == (direction is Direction.BACK)
    assert ('does not let "shop/one" in' in said) == (direction is Direction.FORWARD)
    assert f"now of {size(before)} characters" in said


def test_what_is_put_back_once_is_put_right() -> None:
    office = Office()
    before = office.iam.truth
    moments = iter([False, True])
    office.clock.meanwhile = lambda: office.iam.put(before) if next(moments, False) else None
    office.walk("one", Direction.FORWARD)
    assert ours(office.iam.truth) == {subject("one")}
    assert office.iam.writes == 2


def test_who_writes_over_ours_keeps_their_edit_and_we_ours() -> None:
    office = Office()
    before = office.iam.truth

    def careless() -> None:
        office.iam.put(before)
        office.iam.edited()

    moments = iter([True])
    office.clock.meanwhile = lambda: careless() if next(moments, False) else None
    office.walk("one", Direction.FORWARD)
    theirs = next(text for _, text in office.iam.versions if '"Note":1' in text)
    assert office.iam.truth == merge(theirs, subject("one")).document


def test_an_edit_between_look_and_write_is_merged_into() -> None:
    office = Office()
    moments = iter([True])
    office.iam.around_write = lambda _moment: office.iam.edited() if next(moments, False) else None
    office.walk("one", Direction.FORWARD)
    assert '"Note":1' in office.iam.truth
    assert ours(office.iam.truth) == {subject("one")}
    assert office.iam.writes == 1


def test_the_way_back_takes_out_ours_alone_and_gives_the_first_form_back() -> None:
    office = Office()
    first = office.iam.truth.replace('"Statement":[', '"Statement":').replace("}]}", "}}")
    office.iam.versions = [(0.0, first)]
    office.walk("one", Direction.FORWARD)
    office.walk("one", Direction.BACK)
    assert office.iam.truth == first
    office.walk("one", Direction.FORWARD)
    office.iam.edited()
    theirs = remove(office.iam.truth, subject("one")).document
    office.walk("one", Direction.BACK)
    assert office.iam.truth == theirs


def test_what_the_account_does_not_allow_is_refused_once_and_changes_nothing() -> None:
    office = Office()
    office.iam.versions = [(0.0, office.iam.truth.replace('"Id":"0"', f'"Id":"{"0" * 1900}"'))]
    before = office.iam.truth
    with pytest.raises(StepFailed, match="larger than the account allows"):
        office.walk("one", Direction.FORWARD)
    assert (office.iam.truth, office.iam.writes) == (before, 0)
    office.iam.versions = [(0.0, before.replace('"Id":"', f'"Id":"{"0" * 6500}'))]
    with pytest.raises(StepFailed, match="no account allows more than 8192"):
        office.walk("two", Direction.FORWARD)


def test_a_stale_look_right_after_a_way_back_is_no_find() -> None:
    office = Office()
    office.walk("one", Direction.FORWARD)
    office.walk("one", Direction.BACK)
    office.iam.lag, office.iam.choose = float(PATIENT.trust_settle), lambda _count: 0
    office.walk("one", Direction.FORWARD)
    assert ours(office.iam.truth) == {subject("one")}
    assert office.journal.lines[-1].status == "done"
