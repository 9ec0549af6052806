"""Keeps asking every ready pod of a practice fleet for its credentials, by the pod's own way to them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.lab.seen import Unanswered

Ask = Callable[[str], list[dict[str, Any]]]
_PAUSE = 4.0  # between two rounds: each question costs the fleet a call to STS


@dataclass
class Asker:
    """`ask` takes the query of `/_lab/credentials` and gives its answers."""

    ask: Ask
    refused: list[Unanswered] = field(default_factory=list)
    served: set[str] = field(default_factory=set)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Asks from now on, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="asker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the asking."""
        self._stopping.set()
        self._thread.join()

    def round(self) -> None:
        """Asks everybody once. A pod that is on its way out by the time of its refusal does not count."""
        with self._guard:
            since = time.time()
            answers = self.ask("")
            at = time.time()
            self.served |= {one["uid"] for one in answers if one["answers"]}
            for one in answers:
                if not one["answers"] and self._stays(one):
                    self.refused.append(
                        Unanswered(
                            since=since,
                            at=at,
                            cluster=one["cluster"],
                            namespace=one["namespace"],
                            pod=one["pod"],
                            uid=one["uid"],
                            account=one["service_account"],
                            why=one["why"],
                            served_before=one["uid"] in self.served,
                        )
                    )

    def _stays(self, one: dict[str, Any]) -> bool:
        again = self.ask(f"?namespace={one['namespace']}&service_account={one['service_account']}")
        return any(other["uid"] == one["uid"] for other in again)

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE):
            self.round()
