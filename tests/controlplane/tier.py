"""Which tests need a real control plane or helm, and whether they are to be had here.

Nothing is built while tests run: `python -m migrator.lab.controlplane` does that, once, and the gate calls it.
"""

import os
from collections import Counter
from collections.abc import Sequence

import pytest

from migrator.lab.controlplane import programs

MARK, HELM = "controlplane", "helm"
REQUIRED = "REQUIRE_CONTROL_PLANE"
NEEDED = {
    MARK: (programs.ETCD, programs.API_SERVER, programs.MANAGER, programs.WEBHOOK),
    HELM: (programs.HELM,),
}
_LEFT_OUT = "not all programs for tests are here"
_GET = (
    "get them: .venv/bin/python -m migrator.lab.controlplane (Go 1.26 builds them once, in about ten minutes),"
    f" or name a folder that has them in {programs.ASSETS}"
)


def insist() -> None:
    """Ends the run before it begins where `REQUIRE_CONTROL_PLANE` says that nothing may be left out.

    Raises:
        pytest.UsageError: a program is missing.
    """
    gone = _missing(MARK) + _missing(HELM)
    if gone and os.environ.get(REQUIRED):
        raise pytest.UsageError(f"{REQUIRED} is set, and {', '.join(gone)} missing; {_GET}")


def leave_out(items: Sequence[pytest.Item]) -> None:
    """Has the tests of each tier skipped where its programs are missing."""
    missing = {mark: _missing(mark) for mark in NEEDED}
    for item in items:
        gone = [name for mark, names in missing.items() if item.get_closest_marker(mark) for name in names]
        if gone:
            item.add_marker(pytest.mark.skip(reason=f"{_LEFT_OUT}: {', '.join(gone)} missing; {_GET}"))


def _missing(mark: str) -> list[str]:
    return [one.name for one in NEEDED[mark] if programs.find(one) is None]


def in_one_line(reporter: pytest.TerminalReporter) -> None:
    """Tells of all that miss the same in one line instead of many."""
    skipped = reporter.stats.get("skipped", [])
    mine = [report for report in skipped if isinstance(report.longrepr, tuple) and _LEFT_OUT in report.longrepr[2]]
    if mine:
        reporter.stats["skipped"] = [report for report in skipped if report not in mine]
        counted = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in mine)
        for reason, count in counted.items():
            reporter.write_line(f"LEFT OUT: {count} tests, {reason}", yellow=True)
