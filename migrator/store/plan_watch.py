"""Plan files for somebody who looks again and again: what nobody touched since is not parsed again."""

from dataclasses import dataclass, field
from pathlib import Path

from migrator.model.ids import ServiceId
from migrator.model.plan import Plan
from migrator.store.plan_file import PlanFiles

_Mark = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class WatchedPlans(PlanFiles):
    """The same as `PlanFiles`, for one thread; a file counts as touched when its inode, size or times are others."""

    _kept: dict[Path, tuple[_Mark, Plan]] = field(default_factory=dict)

    def read(self, service: ServiceId) -> Plan:
        """The service's plan as the file is now.

        Raises:
            DocumentError: as ever; a file that cannot be used is tried again each time.
        """
        path = self.path(service)
        mark = _mark(path)  # before it is read: what changes meanwhile is seen the next time
        kept = self._kept.get(path)
        if kept is not None and kept[0] == mark:
            return kept[1]
        plan = PlanFiles.read(self, service)
        if mark is not None:
            self._kept[path] = (mark, plan)
        return plan


def _mark(path: Path) -> _Mark | None:
    try:
        found = path.stat()
    except OSError:  # the reading itself says what is wrong
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
