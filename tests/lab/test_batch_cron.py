"""As a crontab would: one short run after the other, over work that takes many of them; and starts that overlap.

`CRON_SECONDS` in the environment sets how long each run may take; the fleet needs up to twenty times as long.
"""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from migrator.model.exits import Exit
from tests.lab import flocks, harness, scenes
from tests.lab.harness import Fleet

SECONDS = float(os.environ.get("CRON_SECONDS", "12"))
RUNS = 30
NEEDED = 20 if SECONDS >= 60 else 12  # run lengths of work; short runs lose more of their time to starting


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with harness.fleet(flocks.write(tmp_path, {"one": flocks.many(NEEDED)}), tmp_path) as running:
        running.migrate("plan").ok()
        flocks.policy(running, limits={"services": 1})
        third = SECONDS * 0.3
        scenes.waits(running, trust_settle=third, reconcile=third, settle=third)
        yield running


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_thirty_short_runs_end_with_everything_done(fleet: Fleet) -> None:
    began, runs, refused = time.monotonic(), 0, 0
    with ThreadPoolExecutor(1) as pool:
        while runs < RUNS:
            runs += 1
            run = pool.submit(fleet.migrate, "batch", "--until", f"{SECONDS:g}s", "--output", "json")
            if runs % 3 == 0:
                refused += overlapping(fleet)
            ran = run.result()
            if ran.exit == Exit.DONE:
                break
            ran.ended(Exit.UNFINISHED)
            assert ran.data["reason"] == "until"
    took = time.monotonic() - began
    assert set(flocks.standings(fleet).values()) == {"migrated"}
    assert NEEDED * 2 // 3 <= runs <= RUNS
    assert refused > 2
    told = (
        f"{runs} runs of {SECONDS:g} s moved {NEEDED} services, {refused} overlapping starts were refused, {took:.0f} s"
    )
    sys.stdout.write(f"\n{told}\n")


def overlapping(fleet: Fleet) -> bool:
    """A start in the middle of another run: it ends at once and names who holds the fleet."""
    harness.wait_for("the run's lock", lambda: _held(fleet))
    ran = fleet.migrate("batch", "--until", "1s")
    if ran.exit == Exit.LOCKED:
        assert '"batch" is held by process' in ran.err
        return True
    ran.ended(Exit.UNFINISHED)  # the other was over by then
    return False


def _held(fleet: Fleet) -> bool:
    return any(one["key"] == "batch" for one in fleet.migrate("status", "--output", "json").data["locks"])
