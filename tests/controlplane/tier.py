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


def leave_out(items: Sequence[pytest.Item]) -> None:
    """Has the tests of the tier skipped where its programs are missing.

    Raises:
        pytest.UsageError: they are missing, and `REQUIRE_CONTROL_PLANE` says that they must not be.
    """
    missing = [one.name for one in NEEDED if programs.find(one) is None]
    if not missing:
        return
    concerned = [item for item in items if item.get_closest_marker(MARK)]
    if concerned and os.environ.get(REQUIRED):
        raise pytest.UsageError(f"{', '.join(missing)}: not here; {_GET}")
    for item in concerned:
        item.add_marker(pytest.mark.skip(reason=f"{_LEFT_OUT}: {', '.join(missing)} missing; {_GET}"))


def in_one_line(reporter: pytest.TerminalReporter) -> None:
    """Tells of all of them in one line instead of many."""
    skipped = reporter.stats.get("skipped", [])
    mine = [report for report in skipped if isinstance(report.longrepr, tuple) and _LEFT_OUT in report.longrepr[2]]
    if mine:
        reporter.stats["skipped"] = [report for report in skipped if report not in mine]
        reason = mine[0].longrepr[2].removeprefix("Skipped: ")
        reporter.write_line(f"LEFT OUT: {len(mine)} tests, {reason}", yellow=True)
