"""A practice fleet that lives no longer than whoever holds the other end of its stdin: the tests, however they end.

Writes a line when the fleet is up.
"""

import faulthandler
import os
import signal
import sys
import threading
from pathlib import Path

from migrator.lab import daemon
from migrator.lab.record import Lab

ENOUGH = 100.0  # seconds to stop in; then it says where each of its threads is, and ends


def main(world: str, directory: str, plane: str) -> None:
    """Runs a fleet until stdin ends; `plane` is `practice` or `real`."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()
    daemon.up(Path(world), Path(directory), detach=False, ready=_tell, real=plane == "real")


def _wait_for_the_end() -> None:
    sys.stdin.read()
    faulthandler.dump_traceback_later(ENOUGH, exit=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _tell(lab: Lab) -> None:
    sys.stdout.write(f"{lab.pid}\n")
    sys.stdout.flush()
