"""Streams that go away or fill up: no work is cut off by them, and what is lost of a result is said once."""

import errno
import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from migrator.cli.run import guarded
from migrator.cli.signals import say_on_stderr
from migrator.cli.streams import Outlet
from migrator.model.events import Reporter
from migrator.model.exits import Exit
from migrator.model.journal import Direction, Outcome
from migrator.render import log
from migrator.render.lines import LineReporter
from migrator.render.progress import LiveProgress
from tests.fakes.carrying import Desk
from tests.unit.render.test_events import STORY

FULL = OSError(errno.ENOSPC, "No space left on device")
BROKEN = BrokenPipeError(errno.EPIPE, "Broken pipe")
CLOSED = ValueError("I/O operation on closed file.")
FAULTS = {"[full]": FULL, "[reader gone]": BROKEN, "[closed]": CLOSED}
LOST = "migrate: the result could not be written to stdout: No space left on device\n"


class Failing(io.StringIO):
    """Fails from the third write on, and counts how often it was asked."""

    def __init__(self, fault: Exception, after: int = 2) -> None:
        super().__init__()
        self.left, self.asked, self._fault = after, 0, fault

    def write(self, text: str) -> int:
        self.asked += 1
        if self.asked > self.left:
            raise self._fault
        return super().write(text)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_what_cannot_be_written_is_lost_and_so_is_all_after_it(fault: Exception) -> None:
    stream = Failing(fault)
    outlet = Outlet(stream)
    for number in range(9):
        outlet.write(f"{number}\n")
    outlet.flush()

    assert stream.getvalue() == "0\n1\n"
    assert stream.asked == 3
    assert outlet.lost


def test_what_fails_in_making_a_line_is_not_the_streams_fault() -> None:
    def lines() -> Iterator[str]:
        yield "one\n"
        raise OSError("no such file")

    outlet = Outlet(io.StringIO())
    with pytest.raises(OSError, match="no such file"):
        outlet.writelines(lines())
    assert not outlet.lost


@contextmanager
def lines(stream: Outlet) -> Iterator[Reporter]:
    yield LineReporter(stream)  # type: ignore[arg-type] # as it stands in for stderr


@contextmanager
def live(stream: Outlet) -> Iterator[Reporter]:
    with LiveProgress(stream, width=80) as progress:  # type: ignore[arg-type] # the same
        yield progress


@contextmanager
def json_log(stream: Outlet) -> Iterator[Reporter]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        log.configure(json_lines=True, level=logging.DEBUG, colour=False)
        yield log.LogReporter()


REPORTERS = {"[lines]": lines, "[live]": live, "[JSON log]": json_log}


@pytest.mark.parametrize("reporting", REPORTERS.values(), ids=REPORTERS.keys())
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_progress_that_nobody_reads_fails_nothing(
    reporting: Callable[[Outlet], AbstractContextManager[Reporter]], fault: Exception
) -> None:
    stream = Failing(fault)
    with reporting(Outlet(stream)) as reporter:
        for event in STORY:
            reporter.tell(event)

    assert stream.asked == 3


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_migration_goes_on_to_its_end_when_both_streams_go_away(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Outlet(Failing(fault)))
    monkeypatch.setattr(sys, "stderr", Outlet(Failing(fault)))
    desk = Desk()

    assert desk.apply() is Exit.DONE
    assert desk.rollback() is Exit.DONE
    ended = [(run.direction, run.outcome) for run in desk.bench.journal.all_runs]
    assert ended == [(Direction.FORWARD, Outcome.DONE), (Direction.BACK, Outcome.DONE)]


ENDS = {
    "[full] an error": (FULL, Exit.DONE, Exit.ERROR),
    "[full] graver than unfinished": (FULL, Exit.UNFINISHED, Exit.ERROR),
    "[full] no graver than the work's own": (FULL, Exit.ROLLED_BACK, Exit.ROLLED_BACK),
    "[reader gone] no error": (BROKEN, Exit.DONE, Exit.DONE),
    "[reader gone] the work's own": (BROKEN, Exit.STRANDED, Exit.STRANDED),
}


@pytest.mark.parametrize(("fault", "code", "ends"), ENDS.values(), ids=ENDS.keys())
def test_how_a_command_ends_whose_result_was_lost(
    fault: Exception, code: Exit, ends: Exit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Outlet(Failing(fault, after=0)))

    def work() -> Exit:
        sys.stdout.write("result\n")
        return code

    assert guarded(work, debug=False, json_lines=False) is ends
    assert capsys.readouterr().err == (LOST if fault is FULL else "")


def test_a_broken_pipe_of_another_kind_is_no_reader_that_went_away(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> Exit:
        raise BROKEN

    assert guarded(work, debug=False, json_lines=False) is Exit.ERROR
    assert capsys.readouterr().err.startswith("migrate: unexpected error: BrokenPipeError")


def test_a_signal_is_heard_where_nobody_reads_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_descriptor: int, _data: bytes) -> int:
        raise BROKEN

    monkeypatch.setattr(os, "write", write)

    say_on_stderr("SIGTERM: stopping")


# What follows are processes: Python's own flush at their end is part of it.

WORK = """
import sys
from pathlib import Path
from migrator.cli.app import app
from migrator.cli.options import command
from migrator.model.events import Noticed
from migrator.model.exits import Exit

@command(app, "work", example="migrate work")
def work(common):
    '''Tell a little and do something.'''
    from migrator.cli.output import Output
    from migrator.cli.reporting import reporting
    from migrator.render.blocks import Line
    Output(common).draw([Line("before")])
    with reporting(common) as reporter:
        for _ in range(9):
            reporter.tell(Noticed(what="at it", data={}))
    Path("done").touch()
    Output(common).draw([Line("after")])
    return Exit.UNFINISHED

from migrator.entry import main
sys.argv = ["migrate", *sys.argv[1:]]
sys.exit(main())
"""


def run(folder: Path, redirected: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The program under a shell, whose redirections are these."""
    command = ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, "-c", WORK, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


TOLD = "at it\n" * 9
SHELL = {
    "[stderr full]": ("2>/dev/full", 3, "before\nafter\n", ""),
    "[stderr closed]": ("2>&-", 3, "before\nafter\n", ""),
    "[stdout full]": (">/dev/full", 1, "", TOLD + LOST),
    "[stdout closed]": (">&-", 3, "", TOLD),
    "[all full]": (">/dev/full 2>/dev/full", 1, "", ""),
    "[all closed]": ("<&- >&- 2>&-", 3, "", ""),
}


@pytest.mark.parametrize(("redirected", "code", "out", "err"), SHELL.values(), ids=SHELL.keys())
def test_the_work_is_done_whatever_becomes_of_the_streams(
    redirected: str, code: int, out: str, err: str, tmp_path: Path
) -> None:
    ended = run(tmp_path, redirected, "work")

    assert (ended.returncode, ended.stdout, ended.stderr) == (code, out, err)
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("gone", ["stdout", "stderr"])
def test_a_reader_that_went_away_changes_neither_work_nor_code(gone: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, gone: writing}
    command = [sys.executable, "-c", WORK, "work"]
    ended = subprocess.run(command, cwd=tmp_path, **streams, text=True, timeout=60, check=False)  # type: ignore[call-overload] # two of its streams
    os.close(writing)

    assert ended.returncode == 3
    assert (tmp_path / "done").exists()
    assert (ended.stdout or "", ended.stderr or "") == (("", TOLD) if gone == "stdout" else ("before\nafter\n", ""))


@pytest.mark.parametrize("argument", ["--help", "--version", "work --help"])
def test_help_that_cannot_be_written_is_one_sentence(argument: str, tmp_path: Path) -> None:
    ended = run(tmp_path, ">/dev/full", *argument.split())

    assert (ended.returncode, ended.stderr) == (1, LOST)
