"""Whether a run that failed was left open on purpose, and not cut off before its way back was begun.

Only a mark tells: a process that is killed between the two leaves the same records behind.
"""

from collections.abc import Mapping

from migrator.model.ids import ServiceId
from migrator.model.journal import Mark, Run

MARK = "kept:"  # a mark's key begins so


def key(service: ServiceId) -> str:
    """Of the mark that says so."""
    return f"{MARK}{service}"


def kept(run: Run, marks: Mapping[str, Mark]) -> bool:
    """Whether a person is to go on with it."""
    mark = marks.get(key(run.service))
    return mark is not None and (mark.data or {}).get("run") == run.id
