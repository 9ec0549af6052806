"""Runs of `migrate`, and practice fleets, each a process of its own, forked from one that has all imported already.

Importing is half of what a short run costs, and the suites run `migrate` thousands of times. All that comes after it is
as ever: arguments, environment, folder and streams are the run's own, and it ends, or is killed, as any process.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from tests.lab.forked import ENOUGH, FLEET, MIGRATE

ROOT = Path(__file__).parents[2]
_AS_IN_TESTS = {"PYTHONWARNINGS": "error::ResourceWarning"}


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, or the negative number of the signal that ended it; and what it wrote."""

    code: int
    out: str
    err: str


class Zygote:
    """The process that runs of one program are forked from, as its owner sees it.

    Attributes:
        pid: its own, and of its process group.
    """

    def __init__(self, program: str, extra: dict[str, str]) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.lab.forked", str(theirs.fileno()), program],
                env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | extra,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self.pid = self._process.pid

    def close(self) -> None:
        """Ends it, and whatever runs still."""
        self._ours.close()
        self._process.wait()

    def start(self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, streams: Sequence[int]) -> "Started":
        """Starts the program on these three streams.

        Raises:
            AssertionError: it could not be forked.
        """
        request = json.dumps({"arguments": list(arguments), "env": dict(env), "cwd": str(cwd)}).encode()
        assert len(request) < ENOUGH, f"arguments and environment are {len(request)} bytes, too many to hand on"
        report, told = os.pipe()
        with os.fdopen(told, "wb"), suppress(ConnectionError):  # of one that has ended nothing will be reported
            socket.send_fds(self._ours, [request], [*streams, told])
        return Started(arguments, os.fdopen(report))

    def run(
        self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, stdin: str | None, limit: float
    ) -> Ended:
        """Runs the program to its end.

        Raises:
            AssertionError: it did not end in time, and was killed; the message has what it wrote.
        """
        with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin or "")
            given.seek(0)
            started = self.start(arguments, env, cwd, [given.fileno(), out.fileno(), err.fileno()])
            try:
                code = started.wait(limit)
            except subprocess.TimeoutExpired as late:
                os.kill(started.pid, signal.SIGABRT)  # it writes where each of its threads is
                started.wait(limit)
                raise AssertionError(f"{late}\n{_written(out)}\n{_written(err)}") from late
            return Ended(code, _written(out), _written(err))


class Started:
    """A run that goes on; of a `Popen` it has what the tests use.

    Attributes:
        pid: of its process.
        returncode: as `Popen` has it; None while it runs, as far as is known.
        stderr: what it writes there, if whoever started it has set it.
    """

    def __init__(self, arguments: Sequence[str], report: IO[str]) -> None:
        self._arguments, self._report = list(arguments), report
        pid = report.readline()
        if not pid:
            report.close()
            raise AssertionError("the process that runs are forked from has ended")
        self.pid = int(pid)
        self.returncode: int | None = None
        self.stderr: IO[str] | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not.
        """
        if self.returncode is None:
            if not select.select([self._report.fileno()], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self._arguments, timeout or 0.0)
            self.returncode = int(self._report.readline())
            self._report.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signals it, unless it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)


def _written(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


@cache
def zygote() -> Zygote:
    """What runs of `migrate` are forked from; one for this process."""
    return _kept(Zygote(MIGRATE, _AS_IN_TESTS))


@cache
def fleets() -> Zygote:
    """What practice fleets are forked from; one for this process."""
    return _kept(Zygote(FLEET, {}))


def _kept(made: Zygote) -> Zygote:
    atexit.register(made.close)
    return made
