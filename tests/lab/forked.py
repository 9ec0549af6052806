"""The process that runs of a program are forked from, and what becomes of each fork.

`python -m tests.lab.forked FD PROGRAM` imports the program, and lives as long as the other end of that socket is open.
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
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

MIGRATE, FLEET = "migrate", "fleet"
_ALSO = ("boto3.session", "botocore.client", "botocore.signers", "rich.live", "rich.table", "typer.rich_utils")
_SERVICES = (  # that the program asks; one that is missing here costs time only
    *("cloudformation", "cloudtrail", "dynamodb", "ec2", "eks", "eks-auth", "iam", "kms"),
    *("s3", "secretsmanager", "service-quotas", "sns", "sqs", "sts"),
)
ENOUGH = 1 << 17  # bytes of a request: its arguments and environment


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
            data, streams, _, _ = socket.recv_fds(control, ENOUGH, 4)
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


def _import_all(package: str, *without: str) -> None:
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.startswith(without) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _warm_migrate() -> None:
    _import_all("migrator", "migrator.lab")
    for name in _ALSO:
        importlib.import_module(name)
    _read_service_models()


def _warm_fleet() -> None:
    from moto.core.utils import get_service_model  # noqa: PLC0415 - the owner's side needs none of it

    from migrator.lab.aws import models  # noqa: PLC0415 - the owner's side needs none of it
    from migrator.lab.aws.moto_backend import MotoBackend  # noqa: PLC0415 - the same

    _import_all("migrator.lab")
    _read_service_models()
    models.known_services()
    for name in models.SERVED:
        models.service_model(name)
    for name in MotoBackend.SERVICES:
        get_service_model(name)
    MotoBackend().close()


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


def _take_on(request: _Request) -> None:
    """Makes streams, environment and folder those of the run."""
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


def _migrate() -> int:
    from migrator.entry import main  # noqa: PLC0415 - imported above

    return main()


def _fleet() -> int:
    from moto.moto_api._internal import mock_random  # noqa: PLC0415 - imported above

    from tests.lab.leash import main  # noqa: PLC0415 - the owner's side needs none of it

    mock_random.seed()  # or every fleet would give out the same ids, as forks of one process
    main(*sys.argv[1:])
    return 0


_PROGRAMS = {MIGRATE: (_warm_migrate, _migrate), FLEET: (_warm_fleet, _fleet)}


def _main(control: int, program: str) -> None:
    end = _End()
    atexit.register(end)
    warm, become = _PROGRAMS[program]
    warm()
    gc.freeze()
    with socket.socket(fileno=control) as listening:
        mine = _serve(listening)
    _take_on(mine)
    end.code = become()
    sys.exit(end.code)


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2])
