"""What `migrate verify` expects of a service, and its exit code over several."""

from dataclasses import replace

import pytest

from migrator.cli.verify import exit_of, expected
from migrator.model.exits import Exit
from migrator.model.facts import Association
from migrator.model.identity import Identity
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, ServiceState, Standing, Status, StepRecord
from migrator.running.observe import Verdict
from tests.fakes.carrying import open_run
from tests.fakes.parts import ROLE_ARN
from tests.fakes.running import SERVICE, Bench
from tests.fakes.samples import sample_plan
from tests.fakes.world import FakeWorld

GOOD, PENDING, BAD = Verdict.AS_EXPECTED, Verdict.PENDING, Verdict.OTHERWISE


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([GOOD, GOOD], Exit.DONE),
        ([GOOD, PENDING], Exit.UNFINISHED),
        ([PENDING, BAD, GOOD], Exit.BLOCKED),
    ],
)
def test_the_gravest_verdict_gives_the_exit_code(verdicts: list[Verdict], code: Exit) -> None:
    assert exit_of(verdicts) is code


def state(direction: Direction, outcome: Outcome) -> ServiceState:
    return ServiceState(standing=Standing.PLANNED, run=replace(open_run(), direction=direction, outcome=outcome))


RESTARTED = StepRecord(run="r", step="restart", status=Status.DONE, at="t")
EXPECTED: dict[str, tuple[ServiceState | None, Identity]] = {
    "[no journal]": (None, Identity.IRSA),
    "[never applied]": (ServiceState(standing=Standing.PLANNED), Identity.IRSA),
    "[migrated]": (state(Direction.FORWARD, Outcome.DONE), Identity.POD_IDENTITY),
    "[on the way there] no pod was replaced": (state(Direction.FORWARD, Outcome.OPEN), Identity.IRSA),
    "[on the way there] pods were replaced": (
        replace(state(Direction.FORWARD, Outcome.OPEN), steps=(RESTARTED,)),
        Identity.POD_IDENTITY,
    ),
    "[failed]": (state(Direction.FORWARD, Outcome.FAILED), Identity.IRSA),
    "[rolled back]": (state(Direction.BACK, Outcome.DONE), Identity.IRSA),
}


@pytest.mark.parametrize(("standing", "identity"), EXPECTED.values(), ids=EXPECTED.keys())
def test_what_verify_expects(standing: ServiceState | None, identity: Identity) -> None:
    assert expected(sample_plan(ServiceId("prod", "a", "a")), standing) is identity


def test_after_a_way_back_verify_expects_what_that_saw() -> None:
    """The association that was there before us stays, and Pod Identity with it."""
    bench = Bench(FakeWorld())
    theirs = Association(id="a-9", namespace="shop", service_account="orders", role_arn=ROLE_ARN)
    bench.world.made, bench.world._seen_association = theirs, True
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE

    assert bench.world.made == theirs
    assert expected(bench.plan, bench.journal.state(SERVICE)) is Identity.POD_IDENTITY
