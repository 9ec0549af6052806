"""The exit code of `migrate verify` over several services."""

import pytest

from migrator.cli.verify import exit_of
from migrator.model.exits import Exit
from migrator.running.observe import Verdict

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
