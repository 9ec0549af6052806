"""`migrate status --watch` as a person has it: on a terminal of its own, until Ctrl-C; and what it refuses."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyte
import pytest

from migrator.model.journal import Direction, Outcome, Run, Status, StepRecord
from migrator.running.clock import SystemClock
from migrator.store.database import Database
from migrator.store.plan_file import PlanFiles
from migrator.store.sqlite import SqliteJournal
from migrator.store.sqlite_locks import SqliteLocks
from tests.fakes.samples import ORDERS, sample_plan

FLEET = "version: 1\nclusters:\n  - {alias: prod, region: eu-west-1, account: '111111111111'}\n"
WIDTH, HEIGHT = 150, 30
PATIENCE = 30.0


class Terminal:
    """`migrate status --watch` on a pseudo-terminal, and what is on its screen."""

    def __init__(self, folder: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> None:
        self.mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", **(extra or {})}
        command = [sys.executable, "-m", "migrator", "status", "--watch", "--fleet", "fleet.yaml", *arguments]
        self.process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self.raw = ""
        self._screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self._screen)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    def until(self, seen: Callable[[list[str]], bool]) -> list[str]:
        """Waits until the screen is so."""
        end = time.monotonic() + PATIENCE
        while not seen(self.lines):
            assert time.monotonic() < end, "\n".join(self.lines)
            self._read(0.05)
        return self.lines

    def shows(self, text: str) -> list[str]:
        """Waits until a line has that text."""
        return self.until(lambda lines: any(text in line for line in lines))

    def ends(self) -> int:
        """Its exit code; the screen is then as it left it."""
        code = self.process.wait(PATIENCE)
        while self._read(0.2):
            pass
        return code

    def _read(self, wait: float) -> bool:
        ready, _, _ = select.select([self.mine], [], [], wait)
        if not ready:
            return False
        try:
            data = os.read(self.mine, 65536).decode()
        except OSError:  # how Linux says that the last writer has closed a terminal
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.mine)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    PlanFiles(tmp_path / "plans").write(sample_plan())
    return tmp_path


@pytest.fixture
def terminal(folder: Path) -> Iterator[Terminal]:
    made = Terminal(folder, "--every", "0.2")
    yield made
    made.close()


def test_it_follows_what_others_do_until_ctrl_c(folder: Path, terminal: Terminal) -> None:
    terminal.shows("at work: nobody")
    clock = SystemClock()
    database = Database(folder / "state.db", create=True)
    journal, locks = SqliteJournal(database), SqliteLocks(database, "ops")
    run = Run(
        id="r1",
        service=ORDERS,
        direction=Direction.FORWARD,
        outcome=Outcome.OPEN,
        plan={},
        actor="ops",
        host="desk",
        started=clock.now(),
    )
    with locks.held(f"service:{ORDERS}", doing="apply"):
        terminal.shows(f"{ORDERS}  looking")
        journal.begin(run)
        journal.record(StepRecord(run="r1", step="trust", status=Status.STARTED, at=clock.now(), image={}))
        terminal.shows(f"{ORDERS}  trust started")
        assert any(line.startswith("1 service: 1 running") for line in terminal.lines)
        terminal.shows("trust started, 1 s")  # ages go on
        journal.record(StepRecord(run="r1", step="trust", status=Status.FAILED, at=clock.now(), note="IAM said no"))
    journal.end("r1", Outcome.FAILED, "trust: IAM said no", clock.now())
    database.close()
    terminal.shows("failed")
    PlanFiles(folder / "plans").path(ORDERS).write_text("nonsense: [")
    terminal.shows("1 plan file cannot be read")
    terminal.process.send_signal(signal.SIGINT)

    assert terminal.ends() == 0
    assert "at work: nobody" in terminal.lines
    assert [line for line in terminal.lines if line.startswith("migrate status")] == [terminal.lines[0]]


def test_it_draws_over_its_own_lines_and_leaves_the_cursor_as_it_was(terminal: Terminal) -> None:
    terminal.until(lambda _lines: terminal.raw.count("at work") > 4)
    terminal.process.send_signal(signal.SIGINT)

    assert terminal.ends() == 0
    assert sum(line.startswith("migrate status") for line in terminal.lines) == 1
    assert "\x1b[?1049h" not in terminal.raw  # no screen of its own: the last picture stays
    assert "\x1b[2J" not in terminal.raw  # nothing is wiped before it is drawn
    assert terminal.raw.rstrip().endswith("\x1b[?25h")


def test_sigterm_ends_it_with_its_own_code(terminal: Terminal) -> None:
    terminal.shows("at work: nobody")
    terminal.process.send_signal(signal.SIGTERM)

    assert terminal.ends() == 143
    assert terminal.raw.rstrip().endswith("\x1b[?25h")


def test_a_terminal_that_is_gone_ends_it(folder: Path) -> None:
    terminal = Terminal(folder, "--every", "0.2")
    terminal.shows("at work: nobody")
    os.close(terminal.mine)

    assert terminal.process.wait(PATIENCE) == 1


def test_a_store_that_fails_meanwhile_is_told_and_looked_at_again(folder: Path, terminal: Terminal) -> None:
    terminal.shows("at work: nobody")
    (folder / "state.db").write_text("no database at all, " * 100)
    terminal.shows("not read since:")
    (folder / "state.db").unlink()
    terminal.until(lambda lines: not any("not read since" in line for line in lines))
    terminal.process.send_signal(signal.SIGINT)

    assert terminal.ends() == 0


@pytest.mark.parametrize("extra", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["[no colour]", "[dumb]"])
def test_a_terminal_that_is_not_redrawn_is_refused(folder: Path, extra: Mapping[str, str]) -> None:
    terminal = Terminal(folder, extra=extra)
    try:
        assert terminal.ends() == 2
        assert "which NO_COLOR or a dumb terminal does not allow" in terminal.raw
    finally:
        terminal.close()


REFUSED = {
    "[no terminal]": (["--watch"], '"--watch" draws on a terminal, and stdout is none; leave out "--watch"'),
    "[machines]": (
        ["--watch", "--output", "json"],
        '"--watch" draws for people; leave out "--output", or "--watch"',
    ),
    "[pause alone]": (["--every", "5"], '"--every" is the pause of "--watch"; add "--watch", or leave it out'),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_it_refuses(folder: Path, arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", "migrator", "status", "--fleet", "fleet.yaml", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"migrate: {said}\n")


@pytest.mark.parametrize("every", ["0", "-1", "nan", "soon"])
def test_a_pause_that_is_none_is_refused(folder: Path, every: str) -> None:
    command = [sys.executable, "-m", "migrator", "status", "--fleet", "fleet.yaml", "--watch", "--every", every]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "--every" in done.stderr
    assert done.stderr.count("\n") == 1
