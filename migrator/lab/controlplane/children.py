"""Child processes that never outlive us, however we end."""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from migrator.lab.record import LabError

# Runs the command until it ends or stdin does. Stdin is a pipe that only we hold: it ends with us, kill -9 included.
_LEASH = """
exec 3<&0
"$@" 3<&- </dev/null &
child=$!
(cat <&3 >/dev/null; kill -TERM $child; sleep 5; kill -KILL $child) 2>/dev/null &
guard=$!
wait $child
code=$?
kill $guard 2>/dev/null
exit $code
"""
_GO = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}  # with Go's own 100 an API server takes a quarter more CPU to start
_LOG = logging.getLogger(__name__)
_PAUSE = 0.05
_STOP_SECONDS = 10.0
_TAIL = 600


class Child:
    """One program with a log file; `kept` has it started again whenever it ends by itself, once it was ready."""

    def __init__(self, command: Sequence[str], log: Path, *, kept: bool = False) -> None:
        self.name = Path(command[0]).name
        self._command = list(command)
        self._log = log
        self._kept = kept
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Starts it, in a session of its own: Ctrl-C reaches only us, and we stop our children in order."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _LEASH, self.name, *self._command],
                env=_GO | os.environ,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Returns once it is ready.

        Raises:
            LabError: it ended, or was not ready in time; the message has the end of its log.
        """
        limit = time.monotonic() + seconds
        while not ready():
            if self._process is None or self._process.poll() is not None:
                raise LabError(f"{self.name} ended as it was started; {self._log} ends with: {self.said()}")
            if time.monotonic() > limit:
                raise LabError(f"{self.name} was not ready after {seconds:.0f} s; {self._log} ends: {self.said()}")
            time.sleep(_PAUSE)
        if self._kept and self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, daemon=True, name=f"keeper of {self.name}")
            self._keeper.start()

    def said(self) -> str:
        """The end of its log, on one line."""
        text = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        return " ".join(text[-_TAIL:].split())

    def kill(self) -> None:
        """Ends it at once, as a crash would; one that is not kept can be started again."""
        process = self._process
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin is not None:
                process.stdin.close()

    def stop(self) -> None:
        """Asks it to end and waits until it has; harmless when it never ran."""
        self._stopping.set()
        if self._keeper is not None:
            self._keeper.join()
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _keep(self) -> None:
        while not self._stopping.wait(_PAUSE):
            process = self._process
            if process is not None and process.poll() is not None:
                _LOG.warning("%s ended with %s, and is started again", self.name, process.returncode)
                if process.stdin is not None:
                    process.stdin.close()
                self.start()
