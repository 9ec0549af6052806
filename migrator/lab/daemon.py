"""Starts and stops a practice fleet, here until told to stop or as a process of its own.

What runs a fleet is imported only when one is to run in this process: `status` and `down` must not wait for it.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from migrator.documents.errors import DocumentError
from migrator.lab import files
from migrator.lab.lock import LOCK, DirectoryLock
from migrator.lab.record import RECORD, Lab, LabError, read_record
from migrator.lab.world.load import SHIPPED, load_world, world_file

DEFAULT_DIRECTORY = Path(".lab")
LOG = "lab.log"
_START_LIMIT = 90.0
_STOP_LIMIT = 30.0


def up(
    world: Path | None,
    directory: Path = DEFAULT_DIRECTORY,
    *,
    detach: bool,
    ready: Callable[[Lab], None],
    real: bool = False,
) -> Lab:
    """Starts a fleet and tells `ready` once it is up; without `detach` it returns only after it has been stopped.

    Args:
        world: the world file, or the name of one that comes with the package; the fleet of forty services if None.
        directory: where its files go; made if it is not there.
        detach: whether to leave it running in a process of its own.
        ready: told of the fleet as soon as it can be used.
        real: whether its clusters are real control planes; their programs are built first if need be, which stderr
            is told of.

    Raises:
        LabError: a fleet runs there already, the directory holds other things, or it cannot be started.
        DocumentError: the world file is not as it should be.
    """
    chosen = _chosen(world)
    loaded = load_world(chosen)
    _prepare(directory)
    if not detach:
        from migrator.lab.foreground import run  # noqa: PLC0415 - loads moto; status and down do without it

        return run(loaded, directory, ready, real=real)
    if real:
        from migrator.lab.controlplane.plane import programs_at_hand  # noqa: PLC0415 - most fleets have none

        programs_at_hand()  # a build takes minutes, and nobody waits so long for a detached fleet's word
    lab = _detached(chosen, directory, real=real)
    ready(lab)
    return lab


def down(directory: Path = DEFAULT_DIRECTORY) -> bool:
    """Stops the fleet of a directory and waits until its ports are closed; False if none ran.

    Raises:
        LabError: it does not stop.
    """
    lock = DirectoryLock(directory)
    pid = lock.holder()
    if pid is None:
        if (directory / LOCK).exists():
            files.tidy(directory)
        return False
    os.kill(pid, signal.SIGTERM)
    limit = time.monotonic() + _STOP_LIMIT
    while lock.holder() == pid:
        if time.monotonic() > limit:
            raise LabError(f"process {pid} has not stopped after {_STOP_LIMIT:.0f} seconds; see {directory / LOG}")
        time.sleep(0.05)
    return True


def running(directory: Path = DEFAULT_DIRECTORY) -> Lab | None:
    """The fleet that runs in the directory, or None.

    Raises:
        LabError: one runs, and its record cannot be read (it may still be starting).
    """
    if DirectoryLock(directory).holder() is None:
        return None
    if not (directory / RECORD).exists():
        raise LabError(f'the practice fleet in "{directory}" is not up yet, or just going down; ask again')
    return read_record(directory)


def _chosen(world: Path | None) -> Path:
    if world is None:
        return world_file()
    return world_file(str(world)) if str(world) in SHIPPED and not world.exists() else world


def _prepare(directory: Path) -> None:
    """Makes the directory; one that holds anything but a fleet's files is left alone."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = [path.name for path in directory.iterdir()]
    except OSError as error:
        raise LabError(f'"{directory}" cannot be used: {error.strerror or error}') from error
    if found and LOCK not in found:
        raise LabError(f'"{directory}" holds other files ({min(found)}); give an empty or a new directory')
    (directory / LOCK).touch(mode=0o600)
    (directory / ".gitignore").write_text("*\n", encoding="utf-8")


def _detached(world: Path, directory: Path, *, real: bool) -> Lab:
    """Starts `migrator.lab.foreground` as a process of its own and waits for its word.

    Raises:
        LabError: it could not be started.
        DocumentError: the world holds something that AWS or a cluster refuses.
    """
    reading, writing = os.pipe()
    command = [
        sys.executable,
        "-m",
        "migrator.lab.foreground",
        *(["--real"] if real else []),
        "--",
        str(world),  # as it was given, so that complaints name it so
        str(directory.resolve()),
        str(writing),
    ]
    with (directory / LOG).open("ab") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(writing,), start_new_session=True
        )
    os.close(writing)
    try:
        word = _word(reading, time.monotonic() + _START_LIMIT)
    except BaseException:
        _ended(child)
        raise
    finally:
        os.close(reading)
    if word is None:
        _ended(child)
        raise LabError(f"the fleet did not start; see {directory / LOG}")
    if "refused" in word:
        child.wait()
        raise DocumentError(**word["refused"])
    if "error" in word:
        child.wait()
        raise LabError(word["error"])
    child.returncode = 0  # it is to outlive us: nobody waits for it, and Popen shall not complain of that
    return read_record(directory)


def _ended(child: "subprocess.Popen[bytes]") -> None:
    """Ends a process that did not come up, and waits for it."""
    child.terminate()
    try:
        child.wait(_STOP_LIMIT)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _word(pipe: int, limit: float) -> dict[str, Any] | None:
    """The line that the new process writes when it is up or has failed; None if there is none."""
    text = b""
    while not text.endswith(b"\n"):
        left = limit - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return None
        chunk = os.read(pipe, 65536)
        if not chunk:
            return None
        text += chunk
    word: dict[str, Any] = json.loads(text)
    return word
