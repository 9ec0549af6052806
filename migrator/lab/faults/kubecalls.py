"""The log of what was asked of the API servers, but for what the fleet's own parts ask."""

import threading
from datetime import UTC, datetime

from migrator.lab.faults.matching import KubeCall, kube_who
from migrator.lab.faults.model import Json


class KubeCallLog:
    """Calls in the order in which they were answered."""

    def __init__(self) -> None:
        self._calls: list[Json] = []
        self._lock = threading.Lock()

    def add(self, call: KubeCall, status: int, *, lost: bool = False) -> int:
        """Writes a call down and tells its number; `status` is 0 when nothing was even done."""
        asked = call.asked
        with self._lock:
            number = len(self._calls) + 1
            self._calls.append(
                {
                    "number": number,
                    "time": datetime.now(UTC).isoformat(),
                    "cluster": call.cluster,
                    "by": kube_who(asked),
                    "user": asked.user.name,
                    "verb": asked.verb,
                    "group": asked.group,
                    "resource": asked.resource,
                    "namespace": asked.namespace,
                    "name": asked.name,
                    "path": asked.path,
                    "dry_run": asked.dry_run,
                    "mutating": asked.writes and not asked.dry_run,
                    "instance": asked.instance,
                    "status": status,
                    "lost": lost,
                }
            )
        return number

    def lose(self, number: int) -> None:
        """Notes that the answer to this call was never sent."""
        with self._lock:
            self._calls[number - 1]["lost"] = True

    def all(self, after: int = 0) -> list[Json]:
        """The calls from that number on."""
        with self._lock:
            return [dict(one) for one in self._calls[after:]]
