"""Runs a practice fleet in this process until SIGINT or SIGTERM; as a program, it is the detached fleet's process."""

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from migrator.documents.errors import DocumentError
from migrator.lab import files
from migrator.lab.fleet import Practice, practice_plane
from migrator.lab.lock import DirectoryLock
from migrator.lab.planes import Plane
from migrator.lab.record import Lab, LabError, write_record
from migrator.lab.world.load import load_world
from migrator.lab.world.model import World

_IDENTITIES = "identities"
_PLANES = "control-planes"
_NAP = 0.2
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP, wherever the main thread was."""


def run(world: World, directory: Path, ready: Callable[[Lab], None], *, real: bool = False) -> Lab:
    """Runs the fleet and returns after it has been told to stop; `real` builds its clusters on real control planes.

    Raises:
        LabError: one runs in the directory already, or it cannot be started.
    """
    lock = DirectoryLock(directory)
    if not lock.take():
        raise LabError(f'a practice fleet runs in "{directory}" already; stop it first: migrate lab down')
    try:
        _forget_last_run(directory)
        practice = Practice(world, directory / _IDENTITIES, _planes(directory) if real else practice_plane)
        lab: Lab | None = None
        with _signals() as quiet:
            try:
                practice.start()
                lab = _describe(practice, world, directory, real=real)
                ready(lab)
                while True:  # a signal may be given to any thread; the main one hears of it when it next runs
                    time.sleep(_NAP)
            except _Stopped:
                quiet()
            finally:
                quiet()
                practice.stop()
                files.tidy(directory)
        if lab is None:
            raise LabError("stopped before it was ready")
        return lab
    finally:
        lock.release()


def _planes(directory: Path) -> Callable[[str], Plane]:
    """A real control plane for each cluster, every file of it below the directory."""
    from migrator.lab.controlplane.plane import RealPlane, programs_at_hand  # noqa: PLC0415 - most fleets have none

    at_hand = programs_at_hand()
    return lambda alias: RealPlane(at_hand, directory.resolve() / _PLANES / alias)


def _describe(practice: Practice, world: World, directory: Path, *, real: bool) -> Lab:
    """Writes the fleet's files and its record."""
    clusters = practice.running_clusters()
    lab = Lab(
        directory=directory.resolve(),
        pid=os.getpid(),
        world=world.source,
        aws_endpoint=practice.front.endpoint,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        env=files.write_files(directory, world, practice.front.endpoint, clusters),
        clusters=clusters,
        control_plane="real" if real else "practice",
    )
    write_record(lab)
    return lab


def _forget_last_run(directory: Path) -> None:
    """Journal and plans of an earlier fleet speak of objects that are no more."""
    files.tidy(directory)
    for path in directory.glob("state.db*"):
        path.unlink()
    for folder in (directory / files.PLANS, directory / _PLANES):
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)


@contextmanager
def _signals() -> Iterator[Callable[[], None]]:
    """The ending signals raise `_Stopped` until the yielded function is called; from then on they are ignored."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Stopped

    def quiet() -> None:
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)

    before = {number: signal.signal(number, stop) for number in _ENDING}
    try:
        yield quiet
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(arguments: list[str] | None = None) -> int:
    """The detached process: runs a fleet and reports once through the pipe it was given."""
    parser = argparse.ArgumentParser(prog="migrator.lab.foreground")
    parser.add_argument("world", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("pipe", type=int)
    parser.add_argument("--real", action="store_true")
    given = parser.parse_args(arguments)

    def tell(word: dict[str, Any]) -> None:
        with os.fdopen(given.pipe, "w", encoding="utf-8") as pipe:
            pipe.write(json.dumps(word) + "\n")

    try:
        run(load_world(given.world), given.directory, lambda lab: tell({"ready": lab.pid}), real=given.real)
    except DocumentError as error:
        tell({"refused": {"path": error.path, "problem": error.problem, "line": error.line, "field": error.field}})
        return 1
    except LabError as error:
        tell({"error": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
