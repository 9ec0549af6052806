"""The control plane's association file, written as late as the world says: on EKS nobody can tell when it is done."""

import threading
import time
from collections import deque
from pathlib import Path

from migrator.lab.webhook.sources import association_document

Pairs = frozenset[tuple[str, str]]


class Identities:
    """Writes the file the webhook reads, each change its own delay after it was made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.delay = 0.0
        self._due: deque[tuple[float, Pairs]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"identities-{path.stem}")

    def start(self) -> None:
        """Writes an empty file and begins to follow changes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._write(frozenset())
        self._thread.start()

    def stop(self) -> None:
        """Stops at once; changes not yet written are dropped."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def changed(self, pairs: Pairs) -> None:
        """The associations are these from now on; the file will say so after the delay, at once if there is none."""
        with self._changed:
            if self.delay <= 0 and not self._due:
                self._write(pairs)
                return
            self._due.append((time.monotonic() + self.delay, pairs))
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._stopping:
                left = self._due[0][0] - time.monotonic() if self._due else None
                if left is None or left > 0:
                    self._changed.wait(left)
                else:
                    self._write(self._due.popleft()[1])

    def _write(self, pairs: Pairs) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(association_document(pairs), encoding="utf-8")
        fresh.replace(self.path)
