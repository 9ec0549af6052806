"""Which tests need a real control plane, and whether there is one to be had here.

Nothing is built while tests run: `python -m migrator.lab.controlplane` does that, once, and the gate calls it.
"""

import os
from collections.abc import Sequence

import pytest

from migrator.lab.controlplane import programs

MARK = "controlplane"
REQUIRED = "REQUIRE_CONTROL_PLANE"
NEEDED = (programs.ETCD, programs.API_SERVER, programs.MANAGER, programs.WEBHOOK)
_LEFT_OUT = "there is no real control plane here"
_GET = (
    "get them: .venv/bin/python -m migrator.lab.controlplane (Go 1.26 builds them once, in about ten minutes),"
    f" or name a folder that has them in {programs.ASSETS}"
)


def insist() -> None:
    """Ends the run before it begins where `REQUIRE_CONTROL_PLANE` says that nothing may be left out.

    Raises:
        pytest.UsageError: a program is missing.
    """
    gone = _missing()
    if gone and os.environ.get(REQUIRED):
        raise pytest.UsageError(f"{REQUIRED} is set, and {', '.join(gone)} missing; {_GET}")


def leave_out(items: Sequence[pytest.Item]) -> None:
    """Has the tests of the tier skipped where its programs are missing."""
    gone = _missing()
    for item in items:
        if gone and item.get_closest_marker(MARK):
            item.add_marker(pytest.mark.skip(reason=f"{_LEFT_OUT}: {', '.join(gone)} missing; {_GET}"))


def _missing() -> list[str]:
    return [one.name for one in NEEDED if programs.find(one) is None]


def in_one_line(reporter: pytest.TerminalReporter) -> None:
    """Tells of all of them in one line instead of many."""
    skipped = reporter.stats.get("skipped", [])
    mine = [report for report in skipped if isinstance(report.longrepr, tuple) and _LEFT_OUT in report.longrepr[2]]
    if mine:
        reporter.stats["skipped"] = [report for report in skipped if report not in mine]
        reason = mine[0].longrepr[2].removeprefix("Skipped: ")
        reporter.write_line(f"LEFT OUT: {len(mine)} tests, {reason}", yellow=True)
