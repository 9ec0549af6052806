"""The thread that keeps leases alive while their holders are busy."""

import threading
from collections.abc import Callable

_PATIENCE = 5.0  # seconds; a beat that cannot reach the table goes on trying for longer, and is let go


class Heart:
    """Calls `beat` again and again, from the first `start` until `stop`."""

    def __init__(self, beat: Callable[[], None], every: float) -> None:
        self._beat = beat
        self._every = every
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to beat, unless it does already."""
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lease-heartbeat", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Beats no more; waits a little for a beat that is under way."""
        self._stopped.set()
        with self._guard:
            thread = self._thread
        if thread is not None:
            thread.join(timeout=_PATIENCE)

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            self._beat()
