"""For the whole suite: which tests need a real control plane, and what belongs together when it is run in parallel."""

import gc
import os

import pytest
from hypothesis import settings

from tests.controlplane import tier

THEIRS = ("AWS_", "KUBECONFIG", "MIGRATE_")
"""What is exported for a real fleet, or for a practice fleet, by whoever runs the tests."""
FIRST = ("scenarios", "controlplane", "lab", "contract/kube", "worlds", "bad_input", "resume")
"""Folders with the longest groups: begun last, they would be waited for alone."""
settings.register_profile("busy", deadline=None)  # the machine is shared, by the other workers at least
settings.load_profile("busy")


def pytest_configure() -> None:
    """Nothing of the caller's own clusters and accounts is there; and the gate leaves nothing out."""
    for name in [name for name in os.environ if name.startswith(THEIRS)]:
        del os.environ[name]
    tier.insist()


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's tests share its fixtures, and so its worker; one that runs on two planes counts as two modules.

    A long test marked `apart` shares nothing, and need not wait for its neighbours.
    """
    tier.leave_out(items)
    for item in items:
        plane = "real" if item.get_closest_marker(tier.MARK) else ""
        own = item.name if item.get_closest_marker("apart") else ""
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{item.path.parent.name}-{plane}{own}"))
    items.sort(key=_rank)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Says so where xdist does not keep the groups together: every worker would start every fleet."""
    _collect_less_often()
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("xdist has not taken the groups that modules are marked with")


def _collect_less_often() -> None:
    """Thousands of tests stay until the end, and need not be looked through again and again."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for all that was left out; and the figures that slow tests have written."""
    tier.in_one_line(terminalreporter)
    written = [(one.nodeid, one.capstdout.strip()) for one in _passed(terminalreporter) if "slow" in one.keywords]
    for name, figures in written:
        if figures:
            terminalreporter.write_line(f"{name.partition('@')[0].rpartition('/')[2]}: {figures}")


def _passed(terminalreporter: pytest.TerminalReporter) -> list[pytest.TestReport]:
    return [one for one in terminalreporter.getreports("passed") if one.when == "call"]


def _rank(item: pytest.Item) -> int:
    where = item.path.parent.as_posix()
    return next((rank for rank, folder in enumerate(FIRST) if where.endswith(f"tests/{folder}")), len(FIRST))
