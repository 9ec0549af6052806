"""Child processes: ready or told why not, started again if they are to be kept, and gone with whoever started them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.lab.controlplane.children import Child
from migrator.lab.record import LabError


def until(check: Callable[[], bool], seconds: float = 10.0) -> bool:
    limit = time.monotonic() + seconds
    while not check() and time.monotonic() < limit:
        time.sleep(0.02)
    return check()


def sleeper(folder: Path, *, kept: bool = False) -> tuple[Child, Path]:
    """A program that writes its pid and sleeps."""
    pids = folder / "pids"
    script = f'echo $$ >> "{pids}"; exec sleep 1000'
    return Child(["/bin/sh", "-c", script], folder / "log", kept=kept), pids


def pids_of(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def alive(pid: int) -> bool:
    """Whether it runs; one that nobody has waited for does not."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(told.strip()) and not told.startswith("Z")


def test_it_is_stopped(tmp_path: Path) -> None:
    child, pids = sleeper(tmp_path)
    child.start()
    child.wait_until(lambda: bool(pids_of(pids)), 10)
    child.stop()
    assert not alive(pids_of(pids)[0])
    child.stop()


def test_what_ends_as_it_starts_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = Child(["/bin/sh", "-c", "echo out of luck; exit 3"], tmp_path / "log")
    child.start()
    with pytest.raises(LabError, match=r"sh ended as it was started; .*/log ends with: out of luck"):
        child.wait_until(lambda: False, 10)
    child.stop()


def test_what_is_never_ready_is_told(tmp_path: Path) -> None:
    child, _ = sleeper(tmp_path)
    child.start()
    with pytest.raises(LabError, match="sh was not ready after 0 s"):
        child.wait_until(lambda: False, 0.2)
    child.stop()


def test_one_that_is_kept_is_started_again(tmp_path: Path) -> None:
    child, pids = sleeper(tmp_path, kept=True)
    child.start()
    child.wait_until(lambda: bool(pids_of(pids)), 10)
    os.kill(pids_of(pids)[0], signal.SIGKILL)
    assert until(lambda: len(pids_of(pids)) == 2)
    child.kill()
    assert until(lambda: len(pids_of(pids)) == 3)
    child.stop()
    assert not any(map(alive, pids_of(pids)))


def test_one_that_is_not_kept_stays_down(tmp_path: Path) -> None:
    child, pids = sleeper(tmp_path)
    child.start()
    child.wait_until(lambda: bool(pids_of(pids)), 10)
    child.kill()
    time.sleep(0.2)
    assert len(pids_of(pids)) == 1
    child.start()
    assert until(lambda: len(pids_of(pids)) == 2)
    child.stop()


def test_it_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"""
from pathlib import Path
from migrator.lab.controlplane.children import Child
import time
child = Child(["/bin/sh", "-c", 'echo $$ >> "{pids}"; exec sleep 1000'], Path("{tmp_path}/log"))
child.start()
time.sleep(1000)
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    assert until(lambda: bool(pids_of(pids)))
    parent.kill()
    parent.wait()
    assert until(lambda: not alive(pids_of(pids)[0]))
