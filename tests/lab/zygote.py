"""Runs of `migrate`, each a process of its own, forked from one that has imported the program already.

Importing is half of what a short run costs, and the suites run `migrate` thousands of times. All that comes after it is
as ever: arguments, environment, folder and streams are the run's own, and it ends, or is killed, as any process.

`python -m tests.lab.zygote FD` is the process forked from; it lives as long as the other end of that socket is open.
"""

import atexit
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
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

ROOT = Path(__file__).parents[2]
_AS_IN_TESTS = {"PYTHONWARNINGS": "error::ResourceWarning"}
_ALSO = ("boto3.session", "botocore.client", "botocore.signers", "rich.live", "rich.table", "typer.rich_utils")
_SERVICES = ("sts", "eks", "iam")
_ENOUGH = 1 << 17  # bytes of a request: its arguments and environment


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, or the negative number of the signal that ended it; and what it wrote."""

    code: int
    out: str
    err: str


class Zygote:
    """The process that runs are forked from, as its owner sees it."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.lab.zygote", str(theirs.fileno())],
                env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | _AS_IN_TESTS,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def close(self) -> None:
        """Ends it, and whatever runs still."""
        self._ours.close()
        self._process.wait()

    def start(self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, streams: Sequence[int]) -> "Started":
        """Starts `migrate` on these three streams."""
        report, told = os.pipe()
        request = {"arguments": list(arguments), "env": dict(env), "cwd": str(cwd)}
        socket.send_fds(self._ours, [json.dumps(request).encode()], [*streams, told])
        os.close(told)
        return Started(arguments, os.fdopen(report))

    def run(
        self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, stdin: str | None, limit: float
    ) -> Ended:
        """Runs `migrate` to its end.

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
        self.pid = int(report.readline())
        self.returncode: int | None = None
        self.stderr: IO[str] | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not.
        """
        if self.returncode is None:
            if not select.select([self._report.fileno()], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(["migrate", *self._arguments], timeout or 0.0)
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
    """The one of this process."""
    made = Zygote()
    atexit.register(made.close)
    return made


@dataclass(frozen=True)
class _Request:
    arguments: list[str]
    env: dict[str, str]
    cwd: str
    streams: list[int]


def _serve(control: socket.socket) -> _Request:
    """Forks for every request; returns in each child with the child's own."""
    awake, bell = os.pipe()
    for end in (awake, bell):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(bell)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    reports: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), awake], [], [])
        if awake in ready:
            os.read(awake, 512)
            _reap(reports)
        if control.fileno() in ready:
            data, streams, _, _ = socket.recv_fds(control, _ENOUGH, 4)
            if not data:
                os.killpg(0, signal.SIGKILL)  # its owner is gone; so are we, and all that runs
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (awake, bell, *reports.values()):
                    os.close(descriptor)
                return _Request(**json.loads(data), streams=streams)
            *used, reports[pid] = streams
            for descriptor in used:
                os.close(descriptor)
            os.write(reports[pid], f"{pid}\n".encode())


def _reap(reports: dict[int, int]) -> None:
    with suppress(ChildProcessError):  # none is left
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            report = reports.pop(pid)
            with suppress(BrokenPipeError):  # nobody waits for it any more
                os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os.close(report)


def _read_service_models() -> None:
    """Parsing them is a third of what a short run costs; here all sessions come to share what is read once."""
    import botocore.session  # noqa: PLC0415 - the owner's side needs none of it

    botocore.session.create_loader = cache(botocore.session.create_loader)
    session = botocore.session.Session()
    session.set_credentials("none", "none")
    for service in _SERVICES:
        session.create_client(service, region_name="eu-west-1")


def _import_everything() -> None:
    import migrator  # noqa: PLC0415 - the owner's side needs none of it

    names = [module.name for module in pkgutil.walk_packages(migrator.__path__, "migrator.")]
    for name in names:
        if not name.startswith("migrator.lab") and not name.endswith("__main__"):
            importlib.import_module(name)
    for name in _ALSO:
        importlib.import_module(name)
    _read_service_models()
    gc.freeze()


class _End:
    """Ends a run when the interpreter is about to take itself down, which costs a run more than most of its work.

    Threads have been waited for and the run's own `atexit` callbacks called by then: this one was the first there
    was. What the run has left open is still found, and complained of.
    """

    code = 1

    def __call__(self) -> None:
        gc.collect()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(self.code)


def _become(request: _Request) -> int:
    """The run itself."""
    *streams, report = request.streams
    os.close(report)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    faulthandler.enable()  # for one that hangs, and is told to abort
    os.environ.clear()
    os.environ.update(request.env)
    os.chdir(request.cwd)
    sys.argv = ["migrate", *request.arguments]
    from migrator.entry import main  # noqa: PLC0415 - imported above

    return main()


if __name__ == "__main__":
    end = _End()
    atexit.register(end)
    _import_everything()
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        mine = _serve(listening)
    end.code = _become(mine)
    sys.exit(end.code)
